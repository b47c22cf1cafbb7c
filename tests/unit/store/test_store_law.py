"""The law: a store that only the engine has written to never fails, whatever happened to the engine.

Batches, repeats, losses, hostile names, closings of blocks, retention that is stopped at any transaction,
restarts, kills between any two statements, anchors: after each of them `verify` finds nothing, and the store
holds each record once, in the order of its coming. In the end an oracle that knows the contract only finds
nothing either.
"""

import shutil
import tempfile
from collections.abc import Iterator  # noqa: TC003 - hypothesis reads annotations
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.unit.events.examples import EVERYTHING, HOSTILE, LOSS, SHADOW, names
from tests.unit.events.records import record
from tests.unit.store import chain_oracle

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.store import blocks
from fileaudit_engine.store.anchors import Anchor
from fileaudit_engine.store.losses import record_of_loss
from fileaudit_engine.store.retention import Removed, Retention, remove
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.verify import Verification

BLOCK_ROWS = 4
HOUR_NS = 3_600 * 10**9

_shapes = st.sampled_from(
    [
        SHADOW,
        EVERYTHING,
        msgspec.structs.replace(SHADOW, path=HOSTILE, user_name=HOSTILE),
        msgspec.structs.replace(SHADOW, errno=13, result=-13, path=None, asked_path="x" * 3_000),
    ]
)
_levels = st.sampled_from(["informational", "informational", "informational", "high"])


