"""The log's component over a store: `wit/append-log.wit` in Python.

Events are passed by handle through `wit/host-lines.wit`, so they are never lists of numbers.
"""

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant

from .errors import log_error
from .host_bytes import HostBytes
from .lines import checked
from .linking import BYTES, Handles, link, record

APPEND_LOG = "stratalog:log/append-log@0.1.0"
HOST_LINES = "stratalog:log/host-lines@0.1.0"
MEMORY_MAX = 256 * 1024 * 1024

OPTIONS = [
    "flush_threshold", "flush_bytes", "flush_interval_ms", "event_bytes_max", "buffer_bytes_max",
    "creates_max",
]
READ_OPTIONS = ["start", "last", "limit", "since", "until", "pending"]
COMPACT_OPTIONS = ["fan_in", "segment_bytes_max", "batches_max"]


class Logs:
    """The logs of a store. An instance serves one thread."""

    def __init__(self, component, store):
        """`component` is the path of the component. `store` has the methods of `FolderStore`."""
        config = Config()
        # Compiled code is kept for the next process.
        config.cache = True
        engine = Engine(config)
        self.handles, self.store = Handles(), Store(engine)
        # The component gets a clock and random numbers, and no files, network or environment.
        self.store.set_wasi(WasiConfig())
        self.store.set_limits(memory_size=MEMORY_MAX)
        linker = Linker(engine)
        linker.add_wasip2()
        with linker.root() as root:
            link(root, self.handles, store)
        component = Component.from_file(engine, component)
        self.instance, self.functions = linker.instantiate(self.store, component), {}

    def open(self, name, **options):
        """Opens a log for appends. For the options, see `options` in `wit/types.wit`."""
        return Writer(self, self.call(APPEND_LOG, "[static]log.open", name, _options(
            OPTIONS, options)))

    def read(self, name, **options):
        """Yields the events of a log, as views of many lines, each ended by LF.

        For the options, see `read-options` in `wit/types.wit`.
        """
        reader = self.call(APPEND_LOG, "read", name, _options(READ_OPTIONS, options))
        try:
            while (page := self.call(HOST_LINES, "next", reader)) is not None:
                if page.lines is not None:
                    yield self.handles.take(self.store, page.lines).view()
        finally:
            reader.drop(self.store)

    def compact(self, name, full=False, **options):
        """Compacts a log, and returns what was done."""
        wanted = _options(COMPACT_OPTIONS, options)
        wanted.full = full
        return plain(self.call(APPEND_LOG, "compact", name, wanted))

    def stat(self, name):
        """Returns the numbers of a log."""
        return plain(self.call(APPEND_LOG, "stat", name))

    def verify(self, name):
        """Checks every object of a log; returns the counts and the findings by kind."""
        verifier = self.call(APPEND_LOG, "verify", name)
        counts, findings = {}, {"damaged": [], "garbage": [], "stranded": []}
        try:
            while (step := self.call(APPEND_LOG, "[method]verifier.next", verifier)) is not None:
                for finding in step.findings:
                    findings[finding.tag].append(plain(finding.payload))
                counts = plain(step)
        finally:
            verifier.drop(self.store)
        names = ["objects", "events", "trimmed_events", "bytes"]
        return {"ok": not findings["damaged"], **{n: counts.get(n, 0) for n in names}, **findings}

    def call(self, interface, name, *arguments):
        """Calls a function of the component. Raises a `LogError`."""
        if (interface, name) not in self.functions:
            index = self.instance.get_export_index(self.store, interface)
            index = self.instance.get_export_index(self.store, name, index)
            self.functions[interface, name] = self.instance.get_func(self.store, index)
        result = self.functions[interface, name](self.store, *arguments)
        # No function returns a variant but as an error.
        while isinstance(result, Variant) and result.tag in ("ok", "err"):
            result = result.payload
        if isinstance(result, Variant):
            raise log_error(result.tag, result.payload)
        return result


class Writer:
    """One handle that appends to a log. As a context, it closes at the end."""

    def __init__(self, logs, handle):
        self.logs, self.handle = logs, handle
        options = logs.call(HOST_LINES, "effective-options", handle)
        self.event_bytes_max = getattr(options, "event-bytes-max")

    def append(self, event):
        """Appends one event, without an LF."""
        if b"\n" in event:
            raise log_error("invalid-event", record(line=0, fault=Variant("line-feed")))
        self.append_lines(bytes(event) + b"\n")

    def append_lines(self, lines):
        """Appends many events, each ended by LF: all or none. Returns their number."""
        count, invalid = checked(lines, self.event_bytes_max)
        if invalid:
            raise log_error("invalid-event", invalid)
        content = self.logs.handles.give(BYTES, HostBytes(lines))
        self.logs.call(HOST_LINES, "append", self.handle, content, count)
        return count

    def flush(self):
        """Makes all events durable, and returns the total of this writer."""
        return plain(self.logs.call(APPEND_LOG, "[method]log.flush", self.handle))

    def tick(self):
        """Seals a buffer that is old enough. Call this about four times a second."""
        return self.logs.call(APPEND_LOG, "[method]log.tick", self.handle)

    def close(self):
        """Flushes and closes, and returns the total of this writer."""
        return plain(self.logs.call(APPEND_LOG, "[method]log.close", self.handle))

    def drop(self):
        """Drops the handle. Events that were not flushed are lost: the next call logs a warning."""
        self.handle.drop(self.logs.store)

    def __enter__(self):
        return self

    def __exit__(self, kind, _error, _trace):
        try:
            if kind is None:
                self.close()
        finally:
            self.drop()


def plain(value):
    """Returns a value of the interface as dictionaries, with an underscore for a hyphen."""
    if isinstance(value, Record):
        return {name.replace("-", "_"): plain(field) for name, field in value.__dict__.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def _options(names, given):
    unknown = set(given) - set(names)
    if unknown:
        raise TypeError(f"unknown options: {', '.join(sorted(unknown))}; known: {', '.join(names)}")
    return record(**{name: given.get(name) for name in names})
