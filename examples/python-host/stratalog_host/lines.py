"""Checks packed lines before the component takes them, which relies on this."""

from __future__ import annotations

from wasmtime.component import Record, Variant

from .linking import record


def checked(lines: bytes, event_bytes_max: int) -> tuple[int, Record | None]:
    """Returns the number of events in packed lines, and the first that is none, if there is one.

    This one is an `invalid-event` of the interface.
    """
    good = lines.endswith(b"\n") or not lines
    good = good and not lines.startswith(b"\n") and b"\n\n" not in lines
    if good and len(lines) <= event_bytes_max:
        return lines.count(b"\n"), None
    *events, rest = lines.split(b"\n")
    for line, event in enumerate(events):
        if not event:
            return line, record(line=line, fault=Variant("empty"))
        if len(event) > event_bytes_max:
            sizes = record(bytes=len(event), bytes_max=event_bytes_max)
            return line, record(line=line, fault=Variant("too-long", sizes))
    if rest:
        return len(events), record(line=len(events), fault=Variant("unterminated"))
    return len(events), None
