"""What the other tests do to connections is done."""

import contextlib
import errno
import socket
import threading
from collections.abc import Iterator

import pytest
from tests.integration.proxy import Proxy, Side, in_front_of

PATIENCE_S = 10.0


class Echo:
    """Says back what it is told, and remembers it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.heard = b""
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._answer, args=(connection,)))
                self._threads[-1].start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1 << 16):
                with self._changed:
                    self.heard += data
                    self._changed.notify_all()
                connection.sendall(data)

    def wait_for(self, heard: bytes) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: heard in self.heard, PATIENCE_S), self.heard

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE_S)


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with in_front_of(echo.port) as made:
        yield made


@contextlib.contextmanager
def connected(proxy: Proxy, timeout_s: float = PATIENCE_S) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout_s) as made:
        yield made


def read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            break
        data += more
    return data


def ends(connection: socket.socket) -> None:
    """By a reset, at once or when it is written to."""
    with pytest.raises(OSError) as told:  # noqa: PT011, PT012 - either is a reset; which one is a matter of moments
        while connection.recv(1 << 16):
            pass
        connection.sendall(b"?")
    assert told.value.errno in {errno.ECONNRESET, errno.EPIPE}


def test_both_sides_are_told_everything(proxy: Proxy) -> None:
    with connected(proxy) as client:
        for size in (1, 100_000):
            sender = threading.Thread(target=client.sendall, args=(b"x" * size,))
            sender.start()
            assert read(client, size) == b"x" * size
            sender.join()
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b"", "that one has said all is told to the other, which does likewise"
    assert proxy.said == {Side.CLIENT: 100_001, Side.SERVER: 100_001}


def test_it_refuses_and_listens_again_at_the_same_place(proxy: Proxy) -> None:
    for _ in range(3):
        with connected(proxy) as before:
            before.sendall(b"a")
            assert read(before, 1) == b"a"
            proxy.refuses()
            ends(before)
        with pytest.raises(ConnectionRefusedError), connected(proxy):
            pass
        proxy.forwards()
    with connected(proxy) as client:
        client.sendall(b"b")
        assert read(client, 1) == b"b"


def test_it_resets_what_is_open_and_what_comes(proxy: Proxy) -> None:
    with connected(proxy) as before:
        before.sendall(b"a")
        assert read(before, 1) == b"a"
        proxy.resets()
        ends(before)
        with connected(proxy) as client:
            ends(client)


def test_deaf_it_takes_only_what_fits_into_buffers(proxy: Proxy, echo: Echo) -> None:
    with connected(proxy, 0.5) as client:
        proxy.is_deaf()
        with pytest.raises(TimeoutError):
            client.sendall(b"y" * (64 << 20))
        assert echo.heard == b""


def test_what_was_not_heard_arrives_when_it_hears_again(proxy: Proxy, echo: Echo) -> None:
    with connected(proxy) as client:
        client.sendall(b"before")
        assert read(client, 6) == b"before"
        proxy.is_deaf()
        client.sendall(b"while")
        proxy.forwards()
        assert read(client, 5) == b"while"
    assert echo.heard == b"beforewhile"


def test_it_swallows(proxy: Proxy, echo: Echo) -> None:
    with connected(proxy, 0.3) as client:
        proxy.swallows()
        client.sendall(b"z" * 1000)
        with pytest.raises(TimeoutError):
            client.recv(1)
    assert echo.heard == b""


def test_answers_are_lost_and_requests_are_not(proxy: Proxy, echo: Echo) -> None:
    with connected(proxy, 0.3) as client:
        proxy.loses_answers()
        client.sendall(b"request")
        echo.wait_for(b"request")
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_a_request_is_cut_where_it_is_told_to_once(proxy: Proxy, echo: Echo) -> None:
    proxy.cuts_after(5, Side.CLIENT)
    with connected(proxy) as client:
        client.sendall(b"12")
        assert read(client, 2) == b"12"
        client.sendall(b"3456789")
        ends(client)
    assert proxy.cuts == 1
    assert b"12345".startswith(echo.heard)
    with connected(proxy) as client:
        client.sendall(b"again and longer")
        assert read(client, 16) == b"again and longer"


def test_an_answer_is_cut_and_the_request_has_arrived(proxy: Proxy, echo: Echo) -> None:
    proxy.cuts_after(3, Side.SERVER)
    with connected(proxy) as client:
        client.sendall(b"request")
        echo.wait_for(b"request")
        ends(client)


def test_delayed_it_comes_in_order(proxy: Proxy) -> None:
    proxy.delays(0.05)
    with connected(proxy) as client:
        client.sendall(b"a")
        client.sendall(b"b")
        assert read(client, 2) == b"ab"


def test_who_asks_for_a_server_that_is_gone_is_reset() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with in_front_of(nobody.getsockname()[1]) as proxy:
            with contextlib.suppress(ConnectionResetError), connected(proxy) as client:
                ends(client)
            assert proxy.connections == 1
