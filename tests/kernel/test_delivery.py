"""A live engine whose records go to a receiver behind a network, whatever happens to either."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kernel.test_commands import WATCHED, Running, cat, running
from tools.syslog.process import free_port
from tools.syslog.servers import Rsyslog, certificates

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.sources.privilege import KEPT, mask, privileges
from fileaudit_engine.store.store import Store

pytestmark = pytest.mark.kernel

_ID = re.compile(r' id="([0-9a-f]{32})"')


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Rsyslog]:
    (tmp_path / "receiver").mkdir()
    with Rsyslog(tmp_path / "receiver") as server:
        yield server


def configured(folder: Path, address: str, **more: str | Path) -> Path:
    (folder / "secret").write_text("secret")
    (folder / "watched.yml").write_text(WATCHED.format(name="watched", path=folder / "secret"))
    config = folder / "config.yml"
    config.write_text(
        "rules: [watched.yml]\n"
        "store: {path: store/events.db, anchors: {file: apart/anchors.log}}\n"
        "sinks:\n  syslog:\n"
        + "".join(f"    {key}: {value}\n" for key, value in {"address": address, **more}.items())
    )
    return config


def alerts_of(folder: Path) -> list[str]:
    with Store.open(folder / "store" / "events.db", read_only=True) as store:
        return [one.id for one in store.records(Kind.ALERT)]


def received(server: Rsyslog) -> list[str]:
    return [found[1] for one in server.records() if (found := _ID.search(one.sd))]


def opened(command: Running, secret: Path, *, times: int) -> None:
    """Open a watched file so often, and wait until the engine has told of it."""
    before = sum("watched" in line for line in command.out)
    for _ in range(times):
        cat(str(secret))
    command.wait_for(lambda c: sum("watched" in line for line in c.out) >= before + times)


def test_alerts_reach_the_receiver_over_tls_by_a_thread_that_has_no_more_privileges(
    tmp_path: Path, receiver: Rsyslog
) -> None:
    config = configured(tmp_path, f"tls://127.0.0.1:{receiver.tls_port}", ca_file=certificates().ca)
    config.write_text(f"{config.read_text()}routes: [{{rule: watchd, to: []}}]\n")
    with running("run", "--config", config, "--format", "json") as command:
        opened(command, tmp_path / "secret", times=5)
        assert len(receiver.wait_for(5)) == 5
        threads = [int(entry.name) for entry in Path(f"/proc/{command.process.pid}/task").iterdir()]
        assert len(threads) > 1
        assert {privileges(thread).permitted for thread in threads} == {mask(KEPT)}
        assert command.stop() == 0
    assert received(receiver) == alerts_of(tmp_path)
    assert "          syslog    some critical high medium low\n" in command.err
    assert "          routes: no rule is called 'watchd'\n" in command.err
    (line,) = [line for line in command.err if line.startswith("sink     syslog")]
    assert re.fullmatch(r"sink     syslog · \d+ delivered · 0 rejected · 0 behind\n", line)


def test_a_receiver_that_is_not_there_delays_nothing_and_gets_everything_when_it_is(tmp_path: Path) -> None:
    """Nobody listens, then the engine is killed, then the receiver comes."""
    port = free_port()
    config = configured(tmp_path, f"tcp://127.0.0.1:{port}", **{"from": "start"})
    command = Running("run", "--config", config, "--format", "json")
    command.wait_for(lambda c: any("watching" in line for line in c.err))
    opened(command, tmp_path / "secret", times=20)
    command.process.kill()
    assert command.stop() == -signal.SIGKILL
    (tmp_path / "receiver").mkdir()
    with Rsyslog(tmp_path / "receiver") as server:
        config = configured(tmp_path, f"tcp://127.0.0.1:{server.tcp_port}")
        with running("run", "--config", config, "--format", "json") as again:
            opened(again, tmp_path / "secret", times=3)
            assert len(server.wait_for(23)) >= 23
            assert again.stop() == 0
        told = received(server)
    assert list(dict.fromkeys(told)) == alerts_of(tmp_path)
    assert len(set(told)) == 23
