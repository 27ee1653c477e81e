"""Tests the program: `.venv/bin/pytest` runs this."""

import pytest
from stratalog_testing import World

import app
from stratalog_plugin import LogError


def test_text_is_stored_once_though_the_reply_is_lost(world: World) -> None:
    world.grant("journal")
    world.lose_replies()
    with pytest.raises(LogError, match="may be stored"):
        app.append(["hello"])
    # The host flushes what the plugin leaves open.
    world.end()
    assert world.events("journal") == ['{"text":"hello"}']
