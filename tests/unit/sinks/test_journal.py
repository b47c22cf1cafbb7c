"""Lines for the host's own logs."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fileaudit_engine.sinks import journal
from fileaudit_engine.sinks.base import Delivered, Retry
from fileaudit_engine.sinks.journal import to_journal, to_syslog


@pytest.fixture
def log(tmp_path: Path) -> Iterator[socket.socket]:
    """Stands where a host's log listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener:
        listener.bind(str(tmp_path / "log"))
        yield listener


def test_the_journal_gets_a_message_and_what_it_can_be_searched_by(log: socket.socket) -> None:
    answer = to_journal("it is so", {"FILEAUDIT_SEQ": "7"}, place=Path(log.getsockname()))
    assert answer == Delivered()
    assert log.recv(4096).decode().splitlines() == [
        "MESSAGE=it is so",
        "PRIORITY=5",
        "SYSLOG_FACILITY=10",
        "SYSLOG_IDENTIFIER=fileaudit-engine",
        f"SYSLOG_PID={os.getpid()}",
        "FILEAUDIT_SEQ=7",
    ]


def test_syslog_gets_a_line_as_syslog_has_them(log: socket.socket) -> None:
    moment = time.struct_time((2026, 3, 8, 1, 2, 3, 6, 67, 0))
    assert to_syslog("it is so", place=Path(log.getsockname()), clock=lambda: moment) == Delivered()
    assert log.recv(4096).decode() == f"<85>Mar  8 01:02:03 fileaudit-engine[{os.getpid()}]: it is so"


def test_a_message_is_one_line_whatever_is_in_it(log: socket.socket) -> None:
    place = Path(log.getsockname())
    to_journal("a\nPRIORITY=0\x1b\udcff", {}, place=place)
    assert log.recv(4096).decode().splitlines()[0] == r"MESSAGE=a\u000aPRIORITY=0\u001b\udcff"
    to_syslog("a\nb", place=place)
    assert b"\n" not in log.recv(4096)


def test_a_host_without_one_is_no_failure(tmp_path: Path) -> None:
    assert to_journal("it is so", {}, place=tmp_path / "none") is None
    assert to_syslog("it is so", place=tmp_path / "none") is None


def test_syslog_that_is_the_journal_does_not_get_it_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "JOURNAL", tmp_path / "journal" / "socket")
    (tmp_path / "log").symlink_to(tmp_path / "journal" / "dev-log")
    assert to_syslog("it is so", place=tmp_path / "log") is None


def test_a_log_that_takes_nothing_now_holds_nobody_up(log: socket.socket) -> None:
    answers = [to_journal("it is so", {}, place=Path(log.getsockname())) for _ in range(5_000)]
    assert isinstance(answers[-1], Retry)


def test_a_log_that_nobody_listens_to_any_more_says_so(log: socket.socket) -> None:
    place = Path(log.getsockname())
    log.close()
    assert to_journal("it is so", {}, place=place) == Retry(f"{place}: Connection refused")
