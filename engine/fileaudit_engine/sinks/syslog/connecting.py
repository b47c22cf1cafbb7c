"""Connections to a receiver: names are resolved each time, certificates are verified always."""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Final

from fileaudit_engine.plain_files import require_plain
from fileaudit_engine.sinks.handshake import shaken
from fileaudit_engine.sinks.secrets import stamp_of
from fileaudit_engine.sinks.settings import SyslogSettings, Transport
from fileaudit_engine.sinks.syslog.connection import Connection
from fileaudit_engine.sinks.syslog.failures import (
    Refused,
    Unreachable,
    cut_words,
    refused,
    target,
    unreachable,
)

CONNECT_S: Final = 5.0
"""How long one address may take to answer."""
TOTAL_S: Final = 15.0
"""How long all addresses of a name may take."""
HANDSHAKE_S: Final = 10.0
UNANSWERED_MS: Final = 20_000
"""After so long without an acknowledgement the kernel gives a connection up."""
_KEEPALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 20),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED_MS),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)
"""A receiver that is gone without a word is found out also while nothing is sent."""

Stamps = tuple[object, ...]


class Connector:
    """Makes connections for TCP and TLS as the settings say."""

    def __init__(self, settings: SyslogSettings) -> None:
        self._settings = settings
        self._context: ssl.SSLContext | None = None
        self._stamps: Stamps = ()

    def connect(self) -> Connection:
        """A new connection.

        Raises:
            Unreachable: Not now.
            Refused: Not until somebody has changed something.
        """
        settings = self._settings
        context = self._tls() if settings.transport is Transport.TLS else None
        with _closed_on_error(_connected(settings)) as channel:
            for level, option, value in _KEEPALIVE:
                channel.setsockopt(level, option, value)
            if context is None:
                return Connection(channel)
            return Connection(_shaken(channel, context, settings))

    def refusal_of(self, failure: OSError | None) -> Refused | None:
        """Whether what broke a connection will not mend itself: over TLS 1.3 a receiver says so late."""
        return refused(self._settings, failure) if isinstance(failure, ssl.SSLError) else None

    def stamps(self) -> Stamps:
        """What tells the content of the files of TLS from another one's."""
        settings = self._settings
        return tuple(
            stamp_of(file) for file in (settings.ca_file, settings.cert_file, settings.key_file) if file
        )

    def _tls(self) -> ssl.SSLContext:
        """Made anew when a file has changed: reading all authorities of a host takes a while."""
        stamps = self.stamps()
        if self._context is None or stamps != self._stamps:
            self._context, self._stamps = _context_of(self._settings), stamps
        return self._context


def _context_of(settings: SyslogSettings) -> ssl.SSLContext:
    where, file = target(settings), settings.ca_file
    try:
        for file in (settings.ca_file, settings.cert_file, settings.key_file):
            if file is not None:
                require_plain(file)
        file = settings.ca_file
        context = ssl.create_default_context(cafile=None if file is None else str(file))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        file = settings.cert_file
        if settings.cert_file is not None:
            key = settings.key_file
            # Without a password: OpenSSL would ask for it on the terminal.
            context.load_cert_chain(str(settings.cert_file), None if key is None else str(key), password="")
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or str(error)
        remedy = "it must be a PEM file that the engine can read, and a key must fit its certificate"
        raise Refused(f"{where}: {file} cannot be used: {cut_words(words)}; {remedy}") from error
    return context


def _connected(settings: SyslogSettings) -> socket.socket:
    """The first address of the name that answers."""
    until_s, failure = time.monotonic() + TOTAL_S, OSError("the name has no address")
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _unresolved(settings, error) from error
    for family, kind, protocol, _, address in found:
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            break
        channel = socket.socket(family, kind, protocol)
        try:
            channel.settimeout(min(CONNECT_S, left_s))
            channel.connect(address)
        except OSError as error:
            channel.close()
            failure = error
        else:
            return channel
    raise unreachable(settings, failure) from failure


def _unresolved(settings: SyslogSettings, error: Exception) -> Unreachable:
    if isinstance(error, OSError):
        return unreachable(settings, error)
    return Unreachable(f"{target(settings)}: this is no name of a host")


def _shaken(channel: socket.socket, context: ssl.SSLContext, settings: SyslogSettings) -> ssl.SSLSocket:
    channel.settimeout(HANDSHAKE_S)
    try:
        return shaken(context, channel, settings.server_name or settings.host)
    except ssl.SSLError as error:
        raise (refused(settings, error) or unreachable(settings, error).but_there()) from error
    except TimeoutError as error:
        words = (
            "the receiver takes the connection and does not answer in TLS; is that the port where it does?"
        )
        raise Unreachable(f"{target(settings)}: {words}").but_there() from error
    except OSError as error:
        raise unreachable(settings, error).but_there() from error
    except ValueError as error:  # of the name
        raise Refused(f"{target(settings)}: {cut_words(str(error))}; set 'server_name'") from error


@contextlib.contextmanager
def _closed_on_error(channel: socket.socket) -> Iterator[socket.socket]:
    try:
        yield channel
    except BaseException:
        channel.close()
        raise
