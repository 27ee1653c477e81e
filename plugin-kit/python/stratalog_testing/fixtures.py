"""The fixture of pytest: `pytest_plugins = ["stratalog_testing.fixtures"]` in `conftest.py`."""

from collections.abc import Iterator

import pytest

from .world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A world without logs: grant those that the plugin opens."""
    made = World()
    yield made
    made.end()
