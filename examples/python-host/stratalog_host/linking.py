"""Provides the component's imports: host bytes, an object store and log messages.

Every resource of the host is an object in `Handles`. A handle of the component is its number there.
"""

from __future__ import annotations

import sys
from typing import Any, Callable, Protocol, Sequence

from wasmtime import Store, StoreContext
from wasmtime.component import (
    LinkerInstance, Record, ResourceAny, ResourceHost, ResourceType, Variant,
)

from .host_bytes import HostBytes
from .store_errors import StoreError, WriteError

HOST_BYTES = "stratalog:log/host-bytes@0.1.0"
OBJECT_STORE = "stratalog:log/object-store@0.1.0"
LOGGING = "wasi:logging/logging@0.1.0-draft"

# The resource types, by numbers of this host's own.
BYTES, PENDING_CREATE, LISTING, ORDERED_READ, UPLOAD = range(1, 6)


class Upload(Protocol):
    """An object that is written in parts. Each method raises a `WriteError`."""

    def write(self, content: memoryview) -> None: ...

    def finish(self) -> None: ...


class Listing(Protocol):
    """The entries of a folder: each a key, a size and a kind."""

    def next(self, limit: int) -> tuple[Sequence[tuple[str, int, str]], bool]: ...


class OrderedRead(Protocol):
    """Objects, or ranges of them, that are read in order. `number` is that of the next one."""

    number: int

    def next(self, bytes_max: int) -> tuple[int, bytes | memoryview, bool] | None: ...


class Objects(Protocol):
    """An object store. Its methods raise `StoreError`, and those that create `WriteError`."""

    def create(self, key: str, content: memoryview, exclusive: bool) -> None: ...

    def upload(self, key: str) -> Upload: ...

    def ensure_exclusive(self, prefix: str) -> None: ...

    def get(self, key: str, range_: tuple[int, int] | None) -> bytes | memoryview: ...

    def listing(self, prefix: str, start_after: str | None, with_sizes: bool) -> Listing: ...

    def ordered_read(
        self, ranges: Sequence[tuple[str, tuple[int, int] | None]]
    ) -> OrderedRead: ...

    def delete(self, keys: Sequence[str]) -> Sequence[tuple[str, StoreError]]: ...


class Handles:
    """The objects behind the handles of one component instance."""

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {}
        self.number = 0

    def give(self, type_: int, value: Any) -> ResourceHost:
        """Returns a handle that the receiver owns."""
        self.number += 1
        self.objects[self.number] = value
        return ResourceHost.own(self.number, type_)

    def of(self, store: Store | StoreContext, handle: ResourceAny) -> Any:
        """Returns the object of a borrowed handle."""
        return self.objects[handle.to_host(store).rep]

    def take(self, store: Store | StoreContext, handle: ResourceAny) -> Any:
        """Returns the object of a handle that was given up."""
        return self.objects.pop(handle.to_host(store).rep)

    def drop(self, _store: StoreContext, number: int) -> None:
        """Forgets an object whose handle the component has dropped."""
        dropped = self.objects.pop(number)
        if hasattr(dropped, "drop"):
            dropped.drop()


def record(**fields: Any) -> Record:
    """Makes a record of the interface: an underscore stands for a hyphen."""
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


def link(root: LinkerInstance, handles: Handles, objects: Objects) -> None:
    """Defines the imports over the store `objects`."""
    _link_bytes(root, handles)
    _link_store(root, handles, objects)
    with root.add_instance(LOGGING) as logging:
        logging.add_func("log", _log)


def _link_bytes(root: LinkerInstance, handles: Handles) -> None:
    with root.add_instance(HOST_BYTES) as to:
        to.add_resource("bytes", ResourceType.host(BYTES), handles.drop)

        def method(name: str, call: Callable[..., Any]) -> None:
            def run(store: StoreContext, handle: ResourceAny, *arguments: Any) -> Any:
                return call(store, handles.of(store, handle), *arguments)

            to.add_func(f"[method]bytes.{name}", run)

        def summarize(
            _store: StoreContext, bytes_: HostBytes, start: int, lengths: list[int]
        ) -> list[Record]:
            found = bytes_.summarize(start, lengths)
            return [record(digest=digest, line_feeds=count) for digest, count in found]

        to.add_func(
            "[constructor]bytes", lambda _, content: handles.give(BYTES, HostBytes(content)))
        method("length", lambda _, bytes_: bytes_.length)
        method("slice", lambda _, bytes_, start, end: handles.give(BYTES, bytes_.slice(start, end)))
        method("append", lambda store, bytes_, more: bytes_.append(handles.take(store, more)))
        method("summarize", summarize)
        method("line-end", lambda _, bytes_, line_feeds: bytes_.line_end(line_feeds))
        method("read", lambda _, bytes_: bytes_.read())


