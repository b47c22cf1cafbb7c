"""Receivers that end connections in their own way: each has every record, and what comes twice is bounded."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.integration.syslog_feed import QUICK, feeding, settings_for
from tests.unit.sinks.syslog.rows import alerts
from tools.syslog.servers import SyslogNg

from fileaudit_engine.sinks.settings import SyslogSettings, Transport

RESET = struct.pack("ii", 1, 0)


@dataclass
class Double:
    """A receiver that reads, and ends connections as no real one does on demand.

    Attributes:
        life_s: It closes each connection after so long.
        resets: It answers the end of a connection with a reset.
        half: It says at once that it will never say anything.
        got: What came on each connection.
    """

    life_s: float | None = None
    resets: bool = False
    half: bool = False
    got: list[bytearray] = field(default_factory=list)
    port: int = 0

    @property
    def ids(self) -> list[str]:
        """Of all frames, in the order of connections."""
        return [piece[:32].decode() for data in self.got for piece in bytes(data).split(b' id="')[1:]]

    def serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it is over
            while True:
                channel, _ = listener.accept()
                self.got.append(bytearray())
                threading.Thread(target=self._read, args=(channel, self.got[-1]), daemon=True).start()

    def _read(self, channel: socket.socket, got: bytearray) -> None:
        until_s = None if self.life_s is None else time.monotonic() + self.life_s
        with channel, contextlib.suppress(ConnectionError, TimeoutError):
            if self.half:
                channel.shutdown(socket.SHUT_WR)
            while True:
                channel.settimeout(None if until_s is None else max(until_s - time.monotonic(), 0.001))
                data = channel.recv(1 << 16)
                if not data:
                    break
                got += data
            if self.resets:
                channel.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


@contextlib.contextmanager
def served(double: Double) -> Iterator[SyslogSettings]:
    """Its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=double.serve, args=(listener,))
        thread.start()
        yield SyslogSettings(transport=Transport.TCP, host="127.0.0.1", port=listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS])
def test_a_receiver_with_room_for_one_connection_has_every_record_once(
    transport: Transport, tmp_path: Path
) -> None:
    with (
        SyslogNg(tmp_path, options="max-connections(1)") as server,
        feeding(settings_for(server, transport)) as feed,
    ):
        for turn in range(1, 5):
            feed.rows = alerts(turn * 100)
            feed.run()
            assert feed.sink.kept == turn * 100
        found = server.quiet()
    assert [record.raw.partition(' id="')[2][:32] for record in found] == [row.id for row in feed.rows]
    (said,) = feed.told
    assert "no room for a second connection" in said


def test_a_receiver_that_resets_what_was_ended_is_believed_after_a_few_times() -> None:
    double, rows = Double(resets=True), alerts(100)
    with served(double) as settings, feeding(settings, rows) as feed:
        feed.run()
        feed.rows = alerts(200)
        feed.run()
    assert set(double.ids) == {row.id for row in feed.rows}
    assert len(double.ids) == 2 * 100 + 200, "the beginning came thrice"
    (said,) = feed.told
    assert "resets connections when we end them" in said


def test_a_receiver_that_lets_connections_live_for_a_moment_has_everything() -> None:
    double, rows = Double(life_s=0.15), alerts(2_000)
    with served(double) as settings, feeding(settings, rows) as feed:
        feed.run(seconds=90)
    assert set(double.ids) == {row.id for row in rows}
    assert len(double.ids) < 5 * len(rows)


def test_a_receiver_that_only_listens_has_everything_and_little_comes_again() -> None:
    double, rows = Double(half=True), alerts(300)
    patience = replace(QUICK, silent_s=0.3, end_s=0.5)
    with served(double) as settings, feeding(settings, rows, patience) as feed:
        feed.run()
    assert set(double.ids) == {row.id for row in rows}
    assert len(double.ids) <= 5 * len(rows), "a few times, and no more"
