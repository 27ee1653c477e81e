"""The errors of a store. Each has a `kind` and a `message`."""

from __future__ import annotations

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


class StoreError(Exception):
    """A failed call of a store: a `store-error` of the interface."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message

    @classmethod
    def of(cls, action: str, key: str, error: OSError | StoreError) -> StoreError:
        """Returns the error of a failed call to the system; a store's error is returned as is."""
        if isinstance(error, StoreError):
            return error
        kind = KINDS.get(error.errno or 0, "other")
        reason: object = error.strerror or error
        if kind == "not-found" and action == "read":
            reason = "no such object"
        return cls(kind, f"cannot {action} {key}: {reason}")


class WriteError(Exception):
    """A create that did not succeed: a `write-error` of the interface.

    `kind` is `already-exists`, `not-written` or `unknown`. `error` is a `StoreError`; the first
    kind has none.
    """

    def __init__(self, kind: str, error: StoreError | None = None) -> None:
        super().__init__(f"{kind}: {error.message}" if error else kind)
        self.kind, self.error = kind, error
        self.message = str(self)
