"""The exports of a plugin: a base class for each interface, such as `Run`."""


def __getattr__(name: str) -> type:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return type(name, (), {"__doc__": f"The interface `{name}`, which the plugin implements."})
