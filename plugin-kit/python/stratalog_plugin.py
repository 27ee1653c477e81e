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

import contextlib
import io
import json
import logging
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import NoneType, TracebackType
from typing import Any, Generic, Self, TypeVar

from componentize_py_types import Err
from wit_world.imports import append_log as wit, types

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LEVELS = {"WARNING": "warn"}
"""The levels of `logging` that have another name in other languages."""

Handle = TypeVar("Handle")


class LogError(Exception):
    """A failed call on a log: one line that names the call, the log and the cause."""

    def __init__(self, action: str, label: str, cause: types.Error, lines: bool = False) -> None:
        super().__init__(f'cannot {action} the log "{label}": {_text(cause, lines)}')
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
        self._handle: wit.Log | None = handle

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
        """Opens the log with a label. The record `options` of the WIT describes the options.

        ValueError for a number that no option takes, and TypeError for what is no number. A batch
        may have more events than `flush_threshold`, while others are being written.
        """
        _check("a label", label, str)
        _check("flush_interval", flush_interval, timedelta, NoneType)
        interval = None if flush_interval is None else flush_interval // timedelta(milliseconds=1)
        options = types.Options(
            _number("flush_threshold", flush_threshold, 32),
            _number("flush_bytes", flush_bytes, 32),
            _number("flush_interval in milliseconds", interval, 32),
            _number("event_bytes_max", event_bytes_max, 32),
            _number("buffer_bytes_max", buffer_bytes_max, 32),
            _number("creates_max", creates_max, 32),
        )
        with _Calling("open", label, wit):
            return cls(label, wit.Log.open(label, options))

    def append(self, event: bytes | str) -> None:
        """Appends one event: bytes or text without a line feed."""
        data = _bytes(event)
        with self._calling("append to") as handle:
            handle.append(data)

    def append_json(self, value: Any) -> None:
        """Appends a value as one line of JSON. ValueError for a number that JSON does not have."""
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self.append(text)

    def append_lines(self, lines: bytes | str) -> int:
        """Appends many events, each ended by a line feed: all of them, or none."""
        data = _bytes(lines)
        with self._calling("append to", lines=True) as handle:
            return handle.append_lines(data)

    def flush(self) -> types.Written:
        """Makes all appended events durable, and returns the total of this handle."""
        with self._calling("flush") as handle:
            return handle.flush()

    def close(self) -> types.Written:
        """Flushes and closes the handle. If the flush fails, it stays open."""
        with self._calling("close") as handle:
            written = handle.close()
        self._drop()
        return written

    def tick(self) -> bool:
        """Runs maintenance without a wait; returns true if anything is not durable yet."""
        with self._calling("tick") as handle:
            return handle.tick()

    def read(self) -> Events:
        """Reads the stored events, then those of this handle that are not durable yet."""
        with self._calling("read") as handle:
            return Events(self.label, handle.read_all())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None and self._handle is not None:
                self.close()
        finally:
            self._drop()

    def _calling(self, action: str, lines: bool = False) -> _Calling[wit.Log]:
        return _Calling(action, self.label, self._handle, lines)

    def _drop(self) -> None:
        if self._handle is not None:
            self._handle.__exit__(None, None, None)
            self._handle = None


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
        self._page: Iterator[Event] = iter(())
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

    def commit(self) -> None:
        """Commits the position right behind the last event that was returned.

        The read must have a `name`. The next one with that name begins behind the event. Flush
        first what you made of the events. The cause of the LogError is `types.Error_Conflict` if
        another reader has committed under the name.
        """
        position = self.position() if self._returned else None
        with _Calling("commit a position of", self.label, self._reader) as reader:
            reader.commit(position)

    def _load(self) -> bool:
        with _Calling("read", self.label, self._reader) as reader:
            page = reader.next()
        if page is None:
            # The positions of single events were those of the page before.
            self._returned, self._positions = 0, (0, [])
            return False
        self.missed += page.missed
        self._returned, self._positions = 0, (0, [])
        self._page = _events(page.lines, self._reader.batches())
        return True


