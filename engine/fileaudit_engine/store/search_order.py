"""Rows of many blocks in the order of their time, without looking at more blocks than it takes.

Blocks come by the time at which they begin (backwards: at which they end). What has been found is told as
soon as no block that is left can have anything before it:

    newest first     block 3  14:00 ───── 14:10       looked through first; what it has after 14:02 is told
                     block 2  13:50 ─────── 14:02     then this one, and so on, for as long as anybody asks

Events come nearly in the order of their time, so that little waits. Where all blocks lie one above the other
(a recording that is not sorted was kept), no more than `bound` rows wait: of more the foremost, and when
those have been told, the blocks are looked through once more for what comes behind them.
"""

import heapq
import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import NamedTuple

Hit = tuple[int, int]
"""Time of a row, nanoseconds since the Unix epoch, and its number."""
_Key = tuple[int, int]
"""A hit, both numbers negated where the newest come first: the order of output is that of keys."""


class Block(NamedTuple):
    """Rows that came one after the other, and between which times all of them are."""

    first_seq: int
    last_seq: int
    first_ns: int
    last_ns: int


def in_order(
    blocks: Sequence[Block], hits_of: Callable[[Block], Sequence[Hit]], *, newest_first: bool, bound: int
) -> Iterator[Hit]:
    """All hits, by time, then by number.

    Args:
        blocks: In any order; they may overlap.
        hits_of: Those of a block; may be asked more than once.
        newest_first: The order.
        bound: How many hits may wait, at least 1.
    """
    sign = -1 if newest_first else 1
    ahead = sorted(blocks, key=lambda block: _begin(block, sign))
    beyond: _Key | None = None
    more = True
    while more:
        more = False
        for key, is_last in _one_pass(ahead, hits_of, sign, bound, beyond):
            beyond, more = key, is_last
            yield sign * key[0], sign * key[1]


def _begin(block: Block, sign: int) -> int:
    return block.first_ns if sign > 0 else -block.last_ns


def _end(block: Block, sign: int) -> int:
    return block.last_ns if sign > 0 else -block.first_ns


def _one_pass(
    blocks: Sequence[Block],
    hits_of: Callable[[Block], Sequence[Hit]],
    sign: int,
    bound: int,
    beyond: _Key | None,
) -> Generator[tuple[_Key, bool], None, None]:
    """Keys behind `beyond`, in order; with the last one comes whether there may be more behind it."""
    waiting: list[_Key] = []
    ceiling: _Key | None = None
    left = [block for block in blocks if beyond is None or _end(block, sign) >= beyond[0]]
    for block, following in itertools.zip_longest(left, left[1:]):
        keys = ((sign * ts_ns, sign * seq) for ts_ns, seq in hits_of(block))
        waiting += (k for k in keys if (beyond is None or k > beyond) and (ceiling is None or k <= ceiling))
        if len(waiting) > bound:
            waiting = heapq.nsmallest(bound, waiting)
            ceiling = waiting[-1]
        heapq.heapify(waiting)
        until = None if following is None else _begin(following, sign)
        while waiting and (until is None or waiting[0][0] < until):
            key = heapq.heappop(waiting)
            yield key, key == ceiling
