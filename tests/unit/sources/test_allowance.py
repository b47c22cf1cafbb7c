"""Work that others cause gets its share of the time, and no more."""

import contextlib
from collections.abc import Iterable

from fileaudit_engine.sources.allowance import Allowance


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def begun(allowance: Allowance, clock: Clock, takes: float, pauses: Iterable[float]) -> list[bool]:
    """Whether work that takes so long may be begun, at once and after each pause."""
    answers = []
    for pause in (0.0, *pauses):
        clock.now += pause
        answers.append(allowance.is_left())
        if answers[-1]:
            with allowance.spent():
                clock.now += takes
    return answers


def test_what_was_saved_up_may_be_spent_at_once() -> None:
    clock = Clock()
    assert begun(Allowance(0.0, 1.0, clock=clock), clock, 0.5, [0, 0, 0]) == [True, True, False, False]


def test_over_a_long_time_no_more_than_the_share_is_spent() -> None:
    clock = Clock()
    answers = begun(Allowance(0.125, 1.0, clock=clock), clock, 0.25, [0.25] * 4000)
    spent, passed = 0.25 * sum(answers), clock.now - 100.0
    assert 0.12 * passed < spent < 1.25 + 0.125 * passed


def test_no_more_is_saved_up_than_the_bound() -> None:
    clock = Clock()
    assert begun(Allowance(0.25, 1.0, clock=clock), clock, 1.5, [1e6, 0]) == [True, True, False]


def test_work_that_fails_is_paid_for_too() -> None:
    clock = Clock()
    allowance = Allowance(0.0, 1.0, clock=clock)
    with contextlib.suppress(OSError), allowance.spent():
        clock.now += 2
        raise OSError
    assert not allowance.is_left()