class AStore(RuleBasedStateMachine):
    """A store, and what it must hold."""

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(blocks, "ROWS", BLOCK_ROWS)
        self._folder = Path(tempfile.mkdtemp())
        self._folder.chmod(0o700)
        self._copies = 0
        self._number = 0
        self._now_ns = SHADOW.ts_ns
        self._held: list[str] = []
        """Ids of all records that ever came, in order: that of row n is the nth."""
        self._removed = 0
        self._anchors: list[Anchor] = []
        self._removing: Iterator[Removed | None] | None = None

    @initialize(batches=st.integers(0, 6))
    def begin(self, batches: int) -> None:
        self._store = Store.open(self._folder / "made" / "x.db")
        for _ in range(batches):
            batch = [self._made(SHADOW, "informational", minute, "/x") for minute in range(BLOCK_ROWS + 1)]
            self._store.append(batch)
            self._held += [made.id for made in batch]
            self._now_ns += HOUR_NS

    def teardown(self) -> None:
        self._the_contract_is_kept()
        self._store.close()
        self._patch.undo()
        shutil.rmtree(self._folder)

    # ------------------------------------------------------------------------------------- what happens

    @rule(
        shapes=st.lists(st.tuples(_shapes, _levels, st.integers(-90, 90)), min_size=3, max_size=12),
        path=names,
        repeated=st.integers(0, 2),
        lost=st.integers(0, 2),
    )
    def records_come(
        self, shapes: list[tuple[FileEvent, str, int]], path: str, repeated: int, lost: int
    ) -> None:
        batch = [self._made(shape, level, minutes, path) for shape, level, minutes in shapes]
        batch += batch[:repeated]
        losses = [
            msgspec.structs.replace(LOSS, last_ns=self._now_ns + self._number + one) for one in range(lost)
        ]
        self._number += lost
        new = self._store.append(batch, losses, host="web-1")
        expected = list(dict.fromkeys(made.id for made in batch))
        expected += [record_of_loss(loss, "web-1").id for loss in losses]
        assert new == len(expected)
        self._held += expected

    @rule(count=st.integers(1, 10))
    def records_come_again(self, count: int) -> None:
        held = [stored for kind in Kind for stored in self._store.records(kind)][-count:]
        again = [
            Record(
                id=stored.id,
                kind=stored.kind,
                ts_ns=stored.ts_ns,
                rule=stored.rule,
                level=stored.level,
                document=stored.document,
                event=None,
            )
            for stored in held
        ]
        assert self._store.append(again) == 0

    @rule(hours=st.integers(1, 30))
    def time_goes_by(self, hours: int) -> None:
        self._now_ns += hours * HOUR_NS
        self._store.close_block_if_old(self._now_ns)

    @rule()
    def it_is_anchored(self) -> None:
        head = self._store.force()
        self._anchors.append(Anchor(self._store.identity, head.seq, head.link, self._now_ns))

    @rule(hours=st.integers(0, 20), steps=st.integers(1, 12), most_bytes=st.sampled_from([None, 1]))
    def old_records_are_removed(self, hours: int, steps: int, most_bytes: int | None) -> None:
        retention = Retention(age_ns=hours * HOUR_NS, hard_bytes=most_bytes)
        removing = remove(self._store, retention, self._now_ns + self._number, host="web-1")
        self._number += 1
        self._removing = removing
        self._go_on_removing(steps)

    @precondition(lambda self: self._removing is not None)
    @rule(steps=st.integers(1, 12))
    def they_go_on_being_removed(self, steps: int) -> None:
        self._go_on_removing(steps)

    @rule(sink=st.sampled_from(["json", "wire"]), behind=st.integers(0, 5))
    def a_sink_says_what_it_has(self, sink: str, behind: int) -> None:
        seq = max(0, self._store.head.seq - behind)
        self._store.save_cursor(sink, seq, self._now_ns)
        self._store.reject(sink, seq, HOSTILE.encode("utf-8", "replace").decode(), self._now_ns)

    @rule()
    def it_is_opened_again(self) -> None:
        self._stop_removing()
        self._store.close()
        self._store = Store.open(self._store.path)

    @rule()
    def the_engine_is_killed(self) -> None:
        self._stop_removing()
        taken = self._taken()
        self._store.close()
        self._store = Store.open(taken)

    @rule(statement=st.integers(1, 12), shape=_shapes, level=_levels)
    def the_engine_is_killed_between_two_statements(
        self, statement: int, shape: FileEvent, level: str
    ) -> None:
        self._stop_removing()
        batch = [self._made(shape, level, minute, "/x") for minute in range(9)]
        copies: list[Path] = []
        seen = 0

        def at_each_statement(_statement: str) -> None:
            nonlocal seen
            seen += 1
            if seen == statement:
                copies.append(self._taken())

        self._store.connection.set_trace_callback(at_each_statement)
        self._store.append(batch)
        self._store.connection.set_trace_callback(None)
        self._store.close()
        taken = copies[0] if copies else self._store.path
        self._store = Store.open(taken)
        came = self._store.head.seq - len(self._held)
        assert came in {0, len(batch)}, "a batch is kept as a whole or not at all"
        self._held += [made.id for made in batch[:came]]

    # ------------------------------------------------------------------------------------- what holds

    @invariant()
    def nothing_is_found(self) -> None:
        with Store.open(self._store.path, read_only=True) as reader:
            verification = Verification(reader, self._anchors)
            assert list(verification.findings()) == []
            checked = verification.checked
        assert checked.rows == checked.links == checked.indexed == len(self._held) - checked.removed_seq
        assert checked.anchors is not None
        assert checked.anchors.agree + checked.anchors.removed == len(set(self._anchors))

    @invariant()
    def each_record_is_there_once(self) -> None:
        rows = self._store.records_after(0, 1_000_000)
        removed = self._store.connection.execute("SELECT removed_seq FROM chain").fetchone()[0]
        assert [row.id for row in rows] == self._held[removed:]
        assert [row.seq for row in rows] == list(range(removed + 1, len(self._held) + 1))

    def _the_contract_is_kept(self) -> None:
        rows = chain_oracle.Rows(self._store.path)
        assert (rows.broken_links(), rows.wrong_columns(), rows.wrong_blocks()) == ([], [], [])
        assert rows.removed_seq or rows.removed_link == chain_oracle.genesis(rows.store)

    # ------------------------------------------------------------------------------------- how

    def _made(self, shape: FileEvent, level: str, minutes: int, path: str) -> Record:
        self._number += 1
        ts_ns = self._now_ns + minutes * 60 * 10**9 + self._number
        event = msgspec.structs.replace(shape, ts_ns=ts_ns, session_id=self._number % 3)
        return record(msgspec.structs.replace(event, path=path) if minutes % 5 == 0 else event, level=level)

    def _go_on_removing(self, steps: int) -> None:
        for _ in range(steps):
            if self._removing is None:
                return
            try:
                removed = next(self._removing)
            except StopIteration:
                self._removing = None
            else:
                if removed is not None:
                    self._held.append(removed.record.id)

    def _stop_removing(self) -> None:
        self._removing = None

    def _taken(self) -> Path:
        """What a killed engine leaves: the database and its log as they are at this moment."""
        self._copies += 1
        folder = self._folder / str(self._copies)
        folder.mkdir(mode=0o700)
        for file in (self._store.path, self._store.path.with_name("x.db-wal")):
            if file.exists():
                shutil.copy(file, folder / file.name)
        return folder / "x.db"


AStore.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestTheLaw = AStore.TestCase
