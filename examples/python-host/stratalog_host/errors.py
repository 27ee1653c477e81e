"""The errors of a log. Each has a `kind` and a `message`."""

FATES = {
    "durable": "the object is durable",
    "not-written": "the object was not written",
    "unknown": "the object may have been written",
}


class LogError(Exception):
    """A failed call of a log. `detail` has the fields of the interface's error."""

    kind = "other"

    def __init__(self, message, detail=None):
        super().__init__(message)
        self.message, self.detail = message, detail


class InvalidInput(LogError):
    """A name or an option is not valid."""

    kind = "invalid-input"


class InvalidEvent(LogError):
    """A line is not an event. `line` is its number, from 0. Nothing was appended."""

    kind = "invalid-event"

    def __init__(self, message, line):
        super().__init__(message)
        self.line = line


class WriteFailed(LogError):
    """The store did not accept a batch. Every event is kept, and the next flush retries."""

    kind = "write-failed"


class StoreFailed(LogError):
    """A read, a listing or a delete failed."""

    kind = "store-failed"


class Damaged(LogError):
    """An object of the log is damaged. It is named."""

    kind = "damaged"


class NoLog(LogError):
    """The store has no such log."""

    kind = "no-log"


class Conflict(LogError):
    """Another compaction was first."""

    kind = "conflict"


class Unsupported(LogError):
    """The store or the component cannot do this."""

    kind = "unsupported"


class Denied(LogError):
    """A right is missing."""

    kind = "denied"


class LimitReached(LogError):
    """A limit of the host was reached."""

    kind = "limit-reached"


class Closed(LogError):
    """The writer was closed."""

    kind = "closed"


TYPES = {made.kind: made for made in LogError.__subclasses__()}


def log_error(tag, value):
    """Returns the exception of an `error` of the interface."""
    if tag == "invalid-event":
        return InvalidEvent(_fault(value.fault), value.line)
    return TYPES[tag](_text(tag, value), value)


def _text(tag, value):
    if tag == "write-failed":
        kept = getattr(value, "events-pending")
        kept = f"; {kept} event{'s are' if kept != 1 else ' is'} kept in memory" if kept else ""
        return f"cannot write {value.object}: {FATES[value.fate]}{kept}: {value.message}"
    if tag == "store-failed":
        return value.message
    if tag == "damaged":
        return f"{value.object} is damaged: expected {value.expected}, found {value.found}"
    if tag == "no-log":
        return f"there is no log {'; a log below it is '.join([value.name, *value.below])}"
    return "the log was closed: open it again" if tag == "closed" else value


def _fault(fault):
    if fault.tag == "too-long":
        size = fault.payload
        return f"the event has {size.bytes} bytes, more than {getattr(size, 'bytes-max')}"
    return {
        "empty": "the event is empty: an event has at least one byte",
        "line-feed": "the event has a line feed inside: an event is one line",
    }.get(fault.tag, "the last line does not end with a line feed")
