"""Runs the component of the log over a store, with the clock and the random numbers of a test."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from wasmtime import Config, Engine, Store, StoreContext, WasiConfig
from wasmtime import component as wasm
from wasmtime.component import LinkerInstance, Record, ResourceAny, Variant

from .host_bytes import HostBytes
from .linking import BYTES, Handles, Objects, link, record

APPEND_LOG = "stratalog:log/append-log@0.1.0"
HOST_LINES = "stratalog:log/host-lines@0.1.0"
FILE = Path(__file__).with_name("log.wasm")


class CallFailed(Exception):
    """An `error` that the component returned, as a variant."""

    def __init__(self, error: Variant) -> None:
        super().__init__(str(error))
        self.error = error


@cache
def _compiled() -> tuple[Engine, wasm.Component]:
    engine = Engine(Config())
    if not FILE.is_file():
        command = f"`stratalog component export {FILE}`"
        raise FileNotFoundError(f"{FILE} is not there: write the component with {command}")
    return engine, wasm.Component.from_file(engine, FILE)


class Component:
    """An instance of the component."""

    def __init__(self, objects: Objects, micros: Callable[[], int]) -> None:
        """`micros` returns the time, in microseconds since 1970."""
        engine, component = _compiled()
        self.handles, self.store = Handles(), Store(engine)
        self.store.set_wasi(WasiConfig())
        linker = wasm.Linker(engine)
        linker.add_wasip2()
        linker.allow_shadowing = True
        with linker.root() as root:
            link(root, self.handles, objects)
            for name in component.type.imports(engine):
                if name.startswith("wasi:clocks/wall-clock@"):
                    _link_clock(root, name, micros)
                if name.startswith("wasi:random/random@"):
                    _link_random(root, name)
        self.instance = linker.instantiate(self.store, component)
        self._functions: dict[tuple[str, str], wasm.Func] = {}

    def call(self, interface: str, name: str, *arguments: Any) -> Any:
        """Calls a function of the component. Raises `CallFailed`."""
        function = self._functions.get((interface, name)) or self._find(interface, name)
        result = function(self.store, *arguments)
        # No function returns a variant but as an error.
        while isinstance(result, Variant) and result.tag in ("ok", "err"):
            result = result.payload
        if isinstance(result, Variant):
            raise CallFailed(result)
        return result

    def append(self, log: ResourceAny, lines: bytes, events: int) -> None:
        """Appends packed lines that were checked."""
        content = self.handles.give(BYTES, HostBytes(lines))
        self.call(HOST_LINES, "append", log, content, events)

    def next_page(self, reader: ResourceAny) -> tuple[bytes, int, int] | None:
        """Returns the lines of the next page, their number, and the number of missed events."""
        page = self.call(HOST_LINES, "next", reader)
        if page is None:
            return None
        lines = b""
        if page.lines is not None:
            lines = bytes(self.handles.take(self.store, page.lines).view())
        return lines, page.events, page.missed

    def event_bytes_max(self, log: ResourceAny) -> int:
        """Returns the maximum size of an event."""
        options = self.call(HOST_LINES, "effective-options", log)
        return int(getattr(options, "event-bytes-max"))

    def drop(self, handle: ResourceAny) -> None:
        """Drops a handle, without a flush."""
        handle.drop(self.store)

    def _find(self, interface: str, name: str) -> wasm.Func:
        of_interface = self.instance.get_export_index(self.store, interface)
        index = self.instance.get_export_index(self.store, name, of_interface)
        function = index and self.instance.get_func(self.store, index)
        if not isinstance(function, wasm.Func):
            raise LookupError(f"{FILE} has no function {name} of {interface}")
        self._functions[interface, name] = function
        return function


def _link_clock(root: LinkerInstance, name: str, micros: Callable[[], int]) -> None:
    def now(_store: StoreContext) -> Record:
        seconds, rest = divmod(micros(), 1_000_000)
        return record(seconds=seconds, nanoseconds=rest * 1000)

    def resolution(_store: StoreContext) -> Record:
        return record(seconds=0, nanoseconds=1000)

    with root.add_instance(name) as to:
        to.add_func("now", now)
        to.add_func("resolution", resolution)


def _link_random(root: LinkerInstance, name: str) -> None:
    """Links numbers that are the same in each run, so that objects have the same names."""
    numbers = random.Random(0)
    with root.add_instance(name) as to:
        to.add_func("get-random-u64", lambda _: numbers.getrandbits(64))
        to.add_func("get-random-bytes", lambda _, length: numbers.randbytes(length))
