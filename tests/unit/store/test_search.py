"""A search finds exactly what a look at every document finds, in the order of time."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.store import search_oracle
from tests.unit.store.search_examples import (
    CONTAINERS,
    IMAGES,
    LEVELS,
    MOMENTS,
    NAMES,
    PATHS,
    RULES,
    USERS,
    Batch,
    batches,
)

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.store import blocks, search_names, search_scan
from fileaudit_engine.store.retention import Retention, remove
from fileaudit_engine.store.search import Search, count, search
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import to_document

REPEATABLE = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROWS", 5)


@pytest.fixture(params=["as they are", "tiny"])
def bounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds past which a search goes another way, which has to lead to the same."""
    if request.param == "tiny":
        monkeypatch.setattr(search_scan, "MOST_POSTINGS", 1)
        monkeypatch.setattr(search_scan, "MOST_WAITING", 2)
        monkeypatch.setattr(search_names, "MOST_IN_TEXT", 1)


# ----------------------------------------------------------------------------------------------- the law

_wild = st.sampled_from(("*", "**", "?", "***", "\\", "\\*"))


def _globs(names: Sequence[str]) -> st.SearchStrategy[str]:
    """Names, and names of which a part has become a wildcard."""

    def with_hole(name: str, start: int, end: int, wild: str) -> str:
        first, last = sorted((start % (len(name) + 1), end % (len(name) + 1)))
        return name[:first] + wild + name[last:]

    whole = st.sampled_from(names)
    hole = st.integers(0, 99)
    return st.one_of(whole, whole.map(to_document), st.builds(with_hole, whole, hole, hole, _wild), _wild)


def _some(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.one_of(st.just(()), st.lists(values, min_size=1, max_size=3).map(tuple))


words = st.one_of(
    st.sampled_from(("SHADOW", "straße", "STRASSE", "%", "_", "cat /etc", "\\xff", "K", "tail", "no such")),
    st.sampled_from(PATHS).map(lambda path: path[1:6] or "/"),
)

_CONTAINERS: Final = (
    "web",
    *(text for one in CONTAINERS if one for text in (one.id or "?", (one.id or "?")[:7])),
)

searches = st.builds(
    Search,
    since_ns=st.none() | st.sampled_from(MOMENTS),
    until_ns=st.none() | st.sampled_from(MOMENTS),
    kinds=_some(st.sampled_from(Kind)),
    levels=_some(st.sampled_from(LEVELS)),
    rules=_some(_globs(RULES)),
    operations=_some(st.sampled_from(("open", "rename", "chmod"))),
    outcomes=_some(st.sampled_from(("success", "failure"))),
    paths=_some(_globs(PATHS)),
    users=_some(_globs(USERS)),
    processes=_some(_globs((*IMAGES, *NAMES))),
    containers=_some(_globs(_CONTAINERS)),
    words=_some(words),
    after_seq=st.sampled_from((0, 0, 3, 11)),
    upto_seq=st.sampled_from((None, None, 7, 20)),
    newest_first=st.booleans(),
    skip=st.sampled_from((0, 0, 1, 5)),
    limit=st.sampled_from((None, None, 1, 3, 7)),
)
sparse = st.integers(0, 2**13 - 1)
"""Which filters of a search are used, a bit each."""


def thinned(wanted: Search, kept: int) -> Search:
    """The search with a quarter of its filters: with all of them nothing would ever be found."""
    names = (
        *("kinds", "levels", "rules", "operations", "outcomes", "paths", "users", "processes", "containers"),
        *("words", "since_ns", "until_ns"),
    )
    gone: dict[str, Any] = {
        name: None if name.endswith("_ns") else () for i, name in enumerate(names) if kept >> i & 3
    }
    return dataclasses.replace(wanted, **gone)


def kept_in(folder: Path, story: Sequence[Batch], serial: Iterator[int]) -> Store:
    store = Store.open(folder / f"{next(serial)}.db")
    for records, losses in story:
        store.append(records, losses)
    return store


def take_away(store: Store, steps: int) -> None:
    """Retention begins to remove all there is, and is stopped after some of its transactions."""
    for _ in itertools.islice(remove(store, Retention(max_bytes=1), MOMENTS[-1]), steps):
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stores")


@pytest.fixture(scope="module")
def serial() -> Iterator[int]:
    return itertools.count()


@pytest.mark.usefixtures("bounds")
@given(
    st.integers(0, 1 << 32),
    st.integers(0, 8),
    st.lists(st.tuples(searches, sparse), min_size=1, max_size=6),
    st.sampled_from((0, 0, 1, 2, 5, 9)),
)
@REPEATABLE
def test_a_search_finds_what_a_look_at_every_document_finds(
    folder: Path,
    serial: Iterator[int],
    seed: int,
    length: int,
    asked: list[tuple[Search, int]],
    steps: int,
) -> None:
    with kept_in(folder, batches(seed, length), serial) as store:
        take_away(store, steps)
        everything = store.records_after(0, 1_000)
        for whole, kept in asked:
            wanted = thinned(whole, kept)
            expected = search_oracle.found(everything, wanted)
            assert [one.seq for one in search(store, wanted)] == expected
            all_of_it = dataclasses.replace(wanted, skip=0, limit=None)
            assert count(store, wanted) == len(search_oracle.found(everything, all_of_it))
