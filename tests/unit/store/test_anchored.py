"""A store that is held against anchors when the engine starts."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record

from fileaudit_engine.store import blocks
from fileaudit_engine.store.anchored import Disagreement, Wrong, held_against
from fileaudit_engine.store.anchors import Anchor
from fileaudit_engine.store.retention import Retention, remove
from fileaudit_engine.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s" / "db"


@pytest.fixture
def anchors(path: Path) -> list[Anchor]:
    """An anchor for every second of twenty rows."""
    with Store.open(path) as store:
        return list(made(store, range(20)))


def made(store: Store, numbers: range) -> Iterator[Anchor]:
    for number in numbers:
        event = msgspec.structs.replace(SHADOW, ts_ns=number, path=f"/{number}")
        store.append([record(event, level="informational")])
        if number % 2:
            yield Anchor(store.identity, store.head.seq, store.head.link, number)


def altered(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()


def found(path: Path, anchors: list[Anchor]) -> Disagreement | None:
    with Store.open(path) as store:
        return held_against(store, anchors)


def test_a_store_that_is_as_it_was_agrees(path: Path, anchors: list[Anchor]) -> None:
    assert found(path, anchors) is None
    assert found(path, []) is None


def test_a_store_that_has_gone_on_agrees(path: Path, anchors: list[Anchor]) -> None:
    with Store.open(path) as store:
        list(made(store, range(20, 30)))
        assert held_against(store, anchors) is None


def test_rows_that_were_cut_off_are_placed(path: Path, anchors: list[Anchor]) -> None:
    altered(path, "DELETE FROM records WHERE seq > 13")
    told = found(path, anchors)
    assert told == Disagreement(what=Wrong.CUT_OFF, anchor=anchors[6], agreed_seq=12)


def test_rows_that_came_in_the_place_of_others_are_altered(path: Path, anchors: list[Anchor]) -> None:
    altered(path, "DELETE FROM records WHERE seq > 13")
    with Store.open(path) as store:
        list(made(store, range(100, 120)))
    told = found(path, anchors)
    assert told == Disagreement(what=Wrong.ALTERED, anchor=anchors[6], agreed_seq=12)


def test_a_row_that_is_missing_is_told(path: Path, anchors: list[Anchor]) -> None:
    altered(path, "DELETE FROM records WHERE seq = 20")
    altered(path, "UPDATE records SET seq = 21 WHERE seq = 19")
    told = found(path, anchors)
    assert told == Disagreement(what=Wrong.MISSING, anchor=anchors[9], agreed_seq=18)


def test_a_store_with_no_row_left_agrees_with_nothing(path: Path, anchors: list[Anchor]) -> None:
    altered(path, "DELETE FROM records")
    told = found(path, anchors)
    assert told == Disagreement(what=Wrong.CUT_OFF, anchor=anchors[0], agreed_seq=None)


def test_another_store_in_its_place_is_told(path: Path, anchors: list[Anchor]) -> None:
    path.unlink()
    told = found(path, anchors)
    assert told == Disagreement(what=Wrong.REPLACED, anchor=anchors[-1], agreed_seq=None)


def test_anchors_of_other_stores_beside_its_own_do_not_matter(path: Path, anchors: list[Anchor]) -> None:
    others = [Anchor(b"o" * 16, one.seq, one.link, one.time_ns) for one in anchors]
    assert found(path, [*anchors, *others]) is None


def test_what_retention_has_removed_is_no_disagreement(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROWS", 4)
    with Store.open(path) as store:
        anchors = list(made(store, range(20)))

        def announce(until_seq: int) -> bool:
            anchors.append(Anchor(store.identity, store.head.seq, store.head.link, 20, until_seq))
            return True

        for _ in remove(store, Retention(age_ns=1), 13, announce=announce):
            pass
        assert next(store.rows("SELECT removed_seq FROM chain"))[0] == 12
        assert held_against(store, anchors) is None
        assert held_against(store, [*anchors[:6], anchors[-1]]) is None
        assert held_against(store, [*anchors[:3], anchors[-1]]) is None


def test_rows_that_are_declared_removed_without_having_been_announced_are_missed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "ROWS", 4)
    with Store.open(path) as store:
        anchors = list(made(store, range(20)))
        for _ in remove(store, Retention(age_ns=1), 13):  # as somebody does who has the code of the engine
            pass
        told = held_against(store, anchors)
        assert told == Disagreement(what=Wrong.UNANNOUNCED, anchor=anchors[-1], agreed_seq=None)
