"""An object store in memory, whose calls fail when a test wants it.

Invariants:
1. A create stores the whole object or nothing, and overwrites nothing.
2. A fault hits the next calls of its kind, in order, and then no more.
"""

from __future__ import annotations

from typing import Sequence

from .bounds import CHUNK_BYTES_MIN, COUNT_MAX, OBJECT_BYTES_MAX, check_count
from .store_errors import StoreError, WriteError

Range = tuple[int, int]


class MemoryStore:
    """The objects by their keys, and the faults that are still to come."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.late: list[tuple[str, bytes]] = []
        self.creates_to_fail = 0
        self.replies_to_lose = 0
        self.creates_to_delay = 0
        self.reads_to_fail = 0
        self.deletes_to_fail = 0

    def create(self, key: str, content: bytes | memoryview, _exclusive: bool = True) -> None:
        """Creates an object, and overwrites nothing."""
        if len(content) > OBJECT_BYTES_MAX:
            reason = f"{key} has {len(content)} bytes: more than one create takes, upload it"
            raise WriteError("not-written", StoreError("invalid", reason))
        self.put(key, bytes(content))

    def put(self, key: str, content: bytes) -> None:
        """Creates an object of any size, unless a fault is next."""
        if self.creates_to_fail:
            self.creates_to_fail -= 1
            raise WriteError("not-written", _unavailable("write", key, "the write failed"))
        if self.creates_to_delay:
            self.creates_to_delay -= 1
            self.late.append((key, content))
            reason = "no reply within the time limit"
            raise WriteError("unknown", _unavailable("write", key, reason))
        if key in self.objects:
            raise WriteError("already-exists")
        self.objects[key] = content
        if self.replies_to_lose:
            self.replies_to_lose -= 1
            raise WriteError("unknown", _unavailable("write", key, "the reply was lost"))

    def deliver(self) -> int:
        """Lets the delayed creates land that nothing has overtaken. Returns their number."""
        landed = [self.objects.setdefault(key, content) is content for key, content in self.late]
        self.late = []
        return sum(landed)

    def upload(self, key: str) -> Upload:
        """Starts an object that is written in parts."""
        return Upload(self, key)

    def ensure_exclusive(self, prefix: str) -> None:
        """No key is created twice."""

    def get(self, key: str, range_: Range | None = None) -> memoryview:
        """Returns an object, or a range of it."""
        self._reading("read", key)
        if key not in self.objects:
            raise StoreError("not-found", f"cannot read {key}: no such object")
        content = self.objects[key]
        start, end = range_ or (0, len(content))
        if range_ and not start < end <= len(content):
            reason = f"the range {start}..{end} is not within its {len(content)} bytes"
            raise StoreError("invalid", f"cannot read {key}: {reason}")
        return memoryview(content)[start:end]

    def listing(self, prefix: str, start_after: str | None, _with_sizes: bool) -> Listing:
        """Prepares a listing."""
        return Listing(self, prefix, start_after)

    def entries(self, prefix: str, start_after: str | None) -> list[tuple[str, int, str]]:
        """Returns the objects and folders whose keys begin with a prefix, sorted."""
        self._reading("list", prefix)
        found: dict[str, tuple[str, int, str]] = {}
        for key, content in self.objects.items():
            if not key.startswith(prefix):
                continue
            name, slash, _ = key[len(prefix):].partition("/")
            listed = prefix + name + slash
            found[listed] = (listed, 0, "folder") if slash else (listed, len(content), "object")
        after = (start_after or "").encode()
        keys = sorted((key for key in found if key.encode() > after), key=str.encode)
        return [found[key] for key in keys]

    def ordered_read(self, ranges: Sequence[tuple[str, Range | None]]) -> OrderedRead:
        """Prepares to read objects, or ranges of them, in order."""
        check_count("ranges to read", len(ranges))
        return OrderedRead(self, ranges)

    def delete(self, keys: Sequence[str]) -> list[tuple[str, StoreError]]:
        """Deletes objects, and returns those that remain with the reason."""
        check_count("keys to delete", len(keys))
        if self.deletes_to_fail:
            self.deletes_to_fail -= 1
            return [(key, _unavailable("delete", key, "the delete failed")) for key in keys]
        for key in keys:
            self.objects.pop(key, None)
        return []

    def damage(self, key: str) -> None:
        """Changes one byte of an object."""
        content = self.objects[key]
        self.objects[key] = bytes([content[0] ^ 1]) + content[1:]

    def _reading(self, action: str, key: str) -> None:
        if self.reads_to_fail:
            self.reads_to_fail -= 1
            raise _unavailable(action, key, "the read failed")


class Upload:
    """An object in parts, which appears when it is finished."""

    def __init__(self, store: MemoryStore, key: str) -> None:
        self.store, self.key = store, key
        self.parts: list[bytes] | None = []

    def write(self, content: memoryview) -> None:
        """Adds bytes at the end."""
        self._open().append(bytes(content))

    def finish(self) -> None:
        """Gives the object its name."""
        content = b"".join(self._open())
        self.parts = None
        self.store.put(self.key, content)

    def _open(self) -> list[bytes]:
        if self.parts is None:
            reason = f"the upload of {self.key} is already finished: start another"
            raise WriteError("not-written", StoreError("invalid", reason))
        return self.parts


class Listing:
    """The entries of a folder. One scan serves all pages."""

    def __init__(self, store: MemoryStore, prefix: str, start_after: str | None) -> None:
        self.store, self.prefix, self.start_after = store, prefix, start_after
        self.rest: list[tuple[str, int, str]] | None = None

    def next(self, limit: int) -> tuple[list[tuple[str, int, str]], bool]:
        """Returns entries, each a key, a size and a kind, and whether there are more."""
        if self.rest is None:
            self.rest = self.store.entries(self.prefix, self.start_after)
        limit = min(max(limit, 1), COUNT_MAX)
        page, self.rest = self.rest[:limit], self.rest[limit:]
        return page, bool(self.rest)


class OrderedRead:
    """Objects, or ranges of them, that are read in order."""

    def __init__(self, store: MemoryStore, ranges: Sequence[tuple[str, Range | None]]) -> None:
        self.store, self.ranges, self.number = store, ranges, 0
        self.rest: memoryview | None = None

    def next(self, bytes_max: int) -> tuple[int, memoryview, bool] | None:
        """Returns the number of a range, its next bytes and whether they are its last, or none."""
        if self.number >= len(self.ranges):
            return None
        number = self.number
        try:
            if self.rest is None:
                self.rest = self.store.get(*self.ranges[number])
        except StoreError:
            self.ranges = []
            raise
        limit = min(max(bytes_max, CHUNK_BYTES_MIN), OBJECT_BYTES_MAX)
        content, rest = self.rest[:limit], self.rest[limit:]
        last = not rest
        self.rest = None if last else rest
        self.number += last
        return number, content, last


def _unavailable(action: str, key: str, reason: str) -> StoreError:
    return StoreError("unavailable", f"cannot {action} {key}: {reason}, as the test wants")
