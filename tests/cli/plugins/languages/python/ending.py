"""Ends as its first argument says."""

import sys

from wit_world import exports
from wit_world.imports import append_log as wit, types
from wit_world.imports import exit as wasi_exit


OPEN: list[wit.Log] = []


class Run(exports.Run):
    """The command."""

    def run(self) -> None:
        match sys.argv[1]:
            case "exception":
                raise ValueError("there was no header")
            case "log-error":
                wit.Log.open("not granted", types.Options(None, None, None, None, None, None))
            case "leave-open":
                OPEN.append(wit.Log.open("log", types.Options(None, None, None, None, None, None)))
                OPEN[0].append(b"left open")
            case "sys-exit":
                sys.exit(3)
            case "sys-exit-words":
                sys.exit("there was no header")
            case "exit-with-code":
                wasi_exit.exit_with_code(3)
