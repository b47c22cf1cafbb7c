r"""Texts in a frame, and numbers that syslog has for our words.

A frame is one line that nothing in it can break, and from which every name can be had again. So texts go in
as `text.printable` writes them: a backslash is `\\`, a byte that is no UTF-8 `\xNN`, what does not show
`\xNN`, `\uNNNN` or `\UNNNNNNNN`. A form adds what its syntax needs on top. Backwards: undo the syntax, then
these escapes, and the bytes of the name are there again.
"""

import re
from collections.abc import Callable
from typing import Final

from fileaudit_engine.text import from_document, printable

FACILITIES: Final = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "audit", "alert", "clock"),
    *(f"local{number}" for number in range(8)),
)
"""Names of the facilities 0 to 23."""

SEVERITIES: Final = {"critical": 2, "high": 3, "medium": 4, "low": 5, "informational": 6}
"""RFC 5424's severities by Sigma level: critical, error, warning, notice, informational."""

RATINGS: Final = {"critical": 10, "high": 8, "medium": 5, "low": 3, "informational": 0}
"""CEF's severities by Sigma level."""

ELLIPSIS: Final = "…"
"""Stands where something was cut."""

OF_NO_HOST: Final = re.compile(r"[^A-Za-z0-9._-]")
"""What no receiver expects in the name of a host."""
_ADDRESS: Final = re.compile(r"[0-9A-Fa-f.:]+")

_UNIT: Final = re.compile(r"\\\\|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8}|.", re.DOTALL)
"""What must not be cut: an escape, or a character."""
_LONGEST_UNIT: Final = 10


def is_host(name: str) -> bool:
    """Whether every receiver takes a name, or an address, for one."""
    return OF_NO_HOST.search(name) is None or _ADDRESS.fullmatch(name) is not None


def shown(text: str) -> str:
    """A text of a document for a frame; reversible."""
    return printable(from_document(text))


def tame(prose: str) -> str:
    """Words in which names are printable already: whatever else would act is escaped, backslashes stay."""
    return "\\".join(map(printable, prose.split("\\")))


def size(text: str) -> int:
    """Bytes of a text in a frame."""
    return len(text) if text.isascii() else len(text.encode())


def cut(text: str, room: int, escape: Callable[[str], str]) -> str:
    """As much of a text as fits, escaped, and an ellipsis if that is not all of it.

    Args:
        text: As `shown` gives it; it is cut between characters, and in no escape.
        room: Bytes.
        escape: The form's, for one character or one escape.
    """
    head = text[: room + _LONGEST_UNIT]
    if len(head) == len(text):
        whole = escape(text)
        if size(whole) <= room:
            return whole
    left, parts = room - size(ELLIPSIS), []
    for unit in _UNIT.findall(head):
        part = escape(unit)
        left -= size(part)
        if left < 0:
            break
        parts.append(part)
    return "".join(parts) + ELLIPSIS if room >= size(ELLIPSIS) else ""
