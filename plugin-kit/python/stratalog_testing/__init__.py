"""Tests plugins with pytest, against logs in memory with faults. The logs are the real ones.

    def test_orders_are_billed(world):
        world.grant("orders")
        with Log.open("orders") as log:
            log.append_json({"item": "tea"})
        world.fail_creates()
        ...
        assert world.events("orders") == ['{"item":"tea"}']

The fixture `world` is in `stratalog_testing.fixtures`, which `conftest.py` names. A test runs the
code of the plugin as it is: once this package is imported, `wit_world` and `componentize_py_types`
are modules of it. The component of the log, `log.wasm`, runs as in the host, over a store in
memory. The clock stands still unless a test moves it.
"""

from .bindings import install

install()

from .world import RIGHTS, World  # noqa: E402

__all__ = ["RIGHTS", "World"]
