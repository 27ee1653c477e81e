"""The interface `append-log`, over the logs of the current `World`. The WIT is its manual."""

from __future__ import annotations

import weakref
from types import TracebackType
from typing import Any, NoReturn, Self

from componentize_py_types import Err
from wit_world.imports import types

from stratalog_testing.component import APPEND_LOG, CallFailed
from stratalog_testing.conversion import lifted, lowered
from stratalog_testing.host import Grant, Host, OpenLog
from stratalog_testing.lines import checked
from stratalog_testing.world import World


class _Handle:
    """A handle of the component that has no events to lose."""

    def __init__(self, host: Host, grant: Grant, handle: Any) -> None:
        self._host, self._grant, self._own = host, grant, handle
        self._drop = weakref.finalize(self, host.dropped.append, handle)
        self._drop.atexit = False

    def _call(self, call: str, *arguments: Any, is_commit: bool = False) -> Any:
        self._host.admit(self._grant.label, call)
        resource, _, method = call.partition(".")
        name = f"[method]{resource}.{method}"
        return self._host.run(self._grant, name, self._own, *arguments, is_commit=is_commit)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._drop()
        self._host.settle()


class Reader(_Handle):
    """Reads a log."""

    def next(self) -> types.Page | None:
        self._host.admit(self._grant.label, "reader.next")
        try:
            page = self._host.component.next_page(self._own)
        except CallFailed as failed:
            raise Err(self._host.refused(self._grant, failed)) from None
        return page and types.Page(*page)

    def position(self) -> str | None:
        if not self._is_admitted("reader.position"):
            return None
        position: str | None = self._call("reader.position")
        return position

    def batches(self) -> list[types.BatchEvents]:
        if not self._is_admitted("reader.batches"):
            return []
        batches: list[types.BatchEvents] = lifted(
            list[types.BatchEvents], self._call("reader.batches"))
        return batches

    def positions(self, first: int) -> str | None:
        if not self._is_admitted("reader.positions"):
            return None
        positions: str | None = self._call("reader.positions", first)
        return positions

    def commit(self, position: str | None) -> None:
        self._call("reader.commit", position, is_commit=True)

    def _is_admitted(self, call: str) -> bool:
        """These calls have no error of their own."""
        try:
            self._host.admit(self._grant.label, call)
        except Err:
            return False
        return True


class Verifier(_Handle):
    """Checks a log, object by object."""

    def next(self) -> types.VerifyProgress | None:
        progress: types.VerifyProgress | None = lifted(
            types.VerifyProgress, self._call("verifier.next"))
        if progress:
            for finding in progress.findings:
                finding.value.object = self._grant.object(finding.value.object)
                if isinstance(finding, types.Finding_Stranded):
                    finding.value.before = self._grant.object(finding.value.before)
        return progress


class Log:
    """One handle that appends to a log: a writer."""

    def __init__(self, host: Host, log: OpenLog) -> None:
        self._host, self._log = host, log
        self._drop = weakref.finalize(self, host.dropped.append, log)
        self._drop.atexit = False

    @classmethod
    def open(cls, name: str, options: types.Options) -> Self:
        host = World.current().host
        grant = host.admit(name, "log.open")
        handle = host.run(grant, "[static]log.open", grant.log, lowered(options))
        log = OpenLog(grant, handle, host.component.event_bytes_max(handle))
        host.open_logs.append(log)
        return cls(host, log)

    def append(self, event: bytes) -> None:
        grant = self._admit("log.append")
        if b"\n" in event:
            _refuse(types.EventFault_LineFeed())
        self._append(grant, event + b"\n")

    def append_lines(self, lines: bytes) -> int:
        return self._append(self._admit("log.append-lines"), lines)

    def _append(self, grant: Grant, lines: bytes) -> int:
        events, invalid = checked(lines, self._log.event_bytes_max)
        if self._log.is_closed:
            raise Err(types.Error_Closed())
        if invalid:
            raise Err(types.Error_InvalidEvent(lifted(types.InvalidEvent, invalid)))
        try:
            self._host.component.append(self._log.handle, lines, events)
        except CallFailed as failed:
            raise Err(self._host.refused(grant, failed)) from None
        return events

    def flush(self) -> types.Written:
        written: types.Written = lifted(types.Written, self._call("log.flush"))
        return written

    def tick(self) -> bool:
        try:
            return bool(self._call("log.tick"))
        except Err:
            return False

    def pending(self) -> types.Pending:
        try:
            pending: types.Pending = lifted(types.Pending, self._call("log.pending"))
        except Err:
            return types.Pending(0, 0, [], b"")
        return pending

    def read_all(self) -> Reader:
        return Reader(self._host, self._log.grant, self._call("log.read-all"))

    def compact(self, options: types.CompactOptions) -> types.Compaction:
        done = lifted(types.Compaction, self._call("log.compact", lowered(options)))
        return _labelled(self._log.grant, done)

    def file_count(self) -> int:
        return int(self._call("log.file-count"))

    def close(self) -> types.Written:
        written: types.Written = lifted(types.Written, self._call("log.close"))
        self._log.is_closed = True
        return written

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._drop()
        self._host.settle()

    def _admit(self, call: str) -> Grant:
        if self._log.is_gone:
            raise RuntimeError(
                f"a handle of the log {self._log.grant.label} is used after its plugin has ended: "
                "open the log again"
            )
        return self._host.admit(self._log.grant.label, call)

    def _call(self, call: str, *arguments: Any) -> Any:
        grant = self._admit(call)
        name = call.replace("log.", "[method]log.", 1)
        return self._host.run(grant, name, self._log.handle, *arguments)


