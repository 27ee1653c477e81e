"""Checks what the test kit adds to the log: labels, limits and handles."""

from datetime import timedelta
from typing import Any

import pytest
from stratalog_testing import World
from wit_world.imports import append_log, types

from stratalog_plugin import Log, LogError, read


def test_object_is_named_below_its_label(world: World) -> None:
    world.grant("orders", log="shop/secret")
    log = Log.open("orders")
    log.append("tea")
    world.fail_creates()
    with pytest.raises(LogError, match="orders/batch_") as failed:
        log.flush()
    assert "secret" not in str(failed.value)
    log.flush()
    world.fail_reads()
    assert world.events("orders") == ["tea"]
    with pytest.raises(LogError, match="the store of the log orders did not answer"):
        next(read("orders"))
    world.grant("others", log="shop")
    assert world.events("others") == []
    assert world.damage("orders").startswith("orders/batch_")
    with pytest.raises(LogError, match="orders/batch_.* is damaged"):
        next(read("orders"))


def test_limit_refuses_a_call_without_an_effect(world: World) -> None:
    world.grant("orders")
    log = Log.open("orders")
    world.limit_calls()
    with pytest.raises(LogError, match="log.append on the log orders: calls_per_second") as failed:
        log.append("tea")
    assert isinstance(failed.value.cause, types.Error_LimitReached)
    log.append("milk")
    assert log.close().events == 1


def test_clock_that_moves_on_retries_creates(world: World) -> None:
    world.grant("orders")
    log = Log.open("orders")
    log.append("tea")
    world.fail_creates(2)
    start = world.now
    world.advance(timedelta(seconds=5))
    assert world.events("orders") == ["tea"]
    assert timedelta(seconds=5) <= world.now - start < timedelta(seconds=6)


def test_deletes_that_fail_leave_garbage(world: World) -> None:
    world.grant("orders", "append", "read", "compact")
    log = Log.open("orders")
    for event in ("tea", "milk"):
        log.append(event)
        log.flush()
    world.fail_deletes()
    options = types.CompactOptions(False, None, None, None)
    assert append_log.compact("orders", options).batches == 2
    assert append_log.stat("orders").garbage_objects == 2
    append_log.compact("orders", options)
    assert append_log.stat("orders").garbage_objects == 0


def test_handle_that_is_dropped_is_flushed_twice_at_most(world: World) -> None:
    for failures, lost in [(1, []), (2, ["orders"])]:
        world.grant("orders", log=f"orders{failures}")
        log = Log.open("orders")
        log.append("tea")
        world.fail_creates(failures)
        del log
        assert world.events("orders") == (["tea"] if not lost else [])
        assert world.end() == lost


def test_end_names_the_logs_whose_events_are_lost(world: World) -> None:
    for label in ("orders", "errors"):
        world.grant(label)
    logs = [Log.open("orders"), Log.open("errors")]
    for log in logs:
        log.append("tea")
    world.fail_creates(1)
    assert world.end() == ["orders"]
    assert (world.events("orders"), world.events("errors")) == ([], ["tea"])
    assert world.end() == []


def test_handle_of_a_plugin_that_has_ended_is_refused(world: World) -> None:
    world.grant("orders")
    for end in (world.crash, world.end):
        log = Log.open("orders")
        end()
        with pytest.raises(RuntimeError, match="orders is used after its plugin has ended"):
            log.append("tea")


def test_wrong_names_and_numbers_are_refused(world: World) -> None:
    with pytest.raises(ValueError, match="-1 is not a number of calls"):
        world.fail_creates(-1)
    with pytest.raises(ValueError, match='"a/b" is not a label'):
        world.grant("a/b")
    with pytest.raises(ValueError, match="'reed' is not a right"):
        world.grant("orders", "reed")
    world.grant("orders")
    for wrong, named in (
        ({"flush_threshold": "9"}, "flush_threshold is int, not str"),
        ({"flush_bytes": True}, "flush_bytes is int, not bool"),
        ({"flush_interval": 5}, "flush_interval is timedelta, not int"),
    ):
        with pytest.raises(TypeError, match=named):
            Log.open("orders", **wrong)
    for wrong, named in (
        ({"start": 5}, "start is str, not int"),
        ({"name": 5}, "name is str, not int"),
        ({"limit": "3"}, "limit is int, not str"),
        ({"since": 5}, "since is datetime, not int"),
    ):
        with pytest.raises(TypeError, match=named):
            read("orders", **wrong)
    no_label: Any = None
    with pytest.raises(TypeError, match="a label is str, not NoneType"):
        Log.open(no_label)
    with pytest.raises(TypeError, match="a label is str, not NoneType"):
        read(no_label)
    with pytest.raises(ValueError, match="JSON"):
        Log.open("orders").append_json(float("nan"))
