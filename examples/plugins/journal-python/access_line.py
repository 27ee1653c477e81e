"""Parses a line of an access log in the combined format, strictly.

`HOST IDENT USER [TIME] "METHOD TARGET PROTOCOL" STATUS BYTES "REFERER" "AGENT"`

Any other line is not understood: it is counted, never guessed at. Servers write control characters
as escapes, so a line with a control character is not from a server.
"""

import re
from dataclasses import dataclass

MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
# Inside quotes, a backslash and a printable ASCII character form one escape.
LINE = re.compile(
    r"(?P<host>[^ ]+) [^ ]+ [^ ]+ "
    rf"\[(?P<day>0[1-9]|[12][0-9]|3[01])/(?P<month>{MONTHS})/(?P<year>[0-9]{{4}})"
    r":(?P<clock>(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60))"
    r" (?P<hours>[+-][0-9]{2})(?P<minutes>[0-9]{2})\] "
    r'"(?P<method>[A-Z]+) (?P<target>(?:[^ "\\]|\\[!-~])+) HTTP/[0-9](?:\.[0-9])?" '
    r"(?P<status>[1-5][0-9]{2}) (?:[0-9]+|-) "
    r'"(?:[^"\\]|\\[!-~])*" "(?:[^"\\]|\\[!-~])*"'
)


@dataclass
class Access:
    """One request and its result."""

    time: str
    """In RFC 3339, with the server's own offset."""
    host: str
    method: str
    path: str
    """The target without its query."""
    status: int
    """100 to 599."""


def parse(line: bytes) -> Access | None:
    """Parses a line without its line ending; none if it is not understood."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None
    if CONTROL.search(text):
        return None
    found = LINE.fullmatch(text)
    if not found:
        return None
    month = MONTHS.split("|").index(found["month"]) + 1
    date = f"{found['year']}-{month:02}-{found['day']}"
    return Access(
        time=f"{date}T{found['clock']}{found['hours']}:{found['minutes']}",
        host=found["host"],
        method=found["method"],
        path=found["target"].partition("?")[0],
        status=int(found["status"]),
    )
