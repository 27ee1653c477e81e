"""Bytes that the component handles without copying them: `wit/host-bytes.wit`."""

from __future__ import annotations

from xxhash import xxh3_64_intdigest

from .bounds import OBJECT_BYTES_MAX


class HostBytes:
    """A sequence of bytes, as pieces that are joined when they are needed in one."""

    def __init__(self, content: bytes | memoryview = b"") -> None:
        self.pieces, self.length = [memoryview(content)], len(content)

    def view(self) -> memoryview:
        """Returns all bytes, without a copy if they are in one piece."""
        if len(self.pieces) > 1:
            self.pieces = [memoryview(b"".join(self.pieces))]
        return self.pieces[0]

    def slice(self, start: int, end: int) -> HostBytes:
        """Returns the bytes from `start` up to `end`, without a copy."""
        if not start <= end <= self.length:
            raise IndexError(f"bytes {start} to {end} are not in {self.length} host bytes")
        return HostBytes(self.view()[start:end])

    def append(self, more: HostBytes) -> None:
        """Adds other bytes at the end."""
        self.pieces = self.pieces + more.pieces
        self.length += more.length

    def summarize(self, start: int, lengths: list[int]) -> list[tuple[int, int]]:
        """Returns the digest and the number of LFs of consecutive ranges."""
        if start + sum(lengths) > self.length:
            raise IndexError(f"ranges from {start} end behind {self.length} host bytes")
        whole, found = self.view(), []
        for length in lengths:
            part = bytes(whole[start:start + length])
            found.append((xxh3_64_intdigest(part), part.count(b"\n")))
            start += length
        return found

    def line_end(self, line_feeds: int) -> int:
        """Returns the offset right behind the first LFs of that number."""
        whole, end = bytes(self.view()), 0
        for _ in range(line_feeds):
            end = whole.find(b"\n", end) + 1
            if end == 0:
                return self.length
        return end

    def read(self) -> bytes:
        """Returns a copy of all bytes."""
        if self.length > OBJECT_BYTES_MAX:
            raise IndexError(f"{self.length} host bytes are more than one read returns")
        return bytes(self.view())
