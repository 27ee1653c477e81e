"""An object store over a folder: `wit/object-store.wit` in plain Python."""

import os
import secrets

from .bounds import CHUNK_BYTES_MIN, COUNT_MAX, OBJECT_BYTES_MAX, check_count
from .new_file import NewFile
from .places import UNFINISHED, intruder, is_entry, kind_of, open_object, opened_folder
from .places import split, split_prefix
from .store_errors import StoreError, WriteError


class FolderStore:
    """The objects below a folder, which the first write creates."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self._honours_exclusive = False

    def create(self, key, content, _exclusive=True):
        """Creates an object. With and without `exclusive`, nothing is overwritten."""
        if len(content) > OBJECT_BYTES_MAX:
            reason = f"{key} has {len(content)} bytes: more than one create takes, upload it"
            raise WriteError("not-written", StoreError("invalid", reason))
        file = NewFile(self.root, key)
        file.write(content)
        file.finish()

    def upload(self, key):
        """Starts an object that is written in parts."""
        return NewFile(self.root, key)

    def ensure_exclusive(self, prefix):
        """Checks that hard links work here: not every file system has them."""
        split_prefix(prefix)
        if self._honours_exclusive:
            return
        key = f"{prefix[:prefix.rfind('/') + 1]}probe_{secrets.token_hex(8)}"
        try:
            self.create(key, b"")
            self.create(key, b"")
        except WriteError as error:
            if error.error:
                raise error.error from None
            self._honours_exclusive = True
        self.delete([key])
        if not self._honours_exclusive:
            reason = f"{self.root} lets a file be created twice under one name"
            raise StoreError("unsupported", reason)

    def get(self, key, range_=None):
        """Returns an object, or a range of it."""
        read = Read(self.root, key, range_)
        try:
            if read.left > OBJECT_BYTES_MAX:
                reason = f"it has more than {OBJECT_BYTES_MAX} bytes; read a range"
                raise StoreError("invalid", f"cannot read {key}: {reason}")
            return read.next(read.left)
        finally:
            read.close()

    def listing(self, prefix, start_after=None, with_sizes=True):
        """Prepares a listing."""
        return Listing(self.root, prefix, start_after, with_sizes)

    def ordered_read(self, ranges):
        """Prepares to read objects, or ranges of them, in order."""
        return OrderedRead(self.root, ranges)

    def delete(self, keys):
        """Deletes objects, and returns pairs of a key and an error for those that remain."""
        check_count("keys to delete", len(keys))
        failures, folders = [], {}
        for key in keys:
            try:
                folder, name = split(key)
                folders.setdefault(tuple(folder), []).append((key, name))
            except StoreError as error:
                failures.append((key, error))
        for segments, named in folders.items():
            try:
                with opened_folder(self.root, segments) as folder:
                    deleted = [self._unlink(folder, *name, failures) for name in named]
                    if any(deleted):
                        os.fsync(folder)
            except FileNotFoundError:
                continue
            except (OSError, StoreError) as error:
                failures += [(key, StoreError.of("delete", key, error)) for key, _ in named]
        return failures

    def _unlink(self, folder, key, name, failures):
        try:
            os.unlink(name, dir_fd=folder)
            return True
        except FileNotFoundError:
            return False
        except OSError as error:
            found = intruder(folder, name, os.path.join(self.root, key))
            failures.append((key, StoreError.of("delete", key, found or error)))
            return False


class Read:
    """The bytes of an object, or of a range of it."""

    def __init__(self, root, key, range_):
        self.key = key
        try:
            segments, name = split(key)
            with opened_folder(root, segments) as folder:
                self.file, size = open_object(folder, name, os.path.join(root, key))
        except (OSError, StoreError) as error:
            raise StoreError.of("read", key, error) from None
        start, end = range_ or (0, size)
        self.at, self.left = start, end - start
        if range_ and not start < end <= size:
            self.close()
            reason = f"the range {start}..{end} is not within its {size} bytes"
            raise StoreError("invalid", f"cannot read {key}: {reason}")

    def next(self, bytes_max):
        """Returns the next bytes."""
        content = bytearray(min(bytes_max, self.left))
        view = memoryview(content)
        while view:
            try:
                got = os.preadv(self.file, [view], self.at)
            except OSError as error:
                raise StoreError.of("read", self.key, error) from None
            if got == 0:
                reason = "the file became shorter while it was read"
                raise StoreError("other", f"cannot read {self.key}: {reason}")
            view = view[got:]
            self.at, self.left = self.at + got, self.left - got
        return content

    def close(self):
        """Closes the file."""
        os.close(self.file)


class OrderedRead:
    """Objects, or ranges of them, that are read in order."""

    def __init__(self, root, ranges):
        check_count("ranges to read", len(ranges))
        self.root, self.ranges, self.number, self.open = root, ranges, 0, None

    def next(self, bytes_max):
        """Returns the number of a range, its next bytes and whether they are its last, or none.

        A failure is of the range `number`, and ends the read.
        """
        if self.number >= len(self.ranges):
            return None
        number = self.number
        try:
            self.open = self.open or Read(self.root, *self.ranges[number])
            limit = min(max(bytes_max, CHUNK_BYTES_MIN), OBJECT_BYTES_MAX)
            content = self.open.next(limit)
        except StoreError:
            self.drop()
            self.ranges = []
            raise
        last = self.open.left == 0
        if last:
            self.drop()
            self.number += 1
        return number, content, last

    def drop(self):
        """Closes the open file."""
        if self.open:
            self.open.close()
            self.open = None


class Listing:
    """The entries of a folder. One scan serves all pages."""

    def __init__(self, root, prefix, start_after, with_sizes):
        self.root, self.prefix, self.start_after = root, prefix, start_after
        self.with_sizes, self.keys, self.at = with_sizes, None, 0

    def next(self, limit):
        """Returns entries, each a key, a size and a kind, and whether there may be more.

        A failure changes nothing: the next call returns the same page.
        """
        try:
            segments, start = split_prefix(self.prefix)
            with opened_folder(self.root, segments) as folder:
                return self._page(folder, start, min(max(limit, 1), COUNT_MAX))
        except FileNotFoundError:
            return [], False
        except (OSError, StoreError) as error:
            raise StoreError.of("list", self.prefix, error) from None

    def _page(self, folder, start, limit):
        above = self.prefix[:len(self.prefix) - len(start)]
        if self.keys is None:
            self.keys = self._scan(folder, start, above)
        entries, at = [], self.at
        # Vanished entries do not count, so a page is never empty while there are more.
        while at < len(self.keys) and len(entries) < limit:
            entries += self._entry(folder, self.keys[at], above)
            at += 1
        self.at = at
        return entries, at < len(self.keys)

    def _scan(self, folder, start, above):
        after = None if self.start_after is None else self.start_after.encode()
        keys = []
        with os.scandir(folder) as found:
            for entry in found:
                if not entry.name.startswith(start) or not is_entry(entry.name):
                    continue
                slash = "/" if entry.is_dir(follow_symlinks=False) else ""
                key = f"{above}{entry.name}{slash}"
                if after is None or key.encode() > after:
                    keys.append(key)
        return sorted(keys, key=str.encode)

    def _entry(self, folder, key, above):
        name = key[len(above):].rstrip("/")
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return []
        kind = kind_of(found.st_mode)
        if kind != "object":
            return [(key, 0, kind)]
        if UNFINISHED.search(name):
            return [(key, found.st_size, "unfinished")]
        return [(key, found.st_size if self.with_sizes else 0, kind)]
