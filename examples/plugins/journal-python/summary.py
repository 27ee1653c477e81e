"""Counts events, and formats the counts."""

import json
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Summary:
    """The counts of one run."""

    lines: int = 0
    not_understood: int = 0
    journalled: int = 0
    logged: int = 0
    """The errors in the log, including those of earlier runs."""
    foreign: int = 0
    """The events in the log that another program wrote."""
    by_path: Counter[tuple[str, int]] = field(default_factory=Counter)

    def count(self, lines: bytes) -> None:
        """Counts the events of a page, each ended by LF."""
        for event in lines.split(b"\n")[:-1]:
            key = logged_error(event)
            if key:
                self.logged += 1
                self.by_path[key] += 1
            else:
                self.foreign += 1

    def __str__(self) -> str:
        text = [
            f"lines read: {self.lines}",
            f"lines not understood: {self.not_understood}",
            f"errors journalled: {self.journalled}",
            f"errors in the log: {self.logged}",
        ]
        # The most frequent first, then by path and status.
        for (path, status), count in sorted(
            self.by_path.items(), key=lambda entry: (-entry[1], entry[0])
        ):
            # As JSON, so that a path with any characters stays on its line.
            text.append(f"{count} times {status} {json.dumps(path, ensure_ascii=False)}")
        if self.foreign:
            text.append(f"events of others in the log: {self.foreign}")
        return "".join(line + "\n" for line in text)


def logged_error(event: bytes) -> tuple[str, int] | None:
    """Returns the path and the status of an event of this job."""
    try:
        fields = json.loads(event)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    path, status = fields.get("path"), fields.get("status")
    if isinstance(path, str) and type(status) is int and 500 <= status <= 599:
        return path, status
    return None
