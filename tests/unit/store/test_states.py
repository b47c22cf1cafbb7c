"""What the engine was in the middle of: kept, replaced, and refused where it is no good any more."""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.events.records import record

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.diagnostics import MachineCannot, UnusableInput
from fileaudit_engine.store import states
from fileaudit_engine.store.store import Store

REPEATABLE = settings(derandomize=True, database=None, deadline=None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "fileaudit.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as opened:
        yield opened


def refused(store: Store) -> str:
    with pytest.raises(UnusableInput) as raised:
        store.load_state("correlation")
    (diagnostic,) = raised.value.diagnostics
    assert (diagnostic.code, diagnostic.location.file) == ("FA094", str(store.path))
    assert diagnostic.help
    return diagnostic.message


def test_what_was_never_saved_is_not_there(store: Store) -> None:
    assert store.load_state("correlation") is None


@pytest.mark.parametrize("state", [b"", b"{}", b"\0\xff", b"group " * 1_000_000])
def test_a_state_comes_back_as_it_was_saved_also_to_a_reader(store: Store, path: Path, state: bytes) -> None:
    store.save_state("correlation", 1_795_505_445_123_456_789, state)
    assert store.load_state("correlation") == (1_795_505_445_123_456_789, state)
    with Store.open(path, read_only=True) as reader:
        assert reader.load_state("correlation") == (1_795_505_445_123_456_789, state)


def test_the_next_state_takes_the_place_of_the_last_and_of_no_other(store: Store) -> None:
    store.save_state("correlation", 1, b"first")
    store.save_state("suppression", 2, b"other")
    store.save_state("correlation", 3, b"second")
    assert store.load_state("correlation") == (3, b"second")
    assert store.load_state("suppression") == (2, b"other")


def test_states_that_are_saved_again_and_again_take_the_room_of_one(store: Store, path: Path) -> None:
    state = random.Random(1).randbytes(1 << 20)
    for number in range(50):
        store.save_state("correlation", number, state)
    store.close()
    assert path.stat().st_size < 3 << 20


def test_alerts_are_forced_to_the_disk_after_a_state_was_saved(store: Store) -> None:
    store.save_state("correlation", 1, b"state")
    assert store.connection.execute("PRAGMA synchronous").fetchone()[0] == 1
    store.append([record()])
    assert store.connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert len(list(store.records(Kind.ALERT))) == 1


WRITER = """
import sys, os, signal
from pathlib import Path
from fileaudit_engine.store.store import Store
store = Store.open(sys.argv[1])
for i in range(1, 51):
    store.save_state("correlation", i, str(i).encode() * i)
    print(i, flush=True)
store.connection.execute("BEGIN IMMEDIATE")
store.connection.execute("DELETE FROM states")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_last_state_survives_a_killed_process(path: Path) -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(path)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "engine")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    with Store.open(path) as reopened:
        assert reopened.load_state("correlation") == (50, b"50" * 50)


# ------------------------------------------------------------------------------------------ what is no good


def damage(store: Store, kept: bytes, version: int = states.PACKING) -> None:
    store.save_state("correlation", 1, b"state")
    store.connection.execute("UPDATE states SET state = ?, version = ?", (kept, version))


@given(state=st.binary(min_size=1, max_size=300), data=st.data())
@REPEATABLE
def test_a_state_of_which_one_byte_has_changed_never_passes_for_another(
    state: bytes, data: st.DataObject
) -> None:
    kept = bytearray(states.packed(state))
    kept[data.draw(st.integers(0, len(kept) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = states.unpacked(states.PACKING, bytes(kept))
    except ValueError:
        return
    assert found == state, "a bit that means nothing may change, what is read may not"


WHOLE = states.packed(b"state" * 100)


@pytest.mark.parametrize(
    "kept",
    [
        b"",
        b"x",
        b"state",
        WHOLE[:-1],
        WHOLE[:9],
        WHOLE + b"x",
        WHOLE + WHOLE,
        zstandard.ZstdCompressor(write_checksum=False).compress(b"state"),
        zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compress(b"state"),
        b"\x28\xb5\x2f\xfd\xe4" + b"\xff" * 12,
    ],
)
def test_a_damaged_state_is_refused_and_the_next_one_can_be_saved(store: Store, kept: bytes) -> None:
    damage(store, kept)
    assert refused(store).startswith("the saved state of correlation cannot be used: it is damaged: ")
    store.save_state("correlation", 2, b"next")
    assert store.load_state("correlation") == (2, b"next")


def test_a_state_that_another_engine_has_packed_is_refused(store: Store) -> None:
    damage(store, WHOLE, version=2)
    assert refused(store) == (
        "the saved state of correlation cannot be used: it has version 2, this engine knows version 1"
    )


def test_a_state_that_claims_to_be_larger_than_any_is_not_unpacked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save_state("correlation", 1, b"x" * 1000)
    monkeypatch.setattr(states, "MAX_STATE_BYTES", 999)
    assert refused(store).endswith("it is damaged: no such head is ever written")


@pytest.mark.parametrize("limit", ["MAX_STATE_BYTES", "MAX_PACKED_BYTES"])
def test_a_state_that_is_too_large_is_refused_and_the_earlier_one_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    store.save_state("correlation", 1, b"earlier")
    monkeypatch.setattr(states, limit, 1 << 20)
    with pytest.raises(MachineCannot, match="it takes 2 MiB, more than 1 MiB") as raised:
        store.save_state("correlation", 2, random.Random(1).randbytes(2 << 20))
    assert "lower 'groups'" in raised.value.remedy
    assert store.load_state("correlation") == (1, b"earlier")


def test_a_full_disk_is_told_and_the_earlier_state_stays(store: Store) -> None:
    store.save_state("correlation", 1, b"earlier")
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(MachineCannot, match="full") as raised:
        store.save_state("correlation", 2, random.Random(1).randbytes(1 << 20))
    assert raised.value.remedy.endswith("the earlier state is still there")
    assert store.load_state("correlation") == (1, b"earlier")


def test_a_store_that_another_program_holds_is_told(store: Store, path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MachineCannot, match="locked"):
            store.save_state("correlation", 1, b"state")
        other.execute("ROLLBACK")
    store.save_state("correlation", 1, b"state")
    assert store.load_state("correlation") == (1, b"state")