def read(name: str, options: types.ReadOptions) -> Reader:
    host, grant = _admitted(name, "read")
    return Reader(host, grant, host.run(grant, "read", grant.log, lowered(options)))


def read_named(name: str, position: str, options: types.ReadOptions) -> Reader:
    host, grant = _admitted(name, "read-named")
    reader = host.run(grant, "read-named", grant.log, position, lowered(options))
    return Reader(host, grant, reader)


def named_positions(name: str) -> list[types.NamedPosition]:
    host, grant = _admitted(name, "named-positions")
    positions: list[types.NamedPosition] = lifted(
        list[types.NamedPosition], host.run(grant, "named-positions", grant.log))
    return positions


def forget_position(name: str, position: str) -> bool:
    host, grant = _admitted(name, "forget-position")
    return bool(host.run(grant, "forget-position", grant.log, position, is_commit=True))


def compact(name: str, options: types.CompactOptions) -> types.Compaction:
    host, grant = _admitted(name, "compact")
    done = host.run(grant, "compact", grant.log, lowered(options))
    return _labelled(grant, lifted(types.Compaction, done))


def plan_compaction(name: str, options: types.CompactOptions) -> types.CompactionPlan:
    host, grant = _admitted(name, "plan-compaction")
    plan: types.CompactionPlan = lifted(
        types.CompactionPlan, host.run(grant, "plan-compaction", grant.log, lowered(options)))
    return plan


def trim(name: str, until: types.TrimPoint, options: types.TrimOptions) -> types.TrimResult:
    return _trim("trim", name, until, options)


def plan_trim(name: str, until: types.TrimPoint, options: types.TrimOptions) -> types.TrimResult:
    return _trim("plan-trim", name, until, options)


def verify(name: str) -> Verifier:
    host, grant = _admitted(name, "verify")
    return Verifier(host, grant, host.run(grant, "verify", grant.log))


def stat(name: str) -> types.Stats:
    host, grant = _admitted(name, "stat")
    stats: types.Stats = lifted(types.Stats, host.run(grant, "stat", grant.log))
    return stats


def _trim(
    call: str, name: str, until: types.TrimPoint, options: types.TrimOptions
) -> types.TrimResult:
    host, grant = _admitted(name, call)
    done = host.run(grant, call, grant.log, lowered(until), lowered(options))
    result: types.TrimResult = lifted(types.TrimResult, done)
    return result


def _admitted(label: str, call: str) -> tuple[Host, Grant]:
    host = World.current().host
    return host, host.admit(label, call)


def _labelled(grant: Grant, done: types.Compaction) -> types.Compaction:
    if done.new_key is not None:
        done.new_key = grant.object(done.new_key)
    return done


def _refuse(fault: types.EventFault) -> NoReturn:
    raise Err(types.Error_InvalidEvent(types.InvalidEvent(0, fault)))
