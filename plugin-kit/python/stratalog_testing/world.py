"""The world of a plugin in a test: its logs, a clock, and faults of the store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from .component import APPEND_LOG, CallFailed, Component
from .conversion import lowered
from .host import RIGHTS, Host
from .memory_store import MemoryStore

__all__ = ["RIGHTS", "World"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(milliseconds=250)
"""The time between two ticks of the host."""
TICKS_MAX = 1000


def _checked(count: int) -> int:
    if count >= 0:
        return count
    raise ValueError(f"{count} is not a number of calls: give 0 or more")


class World:
    """The logs of one plugin, in memory. The newest world is the current one."""

    _current: ClassVar[World | None] = None

    def __init__(self) -> None:
        self.store = MemoryStore()
        self._micros = (START - EPOCH) // timedelta(microseconds=1)
        self.host = Host(Component(self.store, self._read_clock))
        World._current = self

    @classmethod
    def current(cls) -> World:
        """Returns the world in which a plugin runs now."""
        if cls._current is None:
            raise RuntimeError("there is no log yet: use the fixture `world`, or make a `World()`")
        return cls._current

    def grant(self, label: str, *rights: str, log: str | None = None) -> None:
        """Grants a log under a label; without rights, to append and to read.

        `log` is the name of the log, by default the label. A later grant under a label replaces an
        earlier one.
        """
        self._check(rights)
        self.host.grant(label, log or label, set(rights or ("append", "read")))

    def deny(self, label: str, right: str) -> None:
        """Takes a right back from the log under a label."""
        self._check([right])
        self.host.granted(label).rights.discard(right)

    def limit_calls(self, count: int = 1) -> None:
        """Refuses the next calls, as if the plugin had made too many in a second."""
        self.host.calls_to_limit += _checked(count)

    def fail_creates(self, count: int = 1) -> None:
        """Fails the next creates. Their objects are not written."""
        self.store.creates_to_fail += _checked(count)

    def lose_replies(self, count: int = 1) -> None:
        """Loses the replies to the next creates. Their objects are written."""
        self.store.replies_to_lose += _checked(count)

    def delay_create(self) -> None:
        """Delays the next create. Its fate is unknown, and its object appears with `deliver`."""
        self.store.creates_to_delay += 1

    def deliver(self) -> int:
        """Lets the delayed creates land. Returns the number of those that nothing has overtaken."""
        return self.store.deliver()

    def fail_reads(self, count: int = 1) -> None:
        """Fails the next reads and listings of the plugin."""
        self.store.reads_to_fail += _checked(count)

    def fail_deletes(self, count: int = 1) -> None:
        """Fails the next deletes. Their objects remain."""
        self.store.deletes_to_fail += _checked(count)

    def damage(self, label: str) -> str:
        """Changes one byte of the newest batch of a log. Returns the name of the object."""
        self.host.settle()
        grant = self.host.granted(label)
        start = f"{grant.log}/batch_"
        batches = [key for key in self.store.objects if key.startswith(start)]
        if not batches:
            raise LookupError(f"the log {label} has no batch: flush one first")
        self.store.damage(max(batches))
        return grant.object(max(batches))

    @property
    def now(self) -> datetime:
        """The time. Each look of the log at the clock takes a microsecond."""
        return EPOCH + timedelta(microseconds=self._micros)

    def advance(self, time: timedelta) -> None:
        """Moves the clock on. The host ticks meanwhile, so old buffers are written."""
        end = self.now + time
        for _ in range(TICKS_MAX):
            if not self.host.tick() or self.now + TICK > end:
                break
            self._micros += TICK // timedelta(microseconds=1)
        self._micros = max(self._micros, (end - EPOCH) // timedelta(microseconds=1))
        self.host.tick()

    def end(self) -> list[str]:
        """Ends the plugin: the host flushes and closes the logs that it has left open.

        Returns the labels of the logs whose events are lost, since that failed.
        """
        return self.host.end()

    def crash(self) -> None:
        """Ends the plugin and its host, without a flush. What the store has stays."""
        self.host.crash()

    def events(self, label: str) -> list[str]:
        """Returns the stored events of a log, as a new reader gets them.

        It needs no right, and no fault hits it.
        """
        from wit_world.imports import types

        self.host.settle()
        options = lowered(types.ReadOptions(None, None, None, None, None, None))
        component, log = self.host.component, self.host.granted(label).log
        reader = component.call(APPEND_LOG, "read", log, options)
        lines, faults = b"", self.store.reads_to_fail
        self.store.reads_to_fail = 0
        try:
            while (page := component.next_page(reader)) is not None:
                lines += page[0]
        except CallFailed as failed:
            if failed.error.tag != "no-log":
                raise
        finally:
            self.store.reads_to_fail = faults
            component.drop(reader)
        return lines.decode(errors="replace").split("\n")[:-1]

    def _read_clock(self) -> int:
        self._micros += 1
        return self._micros

    def _check(self, rights: Iterable[str]) -> None:
        for right in rights:
            if right not in RIGHTS:
                raise ValueError(f"{right!r} is not a right: the rights are {', '.join(RIGHTS)}")
