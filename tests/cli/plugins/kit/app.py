"""Prints what the functions for plugins do, one line each. Runs in a project of `plugin new`."""

import json
import logging
import sys
from collections.abc import Callable

from wit_world import exports

from stratalog_plugin import Events, Log, LogError, LogHandler, read


class Run(exports.Run):
    def run(self) -> None:
        check()
        sys.stdout.flush()


def check() -> None:
    log = Log.open("journal", flush_threshold=2, event_bytes_max=10)
    log.append(b"one")
    print("appended", log.append_lines("two\nthree\n"))
    for bad in ["", "a\nb", "01234567890"]:
        print(error_of(lambda: log.append(bad)))
    print("unterminated:", error_of(lambda: log.append_lines("four\nfive")))
    print("with pending:", texts(log.read()))
    print("durable", log.flush().events)
    print("closed", log.close().events)

    events = read("journal")
    next(events)
    second = next(events)
    print("second", second.text, "true" if second.time else "false")
    print("behind it", texts(read("journal", start=events.position())))
    print("last", texts(read("journal", last=1)))

    with Log.open("journal") as log:
        logging.basicConfig(handlers=[LogHandler(log)], level=logging.INFO)
        logging.getLogger("shop").debug("not this")
        logging.getLogger("shop").warning('low on "%s"', "tea")
    print("logged", record())
    print(error_of(lambda: texts(read("other"))))
    print(error_of(lambda: texts(read("stranger"))))
    print(error_of(read("journal", name="billing").commit))


def texts(events: Events) -> str:
    return " ".join(event.text for event in events)


def record() -> str:
    """Returns the last event of the log without its time."""
    fields = next(read("journal", last=1)).json()
    fields.pop("time")
    return json.dumps(fields, separators=(",", ":"), sort_keys=True)


def error_of(call: Callable[[], object]) -> str:
    try:
        call()
    except LogError as error:
        return str(error)
    return "no error"
