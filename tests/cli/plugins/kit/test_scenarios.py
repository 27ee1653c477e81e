"""Runs the scenarios of all test kits in a project of `plugin new`, next to scenarios.json."""

import gc
import json
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from componentize_py_types import Err
from stratalog_testing import RIGHTS, World
from wit_world.imports import append_log, types

from stratalog_plugin import Events, Log, LogError, read

Step = dict[str, Any]
SCENARIOS: list[dict[str, Any]] = json.loads(Path("scenarios.json").read_text())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_scenario(world: World, scenario: dict[str, Any]) -> None:
    steps = Steps(world)
    for step in scenario["steps"]:
        for label in ("open", "read", "read-named", "compact", "trim", "verify"):
            if step.get(label):
                steps.grant(step[label])
    for step in scenario["steps"]:
        action = next(iter(step))
        try:
            outcome: dict[str, Any] = {"expect": getattr(steps, action.replace("-", "_"))(step)}
        except LogError as error:
            outcome = {"error": case(error.cause)}
        except Err as error:
            outcome = {"error": case(error.value)}
        wanted = {name: step[name] for name in ("expect", "error") if name in step}
        if wanted or "error" in outcome:
            assert outcome == wanted, step


class Steps:
    """The actions of a step, by their names."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.log: Log | None = None
        self.granted: set[str] = set()

    def grant(self, label: str) -> None:
        if label not in self.granted:
            self.world.grant(label, *RIGHTS)
            self.granted.add(label)

    def opened(self) -> Log:
        assert self.log
        return self.log

    def open(self, step: Step) -> None:
        options = {name.replace("-", "_"): value for name, value in step.get("options", {}).items()}
        if "flush_interval_ms" in options:
            interval = options.pop("flush_interval_ms")
            options["flush_interval"] = timedelta(milliseconds=interval)
        self.log = Log.open(step["open"], **options)

    def append(self, step: Step) -> None:
        self.opened().append(step["append"])

    def append_lines(self, step: Step) -> int:
        return self.opened().append_lines(step["append-lines"])

    def flush(self, _: Step) -> int:
        return self.opened().flush().events

    def close(self, _: Step) -> int:
        return self.opened().close().events

    def drop(self, _: Step) -> None:
        self.log = None
        gc.collect()

    def read(self, step: Step) -> list[str]:
        start = None
        if "start-after" in step:
            before = read(step["read"])
            assert len(list(islice(before, step["start-after"]))) == step["start-after"]
            start = before.position()
        return texts(read(step["read"], start=start))

    def read_named(self, step: Step) -> list[str]:
        events = read(step["read-named"], name=step["name"])
        found = [event.text for event in islice(events, step["events"])]
        if step.get("commit"):
            events.commit()
        return found

    def compact(self, step: Step) -> None:
        append_log.compact(step["compact"], types.CompactOptions(False, None, None, None))

    def trim(self, step: Step) -> None:
        until = types.TrimPoint_KeepEvents(step["keep-events"])
        append_log.trim(step["trim"], until, types.TrimOptions(False, False))

    def verify(self, step: Step) -> int:
        verifier, damaged = append_log.verify(step["verify"]), 0
        while (progress := verifier.next()) is not None:
            damaged += sum(isinstance(it, types.Finding_Damaged) for it in progress.findings)
        return damaged

    def fail_creates(self, step: Step) -> None:
        self.world.fail_creates(step["fail-creates"])

    def lose_replies(self, step: Step) -> None:
        self.world.lose_replies(step["lose-replies"])

    def delay_create(self, _: Step) -> None:
        self.world.delay_create()

    def deliver(self, _: Step) -> None:
        self.world.deliver()

    def fail_reads(self, step: Step) -> None:
        self.world.fail_reads(step["fail-reads"])

    def fail_deletes(self, step: Step) -> None:
        self.world.fail_deletes(step["fail-deletes"])

    def damage(self, step: Step) -> None:
        self.world.damage(step["damage"])

    def deny(self, step: Step) -> None:
        for label in self.granted:
            self.world.deny(label, step["deny"])

    def advance_ms(self, step: Step) -> None:
        self.world.advance(timedelta(milliseconds=step["advance-ms"]))

    def crash(self, _: Step) -> None:
        self.world.crash()


def texts(events: Events) -> list[str]:
    return [event.text for event in events]


def case(error: types.Error) -> str:
    """Returns the name of an error's case, as the WIT spells it."""
    name = type(error).__name__.removeprefix("Error_")
    return "".join(f"-{char.lower()}" if char.isupper() else char for char in name).lstrip("-")
