"""The modules that componentize-py generates, for a plugin that runs outside of a host.

`componentize_py_types` and `wit_world.imports.types` are those that componentize-py 0.25 writes.
"""

import importlib
import sys

# In this order, since later ones import those before.
MODULES = [
    "componentize_py_types",
    "wit_world",
    "wit_world.exports",
    "wit_world.imports",
    "wit_world.imports.types",
    "wit_world.imports.exit",
    "wit_world.imports.append_log",
]


def install() -> None:
    """Makes the modules importable under the names that plugins use."""
    for name in MODULES:
        sys.modules[name] = importlib.import_module(f"{__name__}.{name}")
