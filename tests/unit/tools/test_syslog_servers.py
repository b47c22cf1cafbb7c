"""The tool that runs syslog servers: found, told, ended, and never left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tools.syslog import servers
from tools.syslog.certificates import Certificates, made
from tools.syslog.errors import CannotServe
from tools.syslog.packages import unpacked
from tools.syslog.process import Served, free_port, listens, wait_until

ROOT = Path(__file__).parents[3]
LISTENER = (
    "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(600)"
)


def serving(folder: Path, port: int) -> Served:
    return Served([sys.executable, "-c", LISTENER, str(port)], folder / "said", {})


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_server_is_ready_when_it_listens_and_gone_when_it_is_stopped(tmp_path: Path) -> None:
    port = free_port()
    server = serving(tmp_path, port)
    server.start(lambda: listens(port))
    pid = server.pid
    assert server.cpu_s() >= 0
    server.stop()
    assert not is_there(pid)
    assert not listens(port)
    with pytest.raises(CannotServe, match="not running"):
        _ = server.pid


def test_a_server_that_is_paused_can_be_stopped(tmp_path: Path) -> None:
    port = free_port()
    server = serving(tmp_path, port)
    server.start(lambda: listens(port))
    server.pause()
    pid = server.pid
    server.stop()
    assert not is_there(pid)


def test_a_server_that_does_not_start_is_told_with_what_it_said(tmp_path: Path) -> None:
    server = Served([sys.executable, "-c", "raise SystemExit('no such option')"], tmp_path / "said", {})
    with pytest.raises(CannotServe, match="no such option"):
        server.start(lambda: False)


def test_udp_is_looked_for_as_well() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert listens(port, socket.SOCK_DGRAM)
    assert not listens(port, socket.SOCK_DGRAM)


def test_what_the_distribution_does_not_have_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match=r"'apt-get .* download no-such-server' failed"):
        unpacked(("no-such-server",), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return made(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize(
    ("name", "authority", "words"),
    [
        ("server", "ca", "OK"),
        ("client", "ca", "OK"),
        ("elsewhere", "ca", "OK"),
        ("expired", "ca", "certificate has expired"),
        ("server", "other_ca", "unable to get local issuer certificate"),
    ],
)
def test_certificates_are_what_they_are_called(
    certificates: Certificates, name: str, authority: str, words: str
) -> None:
    command = ["openssl", "verify", "-CAfile", getattr(certificates, authority)]
    command.append(getattr(certificates, name).cert)
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert words in asked.stdout + asked.stderr


@pytest.mark.parametrize("kind", ["rsyslog", "syslog-ng"])
def test_the_command_says_where_it_serves_and_ends_when_it_is_told_to(kind: str) -> None:
    command = [str(ROOT / "tools" / "syslog-servers"), "run", kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        told = json.loads(running.stdout.readline())
        port = int(told["tcp"].rpartition(":")[2])
        assert listens(port)
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    assert wait_until(lambda: not listens(port), 10)
    assert not Path(told["records"]).exists()


def test_what_a_crash_has_cut_off_is_not_read_together_with_what_comes_next(
    tmp_path: Path,
) -> None:
    server = servers.SyslogNg.__new__(servers.SyslogNg)
    server.output = tmp_path / "records.ndjson"
    server._counted = server._counted_bytes = 0
    server.output.write_bytes(b'{}\n{}\n{"raw": ')
    assert server.lines() == 2
    server._drop_torn_line()
    assert server.output.read_bytes() == b"{}\n{}\n"
    assert server.lines() == 2