def read(
    label: str,
    *,
    name: str | None = None,
    start: str | None = None,
    last: int | None = None,
    limit: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Events:
    """Reads the log with a label. The record `read-options` of the WIT describes the options.

    With a name, it begins at the position that `Events.commit` has committed last under that name.
    The host must have granted the right `commit` for that.

    ValueError for a number that no option takes, and for a time without a zone. TypeError for a
    value of another type.
    """
    _check("a label", label, str)
    _check("name", name, str, NoneType)
    _check("start", start, str, NoneType)
    options = types.ReadOptions(
        start,
        _number("last", last, 64),
        _number("limit", limit, 64),
        _micros("since", since),
        _micros("until", until),
        None,
    )
    with _Calling("read", label, wit):
        if name is not None:
            return Events(label, wit.read_named(label, name, options))
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
                "level": LEVELS.get(record.levelname, record.levelname.lower()),
                "context": record.name,
                "message": message,
            })
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Makes the records durable that were added so far, if the log is open."""
        with contextlib.suppress(LogError):
            self.log.flush()


class _Calling(Generic[Handle]):
    """A call: a closed handle and an error of the interface become a LogError."""

    def __init__(
        self, action: str, label: str, handle: Handle | None, lines: bool = False
    ) -> None:
        self.action, self.label, self.handle, self.lines = action, label, handle, lines

    def __enter__(self) -> Handle:
        if self.handle is None:
            raise LogError(self.action, self.label, types.Error_Closed())
        return self.handle

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(value, Err):
            raise LogError(self.action, self.label, value.value, self.lines) from value


def _events(lines: bytes, batches: list[types.BatchEvents]) -> Iterator[Event]:
    events = iter(lines.split(b"\n"))
    for batch in batches:
        time = None if batch.time is None else EPOCH + timedelta(microseconds=batch.time)
        for _ in range(batch.events):
            yield Event(next(events), time)


def buffer_output() -> None:
    """Has stdout and stderr write all of a text, not only its first 64 KiB. Call it first."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(getattr(stream, "buffer", None), io.RawIOBase):
            raw = io.BufferedWriter(stream.detach())
            setattr(sys, name, io.TextIOWrapper(raw, "utf-8", line_buffering=True))


def _bytes(event: bytes | str) -> bytes:
    if isinstance(event, str):
        return event.encode()
    if isinstance(event, (bytes, bytearray, memoryview)):
        return bytes(event)
    raise TypeError(f"an event is bytes or str, not {type(event).__name__}")


def _check(name: str, value: object, *kinds: type) -> None:
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise TypeError(f"{name} is {kinds[0].__name__}, not {type(value).__name__}")


def _number(name: str, number: int | None, bits: int) -> int | None:
    _check(name, number, int, NoneType)
    if number is not None and not 0 <= number < 1 << bits:
        raise ValueError(f"{name} is {number}: it must be 0 to {(1 << bits) - 1}")
    return number


def _micros(name: str, time: datetime | None) -> int | None:
    if time is None:
        return None
    _check(name, time, datetime)
    if time.tzinfo is None:
        raise ValueError(f"{name} is {time}, a time without a zone: pass one, such as datetime.UTC")
    return max(0, (time - EPOCH) // timedelta(microseconds=1))


def _text(error: types.Error, lines: bool) -> str:
    match error:
        case types.Error_InvalidEvent(invalid):
            match invalid.fault:
                case types.EventFault_Empty():
                    fault = "an event must have at least one byte"
                case types.EventFault_LineFeed():
                    fault = "an event must have no line feed"
                case types.EventFault_TooLong(by):
                    fault = f"{by.bytes} bytes are more than the {by.bytes_max} of an event"
                case types.EventFault_Unterminated():
                    fault = "it must end with a line feed"
            return f"line {invalid.line + 1}: {fault}" if lines else fault
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
