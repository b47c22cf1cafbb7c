"""The collector, once a capture runs: seldom, but not never."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from fileaudit_engine.runtime.collector import settle


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


class Node:
    """Something that can be part of a circle."""

    def __init__(self) -> None:
        self.itself = self


def test_what_is_there_is_not_looked_at_again() -> None:
    settle()
    assert gc.get_freeze_count() > len(gc.get_objects())


def test_circles_that_come_later_are_still_found() -> None:
    settle()
    gone = weakref.ref(Node())
    kept: list[list[int]] = []
    while gone() is not None and len(kept) < 200_000:
        kept.append([])
    assert gone() is None


def test_a_batch_is_over_before_the_collector_looks() -> None:
    settle()
    looked = gc.get_stats()[0]["collections"]
    batch: list[list[dict[str, int]]] = [[{}] for _ in range(512 * 20)]
    assert len(batch) == 512 * 20
    assert gc.get_stats()[0]["collections"] == looked
