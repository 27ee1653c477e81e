"""Does what a host of plugins adds to the logic: labels, rights, and errors without secrets.

Invariants:
1. Each call is admitted before it has an effect: its label is granted, and the right is there.
2. A plugin gets labels, kinds and numbers. The cause of a failure goes to stderr.
3. A handle that the plugin drops is flushed and closed, as `stratalog run` does.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, replace
from typing import Any

from componentize_py_types import Err
from wasmtime.component import ResourceAny
from wit_world.imports import types

from .component import APPEND_LOG, CallFailed, Component
from .conversion import lifted

RIGHTS = ("append", "read", "compact", "trim", "commit")

# Each call, by its name in the interface, with the right that it needs.
NEEDED = {
    "log.open": "append", "log.append": "append", "log.append-lines": "append",
    "log.flush": "append", "log.tick": "append", "log.pending": "append",
    "log.read-all": "read", "log.compact": "compact", "log.file-count": "read",
    "log.close": "append", "read": "read", "reader.next": "read", "reader.position": "read",
    "reader.batches": "read", "reader.positions": "read", "reader.commit": "commit",
    "read-named": "read", "named-positions": "read", "forget-position": "commit",
    "compact": "compact", "plan-compaction": "read", "plan-trim": "read", "trim": "trim",
    "verify": "read", "verifier.next": "read", "stat": "read",
}
LABEL = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
SHOWN_CHARACTERS_MAX = 40


@dataclass
class Grant:
    """The log behind a label, and the rights on it."""

    label: str
    log: str
    rights: set[str]

    def object(self, key: str) -> str:
        """Returns an object of the log as the plugin may know it."""
        below = key.removeprefix(f"{self.log}/")
        return self.label if below == key else f"{self.label}/{below}"


class OpenLog:
    """A handle of a writer. `is_gone` once its plugin has ended."""

    def __init__(self, grant: Grant, handle: ResourceAny, event_bytes_max: int) -> None:
        self.grant, self.handle, self.event_bytes_max = grant, handle, event_bytes_max
        self.is_closed = self.is_gone = False


class Host:
    """The granted logs of one plugin, and its open handles."""

    def __init__(self, component: Component) -> None:
        self.component = component
        self.grants: dict[str, Grant] = {}
        self.open_logs: list[OpenLog] = []
        self.calls_to_limit = 0
        # The labels of the logs whose handles were dropped and could not be flushed.
        self.lost: list[str] = []
        # The collector may run inside of a call, where the component cannot be called.
        self.dropped: list[OpenLog | ResourceAny] = []

    def grant(self, label: str, log: str, rights: set[str]) -> None:
        """Grants a log. A later grant replaces one under the same label."""
        if not LABEL.fullmatch(label):
            raise ValueError(
                f"{shown(label)} is not a label for a log: use 1 to 64 letters, digits, - _ or ."
            )
        self.grants[label] = Grant(label, log, rights)

    def granted(self, label: str) -> Grant:
        """Returns the grant behind a label, which the test has made."""
        if label not in self.grants:
            raise LookupError(f"no log is granted under the label {shown(label)}: grant one")
        return self.grants[label]

    def admit(self, label: str, call: str) -> Grant:
        """Returns the grant behind a label, or raises the refusal of a call."""
        self.settle()
        grant = self.grants.get(label)
        if grant is None:
            known = ", ".join(sorted(self.grants)) or "none"
            denied = f"no log is granted under the label {shown(label)}; granted: {known}"
        elif NEEDED[call] not in grant.rights:
            rights = ",".join(right for right in RIGHTS if right in grant.rights) or "nothing"
            denied = (
                f"{call} on the log {label} needs the right to {NEEDED[call]}; granted: {rights}"
            )
        elif self.calls_to_limit:
            self.calls_to_limit -= 1
            limit = "calls_per_second = 1,000,000 is reached; raise it with --calls-per-second"
            raise Err(types.Error_LimitReached(f"{call} on the log {label}: {limit}"))
        else:
            return grant
        raise Err(types.Error_Denied(denied))

    def run(
        self, grant: Grant, name: str, *arguments: Any, is_commit: bool = False
    ) -> Any:
        """Calls a function of the interface, and converts its error for the plugin."""
        try:
            return self.component.call(APPEND_LOG, name, *arguments)
        except CallFailed as failed:
            raise Err(self.refused(grant, failed, is_commit)) from None

    def refused(self, grant: Grant, failed: CallFailed, is_commit: bool = False) -> types.Error:
        """Returns an error as the plugin gets it."""
        label = grant.label
        error: types.Error = lifted(types.Error, failed.error)
        match error:
            case types.Error_InvalidInput() | types.Error_InvalidEvent() | types.Error_Closed():
                return error
            case types.Error_NoLog():
                return types.Error_NoLog(types.NoLog(label, [], False))
        print(f"warn: the log {label}: {_text(error)}", file=sys.stderr)
        match error:
            case types.Error_WriteFailed(failure):
                message = (
                    f"the store of the log {label} did not confirm a write: see the host's messages"
                )
                name = grant.object(failure.object)
                return types.Error_WriteFailed(replace(failure, object=name, message=message))
            case types.Error_StoreFailed(failure):
                message = f"the store of the log {label} did not answer: see the host's messages"
                return types.Error_StoreFailed(replace(failure, message=message))
            case types.Error_Damaged(damage):
                return types.Error_Damaged(replace(damage, object=grant.object(damage.object)))
            case types.Error_Conflict():
                return types.Error_Conflict(
                    f"another reader of the log {label} "
                    "has committed under this name; open the log under it again"
                    if is_commit
                    else f"cannot compact the log {label}: "
                    "other compactors committed first; no action is needed"
                )
            case types.Error_Unsupported():
                return types.Error_Unsupported(
                    f"the store of the log {label}, "
                    "or this host, does not support this call: ask the operator"
                )
            case _:
                return error

    def tick(self) -> bool:
        """Runs the maintenance of all open logs; returns true if anything is pending."""
        self.settle()
        ticked = [
            self.component.call(APPEND_LOG, "[method]log.tick", log.handle)
            for log in self.open_logs
            if not log.is_closed
        ]
        return any(ticked)

    def settle(self) -> None:
        """Drops what the plugin has dropped: a log is flushed and closed."""
        while self.dropped:
            dropped = self.dropped.pop(0)
            if isinstance(dropped, OpenLog):
                # A host closes the log as its handle is dropped and, if that fails, once more.
                self._close(dropped, attempts=2)
            else:
                self.component.drop(dropped)

    def _close(self, log: OpenLog, attempts: int = 1) -> None:
        if log not in self.open_logs:
            return
        self.open_logs.remove(log)
        while attempts and not log.is_closed:
            attempts -= 1
            try:
                self.component.call(APPEND_LOG, "[method]log.close", log.handle)
                log.is_closed = True
            except CallFailed as failed:
                if attempts:
                    continue
                label, cause = log.grant.label, _text(lifted(types.Error, failed.error))
                print(f"error: events of the log {label} are lost: {cause}", file=sys.stderr)
                self.lost.append(label)
        self.component.drop(log.handle)

    def end(self) -> list[str]:
        """Flushes and closes what the plugin has left open. Returns the labels of lost events."""
        self.settle()
        for log in list(self.open_logs):
            self._close(log)
            log.is_gone = True
        lost, self.lost = self.lost, []
        return lost

    def crash(self) -> None:
        """Drops each handle without a flush."""
        self.settle()
        for log in self.open_logs:
            log.is_gone = True
            self.component.drop(log.handle)
        self.open_logs = []


def _text(error: types.Error) -> str:
    match error:
        case types.Error_WriteFailed(failure) | types.Error_StoreFailed(failure):
            return failure.message
        case types.Error_Damaged(damage):
            return f"{damage.object} is damaged: expected {damage.expected}, found {damage.found}"
        case _:
            return str(getattr(error, "value", error))


def shown(text: str) -> str:
    """Returns a text of the plugin, cut to a limit."""
    short = text[:SHOWN_CHARACTERS_MAX]
    return json.dumps(short + ("…" if short != text else ""), ensure_ascii=False)
