#!/usr/bin/env python3
"""Runs a command component on a host that has nothing but WASI and HTTP requests.

    tests/adapters/run_app.py APP.wasm [NAME=VALUE...] -- [ARGUMENT...]

Like `wasmtime run -S http --env NAME=VALUE... APP.wasm ARGUMENT...`. Ends with
1 if the command fails.
"""

import sys

from adapter import Program, value
from wasmtime import Store, WasiConfig


def main():
    path, *words = sys.argv[1:]
    split = words.index("--")
    program = Program(path)
    wasi = WasiConfig()
    wasi.argv = ["app", *words[split + 1:]]
    wasi.env = [tuple(word.split("=", 1)) for word in words[:split]]
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    store = Store(program.engine)
    store.set_wasi(wasi)
    store.set_wasi_http()
    instance = program.linker.instantiate(store, program.component)
    command = instance.get_export_index(store, "wasi:cli/run@0.2.0")
    run = instance.get_func(store, instance.get_export_index(store, "run", command))
    value(run(store))


if __name__ == "__main__":
    sys.exit(main())
