"""Who answers HTTP on loopback as a test wants it: for what no real node does when it is asked to.

Everything that a real node does by itself is tested against real nodes (`tests/integration`).
"""

import contextlib
import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import pytest
from tools.syslog.certificates import Certificate, Certificates, made
from tools.syslog.errors import CannotServe
from typing_extensions import Self

PRODUCT: Final = "X-elastic-product: Elasticsearch\r\n"
JSON: Final = "Content-Type: application/vnd.elasticsearch+json;compatible-with=8\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    packed: bool

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]

    @property
    def ids(self) -> list[str]:
        return [action["create"]["_id"] for action in self.lines[::2]]


def certificates_in(folder: Path) -> Certificates:
    """For servers on loopback; without openssl the test is skipped."""
    try:
        return made(folder)
    except CannotServe as error:
        pytest.skip(str(error))


def serving(certificate: Certificate) -> ssl.SSLContext:
    """What a server of TLS needs to show a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    return context


Speech = bytes | Iterable[bytes]
Answering = Callable[[Asked], Speech]


def said(status: int, body: object, headers: str = PRODUCT + JSON) -> bytes:
    """A whole answer; what is no bytes becomes JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status} Said\r\n{headers}Content-Length: {len(data)}\r\n\r\n".encode() + data


def results(asked: Asked, result: Callable[[str], dict[str, Any]]) -> bytes:
    """A bulk answer, with what becomes of each id."""
    items = [{"create": {"_id": one, **result(one)}} for one in asked.ids]
    return said(200, {"errors": True, "items": items})


def taken(asked: Asked) -> bytes:
    return results(asked, lambda _: {"status": 201})


def error(status: int, kind: str, reason: str = "because") -> dict[str, Any]:
    return {"status": status, "error": {"type": kind, "reason": reason}}


class Speaker:
    """A context: answers each request, one connection after the other; what was asked is in `asked`."""

    def __init__(self, answer: Answering = taken, *, context: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.connections = 0
        self._context = context
        self._ended = threading.Event()
        self._here: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for one in (self._listener, self._here):
            if one is not None:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(one, socket.SHUT_RDWR)
        self._thread.join(10.0)
        self._listener.close()
        assert not self._thread.is_alive()

    def drips(self, parts: Iterable[bytes], pause_s: float) -> Iterator[bytes]:
        """Parts with pauses between them, for as long as somebody listens."""
        for part in parts:
            yield part
            if self._ended.wait(pause_s):
                return

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                channel, _ = self._listener.accept()
            except OSError:
                return
            self._here = channel
            self.connections += 1
            with contextlib.suppress(OSError, ValueError), channel:
                if self._context is None:
                    self._speak(channel)
                else:
                    with self._context.wrap_socket(channel, server_side=True) as hidden:
                        self._here = hidden
                        self._speak(hidden)
            self._here = None

    def _speak(self, channel: socket.socket) -> None:
        with channel.makefile("rb") as incoming:
            while (asked := _read(incoming.readline, incoming.read)) is not None:
                self.asked.append(asked)
                answer = self.answer(asked)
                for part in [answer] if isinstance(answer, bytes) else answer:
                    channel.sendall(part)
                if not isinstance(answer, bytes):
                    return


def _read(line: Callable[[], bytes], read: Callable[[int], bytes]) -> Asked | None:
    first = line().split()
    if len(first) != 3 or not first[2].startswith(b"HTTP/"):
        return None
    headers: dict[str, str] = {}
    while text := line().decode("latin-1").strip():
        name, _, value = text.partition(": ")
        headers[name.lower()] = value
    body = read(int(headers.get("content-length", 0)))
    packed = headers.get("content-encoding") == "gzip"
    return Asked(
        method=first[0].decode(),
        target=first[1].decode(),
        headers=headers,
        body=gzip.decompress(body) if packed else body,
        packed=packed,
    )
