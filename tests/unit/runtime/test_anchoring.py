"""Anchoring: when anchors are made, who has them, and what is said when the store is not what they say."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.runtime import anchoring as module
from fileaudit_engine.runtime.anchoring import Anchoring
from fileaudit_engine.sinks.base import Answer, Delivered, Retry
from fileaudit_engine.store.anchors import Anchor, AnchorFile
from fileaudit_engine.store.settings import StoreSettings
from fileaudit_engine.store.store import Store


class Bench:
    """Anchoring of a real store into a real file, and a log that answers as it is told."""

    def __init__(self, store: Store, folder: Path, settings: StoreSettings) -> None:
        self.store = store
        self.file = AnchorFile(folder / "anchors" / "log")
        self.said: list[str] = []
        self.logged: list[Anchor] = []
        self.answer: Answer | None = Delivered()
        self.now_s = 100.0
        self.anchoring = Anchoring(
            store,
            self.file,
            settings,
            tell=self.said.append,
            clock_ns=lambda: int(self.now_s * 1e9),
            clock_s=lambda: self.now_s,
            logs={"journal": self.log, "syslog": lambda _: None},
        )

    def log(self, anchor: Anchor) -> Answer | None:
        self.logged.append(anchor)
        return self.answer

    def keep(self, number: int) -> None:
        event = msgspec.structs.replace(SHADOW, ts_ns=number)
        self.store.append([record(event, level="informational")])

    def anchored(self) -> list[int]:
        return [anchor.seq for anchor in self.file.read().found]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Store.open(tmp_path / "s" / "db") as store:
        yield Bench(store, tmp_path, StoreSettings())


def test_an_anchor_says_what_the_last_row_is(bench: Bench) -> None:
    bench.keep(1)
    bench.anchoring.anchor()
    head = bench.store.head
    expected = Anchor(bench.store.identity, 1, head.link, 100_000_000_000)
    assert bench.file.read().found == (expected,)
    assert bench.logged == [expected]
    assert bench.anchoring.places == (str(bench.file.path), "journal")


def test_an_empty_store_has_no_anchor(bench: Bench) -> None:
    bench.anchoring.anchor()
    assert bench.anchored() == []


def test_one_is_made_after_some_time_if_anything_is_new(bench: Bench) -> None:
    bench.keep(1)
    bench.anchoring.anchor()
    bench.now_s += 700
    bench.anchoring.tick(idle=True)
    assert bench.anchored() == [1]
    bench.keep(2)
    bench.anchoring.tick(idle=True)
    bench.keep(3)
    bench.anchoring.tick(idle=True)
    assert bench.anchored() == [1, 2]
    bench.now_s += 700
    bench.anchoring.tick(idle=False)
    assert bench.anchored() == [1, 2, 3]


def test_many_records_do_not_wait_for_the_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_RECORDS", 5)
    bench.keep(0)
    bench.anchoring.anchor()
    for number in range(1, 12):
        bench.keep(number)
        bench.anchoring.tick(idle=False)
    assert bench.anchored() == [1, 6, 11]


def test_the_last_one_is_made_at_the_end(bench: Bench) -> None:
    bench.keep(1)
    bench.anchoring.anchor()
    bench.anchoring.close()
    assert bench.anchored() == [1]
    bench.keep(2)
    bench.anchoring.close()
    assert bench.anchored() == [1, 2]


def test_what_takes_none_is_told_once_and_again_when_it_does(bench: Bench) -> None:
    bench.answer = Retry("nobody listens")
    for number in range(3):
        bench.keep(number)
        bench.anchoring.anchor()
    assert bench.said == ["nobody listens; no anchor is kept there until it can be"]
    assert bench.anchored() == [1, 2, 3]
    bench.answer = Delivered()
    bench.anchoring.anchor()
    assert bench.said[1:] == ["anchors are kept again in journal"]


def test_a_removal_is_announced_by_an_anchor_of_the_present_end(bench: Bench) -> None:
    bench.keep(1)
    bench.anchoring.anchor()
    bench.keep(2)
    assert bench.anchoring.announce(1)
    assert [(one.seq, one.start) for one in bench.file.read().found] == [(1, 0), (2, 1)]


def test_what_nobody_announced_is_no_beginning_at_any_start(bench: Bench) -> None:
    for number in range(3):
        bench.keep(number)
    bench.anchoring.anchor()
    bench.store.connection.execute("UPDATE chain SET removed_seq = 2")
    for _ in range(2):
        altered = bench.anchoring.check("here")
        assert altered is not None
        assert "announced nothing of the kind" in str(altered.document["message"])
        bench.anchoring.anchor()
    assert {one.start for one in bench.file.read().found} == {0}


def test_a_removal_that_the_file_does_not_take_is_not_announced(bench: Bench) -> None:
    bench.file.path.parent.mkdir()
    bench.file.path.parent.chmod(0o777)
    bench.keep(1)
    assert not bench.anchoring.announce(1)


def test_an_anchor_that_nobody_has_is_none(bench: Bench) -> None:
    bench.answer = Retry("nobody listens")
    bench.file.path.parent.mkdir()
    bench.file.path.parent.chmod(0o777)
    bench.keep(1)
    bench.anchoring.anchor()
    assert (bench.anchoring.seq, bench.anchoring.places) == (0, ())
    bench.file.path.parent.chmod(0o700)
    bench.anchoring.close()
    assert bench.anchored() == [1]


def test_a_file_that_is_not_safe_is_told_and_the_others_have_their_anchor(bench: Bench) -> None:
    bench.file.path.parent.mkdir()
    bench.file.path.parent.chmod(0o777)
    bench.keep(1)
    bench.anchoring.anchor()
    assert "other users can write" in bench.said[0]
    assert [anchor.seq for anchor in bench.logged] == [1]
    assert bench.anchoring.places == ("journal",)


def test_only_logs_that_were_asked_for_are_written(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s" / "db") as store:
        bench = Bench(store, tmp_path, StoreSettings(anchor_to=frozenset()))
        bench.keep(1)
        bench.anchoring.anchor()
        assert bench.anchored() == [1]
        assert bench.logged == []


def test_a_store_that_takes_nothing_gets_no_anchor_and_is_told(bench: Bench, tmp_path: Path) -> None:
    bench.keep(1)
    with contextlib.closing(sqlite3.connect(tmp_path / "s" / "db")) as other:
        other.execute("BEGIN IMMEDIATE")
        bench.anchoring.anchor()
        other.execute("ROLLBACK")
    assert bench.anchored() == []
    assert len(bench.said) == 1
    bench.anchoring.close()
    assert bench.anchored() == [1]


def test_a_store_that_was_cut_off_is_an_alert_that_names_the_anchor(bench: Bench) -> None:
    for number in range(4):
        bench.keep(number)
        bench.anchoring.anchor()
    assert bench.anchoring.check("web1") is None
    bench.store.connection.execute("DELETE FROM records WHERE seq > 2")
    bench.store._writer = None  # the engine starts anew
    alert = bench.anchoring.check("web1")
    assert alert is not None
    assert (alert.kind, alert.level, alert.rule) == (Kind.ALERT, "critical", "audit_trail_altered")
    facts: Any = alert.document["fileaudit"]
    assert facts["engine"]["what"] == "cut off"
    assert facts["engine"]["anchor"]["seq"] == 3
    assert facts["engine"]["agreed_seq"] == 2
    assert "row 3 was there at 1970-01-01T00:01:40.000000000Z, and is not there" in str(
        alert.document["message"]
    )


def test_anchors_that_cannot_be_read_stop_nothing(bench: Bench) -> None:
    bench.file.path.parent.mkdir()
    bench.file.path.symlink_to("/etc/hostname")
    assert bench.anchoring.check("web1") is None
    assert "not held against anchors" in bench.said[0]


def test_a_file_that_is_gone_is_told_and_one_that_never_was_is_not(bench: Bench) -> None:
    bench.keep(1)
    assert bench.anchoring.check("web1") is None
    assert bench.said == []
    bench.anchoring.anchor()
    bench.file.path.unlink()
    assert bench.anchoring.check("web1") is None
    assert bench.said == [f"{bench.file.path} has no anchors any more; the store is not held against any"]
