"""What a report counts is exactly what a look at every document counts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.events.examples import LOSS, SHADOW
from tests.unit.events.records import record
from tests.unit.store.search_examples import Batch, batches

from fileaudit_engine.detect.record import Record
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.events.model import Operation
from fileaudit_engine.store import blocks
from fileaudit_engine.store.facets import Dimension, facets_of
from fileaudit_engine.store.retention import Retention, remove
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.totals import Sums, Totals, totals

REPEATABLE = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ALWAYS = (-(2**62), 2**62)
MANY = 1_000
moments = st.integers(0, 40)
"""Nanoseconds since 1970, as the examples have them."""
kept_batches = st.builds(batches, st.integers(0, 1_000_000), st.integers(0, 8))


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROWS", 5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "kept" / "fileaudit.db") as opened:
        yield opened


def at(ts_ns: int, **facts: object) -> Record:
    return record(msgspec.structs.replace(SHADOW, ts_ns=ts_ns, **facts), level="informational")


def naive(store: Store, since_ns: int, until_ns: int) -> dict[Dimension, Counter[str]]:
    """The same from every document."""
    counted: dict[Dimension, Counter[str]] = {dimension: Counter() for dimension in Dimension}
    for stored in store.records_after(0, MANY):
        if since_ns <= stored.ts_ns < until_ns:
            for dimension, text in facets_of(stored.document):
                counted[Dimension(dimension)][text] += 1
    return counted


def naive_spans(store: Store, since_ns: int, until_ns: int) -> dict[str, tuple[int, int]]:
    """When each session was first and last seen."""
    times: dict[str, list[int]] = {}
    for stored in store.records_after(0, MANY):
        if since_ns <= stored.ts_ns < until_ns:
            for dimension, text in facets_of(stored.document):
                if dimension == Dimension.SESSION:
                    times.setdefault(text, []).append(stored.ts_ns)
    return {session: (min(seen), max(seen)) for session, seen in times.items()}


@REPEATABLE
@given(kept_batches, moments, moments, st.booleans(), st.booleans())
def test_the_counts_are_those_of_a_look_at_every_document(
    tmp_path_factory: pytest.TempPathFactory,
    kept: Sequence[Batch],
    first: int,
    last: int,
    read_only: bool,  # noqa: FBT001 - hypothesis gives it
    shortened: bool,  # noqa: FBT001 - likewise
) -> None:
    path = tmp_path_factory.mktemp("totals") / "kept" / "fileaudit.db"
    with Store.open(path) as writer:
        for records, losses in kept:
            writer.append(records, losses)
        if shortened:
            next(remove(writer, Retention(age_ns=1), now_ns=15), None)  # leaves rows that are to be swept
    since_ns, until_ns = min(first, last), max(first, last) + 1
    with Store.open(path, read_only=read_only) as opened:
        expected = naive(opened, since_ns, until_ns)
        with Totals(opened, since_ns, until_ns) as counted:
            assert {dimension: counted.all(dimension) for dimension in Dimension} == expected
            for dimension, names in expected.items():
                assert counted.sums(dimension) == Sums(names.total(), len(names))
                assert counted.top(dimension, MANY) == sorted(names.items(), key=lambda n: (-n[1], n[0]))
                assert all(counted.of(dimension, name) == count for name, count in names.items())
            spans = naive_spans(opened, since_ns, until_ns)
            assert {name: counted.session_span(name) for name in spans} == spans


def test_the_function_gives_the_dimensions_that_are_asked_for(store: Store) -> None:
    store.append([at(1), at(2)], [LOSS])
    found = totals(store, *ALWAYS, [Dimension.KIND, Dimension.OPERATION])
    assert found == {
        Dimension.KIND: Counter(event=2, engine=1),
        Dimension.OPERATION: Counter(open=2),
    }


def test_what_is_before_and_at_the_end_of_the_range_is_told_apart(store: Store) -> None:
    store.append([at(ts_ns) for ts_ns in range(20)])
    assert totals(store, 3, 7, [Dimension.KIND])[Dimension.KIND] == Counter(event=4)


def test_of_many_names_only_the_most_frequent_are_given(store: Store) -> None:
    store.append([at(ts_ns, path=f"/tmp/{ts_ns % 7}") for ts_ns in range(23)])
    with Totals(store, *ALWAYS) as counted:
        assert counted.top(Dimension.PATH, 2) == [("/tmp/0", 4), ("/tmp/1", 4)]
        assert counted.sums(Dimension.PATH) == Sums(records=23, distinct=7)


def test_the_changes_of_a_file_are_added_up_whatever_the_operation(store: Store) -> None:
    deeds = [Operation.WRITE, Operation.CHMOD, Operation.WRITE, Operation.OPEN]
    store.append([at(n, operation=deed, path="/etc/a b", errno=0) for n, deed in enumerate(deeds)])
    store.append([at(9, operation=Operation.UNLINK, path="/etc/c", errno=0)])
    with Totals(store, *ALWAYS) as counted:
        assert counted.changed_files(10) == ([("/etc/a b", 3), ("/etc/c", 1)], 2)
        assert counted.changed_files(1) == ([("/etc/a b", 3)], 2)
        assert counted.of(Dimension.CHANGED, "write /etc/a b") == 2


def test_a_session_that_was_not_seen_has_no_time(store: Store) -> None:
    store.append([at(1)])
    with Totals(store, *ALWAYS) as counted:
        assert counted.session_span("99 nobody") is None


def test_a_store_may_be_counted_again(store: Store) -> None:
    store.append([at(1)])
    for _ in range(2):
        with Totals(store, *ALWAYS) as counted:
            assert counted.of(Dimension.KIND, "event") == 1


def test_counting_leaves_nothing_behind(store: Store) -> None:
    store.append([at(1)])
    with Totals(store, *ALWAYS):
        pass
    assert store.connection.execute("SELECT count(*) FROM temp.sqlite_master").fetchone() == (0,)


def test_a_document_that_was_damaged_is_passed_over(store: Store) -> None:
    store.append([at(1), at(2)])
    store.connection.execute("UPDATE records SET document = x'00' WHERE seq = 1")
    assert totals(store, *ALWAYS, [Dimension.KIND])[Dimension.KIND] == Counter(event=1)


def test_a_file_that_was_damaged_is_refused_and_nothing_is_left_behind(store: Store) -> None:
    store.append([at(ts_ns) for ts_ns in range(6)])
    store.connection.execute("ALTER TABLE postings RENAME TO elsewhere")
    with pytest.raises(MachineCannot), Totals(store, *ALWAYS):
        pytest.fail("it was counted")
    assert store.connection.execute("SELECT count(*) FROM temp.sqlite_master").fetchone() == (0,)
