"""TLS that fails leaves nothing open, whenever it fails."""

import gc
import select
import socket
import ssl
import struct
from collections.abc import Iterator

import pytest

from fileaudit_engine.sinks.handshake import shaken


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection: our end, and the other one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname(), 10)
        theirs, _ = server.accept()
        yield ours, theirs
        theirs.close()


def test_a_connection_that_was_reset_before_tls_began_is_closed(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    select.select([ours], [], [], 10)
    with pytest.raises(OSError, match=r"reset|not connected"):
        shaken(ssl.create_default_context(), ours, "localhost")
    gc.collect()  # of what is open a warning would come, which is an error here
    assert ours.fileno() == -1


def test_so_is_one_whose_other_side_speaks_something_else(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ssl.SSLError):
        shaken(ssl.create_default_context(), ours, "localhost")
    gc.collect()
    assert ours.fileno() == -1


def test_and_one_for_which_there_is_no_such_name(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = pair
    with pytest.raises(ValueError, match="server_hostname"):
        shaken(ssl.create_default_context(), ours, "")
    assert ours.fileno() == -1
