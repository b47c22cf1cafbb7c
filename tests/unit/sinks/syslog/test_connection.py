"""A connection over loopback: what it says of itself, whatever the other side does."""

import itertools
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tools.syslog.process import wait_until
from tools.syslog.servers import certificates

from fileaudit_engine.sinks.syslog.connection import Connection, End

HERE = ("127.0.0.1", 0)
LINGER_NOT = struct.pack("ii", 1, 0)
SOON_S = 0.02
MUCH = b"x" * (32 << 20)
"""More than both sides' buffers take."""


@dataclass
class Pair:
    ours: Connection
    channel: socket.socket
    theirs: socket.socket


@pytest.fixture
def pair() -> Iterator[Pair]:
    with socket.create_server(HERE) as server:
        channel = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    with channel, theirs:
        theirs.settimeout(10)
        yield Pair(Connection(channel), channel, theirs)


@pytest.fixture
def tls_pair(pair: Pair) -> Iterator[Pair]:
    """The same, encrypted."""
    known = certificates()
    client = ssl.create_default_context(cafile=str(known.ca))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(str(known.server.cert), str(known.server.key))
    theirs: list[ssl.SSLSocket] = []
    shaking = threading.Thread(
        target=lambda: theirs.append(server.wrap_socket(pair.theirs, server_side=True))
    )
    shaking.start()
    pair.channel.settimeout(10)
    ours = client.wrap_socket(pair.channel, server_hostname=HERE[0])
    shaking.join(10)
    with ours, theirs[0]:
        yield Pair(Connection(ours), ours, theirs[0])


def ended(connection: Connection) -> End:
    wait_until(lambda: connection.end() is not End.WAITING, 10)
    return connection.end()


def read_to_the_end(theirs: socket.socket) -> bytes:
    return b"".join(iter(lambda: theirs.recv(1 << 16), b""))


def test_what_is_written_arrives_and_the_end_is_good_once_the_other_side_has_ended(pair: Pair) -> None:
    assert pair.ours.write(b"frame", SOON_S, SOON_S) == 5
    assert pair.ours.end() is End.WAITING
    assert read_to_the_end(pair.theirs) == b"frame"
    assert pair.ours.end() is End.WAITING, "it has read, and may still fail"
    pair.theirs.close()
    assert ended(pair.ours) is End.GOOD
    assert (pair.ours.reason, pair.ours.written) == ("", 5)


def test_of_what_does_not_fit_it_says_how_much_went_out(pair: Pair) -> None:
    sent = pair.ours.write(MUCH, SOON_S, 10)
    assert 0 < sent < len(MUCH)
    assert not pair.ours.reason
    pair.theirs.recv(1 << 20, socket.MSG_WAITALL)
    assert wait_until(lambda: pair.ours.write(MUCH, SOON_S, 10) > 0, 10), "it goes on there"


def test_a_side_that_reads_a_byte_now_and_then_does_not_hold_it_up(pair: Pair) -> None:
    minutes = itertools.count(step=60)
    ours = Connection(pair.channel, clock_s=lambda: float(next(minutes)))
    assert ours.write(MUCH, 30, 120) < len(MUCH)


def test_a_reset_is_a_reason_and_no_good_end(pair: Pair) -> None:
    pair.ours.write(b"frame", SOON_S, SOON_S)
    pair.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    pair.theirs.close()
    assert ended(pair.ours) is End.BROKEN
    assert pair.ours.reason == "the receiver has reset the connection"


def test_a_side_that_ends_without_having_read_is_a_reset(pair: Pair) -> None:
    pair.ours.write(b"frame", SOON_S, SOON_S)
    assert wait_until(lambda: len(pair.theirs.recv(99, socket.MSG_PEEK)) == 5, 10)
    pair.theirs.close()
    assert ended(pair.ours) is End.BROKEN


def test_a_side_that_ends_first_is_a_reason(pair: Pair) -> None:
    assert not pair.ours.look()
    pair.theirs.close()
    assert wait_until(lambda: bool(pair.ours.look()), 10)
    assert pair.ours.reason == "the receiver has closed the connection"
    assert pair.ours.write(b"frame", SOON_S, SOON_S) == 0


