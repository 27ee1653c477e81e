"""The errors of a store and of a log. Each has a `kind` and a `message`."""

import errno

KINDS = {
    errno.ENOENT: "not-found",
    errno.EACCES: "permission-denied",
    errno.EPERM: "permission-denied",
    errno.EROFS: "permission-denied",
    errno.ENOSPC: "unavailable",
    errno.EDQUOT: "unavailable",
    errno.EMFILE: "unavailable",
    errno.ENFILE: "unavailable",
    errno.EIO: "unavailable",
    errno.ENOTDIR: "invalid",
    errno.EISDIR: "invalid",
    errno.ENAMETOOLONG: "invalid",
}

FATES = {
    "durable": "the object is durable",
    "not-written": "the object was not written",
    "unknown": "the object may have been written",
}


class StoreError(Exception):
    """A failed call of a store: a `store-error` of the interface."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind, self.message = kind, message

    @classmethod
    def of(cls, action, key, error):
        """Returns the error of a failed call to the system; a store's error is returned as is."""
        if isinstance(error, StoreError):
            return error
        kind, reason = KINDS.get(error.errno, "other"), error.strerror or error
        if kind == "not-found" and action == "read":
            reason = "no such object"
        return cls(kind, f"cannot {action} {key}: {reason}")


class WriteError(Exception):
    """A create that did not succeed: a `write-error` of the interface.

    `kind` is `already-exists`, `not-written` or `unknown`. `error` is a `StoreError`; the first
    kind has none.
    """

    def __init__(self, kind, error=None):
        super().__init__(f"{kind}: {error.message}" if error else kind)
        self.kind, self.error = kind, error
        self.message = str(self)


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
