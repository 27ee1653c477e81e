"""Writes a new object: to an unfinished file, which then gets the object's name if it is free.

Invariants:
1. An object appears whole and synced, or not at all. `link` names a finished file atomically, and
   fails if the name is taken.
2. Only a regular file takes a name. Anything else at the name is reported.
3. An object counts as durable only when the folders on its path are synced, too.
"""

import itertools
import os

from .places import intruder, make_folder, opened_folder, split
from .store_errors import StoreError, WriteError

WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_numbers = itertools.count(1)


class NewFile:
    """A file in writing. Each method raises a `WriteError`."""

    def __init__(self, root, key):
        self.key, self.path, self.file = key, os.path.join(root, key), None
        self._open_folder = None
        self._attempt(self._open, root)

    def _open(self, root):
        segments, self.name = split(self.key)
        opened = opened_folder(root, segments)
        try:
            self._folder = opened.__enter__()
        except FileNotFoundError:
            make_folder(root, segments)
            opened = opened_folder(root, segments)
            self._folder = opened.__enter__()
        self._open_folder = opened
        # Listings of every host know such names.
        self._aside = f"{self.name}#{os.getpid()}{next(_numbers):09}"
        self.file = os.open(self._aside, WRITING, 0o666, dir_fd=self._folder)

    def write(self, content):
        """Adds bytes at the end."""
        self._attempt(self._write, memoryview(content))

    def _write(self, content):
        if self.file is None:
            reason = f"the upload of {self.key} is already finished: start another"
            raise StoreError("invalid", reason)
        while content:
            content = content[os.write(self.file, content):]

    def finish(self):
        """Gives the object its name, durably."""
        self._attempt(self._write, memoryview(b""))
        self._attempt(os.fsync, self.file)
        taken = self._attempt(self._link)
        try:
            os.close(self.file)
            self.file = None
            os.unlink(self._aside, dir_fd=self._folder)
            # Also if the name was taken, since its writer may not have synced the folder yet.
            os.fsync(self._folder)
        except OSError as error:
            failure = StoreError.of("sync the folder of", self.key, error)
            raise WriteError("unknown", failure) from None
        finally:
            self.drop()
        if taken:
            raise WriteError("already-exists")

    def _link(self):
        try:
            os.link(self._aside, self.name, src_dir_fd=self._folder, dst_dir_fd=self._folder,
                    follow_symlinks=False)
        except FileExistsError:
            found = intruder(self._folder, self.name, self.path)
            if found:
                raise found from None
            return True
        return False

    def drop(self):
        """Removes the unfinished file, unless the write has finished."""
        if self.file is not None:
            os.close(self.file)
            self.file = None
            os.unlink(self._aside, dir_fd=self._folder)
        if self._open_folder:
            self._open_folder.__exit__(None, None, None)
            self._open_folder = None

    def _attempt(self, work, *arguments):
        """Until the file has its name, every error means that the object was not written."""
        try:
            return work(*arguments)
        except (OSError, StoreError) as error:
            self.drop()
            failure = StoreError.of("write", self.key, error)
            raise WriteError("not-written", failure) from None
