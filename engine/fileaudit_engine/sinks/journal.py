"""A line for the host's own logs: systemd's journal, by its native protocol, and syslog.

Whoever alters what the engine keeps has to alter these, too, and many hosts send them away at once. Both take
one datagram a message on a socket of this host. Nothing waits for them: a log that takes nothing now answers
`Retry`, one that is not there is `None`.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from fileaudit_engine.sinks.base import Answer, Delivered, Retry

IDENTIFIER: Final = "fileaudit-engine"
"""`SYSLOG_IDENTIFIER`, and the tag of a line in syslog."""

JOURNAL: Final = Path("/run/systemd/journal/socket")
SYSLOG: Final = Path("/dev/log")

_NOTICE: Final = 5
_AUTHPRIV: Final = 10
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""As RFC 3164 has them, whatever the locale."""


def to_journal(message: str, fields: Mapping[str, str], *, place: Path = JOURNAL) -> Answer | None:
    """Write an entry into the journal.

    Args:
        message: One line.
        fields: What it can be searched for by: capital letters, digits and underscores, values of one line.
        place: The journal's socket.

    Returns:
        What became of it; None: this host has no journal.
    """
    members = {
        "MESSAGE": message,
        "PRIORITY": str(_NOTICE),
        "SYSLOG_FACILITY": str(_AUTHPRIV),
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        "SYSLOG_PID": str(os.getpid()),
        **fields,
    }
    return _send("".join(f"{name}={_one_line(value)}\n" for name, value in members.items()), place)


def to_syslog(
    message: str, *, place: Path = SYSLOG, clock: Callable[[], time.struct_time] = time.localtime
) -> Answer | None:
    """Write a line into syslog, facility authpriv, as `syslog(3)` does.

    Returns:
        What became of it; None: this host has no syslog, or it is the journal that answers in its place.
    """
    if os.path.realpath(place).startswith(f"{JOURNAL.parent}/"):
        return None
    now = clock()
    stamp = f"{_MONTHS[now.tm_mon - 1]} {now.tm_mday:2} {now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02}"
    priority = _AUTHPRIV << 3 | _NOTICE
    return _send(f"<{priority}>{stamp} {IDENTIFIER}[{os.getpid()}]: {_one_line(message)}", place)


def _send(text: str, place: Path) -> Answer | None:
    flags = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    try:
        with socket.socket(socket.AF_UNIX, flags) as sender:
            sender.connect(str(place))
            sender.send(text.encode("utf-8", "backslashreplace"))
    except FileNotFoundError:
        return None
    except OSError as error:
        return Retry(f"{place}: {error.strerror or error}")
    return Delivered()


def _one_line(text: str) -> str:
    """A line feed would begin a field, or a line, of its own."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
