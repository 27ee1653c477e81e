#!/usr/bin/env python3
"""Checks the log sink, joined with a log and a folder as a store, and a program that logs.

    tests/adapters/run_sink.py FOLDER [NAME...]

FOLDER has `log.wasm`, a log with its store, `sink.wasm`, the sink with these, and `app.wasm`, the
program of `tests/logger` with all of them:

    stratalog component export --store fs log.wasm
    stratalog component join --store fs stratalog_log_sink.wasm -o sink.wasm
    wac plug logger.wasm --plug sink.wasm -o app.wasm

NAME selects properties. Ends with 1 if any does not hold.
"""

import sys

import sink
from run import check


def main():
    folder, *names = sys.argv[1:]
    programs = sink.Programs(folder)
    return check(sink.PROPERTIES, names, lambda held, place: held(programs, place))


if __name__ == "__main__":
    sys.exit(main())
