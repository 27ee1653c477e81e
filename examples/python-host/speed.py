"""Measures appends and reads by handle and by lists: python speed.py COMPONENT.wasm"""

import sys
import tempfile
import time

from stratalog_host import FolderStore, Logs
from stratalog_host.logs import APPEND_LOG, READ_OPTIONS
from stratalog_host.linking import record

EVENT = b'{"service":"billing","level":"error","error":"disk full","attempt":3,"id":%08d}\n'
MEGABYTE = 1_000_000


def timed(what, size, work):
    """Prints the rate of some work."""
    start = time.perf_counter()
    work()
    print(f"{what:<20} {size / MEGABYTE / (time.perf_counter() - start):8.2f} MB/s")


def main(component):
    """Measures each way on a log of its own."""
    with tempfile.TemporaryDirectory() as folder:
        logs = Logs(component, FolderStore(folder))
        lines = b"".join(EVENT % number for number in range(10_000))

        def append():
            with logs.open("handles") as writer:
                for _ in range(100):
                    writer.append_lines(lines)

        def append_lists():
            with logs.open("lists") as writer:
                for start in range(0, len(lines), len(lines) // 8):
                    part = lines[start:start + len(lines) // 8]
                    logs.call(APPEND_LOG, "[method]log.append-lines", writer.handle, part)

        def read_lists():
            options = record(**{name: None for name in READ_OPTIONS})
            reader = logs.call(APPEND_LOG, "read", "lists", options)
            while logs.call(APPEND_LOG, "[method]reader.next", reader) is not None:
                pass
            reader.drop(logs.store)

        timed("append by handle", 100 * len(lines), append)
        timed("read by handle", 100 * len(lines), lambda: sum(map(len, logs.read("handles"))))
        timed("compact", 100 * len(lines), lambda: logs.compact("handles"))
        timed("verify", 100 * len(lines), lambda: logs.verify("handles"))
        timed("append by list", len(lines), append_lists)
        timed("read by list", len(lines), read_lists)


if __name__ == "__main__":
    main(sys.argv[1])
