"""A store adapter in wasmtime, called directly, without the log's component."""

from contextlib import contextmanager

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant

OBJECT_STORE = "stratalog:log/object-store@0.1.0"
HOST_BYTES = "stratalog:log/host-bytes@0.1.0"


class Failed(Exception):
    """A failed call: its kind and message, and of a write its fate."""

    def __init__(self, error, fate=None, number=None):
        super().__init__(f"{fate}: {error and error.kind}: {error and error.message}")
        self.fate, self.number = fate, number
        self.kind, self.message = (error.kind, error.message) if error else (None, "")


@contextmanager
def fails(kind, *words, fate=None):
    """Passes if the calls within fail so, with these words in the message."""
    try:
        yield
    except Failed as failure:
        assert (failure.kind, failure.fate) == (kind, fate), failure
        missing = [word for word in words if word not in failure.message]
        assert not missing, f"no {missing} in {failure}"
        assert failure.message.isprintable(), failure
    else:
        raise AssertionError(f"a call did not fail with {fate} {kind}")


def value(result):
    """Returns the value of a result, or raises its error."""
    if isinstance(result, Variant):
        if result.tag in ("already-exists", "not-written", "unknown"):
            raise Failed(result.payload, fate=result.tag)
        return result.payload if result.tag == "ok" else value(result.payload)
    if isinstance(result, Record) and hasattr(result, "message"):
        raise Failed(result)
    if isinstance(result, Record) and hasattr(result, "error"):
        raise Failed(result.error, number=result.number)
    return result


def record(**fields):
    """Makes a record of the interface."""
    made = Record()
    for name, field in fields.items():
        setattr(made, name, field)
    return made


def byte_range(range_):
    """Makes a range from a pair of offsets, or none."""
    return record(start=range_[0], end=range_[1]) if range_ else None


class Program:
    """A compiled adapter."""

    def __init__(self, path):
        self.path = path
        self.engine = Engine(Config())
        self.component = Component.from_file(self.engine, path)
        self.linker = Linker(self.engine)
        self.linker.add_wasip2()
        self.linker.add_wasi_http()

    def open(self, folders, env=None, writable=True):
        """Returns an instance, for which the host opens these folders: names by their paths."""
        wasi = WasiConfig()
        wasi.env = list((env or {}).items())
        wasi.inherit_stderr()
        for path, name in folders.items():
            wasi.preopen_dir(path, name, writable)
        store = Store(self.engine)
        store.set_wasi(wasi)
        store.set_wasi_http()
        return Adapter(store, self.linker.instantiate(store, self.component))


class Adapter:
    """An instance of an adapter. Each method is a call of the interface."""

    def __init__(self, store, instance):
        self.store, self.instance, self.functions = store, instance, {}

    def call(self, interface, name, *arguments):
        """Calls an exported function."""
        if (interface, name) not in self.functions:
            index = self.instance.get_export_index(self.store, interface)
            index = self.instance.get_export_index(self.store, name, index)
            self.functions[interface, name] = self.instance.get_func(self.store, index)
        return value(self.functions[interface, name](self.store, *arguments))

    def drop(self, handle):
        """Drops a handle."""
        handle.drop(self.store)

    def bytes(self, content):
        """Makes host bytes."""
        return self.call(HOST_BYTES, "[constructor]bytes", content)

    def content(self, handle):
        """Returns the content of host bytes, and drops them."""
        found = bytes(self.call(HOST_BYTES, "[method]bytes.read", handle))
        self.drop(handle)
        return found

    def create(self, key, content, exclusive=False):
        """Creates an object."""
        self.call(OBJECT_STORE, "create", key, content, exclusive)

    def get(self, key, range_=None):
        """Returns an object, or a range of one."""
        return bytes(self.call(OBJECT_STORE, "get", key, byte_range(range_)))

    def delete(self, *keys):
        """Deletes objects, and returns the failures by key."""
        failures = self.call(OBJECT_STORE, "delete", list(keys))
        return {failure.key: failure.error for failure in failures}

    def listing(self, prefix, start_after=None, with_sizes=True):
        """Prepares a listing."""
        return self.call(
            OBJECT_STORE, "[constructor]listing", prefix, start_after, with_sizes)

    def page(self, listing, limit):
        """Returns the next page of a listing."""
        return self.call(OBJECT_STORE, "[method]listing.next", listing, limit)

    def entries(self, prefix, start_after=None, with_sizes=True):
        """Returns the entries of a listing."""
        listing, entries, more = self.listing(prefix, start_after, with_sizes), [], True
        while more:
            page = self.page(listing, 10_000)
            entries, more = entries + page.objects, page.more
        self.drop(listing)
        return entries

    def keys(self, prefix, start_after=None, kind="object"):
        """Returns the keys of the entries of a kind."""
        return [entry.key for entry in self.entries(prefix, start_after) if entry.kind == kind]

    def read(self, ranges, bytes_max=1 << 20):
        """Yields the chunks of an ordered read: number, content, and whether it is the last."""
        wanted = [record(key=key, range=byte_range(range_)) for key, range_ in ranges]
        read = self.call(OBJECT_STORE, "[constructor]ordered-read", wanted)
        try:
            while True:
                chunk = self.call(OBJECT_STORE, "[method]ordered-read.next", read, bytes_max)
                if chunk is None:
                    return
                yield chunk.number, self.content(chunk.bytes), chunk.last
        finally:
            self.drop(read)

    def start_upload(self, key):
        """Starts an upload."""
        return self.call(OBJECT_STORE, "[static]upload.start", key)

    def write(self, upload, content):
        """Adds bytes to an upload."""
        self.call(OBJECT_STORE, "[method]upload.write", upload, self.bytes(content))

    def finish(self, upload):
        """Completes an upload."""
        self.call(OBJECT_STORE, "[method]upload.finish", upload)
