"""Opens the folders and files of keys.

Invariants:
1. No key leaves the root: no `.` or `..` segment, no leading slash.
2. No link is followed below the root: each folder is opened relative to the one before.
3. Opening never blocks, not even on a named pipe without a writer.
"""

import os
import re
import stat
from contextlib import contextmanager

from .store_errors import StoreError

KEY_BYTES_MAX = 1024
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
UNFINISHED = re.compile("#[0-9]+$")
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
KINDS = {
    "object": "a regular file",
    "folder": "a folder",
    "link": "a symbolic link",
    "special": "a named pipe, a socket or a device",
}


def fault(key):
    """Returns the reason why a text is not a key, or none."""
    segments = key.split("/")
    if not key:
        return "it is empty"
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "it has a character that files cannot have"
    if size > KEY_BYTES_MAX:
        return f"it is longer than {KEY_BYTES_MAX} bytes"
    if CONTROL.search(key):
        return "it has a control character"
    if "\\" in key:
        return "it has a character that files cannot have"
    if key.startswith("/"):
        return "it starts with a slash"
    if key.endswith("/"):
        return "it ends with a slash"
    if "" in segments:
        return "it has an empty segment"
    if "." in segments or ".." in segments:
        return "it has a `.` or `..` segment"
    if any(UNFINISHED.search(segment) for segment in segments):
        return "it is an unfinished write's"
    return None


def split(key):
    """Returns the folder's segments and the name of a key."""
    reason = fault(key)
    if reason:
        raise _refused(key, reason)
    *folder, name = key.split("/")
    return folder, name


def split_prefix(prefix):
    """Returns the folder's segments and the start of the names."""
    folder, _, start = prefix.rpartition("/")
    if CONTROL.search(start):
        raise _refused(prefix, "it has a control character")
    if folder or prefix.startswith("/"):
        reason = fault(folder)
        if reason:
            raise _refused(prefix, reason)
    return folder.split("/") if folder else [], start


def _refused(key, reason):
    return StoreError("invalid", f"the key {key[:100]!a} cannot be used: {reason}")


def is_entry(name):
    """Returns whether listings contain an entry of that name."""
    return fault(UNFINISHED.sub("", name)) is None


@contextmanager
def opened_folder(root, segments):
    """Opens the folder of a key. Raises an `OSError` if it is missing."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    path = root
    try:
        for segment in segments:
            path = os.path.join(path, segment)
            folder = _step(folder, segment, path)
        yield folder
    finally:
        os.close(folder)


def make_folder(root, segments):
    """Creates a folder and its parents. Syncs each folder that has a new entry."""
    missing, parent = [], os.path.abspath(root)
    while not os.path.isdir(parent):
        missing.append(parent)
        parent = os.path.dirname(parent)
    for path in reversed(missing):
        _make(path, None)
        sync_path(os.path.dirname(path))
    for depth, segment in enumerate(segments):
        with opened_folder(root, segments[:depth]) as folder:
            if _make(segment, folder):
                os.fsync(folder)


def sync_path(path):
    """Syncs a folder."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def open_object(folder, name, path):
    """Opens a regular file, and returns it with its size."""
    try:
        file = os.open(name, READING, dir_fd=folder)
    except OSError as error:
        raise intruder(folder, name, path) or error from None
    found = os.fstat(file)
    if stat.S_ISREG(found.st_mode):
        return file, found.st_size
    os.close(file)
    raise _not_an_object(path, kind_of(found.st_mode))


def intruder(folder, name, path):
    """Returns the error for anything but a regular file of that name, or none."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return None
    return None if stat.S_ISREG(mode) else _not_an_object(path, kind_of(mode))


def kind_of(mode):
    """Returns the kind of an entry, as in listings."""
    if stat.S_ISREG(mode):
        return "object"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "special"


def _step(folder, segment, path):
    """Opens a folder in a folder, which is closed if that succeeds."""
    try:
        found = os.open(segment, FOLDER, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError:
        kind = kind_of(os.stat(segment, dir_fd=folder, follow_symlinks=False).st_mode)
        if kind == "folder":
            raise
        reason = f"{path} is {KINDS[kind]}, not a folder; name the one that is meant"
        raise StoreError("invalid", reason) from None
    os.close(folder)
    return found


def _make(name, folder):
    try:
        os.mkdir(name, dir_fd=folder)
        return True
    except FileExistsError:
        return False


def _not_an_object(path, kind):
    return StoreError("not-an-object", f"{path} is {KINDS[kind]}, not a regular file; remove it")
