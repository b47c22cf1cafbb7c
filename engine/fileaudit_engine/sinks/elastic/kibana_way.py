"""The way to Kibana: connections that end at a moment, however little the other side says at a time.

Timeouts of urllib3 are of a single piece: who sends a header byte by byte, or one "100 Continue" after the
other, would hold whoever waits for ever. So a watch ends the connection when the time of the whole exchange
is over.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from urllib3 import PoolManager


class Watch:
    """Ends the connection that is there when the time is over.

    Attributes:
        ended: Whether it has, in the last exchange.
    """

    def __init__(self) -> None:
        self.ended = False
        self._here: socket.socket | None = None
        self._turn = threading.Lock()

    def see(self, channel: socket.socket) -> None:
        """Watch this connection from now on; a double of it, for TLS takes the socket away."""
        self.close()
        with self._turn:
            self._here = channel.dup()
        if self.ended:
            self._end()

    @contextlib.contextmanager
    def within(self, limit_s: float) -> Iterator[None]:
        """An exchange, which ends after so many seconds at the latest."""
        self.ended = False
        timer = threading.Timer(limit_s, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def close(self) -> None:
        """Watch nothing any more."""
        with self._turn:
            here, self._here = self._here, None
        if here is not None:
            here.close()

    def _end(self) -> None:
        self.ended = True
        with self._turn, contextlib.suppress(OSError):
            if self._here is not None:
                self._here.shutdown(socket.SHUT_RDWR)


def watched_pool(watch: Watch, **options: Any) -> "PoolManager":  # noqa: ANN401 - of urllib3
    """A pool whose connections a watch sees; options are those of `PoolManager`."""
    import urllib3  # noqa: PLC0415 - only whoever imports into Kibana needs it
    from urllib3.connection import HTTPConnection, HTTPSConnection  # noqa: PLC0415 - likewise

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            channel = super()._new_conn()
            watch.see(channel)
            return channel

    class Hidden(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            channel = super()._new_conn()
            watch.see(channel)
            return channel

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class HiddenPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Hidden

    pool = urllib3.PoolManager(**options)
    pool.pool_classes_by_scheme = {"http": PlainPool, "https": HiddenPool}
    return pool
