"""How requests get to a node: the client's own way, but bounded in all that the other side can drag out.

The client that comes with Elasticsearch reads an answer however long it is and however slowly it comes,
unpacks what says that it is packed, and follows where it is sent. A node that is not what it should be could
hold a sink for ever with that, or have it take all memory. Here request and answer have to be through within
the timeout, an answer has a size and is never packed; nobody is followed, and no warning of the other side
reaches Python's.

Only `client` imports this module: what it needs takes a third of a second to load.
"""

import contextlib
import gzip
import http.client
import io
import json
import select
import socket
import ssl
import time
from typing import TYPE_CHECKING, Final, cast

from elastic_transport import (
    ApiResponseMeta,
    BaseNode,
    ConnectionError,  # noqa: A004 - that of the transport
    ConnectionTimeout,
    HttpHeaders,
    NodeConfig,
    TlsError,
)
from elastic_transport._node import NodeApiResponse
from elastic_transport.client_utils import DEFAULT, DefaultType

from fileaudit_engine.sinks.elastic.dialling import CONNECT_S, dialled
from fileaudit_engine.sinks.elastic.failures import NoElasticsearch, TooLong
from fileaudit_engine.sinks.handshake import shaken

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_ANSWER: Final = 4 << 20
"""Bytes of an answer: a thousand items that are all refused, each with its reason, have a tenth of that."""

_LEAST_PACKED: Final = 1_024
_LEVEL: Final = 1
"""Of compression: five times as quick as the client's own, and a sixth longer."""
_SOME_S: Final = 30.0
_FINE: Final = 2
"""The hundreds of a status."""
_PRODUCT: Final = "Elasticsearch"
_TEXT: Final = "text/plain"
_JSON: Final = frozenset({"application/json", "application/vnd.elasticsearch+json"})


class Broken(OSError):
    """What came is no answer."""


class BoundedNode(BaseNode):
    """A host; one request at a time over one connection, which is kept."""

    _CLIENT_META_HTTP_CLIENT = ("hc", "1.1")

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.headers.pop("accept-encoding", None)
        self._channel: socket.socket | None = None

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> NodeApiResponse:
        """One request and its answer; the arguments are those of `BaseNode`."""
        given_s = self.config.request_timeout if isinstance(request_timeout, DefaultType) else request_timeout
        limit_s = given_s or _SOME_S
        sent = dict(self.headers)
        sent.update(headers or {})
        began_s = time.monotonic()
        try:
            answer, data = self._exchanged(method, f"{self.path_prefix}{target}", body, sent, limit_s)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise self._failure(error) from error
        headers, data = _understood(answer, data)
        meta = ApiResponseMeta(
            node=self.config,
            duration=time.monotonic() - began_s,
            http_version="1.1",
            status=answer.status,
            headers=headers,
        )
        return NodeApiResponse(meta, data)

    def close(self) -> None:
        """Let go of the connection."""
        channel, self._channel = self._channel, None
        if channel is not None:
            with contextlib.suppress(OSError):
                channel.close()

    def _exchanged(
        self, method: str, target: str, body: bytes | None, headers: dict[str, str], limit_s: float
    ) -> tuple[http.client.HTTPResponse, bytes]:
        channel = self._connected(limit_s)
        if body and len(body) >= _LEAST_PACKED and self._http_compress:
            body = gzip.compress(body, _LEVEL)
            headers["content-encoding"] = "gzip"
        within = cast("socket.socket", _Within(channel, time.monotonic() + limit_s))
        request = http.client.HTTPConnection(self.host, self.port)
        request.sock = within
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            # Who refuses a long body answers while it is being sent, and reads no further.
            request.request(method, target, body, headers)
        answer = http.client.HTTPResponse(within, method=method)
        answer.begin()
        if answer.length is None and not answer.chunked:  # so do headers that are cut off
            raise Broken("the answer does not say how long it is")
        data = answer.read(MOST_ANSWER + 1)
        self._check(answer, data)
        if answer.will_close:
            self.close()
        return answer, data

    def _connected(self, limit_s: float) -> socket.socket:
        """The connection that is there, unless the other side has ended it, or a new one."""
        if self._channel is not None and _is_idle(self._channel):
            return self._channel
        self.close()
        channel = dialled(self.host, self.port, limit_s)
        try:
            channel.settimeout(min(limit_s, CONNECT_S))
            channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self.scheme == "https":
                channel = shaken(cast("ssl.SSLContext", self.config.ssl_context), channel, self.host)
        except BaseException:
            channel.close()
            raise
        self._channel = channel
        return channel

    @staticmethod
    def _check(answer: http.client.HTTPResponse, data: bytes) -> None:
        """Refuse what is no whole answer.

        Raises:
            Broken: It is none.
            TooLong: It goes on.
            NoElasticsearch: Somebody else gave it.
        """
        if len(data) > MOST_ANSWER:
            raise TooLong(f"the answer is longer than {MOST_ANSWER:,} bytes")
        if answer.length:
            raise Broken(f"the answer ends {answer.length:,} bytes early")
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise Broken("the answer is packed, which was not asked for")
        if answer.status // 100 == _FINE and answer.headers.get("x-elastic-product") != _PRODUCT:
            raise NoElasticsearch  # here and not in the client, which would not go on to the next host

    def _failure(self, error: Exception) -> Exception:
        """As the client wants it; who reads it goes by its cause."""
        if isinstance(error, ssl.SSLError) and not isinstance(error, TimeoutError):
            return TlsError(self.base_url)
        if isinstance(error, TimeoutError):
            return ConnectionTimeout(self.base_url)
        return ConnectionError(self.base_url)


class _Within:
    """A connection until a moment, as far as HTTP needs one; however little goes or comes at a time."""

    def __init__(self, channel: socket.socket, until_s: float) -> None:
        self._channel = channel
        self._until_s = until_s

    def sendall(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            _limit(self._channel, self._until_s)
            left = left[self._channel.send(left) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._channel, self._until_s), 1 << 16)


class _Reader(io.RawIOBase):
    """Reads a connection until a moment; closing it leaves that open."""

    def __init__(self, channel: socket.socket, until_s: float) -> None:
        self._channel = channel
        self._until_s = until_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        _limit(self._channel, self._until_s)
        return self._channel.recv_into(buffer)


def _limit(channel: socket.socket, until_s: float) -> None:
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("the exchange does not come to its end")
    channel.settimeout(left_s)


def _is_idle(channel: socket.socket) -> bool:
    """Whether nothing has come that nobody asked for, the end of the connection included."""
    poll = select.poll()
    poll.register(channel, select.POLLIN | select.POLLHUP | select.POLLERR)
    return not poll.poll(0)


def _understood(answer: http.client.HTTPResponse, data: bytes) -> tuple[HttpHeaders, bytes]:
    """Headers and body so that the client raises what belongs to the status.

    It would raise something else where a refusal is not of the kind that it says it is: what stands in front
    of a node has its own pages. Warnings are left out: the client would hand them to Python's.
    """
    headers = HttpHeaders({name: text for name, text in answer.headers.items() if name.lower() != "warning"})
    kind = str(headers.get("content-type", "")).lower().partition(";")[0].strip()
    if kind in _JSON and (answer.status < http.client.MULTIPLE_CHOICES or _is_json(data)):
        return headers, data
    headers["content-type"] = _TEXT
    return headers, data.decode(errors="replace").encode()


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True
