"""Frames as datagrams: UDP, and the local socket.

Nobody acknowledges a datagram, and nothing can be found out later: what is sent counts as kept. What can be
known is acted on: a port that nobody listens on, a name that does not resolve, a frame that is too long.
"""

import errno
import socket
import time
from collections.abc import Callable, Sequence
from typing import Final

from fileaudit_engine.sinks.settings import SyslogSettings, Transport
from fileaudit_engine.sinks.syslog.carrier import Carried
from fileaudit_engine.sinks.syslog.failures import Unreachable, target, unreachable

SEND_S: Final = 5.0
"""How long a receiver may take no datagram: those of the local socket wait for it."""
RESOLVE_S: Final = 60.0
"""A name may mean another address by then."""
_GONE: Final = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.ENOTCONN, errno.EPIPE, errno.ENOENT})


class Datagrams:
    """Carries one frame a datagram; see `carrier.Carrier`.

    Args:
        settings: Of the sink.
        clock_s: Monotonic seconds.
    """

    def __init__(self, settings: SyslogSettings, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock_s = clock_s
        self._socket: socket.socket | None = None
        self._until_s = 0.0
        self.kept = 0

    def carry(self, frames: Sequence[bytes]) -> Carried:
        """Send frames; if the receiver turns out to be gone, a second time to what is in its place."""
        if self._settings.transport is Transport.UDP and self._clock_s() >= self._until_s:
            self.close()
        fresh = self._socket is None
        done = self._carry(frames)
        if done.reason and not done.too_long:
            self.close()
            if not fresh and self._settings.transport is Transport.LOCAL:
                rest = self._carry(frames[done.count :])
                return Carried(done.count + rest.count, rest.reason, rest.too_long)
        return done

    def again(self) -> bool:
        """Nobody knows."""
        return False

    def keep(self, seq: int) -> None:
        """There is nothing to be done."""
        self.kept = seq

    def hurry(self) -> None:
        """The name may mean another address."""
        self.close()

    def close(self) -> None:
        """Let go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def open(self) -> socket.socket:
        """The socket; it is made if there is none.

        Raises:
            Unreachable: The name, or the local socket, is not there.
        """
        self._socket = self._socket or self._opened()
        return self._socket

    def _carry(self, frames: Sequence[bytes]) -> Carried:
        count = 0
        try:
            channel = self.open()
            for frame in frames:
                self._send(channel, frame)
                count += 1
            if self._settings.transport is Transport.UDP:
                _raise_what_came_back(channel)
        except Unreachable as error:
            return Carried(count, str(error))
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                return Carried(count, "too long", too_long=True)
            if self._settings.transport is Transport.UDP and error.errno in _GONE:
                count = 0  # which of them the answer was to, nobody knows
            return Carried(count, str(unreachable(self._settings, error)))
        return Carried(count)

    def _send(self, channel: socket.socket, frame: bytes) -> None:
        if channel.type == socket.SOCK_STREAM:
            channel.sendall(frame + b"\n")  # no frame holds one
            return
        try:
            channel.send(frame)
        except TimeoutError as error:
            raise Unreachable(f"{target(self._settings)}: the receiver reads nothing") from error

    def _opened(self) -> socket.socket:
        self._until_s = self._clock_s() + RESOLVE_S
        try:
            if self._settings.transport is Transport.LOCAL:
                return _local(str(self._settings.path))
            return _remote(self._settings)
        except OSError as error:
            raise unreachable(self._settings, error) from error
        except UnicodeError as error:
            raise Unreachable(f"{target(self._settings)}: this is no name of a host") from error


def _remote(settings: SyslogSettings) -> socket.socket:
    failure = OSError("the name has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_DGRAM
    ):
        try:
            return _joined(family, kind, protocol, address)
        except OSError as error:  # noqa: PERF203 - a name has few addresses
            failure = error
    raise failure


def _local(path: str) -> socket.socket:
    """The local socket, of datagrams as nearly everywhere, or of streams."""
    try:
        return _joined(socket.AF_UNIX, socket.SOCK_DGRAM, 0, path)
    except OSError as error:
        if error.errno != errno.EPROTOTYPE:
            raise
    return _joined(socket.AF_UNIX, socket.SOCK_STREAM, 0, path)


def _joined(family: int, kind: int, protocol: int, address: object) -> socket.socket:
    channel = socket.socket(family, kind, protocol)
    try:
        channel.settimeout(SEND_S)
        channel.connect(address)  # type: ignore[arg-type]  # as getaddrinfo gave it
    except BaseException:
        channel.close()
        raise
    return channel


def _raise_what_came_back(channel: socket.socket) -> None:
    """An answer to a datagram is told at the next call: here it is, without one."""
    number = channel.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise OSError(number, errno.errorcode.get(number, str(number)))
