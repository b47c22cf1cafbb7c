"""Rows of overlapping blocks come in the order of their time; no block is looked at before it has to be."""

import itertools
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from fileaudit_engine.store.search_order import Block, Hit, in_order

REPEATABLE = settings(derandomize=True, database=None, deadline=None)

times = st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=6), max_size=8)
"""Of the rows of each block."""


def blocks_of(times: Sequence[Sequence[int]]) -> dict[Block, list[Hit]]:
    serial = itertools.count(1)
    found = {}
    for moments in times:
        rows = [(ts_ns, next(serial)) for ts_ns in moments]
        found[Block(rows[0][1], rows[-1][1], min(moments), max(moments))] = rows
    return found


@given(times, st.booleans(), st.integers(1, 9))
@REPEATABLE
def test_all_rows_come_once_and_in_order_however_few_may_wait(
    times: list[list[int]],
    newest_first: bool,  # noqa: FBT001 - drawn
    bound: int,
) -> None:
    there = blocks_of(times)
    expected = sorted(itertools.chain(*there.values()), reverse=newest_first)
    assert list(in_order([*there], there.__getitem__, newest_first=newest_first, bound=bound)) == expected


def test_no_block_is_looked_at_before_its_time_has_come() -> None:
    there = blocks_of([[1, 2], [3, 4], [5, 6]])
    asked: list[Block] = []

    def hits_of(block: Block) -> list[Hit]:
        asked.append(block)
        return there[block]

    newest = in_order([*there], hits_of, newest_first=True, bound=10)
    assert [next(newest), next(newest)] == [(6, 6), (5, 5)]
    assert len(asked) == 1
    assert next(newest) == (4, 4)
    assert len(asked) == 2
