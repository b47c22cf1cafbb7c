"""Whether a receiver can be reached, for whoever asks before there is anything to send."""

import time
from typing import Final

from fileaudit_engine.sinks.base import Reached
from fileaudit_engine.sinks.settings import SyslogSettings, Transport
from fileaudit_engine.sinks.syslog.connecting import Connector
from fileaudit_engine.sinks.syslog.connection import End
from fileaudit_engine.sinks.syslog.datagrams import Datagrams
from fileaudit_engine.sinks.syslog.failures import Refused, Unreachable, target

END_S: Final = 2.0
_LOOK_S: Final = 0.02


def reach(settings: SyslogSettings) -> Reached:
    """Try to reach the receiver; no frame is sent. Takes half a minute at most."""
    try:
        if settings.transport in {Transport.TCP, Transport.TLS}:
            return _by_connection(settings)
        return _by_datagram(settings)
    except (Refused, Unreachable) as error:
        detail, _, remedy = str(error).partition("; ")
        return Reached(ok=False, detail=detail, remedy=remedy)


def _by_connection(settings: SyslogSettings) -> Reached:
    connection = Connector(settings).connect()
    until_s = time.monotonic() + END_S
    try:
        while connection.end() is End.WAITING and time.monotonic() < until_s:
            time.sleep(_LOOK_S)
        end, reason = connection.end(), connection.reason
    finally:
        connection.close()
    where = target(settings)
    if end is End.BROKEN:
        return Reached(ok=False, detail=f"{where}: {reason}", remedy="see what the receiver's own log says")
    if end is End.WAITING:
        return Reached(
            ok=True, detail=f"{where} answers, but does not end connections: what it has cannot be known"
        )
    return Reached(ok=True, detail=f"{where} answers")


def _by_datagram(settings: SyslogSettings) -> Reached:
    carrier = Datagrams(settings)
    try:
        carrier.open()
    finally:
        carrier.close()
    if settings.transport is Transport.LOCAL:
        return Reached(ok=True, detail=f"{target(settings)} is there")
    return Reached(ok=True, detail=f"{target(settings)}: UDP: whether anybody listens cannot be known")
