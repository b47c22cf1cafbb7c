"""What takes long is done beside, in an order that keeps nobody waiting."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fileaudit_engine.sinks.append_file import AppendFile
from fileaudit_engine.sinks.archive import Swept
from fileaudit_engine.sinks.janitor import Janitor, Proceed
from fileaudit_engine.sinks.jsonfile import LOG

PATIENCE_S = 60


@pytest.fixture
def file(tmp_path: Path) -> Iterator[AppendFile]:
    opened = AppendFile(tmp_path / "log", LOG)
    yield opened
    opened.close()


class Sweeper:
    """A compression that takes until somebody lets it end, or stops it."""

    def __init__(self) -> None:
        self.began, self.may_end, self.ended = threading.Event(), threading.Event(), threading.Event()
        self.given_up = False

    def __call__(self, proceed: Proceed) -> Swept:
        self.began.set()
        while not self.may_end.wait(0.001):
            if not proceed():
                self.given_up = True
                break
        self.ended.set()
        return Swept()


def wait_until_forced(janitor: Janitor, mark: int) -> bool:
    pause = threading.Event()
    return any(janitor.forced == mark or pause.wait(0.005) for _ in range(PATIENCE_S * 200))


def test_forcing_does_not_wait_for_a_compression(file: AppendFile) -> None:
    sweeper = Sweeper()
    janitor = Janitor(sweeper)
    janitor.sweep()
    assert sweeper.began.wait(PATIENCE_S)
    janitor.force(file, 7)
    assert wait_until_forced(janitor, 7)
    assert not sweeper.ended.is_set()
    sweeper.may_end.set()
    janitor.stop()
    assert not sweeper.given_up


def test_who_stops_gives_a_compression_up_and_forces_what_is_to_be_forced(file: AppendFile) -> None:
    sweeper = Sweeper()
    janitor = Janitor(sweeper)
    janitor.sweep()
    assert sweeper.began.wait(PATIENCE_S)
    janitor.force(file, 7)
    janitor.stop()
    assert sweeper.given_up
    assert janitor.forced == 7


def test_there_is_no_thread_before_there_is_work(file: AppendFile) -> None:
    """A process that gives up privileges does so for the thread that says it, and for later ones."""
    before = threading.active_count()
    janitor = Janitor(lambda _: Swept())
    assert threading.active_count() == before
    janitor.force(file, 1)
    assert threading.active_count() == before + 1
    janitor.stop()
    assert threading.active_count() == before


def test_trouble_is_told_when_it_begins_and_when_it_is_another_one(file: AppendFile) -> None:
    troubles = iter(["full", "full", "", "full", "read-only"])
    janitor = Janitor(lambda _: Swept(trouble=next(troubles)))
    for mark in range(1, 6):
        janitor.sweep()
        janitor.force(file, mark)
        assert wait_until_forced(janitor, mark)
        janitor.force(file, 100 + mark)
        assert wait_until_forced(janitor, 100 + mark)
    janitor.stop()
    assert janitor.words() == [
        f"its files cannot be looked after: {trouble}" for trouble in ("full", "full", "read-only")
    ]
    assert janitor.words() == []


def test_what_failed_once_is_not_counted_before_it_was_written_again(
    file: AppendFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    janitor = Janitor(lambda _: Swept())
    janitor.force(file, 1)
    assert wait_until_forced(janitor, 1)

    def failing(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing)
        janitor._to_force = file, 2
        janitor._force_now()
    janitor._to_force = file, 3
    janitor._force_now()
    assert (janitor.forced, janitor.times) == (1, 1)
    assert [janitor.again(), janitor.again()] == [True, False]
    janitor.force(file, 4)
    assert wait_until_forced(janitor, 4)
    janitor.stop()


def test_what_was_asked_for_before_it_is_written_again_does_not_count(
    file: AppendFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    janitor = Janitor(lambda _: Swept())
    janitor._failed = True

    def slow(_descriptor: int) -> None:
        assert janitor.again()  # meanwhile, in the thread of who writes

    monkeypatch.setattr(os, "fdatasync", slow)
    janitor._to_force = file, 9
    janitor._force_now()
    assert janitor.forced == 0
