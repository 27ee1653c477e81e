#!/usr/bin/env python3
"""Runs a plugin that is joined with the log alone, over the store of the host under Python.

    tests/matrix/run_cases.py APP.wasm FOLDER [ARGUMENT...]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples/python-host"))

from stratalog_host.folder_store import FolderStore  # noqa: E402
from stratalog_host.linking import Handles, link  # noqa: E402
from wasmtime import Config, Engine, Store, WasiConfig  # noqa: E402
from wasmtime.component import Component, Linker  # noqa: E402


def main():
    path, folder, *arguments = sys.argv[1:]
    config = Config()
    config.cache = True
    engine = Engine(config)
    linker = Linker(engine)
    linker.add_wasip2()
    with linker.root() as root:
        link(root, Handles(), FolderStore(folder))
    wasi = WasiConfig()
    wasi.argv = ["app", *arguments]
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    store = Store(engine)
    store.set_wasi(wasi)
    instance = linker.instantiate(store, Component.from_file(engine, path))
    command = instance.get_export_index(store, "wasi:cli/run@0.2.0")
    run = instance.get_func(store, instance.get_export_index(store, "run", command))
    run(store)


if __name__ == "__main__":
    main()