def test_a_side_that_has_said_beforehand_that_it_says_nothing_does_not_answer_the_end(pair: Pair) -> None:
    pair.theirs.shutdown(socket.SHUT_WR)
    pair.ours.write(b"frame", SOON_S, SOON_S)
    assert pair.ours.ended_within(SOON_S) is End.WAITING
    assert read_to_the_end(pair.theirs) == b"frame"
    assert pair.ours.ended_within(SOON_S) is End.WAITING, "nobody knows whether it has read that"
    assert pair.ours.is_acknowledged()


def test_a_side_that_closed_before_anything_came_has_not_answered_the_end(pair: Pair) -> None:
    pair.theirs.close()
    pair.ours.write(b"frame", SOON_S, SOON_S)
    assert ended(pair.ours) is End.BROKEN


def test_over_tls_a_goodbye_that_came_first_is_no_answer(tls_pair: Pair) -> None:
    theirs = tls_pair.theirs
    assert isinstance(theirs, ssl.SSLSocket)
    theirs.setblocking(False)
    with pytest.raises(ssl.SSLWantReadError):
        theirs.unwrap()
    tls_pair.ours.write(b"frame", SOON_S, SOON_S)
    assert tls_pair.ours.ended_within(SOON_S) is End.WAITING
    theirs.close()
    assert ended(tls_pair.ours) is End.BROKEN


def test_over_tls_the_answer_to_a_goodbye_is_a_good_end(tls_pair: Pair) -> None:
    theirs = tls_pair.theirs
    assert isinstance(theirs, ssl.SSLSocket)
    tls_pair.ours.write(b"frame", SOON_S, SOON_S)
    answering = threading.Thread(target=lambda: (read_to_the_end(theirs), theirs.unwrap()))
    tls_pair.ours.end()
    answering.start()
    assert ended(tls_pair.ours) is End.GOOD
    answering.join(10)


def test_a_side_that_talks_is_not_listened_to_for_long(pair: Pair) -> None:
    pair.theirs.settimeout(SOON_S)
    with pytest.raises(TimeoutError):
        pair.theirs.sendall(MUCH)
    assert pair.ours.look() == ""
    assert pair.ours.end() is End.WAITING


def test_it_knows_what_the_other_host_has_not_acknowledged(pair: Pair) -> None:
    pair.ours.write(b"frame", SOON_S, SOON_S)
    assert wait_until(lambda: pair.ours.unacknowledged() == 0, 10)
    pair.ours.write(MUCH, SOON_S, 10)
    assert pair.ours.unacknowledged() > 0
    pair.ours.close()
    assert pair.ours.unacknowledged() == 0


FRAMES = b"".join(b"%07d " % number for number in range(1 << 20))
"""Eight megabytes of which each part tells its place."""


def test_over_tls_a_side_that_pauses_gets_everything_once_and_in_order(tls_pair: Pair) -> None:
    ours = tls_pair.ours
    got: list[bytes] = []
    out = ours.write(FRAMES, SOON_S, 10)
    assert 0 < out < len(FRAMES), "it reads nothing"
    out += ours.write(FRAMES[out : out + 7], SOON_S, 10)
    reading = threading.Thread(target=lambda: got.append(read_to_the_end(tls_pair.theirs)))
    reading.start()
    for length in (7, 1_000, 20_000, len(FRAMES)):
        part = FRAMES[out : out + length]
        while part and not ours.reason:
            went = ours.write(part, 10, 10)
            out, part = out + went, part[went:]
    assert not ours.reason
    ours.end()
    reading.join(10)
    assert got == [FRAMES]


def test_over_tls_what_was_begun_goes_out_before_the_end(tls_pair: Pair) -> None:
    out = tls_pair.ours.write(FRAMES, SOON_S, 10)
    assert tls_pair.ours.end() is End.WAITING
    got: list[bytes] = []
    reading = threading.Thread(target=lambda: got.append(read_to_the_end(tls_pair.theirs)))
    reading.start()
    assert wait_until(lambda: tls_pair.ours.end() is not End.WAITING or not reading.is_alive(), 10)
    reading.join(10)
    assert got == [FRAMES[:out]]
