"""Logs for plugins: append events, read them, and journal what `logging` has.

    with Log.open("errors") as log:
        log.append_json({"code": 500})
    for event in read("errors"):
        print(event.text)

`errors` is a label. Who runs the plugin decides which log, in which store, the label means. The WIT
of the interface `append-log` is the manual of durability, order and cost. What this module has no
function for, such as `trim` and `verify`, is in `wit_world.imports.append_log`.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from componentize_py_types import Err
from wit_world.imports import append_log as wit, types

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LogError(Exception):
    """A failed call on a log: one line that names the call, the log and the cause."""

    def __init__(self, action: str, label: str, cause: types.Error) -> None:
        super().__init__(f'cannot {action} the log "{label}": {_text(cause)}')
        self.label = label
        self.cause = cause
        """The case of the error, with its data. Its WIT says what to do."""


@dataclass
class Event:
    """An event that was read."""

    data: bytes
    """The bytes of the event, without a line feed."""
    time: datetime | None
    """The time of the batch of the event; none if it is not in a batch yet."""

    @property
    def text(self) -> str:
        """The event as text. Bytes that are not UTF-8 are replaced."""
        return self.data.decode(errors="replace")

    def json(self) -> Any:
        """Returns the value that the event has as JSON; ValueError if it is none."""
        return json.loads(self.data)


class Log:
    """A handle that appends to a log.

    Events are buffered, and durable after `flush` or `close`. A `with` statement closes the log.
    """

    def __init__(self, label: str, handle: wit.Log) -> None:
        self.label = label
        self._handle = handle

    @classmethod
    def open(
        cls,
        label: str,
        *,
        flush_threshold: int | None = None,
        flush_bytes: int | None = None,
        flush_interval: timedelta | None = None,
        event_bytes_max: int | None = None,
        buffer_bytes_max: int | None = None,
        creates_max: int | None = None,
    ) -> Self:
        """Opens the log with a label. The record `options` of the WIT describes the options."""
        interval = None if flush_interval is None else flush_interval // timedelta(milliseconds=1)
        options = types.Options(
            flush_threshold, flush_bytes, interval, event_bytes_max, buffer_bytes_max, creates_max
        )
        with _Failing("open", label):
            return cls(label, wit.Log.open(label, options))

    def append(self, event: bytes | str) -> None:
        """Appends one event: bytes or text without a line feed."""
        with _Failing("append to", self.label):
            self._handle.append(_bytes(event))

    def append_json(self, value: Any) -> None:
        """Appends a value as one line of JSON."""
        self.append(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def append_lines(self, lines: bytes | str) -> int:
        """Appends many events, each ended by a line feed: all of them, or none."""
        with _Failing("append to", self.label):
            return self._handle.append_lines(_bytes(lines))

    def flush(self) -> types.Written:
        """Makes all appended events durable, and returns the total of this handle."""
        with _Failing("flush", self.label):
            return self._handle.flush()

    def close(self) -> types.Written:
        """Flushes and closes the handle."""
        with _Failing("close", self.label):
            return self._handle.close()

    def tick(self) -> bool:
        """Runs maintenance without a wait; returns true if anything is not durable yet."""
        return self._handle.tick()

    def read(self) -> Events:
        """Reads the stored events, then those of this handle that are not durable yet."""
        with _Failing("read", self.label):
            return Events(self.label, self._handle.read_all())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self._handle.__exit__(kind, value, trace)


class Events(Iterator[Event]):
    """The events of a log, one after the other.

    It ends at the end of the log as currently stored. Then `next` polls the store for new events:
    to follow a log, iterate again.
    """

    def __init__(self, label: str, reader: wit.Reader) -> None:
        self.label = label
        self.missed = 0
        """The number of events that the log no longer has, and that were passed so far."""
        self._reader = reader
        self._page = iter(())
        self._returned = 0
        self._positions: tuple[int, list[str]] = (0, [])

    def __next__(self) -> Event:
        while (event := next(self._page, None)) is None:
            if not self._load():
                raise StopIteration
        self._returned += 1
        return event

    def position(self) -> str | None:
        """Returns the position right behind the last event that was returned.

        A read that starts there returns exactly the events behind it: keep the position once the
        event is dealt with. None if the events of an open handle are read.
        """
        if self._returned == 0:
            return self._reader.position()
        number = self._returned - 1
        first, known = self._positions
        if not first <= number < first + len(known):
            text = self._reader.positions(number)
            if text is None:
                return None
            first, known = self._positions = (number, text.splitlines())
        return known[number - first]

    def _load(self) -> bool:
        with _Failing("read", self.label):
            page = self._reader.next()
        if page is None:
            return False
        self.missed += page.missed
        self._returned, self._positions = 0, (0, [])
        self._page = _events(page.lines, self._reader.batches())
        return True


def read(
    label: str,
    *,
    start: str | None = None,
    last: int | None = None,
    limit: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Events:
    """Reads the log with a label. The record `read-options` of the WIT describes the options."""
    options = types.ReadOptions(start, last, limit, _micros(since), _micros(until), None)
    with _Failing("read", label):
        return Events(label, wit.read(label, options))


class LogHandler(logging.Handler):
    """Journals the records of `logging` into a log.

    An event is `{"time":"…","level":"…","context":"…","message":"…"}`, whose context is the name of
    the logger. `logging.basicConfig(handlers=[LogHandler(log)])` sets it.
    """

    def __init__(self, log: Log, level: int | str = logging.NOTSET) -> None:
        super().__init__(level)
        self.log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
            if record.exc_info:
                message += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
            time = datetime.fromtimestamp(record.created, UTC)
            self.log.append_json({
                "time": time.isoformat(timespec="microseconds").replace("+00:00", "Z"),
                "level": record.levelname.lower(),
                "context": record.name,
                "message": message,
            })
        except Exception:
            self.handleError(record)


class _Failing:
    """Turns an error of the interface into a LogError."""

    def __init__(self, action: str, label: str) -> None:
        self.action, self.label = action, label

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(value, Err):
            raise LogError(self.action, self.label, value.value) from value


def _events(lines: bytes, batches: list[types.BatchEvents]) -> Iterator[Event]:
    events = iter(lines.split(b"\n"))
    for batch in batches:
        time = None if batch.time is None else EPOCH + timedelta(microseconds=batch.time)
        for _ in range(batch.events):
            yield Event(next(events), time)


def _bytes(event: bytes | str) -> bytes:
    return event.encode() if isinstance(event, str) else event


def _micros(time: datetime | None) -> int | None:
    return None if time is None else (time - EPOCH) // timedelta(microseconds=1)


def _text(error: types.Error) -> str:
    match error:
        case types.Error_InvalidEvent(invalid):
            match invalid.fault:
                case types.EventFault_Empty():
                    fault = "an event has at least one byte"
                case types.EventFault_LineFeed():
                    fault = "an event has no line feed"
                case types.EventFault_TooLong(by):
                    fault = f"{by.bytes} bytes are more than the {by.bytes_max} of an event"
                case types.EventFault_Unterminated():
                    fault = "the last line has no line feed"
            return f"line {invalid.line}: {fault}"
        case types.Error_WriteFailed(failure):
            fate = {"DURABLE": "is", "NOT_WRITTEN": "is not", "UNKNOWN": "may be"}
            return (
                f"{failure.message} ({failure.object} {fate[failure.fate.name]} stored; "
                f"{failure.events_pending} events are kept in memory)"
            )
        case types.Error_StoreFailed(failure):
            return failure.message
        case types.Error_Damaged(damage):
            return f"{damage.object} is damaged: expected {damage.expected}, found {damage.found}"
        case types.Error_NoLog(_):
            return "there is no such log: nothing is stored yet"
        case types.Error_Closed():
            return "it is closed"
        case _:
            return error.value
