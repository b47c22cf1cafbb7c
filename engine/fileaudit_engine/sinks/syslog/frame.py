"""Frames: RFC 5424 for the network, and what a local receiver expects.

    <83>1 2026-11-28T17:23:45.123456Z web-1 fileaudit-engine 812 alert [fileaudit@32473 id="…" …] Shadow …
    <83>Nov 28 17:23:45 fileaudit-engine[812]: [fileaudit@32473 id="…" …] Shadow …

The second one goes to `/dev/log`, where receivers read what syslog(3) writes and take RFC 5424 for text.
There is no byte-order mark before the message: receivers keep it as a part of the text.
"""

import functools
import os
import socket
import time
from typing import Final

from fileaudit_engine.events.times import SECOND_NS, rfc3339
from fileaudit_engine.sinks.base import Row
from fileaudit_engine.sinks.settings import SyslogFormat, SyslogSettings, Transport
from fileaudit_engine.sinks.syslog.cef import Cef
from fileaudit_engine.sinks.syslog.facts import Facts, facts_of
from fileaudit_engine.sinks.syslog.fitting import message_of
from fileaudit_engine.sinks.syslog.form import Form
from fileaudit_engine.sinks.syslog.leef import Leef
from fileaudit_engine.sinks.syslog.structured import Structured
from fileaudit_engine.sinks.syslog.words import OF_NO_HOST, SEVERITIES, is_host

APP_NAME: Final = "fileaudit-engine"
NIL: Final = "-"
_TO_MICROSECONDS: Final = 26
"""Characters of a time as we write them, up to the sixth digit of the fraction: RFC 5424 allows no more."""
_HOST_CHARACTERS: Final = 255
_HOST_SHARE: Final = 8
"""A host's name may take so small a share of a frame that is short."""
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FORMS: Final[dict[SyslogFormat, type[Form]]] = {
    SyslogFormat.RFC5424: Structured,
    SyslogFormat.CEF: Cef,
    SyslogFormat.LEEF: Leef,
}


class Framer:
    """Makes frames as the settings say.

    Args:
        settings: Of the sink.
        host: For records that do not say where they happened; default: this host's name.
        process: The number in the header; default: this process's.
    """

    def __init__(
        self, settings: SyslogSettings, *, host: str | None = None, process: int | None = None
    ) -> None:
        self._form = _FORMS[settings.format]()
        self._nil = "" if settings.format is SyslogFormat.RFC5424 else f"{NIL} "
        self._local = settings.transport is Transport.LOCAL
        self._facility = settings.facility << 3
        self.max_bytes = settings.max_frame
        self._host = socket.gethostname() if host is None else host
        self._process = os.getpid() if process is None else process

    def frame(self, row: Row) -> bytes:
        """A record as one frame of at most `max_frame` bytes: UTF-8 in which nothing acts.

        Raises:
            msgspec.MsgspecError: It is no document of ours.
            ValueError: It is no UTF-8.
        """
        facts = facts_of(row.raw)
        header = self._header(facts, row.ts_ns)
        room = self.max_bytes - len(header)
        return (header + message_of(facts, row.ts_ns, self._form, room)).encode()

    def _header(self, facts: Facts, ts_ns: int) -> str:
        pri = self._facility | SEVERITIES.get(facts.level, SEVERITIES["informational"])
        if self._local:
            return f"<{pri}>{_local_time(ts_ns // SECOND_NS)} {APP_NAME}[{self._process}]: "
        when = f"{rfc3339(ts_ns)[:_TO_MICROSECONDS]}Z"
        most = min(_HOST_CHARACTERS, self.max_bytes // _HOST_SHARE)
        host = _host_name(facts.host or self._host, most)
        return f"<{pri}>1 {when} {host} {APP_NAME} {self._process} {facts.kind.value} {self._nil}"


@functools.lru_cache(maxsize=1024)
def _host_name(name: str, most: int) -> str:
    """A name as receivers take it: RFC 5424 allows more, and syslog-ng refuses the whole frame then."""
    name = name[:most]
    return (name if is_host(name) else OF_NO_HOST.sub(NIL, name)) or NIL


@functools.lru_cache(maxsize=64)
def _local_time(second: int) -> str:
    """As syslog(3) writes it, in local time and, whatever the locale is, in English."""
    at = time.localtime(second)
    return f"{_MONTHS[at.tm_mon - 1]} {at.tm_mday:2d} {at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d}"