def _link_store(root: LinkerInstance, handles: Handles, objects: Objects) -> None:
    with root.add_instance(OBJECT_STORE) as to:
        _link_resources(to, handles, objects)

        def create(_store: StoreContext, key: str, content: bytes, exclusive: bool) -> Any:
            return written(lambda: objects.create(key, memoryview(content), exclusive))

        # The outcome is known when this returns: the store is synchronous.
        def start_create(
            store: StoreContext, key: str, content: ResourceAny, exclusive: bool
        ) -> ResourceHost:
            view = handles.of(store, content).view()
            outcome = written(lambda: objects.create(key, view, exclusive))
            return handles.give(PENDING_CREATE, outcome)

        def ensure_exclusive(_store: StoreContext, prefix: str) -> Any:
            return failure_or(lambda: objects.ensure_exclusive(prefix))

        def get(_store: StoreContext, key: str, range_: Record | None) -> Any:
            return failure_or(lambda: bytes(objects.get(key, _pair(range_))))

        def delete(_store: StoreContext, keys: list[str]) -> list[Record]:
            failures = objects.delete(keys)
            return [record(key=key, error=failed(error)) for key, error in failures]

        for name, function in {
            "create": create, "start-create": start_create, "ensure-exclusive": ensure_exclusive,
            "get": get, "delete": delete,
        }.items():
            to.add_func(name, function)


def _link_resources(to: LinkerInstance, handles: Handles, objects: Objects) -> None:
    names = {
        "pending-create": PENDING_CREATE, "listing": LISTING, "ordered-read": ORDERED_READ,
        "upload": UPLOAD,
    }
    for name, number in names.items():
        to.add_resource(name, ResourceType.host(number), handles.drop)

    def listing(
        _store: StoreContext, prefix: str, start_after: str | None, with_sizes: bool
    ) -> ResourceHost:
        return handles.give(LISTING, objects.listing(prefix, start_after, with_sizes))

    def next_page(store: StoreContext, handle: ResourceAny, limit: int) -> Variant:
        try:
            entries, more = handles.of(store, handle).next(limit)
        except StoreError as error:
            return Variant("err", failed(error))
        listed = [record(key=key, size=size, kind=kind) for key, size, kind in entries]
        return Variant("ok", record(objects=listed, more=more))

    def ordered_read(_store: StoreContext, ranges: list[Any]) -> ResourceHost:
        pairs = [(wanted.key, _pair(wanted.range)) for wanted in ranges]
        return handles.give(ORDERED_READ, objects.ordered_read(pairs))

    def next_chunk(store: StoreContext, handle: ResourceAny, bytes_max: int) -> Variant:
        read = handles.of(store, handle)
        try:
            found = read.next(bytes_max)
        except StoreError as error:
            return Variant("err", record(number=read.number, error=failed(error)))
        if found is None:
            return Variant("ok", None)
        number, content, last = found
        content = handles.give(BYTES, HostBytes(content))
        return Variant("ok", record(number=number, bytes=content, last=last))

    def start(_store: StoreContext, key: str) -> Any:
        try:
            return handles.give(UPLOAD, objects.upload(key))
        except WriteError as error:
            return write_failed(error)

    def write(store: StoreContext, handle: ResourceAny, content: ResourceAny) -> Any:
        upload, taken = handles.of(store, handle), handles.take(store, content)
        return written(lambda: upload.write(taken.view()))

    def finish(store: StoreContext, handle: ResourceAny) -> Any:
        return written(handles.of(store, handle).finish)

    to.add_func("[method]pending-create.poll", lambda store, create: Variant(
        "some", handles.of(store, create)))
    to.add_func("[method]pending-create.wait", handles.of)
    to.add_func("[constructor]listing", listing)
    to.add_func("[method]listing.next", next_page)
    to.add_func("[constructor]ordered-read", ordered_read)
    to.add_func("[method]ordered-read.next", next_chunk)
    to.add_func("[static]upload.start", start)
    to.add_func("[method]upload.write", write)
    to.add_func("[method]upload.finish", finish)


def written(work: Callable[[], None]) -> Variant | None:
    """Returns the outcome of a create as the interface has it."""
    try:
        work()
    except WriteError as error:
        return write_failed(error)
    return None


def write_failed(error: WriteError) -> Variant:
    """Returns a `write-error` of the interface."""
    return Variant(error.kind, failed(error.error) if error.error else None)


def failed(error: StoreError) -> Record:
    """Returns a `store-error` of the interface."""
    return record(kind=error.kind, message=error.message)


def failure_or(work: Callable[[], Any]) -> Any:
    """Returns a result, or the `store-error` of the interface."""
    try:
        return work()
    except StoreError as error:
        return failed(error)


def _pair(range_: Any) -> tuple[int, int] | None:
    return (range_.start, range_.end) if range_ else None


def _log(_store: StoreContext, level: str, context: str, message: str) -> None:
    """Prints a log message. The component is not trusted with the terminal."""
    shown = f"{level}: {context}: {message}"[:1024]
    print("".join(c if c.isprintable() else "\ufffd" for c in shown), file=sys.stderr)
