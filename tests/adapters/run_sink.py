#!/usr/bin/env python3
"""Checks the log sink: joins it with a log and a folder as a store, and runs a program that logs.

    pip install -r tests/adapters/requirements.txt
    cargo build --release --target wasm32-wasip2 --package stratalog-guest \\
        --package stratalog-fs-store --package stratalog-log-sink --package logger
    tests/adapters/run_sink.py target/wasm32-wasip2/release [NAME...]

Needs `wac`, or the variable WAC with its path. NAME selects properties. Ends with 1 if any does
not hold.
"""

import os
import subprocess
import sys
import tempfile

import sink
from run import check


def join(parts, folder):
    """Joins the components into `log.wasm`, `sink.wasm` and `app.wasm`."""
    for plugin, part, joined in [
        (f"{parts}/stratalog_guest.wasm", f"{parts}/stratalog_fs_store.wasm", "log.wasm"),
        (f"{parts}/stratalog_log_sink.wasm", f"{folder}/log.wasm", "sink.wasm"),
        (f"{parts}/logger.wasm", f"{folder}/sink.wasm", "app.wasm"),
    ]:
        wac = os.environ.get("WAC", "wac")
        subprocess.run(
            [wac, "plug", plugin, "--plug", part, "-o", f"{folder}/{joined}"], check=True)


def main():
    parts, *names = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        join(parts, folder)
        programs = sink.Programs(folder)
        return check(sink.PROPERTIES, names, lambda held, place: held(programs, place))


if __name__ == "__main__":
    sys.exit(main())
