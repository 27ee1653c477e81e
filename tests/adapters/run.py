#!/usr/bin/env python3
"""Checks a store adapter of a folder by calling it, without the log's component.

The suite of all stores is in Rust: `tests/stores/conformance.rs`. Here is what a folder has besides,
on a host in another language.

    pip install -r tests/adapters/requirements.txt
    tests/adapters/run.py ADAPTER.wasm [NAME...]

NAME selects properties. Ends with 1 if any does not hold.
"""

import os
import sys
import tempfile
import traceback

import folder
from adapter import Program


def main():
    path, *names = sys.argv[1:]
    program = Program(path)
    return check(folder.PROPERTIES, names, lambda held, place: held(program, place))


def check(properties, names, call):
    """Calls the properties of these names, or all, each with an empty folder. Returns 1 if any
    does not hold."""
    failed = 0
    for held in properties:
        if names and held.__name__ not in names:
            continue
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as parent:
            place = f"{parent}/store"
            os.mkdir(place)
            try:
                call(held, place)
                print(f"ok      {held.__name__}", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED  {held.__name__}\n{traceback.format_exc()}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
