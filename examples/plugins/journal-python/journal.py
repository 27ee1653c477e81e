"""Reads the lines of an access log from stdin and journals the server errors (status 500 and above)
to the log `errors`. Prints their number in the log. This is a plugin: see
examples/plugins/README.md."""

import json
import sys
from collections.abc import Iterator
from typing import NoReturn

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import append_log as wit, types

import access_line
from summary import Summary

LABEL = "errors"
"""The label of the granted log."""
LINE_BYTES_MAX = 64 * 1024
"""A longer line is not understood. This bounds memory."""


class Run(exports.Run):
    """The command that `wasi:cli/run` starts."""

    def run(self) -> None:
        try:
            summary = keep_journal()
        except Failure as failure:
            fail(str(failure))
        try:
            sys.stdout.buffer.write(str(summary).encode())
            sys.stdout.buffer.flush()
        except OSError as error:
            fail(f"cannot write to stdout: {error}")


class Failure(Exception):
    """The reason why the job failed, in one line."""


def fail(reason: str) -> NoReturn:
    sys.stderr.buffer.write(f"error: {reason}\n".encode())
    sys.stderr.buffer.flush()
    # The way for a command to report failure.
    raise Err(None)


def keep_journal() -> Summary:
    """Journals the errors among the lines, then counts all errors in the log."""
    summary = Summary()
    doing = "open"
    try:
        with wit.Log.open(LABEL, types.Options(None, None, None, None, None, None)) as log:
            doing = "append to"
            for line in lines():
                summary.lines += 1
                access = access_line.parse(line) if len(line) <= LINE_BYTES_MAX else None
                if access is None:
                    summary.not_understood += 1
                elif access.status >= 500:
                    log.append(event(access))
                    summary.journalled += 1
            doing = "flush"
            log.flush()

            doing = "read"
            with log.read_all() as reader:
                while page := reader.next():
                    summary.count(page.lines)
            doing = "close"
            log.close()
    except Err as error:
        raise Failure(f"cannot {doing} the log {LABEL}: {text(error.value)}") from error
    return summary


def lines() -> Iterator[bytes]:
    """Yields the lines of stdin without line endings; of a line that is too long, the beginning."""
    try:
        while line := sys.stdin.buffer.readline(LINE_BYTES_MAX + 1):
            if line.endswith(b"\n"):
                yield line[:-1].removesuffix(b"\r")
                continue
            rest = line
            while len(line) > LINE_BYTES_MAX and rest and not rest.endswith(b"\n"):
                rest = sys.stdin.buffer.readline(LINE_BYTES_MAX)
            yield line if len(line) > LINE_BYTES_MAX else line.removesuffix(b"\r")
    except OSError as error:
        raise Failure(f"cannot read stdin: {error}") from error


def event(access: access_line.Access) -> bytes:
    """Returns the event of an access: one line, for any characters in it."""
    return json.dumps(vars(access), ensure_ascii=False, separators=(",", ":")).encode()


def text(error: types.Error) -> str:
    """Formats the case of an error and its payload."""
    match error:
        case types.Error_InvalidInput(reason):
            return f"invalid-input: {reason}"
        case types.Error_InvalidEvent(invalid):
            match invalid.fault:
                case types.EventFault_Empty():
                    fault = "empty"
                case types.EventFault_LineFeed():
                    fault = "line-feed"
                case types.EventFault_TooLong(by):
                    fault = f"{by.bytes} bytes, at most {by.bytes_max}"
                case types.EventFault_Unterminated():
                    fault = "unterminated"
            return f"invalid-event: line {invalid.line}: {fault}"
        case types.Error_WriteFailed(failure):
            fate = failure.fate.name.lower().replace("_", "-")
            pending = f"{failure.events_pending} events pending"
            return f"write-failed: {failure.object} ({fate}, {pending}): {failure.message}"
        case types.Error_StoreFailed(failure):
            return f"store-failed: {failure.message}"
        case types.Error_Damaged(damage):
            return (
                f"damaged: {damage.object}: expected {damage.expected}, found {damage.found}"
            )
        case types.Error_NoLog(absent):
            return f"no-log: {absent.name}"
        case types.Error_Conflict(reason):
            return f"conflict: {reason}"
        case types.Error_Unsupported(reason):
            return f"unsupported: {reason}"
        case types.Error_Denied(reason):
            return f"denied: {reason}"
        case types.Error_LimitReached(reason):
            return f"limit-reached: {reason}"
        case types.Error_Closed():
            return "closed"
