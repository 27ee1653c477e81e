#!/usr/bin/env python3
"""Checks a store adapter of a folder by calling it, without the log's component.

    pip install -r tests/adapters/requirements.txt
    tests/adapters/run.py ADAPTER.wasm [NAME...]

NAME selects properties. Ends with 1 if any does not hold.
"""

import sys
import tempfile
import traceback

import contract
import folder
from adapter import Program


def main():
    path, *names = sys.argv[1:]
    program = Program(path)
    failed = 0
    for held in contract.PROPERTIES + folder.PROPERTIES:
        if names and held.__name__ not in names:
            continue
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
            try:
                if held in contract.PROPERTIES:
                    held(program.open({place: "/"}))
                else:
                    held(program, place)
                print(f"ok      {held.__name__}", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED  {held.__name__}\n{traceback.format_exc()}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
