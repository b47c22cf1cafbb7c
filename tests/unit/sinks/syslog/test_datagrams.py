"""Datagrams, and the local socket of streams, over real sockets."""

import socket
from pathlib import Path

import pytest

from fileaudit_engine.sinks.settings import SyslogSettings, Transport
from fileaudit_engine.sinks.syslog import datagrams
from fileaudit_engine.sinks.syslog.datagrams import Datagrams

MUCH = b"x" * (8 << 20)


def test_a_local_socket_of_streams_that_nobody_reads_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datagrams, "SEND_S", 0.05)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "log"))
        listener.listen(1)
        carrier = Datagrams(SyslogSettings(transport=Transport.LOCAL, path=tmp_path / "log"))
        done = carrier.carry([MUCH])
        carrier.close()
    assert done.count == 0
    assert "the receiver reads nothing; is the syslog daemon well?" in done.reason
