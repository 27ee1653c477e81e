"""Hosts the log's component in Python.

    from stratalog_host import FolderStore, Logs

    logs = Logs("log.wasm", FolderStore("store"))
    with logs.open("journal") as journal:
        journal.append(b'{"error":"disk full"}')
        journal.flush()
    for lines in logs.read("journal"):
        print(bytes(lines))
"""

from .errors import Closed, Conflict, Damaged, InvalidEvent, InvalidInput, LogError, NoLog
from .errors import StoreFailed, Unsupported, WriteFailed
from .folder_store import FolderStore
from .logs import Logs, Writer
from .store_errors import StoreError, WriteError

__all__ = [
    "Closed", "Conflict", "Damaged", "FolderStore", "InvalidEvent", "InvalidInput", "LogError",
    "Logs", "NoLog", "StoreError", "StoreFailed", "Unsupported", "WriteError", "WriteFailed",
    "Writer",
]
