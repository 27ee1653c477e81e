"""A small command line: python -m stratalog_host append|read|compact|verify|stat FOLDER

FOLDER is the log, as in `stratalog append FOLDER`. append takes the lines of stdin; read prints the
events; the others print their reports as JSON. The component is log.wasm in the current folder, or
the file that STRATALOG_COMPONENT names.
"""

import json
import os
import select
import sys

from .errors import InvalidEvent, LogError
from .folder_store import FolderStore
from .logs import Logs
from .store_errors import StoreError

CHUNK_BYTES = 1024 * 1024
TICK_SECONDS = 0.25
# Twice the size of the largest event.
LINE_BYTES_MAX = 2 * 1024 * 1024


def append(logs, name):
    """Appends stdin, and flushes. Stops before a line that is not an event, and names it from 1."""
    writer, lines = logs.open(name), 0
    try:
        for packed in whole_lines(sys.stdin.fileno()):
            if not packed:
                writer.tick()
                continue
            try:
                lines += writer.append_lines(packed)
            except InvalidEvent as error:
                good = packed.split(b"\n")[:error.line]
                if good:
                    writer.append_lines(b"\n".join(good) + b"\n")
                writer.flush()
                error.message = f"line {lines + error.line + 1} of stdin: {error.message}"
                raise
        return writer.close()
    finally:
        writer.drop()


def whole_lines(file):
    """Yields chunks that end with a line, and an empty one for each tick. Adds a final LF."""
    rest = []
    while True:
        if not select.select([file], [], [], TICK_SECONDS)[0]:
            yield b""
            continue
        chunk = os.read(file, CHUNK_BYTES)
        if not chunk:
            break
        end = chunk.rfind(b"\n") + 1
        if end:
            yield b"".join([*rest, chunk[:end]])
            rest = []
        if end < len(chunk):
            rest.append(chunk[end:])
        # No event is that long, so the log reports the error.
        if sum(map(len, rest)) > LINE_BYTES_MAX:
            break
    if rest:
        yield b"".join(rest) + b"\n"


def read(logs, name):
    """Prints the events."""
    for lines in logs.read(name):
        sys.stdout.buffer.write(lines)
    sys.stdout.buffer.flush()


COMMANDS = {
    "append": append,
    "read": read,
    "compact": lambda logs, name: logs.compact(name),
    "verify": lambda logs, name: logs.verify(name),
    "stat": lambda logs, name: logs.stat(name),
}


def main(arguments):
    """Runs a command; returns the exit code. Damage that verify finds is 1."""
    if len(arguments) != 2 or arguments[0] not in COMMANDS or not arguments[1]:
        print(f"usage: python -m stratalog_host {'|'.join(COMMANDS)} FOLDER", file=sys.stderr)
        return 2
    command, folder = arguments
    component = os.environ.get("STRATALOG_COMPONENT", "log.wasm")
    if not os.path.isfile(component):
        first = "write it with `stratalog component export log.wasm`"
        print(f"error: cannot read {component}: no such file; {first}", file=sys.stderr)
        return 1
    root, name = os.path.split(os.path.abspath(folder))
    try:
        report = COMMANDS[command](Logs(component, FolderStore(root)), name)
    except BrokenPipeError:
        # The reader of the output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (LogError, StoreError) as error:
        print(f"error: cannot {command} {folder}: {error.message}", file=sys.stderr)
        return 1
    if report is not None:
        print(json.dumps(report))
    return 1 if command == "verify" and report["damaged"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
