"""A clock is believed where something keeps it right, else no further than the engine has lived."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.runtime.believed import CATCHING_UP, BelievedClock
from fileaudit_engine.store.store import Store

DAY_NS, YEAR_NS = UNITS_NS["d"], 365 * UNITS_NS["d"]
NOON_NS = 1_800_000_000 * 10**9


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s" / "db") as opened:
        yield opened


class Host:
    """A host whose clock says what it is told to."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock_ns = NOON_NS
        self.up_s = 100.0
        self.steered = False
        self.started()

    def started(self, since_ns: int | None = None) -> None:
        """An engine starts."""
        self.believed = BelievedClock(
            self.store,
            since_ns=since_ns,
            steered=lambda: self.steered,
            clock_ns=lambda: self.clock_ns,
            clock_s=lambda: self.up_s,
        )

    def live(self, ns: int) -> int:
        """Time goes by; returns what is believed then."""
        self.clock_ns += ns
        self.up_s += ns / 1e9
        return self.believed.now_ns()


def test_the_first_engine_believes_the_clock(store: Store) -> None:
    assert Host(store).believed.now_ns() == NOON_NS


def test_while_nothing_happens_to_it_the_clock_is_believed(store: Store) -> None:
    host = Host(store)
    for _ in range(5):
        assert host.live(DAY_NS) == host.clock_ns


@pytest.mark.parametrize("restarts", [0, 1, 5])
def test_a_clock_that_jumps_ahead_is_believed_as_far_as_was_lived(store: Store, restarts: int) -> None:
    host = Host(store)
    before_ns = host.live(DAY_NS)
    host.clock_ns += 5 * YEAR_NS
    for _ in range(restarts):
        host.started()
        assert host.believed.now_ns() == before_ns
    assert host.live(DAY_NS) == before_ns + CATCHING_UP * DAY_NS


def test_a_clock_that_is_put_right_again_is_believed_at_once(store: Store) -> None:
    host = Host(store)
    host.clock_ns += 5 * YEAR_NS
    host.live(DAY_NS)
    host.clock_ns = NOON_NS + DAY_NS
    assert host.believed.now_ns() == NOON_NS + DAY_NS
    assert host.live(DAY_NS) == NOON_NS + 2 * DAY_NS


def test_a_clock_that_something_keeps_right_is_believed_after_a_year_off(store: Store) -> None:
    host = Host(store)
    host.live(DAY_NS)
    host.clock_ns += YEAR_NS
    host.started()
    host.steered = True
    assert host.believed.now_ns() == host.clock_ns


def test_one_that_nothing_keeps_right_comes_up_in_time(store: Store) -> None:
    host = Host(store)
    host.live(DAY_NS)
    host.clock_ns += 100 * DAY_NS
    host.started()
    for _ in range(200):
        host.live(DAY_NS)
    assert host.believed.now_ns() == host.clock_ns


def test_a_store_that_remembers_nothing_goes_by_the_last_sign_of_life(store: Store) -> None:
    host = Host(store)
    host.started(since_ns=NOON_NS - 7)
    host.clock_ns += YEAR_NS
    assert host.believed.now_ns() == NOON_NS - 7
    assert host.believed.latest_ns() == NOON_NS - 7


def test_nobody_is_told_more_than_the_clock_says(store: Store) -> None:
    host = Host(store)
    assert host.believed.latest_ns() == NOON_NS
    host.live(DAY_NS)
    host.clock_ns = NOON_NS
    assert host.believed.latest_ns() == NOON_NS


def test_a_store_that_takes_nothing_stops_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path / "t" / "db") as store:
        host = Host(store)
        store.connection.execute("DROP TABLE marks")
        assert host.live(DAY_NS) == host.clock_ns
