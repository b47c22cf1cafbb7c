"""What comes out of a machine. Sockets stand for it; a real one is booted by `make test-vm`."""

import socket
from collections.abc import Iterator

import pytest
from tools.vm.machine import Listener

LONG_S = 60


class Guest:
    """The other ends of the channels."""

    def __init__(self) -> None:
        pairs = {name: socket.socketpair() for name in ("console", "out", "err", "status")}
        self.ours = {name: pair[0] for name, pair in pairs.items()}
        self.theirs = {name: pair[1] for name, pair in pairs.items()}

    def says(self, **what: bytes) -> None:
        for name, data in what.items():
            self.theirs[name].sendall(data)

    def is_off(self) -> None:
        for channel in self.theirs.values():
            channel.close()


@pytest.fixture
def guest() -> Iterator[Guest]:
    guest = Guest()
    yield guest
    guest.is_off()
    for channel in guest.ours.values():
        channel.close()


@pytest.fixture
def listener(guest: Guest) -> Iterator[Listener]:
    listener = Listener(guest.ours, show_console=False)
    yield listener
    listener.close()


def test_output_and_errors_arrive_apart_byte_for_byte(
    guest: Guest, listener: Listener, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    guest.says(out=b"\xff\r\n", err=b"\x1b[1m\n", status=b"0\n")
    guest.is_off()
    assert listener.listen(LONG_S)
    assert capfdbinary.readouterr() == (b"\xff\r\n", b"\x1b[1m\n")


def test_the_commands_status_is_told(guest: Guest, listener: Listener) -> None:
    guest.says(status=b"7\n")
    guest.is_off()
    assert listener.listen(LONG_S)
    assert listener.status == 7


def test_a_status_that_arrives_in_pieces_is_one(guest: Guest, listener: Listener) -> None:
    guest.says(status=b"12")
    assert not listener.listen(0.1)
    assert listener.status is None
    guest.says(status=b"4\n")
    guest.is_off()
    assert listener.listen(LONG_S)
    assert listener.status == 124


def test_a_machine_that_ends_without_a_status_leaves_what_its_kernel_said_last(
    guest: Guest, listener: Listener
) -> None:
    guest.says(console=b"boot\n" * 10_000 + b"Kernel panic\n")
    guest.is_off()
    assert listener.listen(LONG_S)
    assert listener.status is None
    assert listener.console.endswith("Kernel panic\n")
    assert len(listener.console) < 10_000


def test_a_machine_that_stays_on_is_not_waited_for_longer_than_asked(listener: Listener) -> None:
    assert not listener.listen(0.1)
