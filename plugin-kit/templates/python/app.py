"""Appends each argument to the log `journal` as an event, or prints the events if there is none."""

import sys
from typing import NoReturn

from componentize_py_types import Err
from wit_world import exports

from stratalog_plugin import Log, LogError, buffer_output, read

LABEL = "journal"
"""The label that the operator grants a log under."""


class Run(exports.Run):
    """The command that `wasi:cli/run` starts."""

    def run(self) -> None:
        buffer_output()
        texts = sys.argv[1:]
        try:
            if texts:
                append(texts)
            else:
                print_all()
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader of the output has read enough.
            pass
        except LogError as error:
            fail(str(error))
        except OSError as error:
            fail(f"cannot write the output: {error}")


def fail(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    # The way for a command to report failure.
    raise Err(None)


def append(texts: list[str]) -> None:
    log = Log.open(LABEL)
    for text in texts:
        log.append_json({"text": text})
    written = log.close()
    print(f"stored events: {written.events}")


def print_all() -> None:
    for event in read(LABEL):
        print(event.text)
