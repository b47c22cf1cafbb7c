"""What a hunt can say of a test: exactly that, or a bound on either side."""

from dataclasses import dataclass

from fileaudit_engine.compiler.hunt.conditions import ALWAYS, NEVER, Condition
from fileaudit_engine.compiler.hunt.oddities import Oddity


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A test in terms of the index.

    Attributes:
        at_most: True of every document that the test is true of, oddities aside.
        at_least: True of such documents only, oddities aside; the same as `at_most` where nothing is missing.
        missed: Odd documents that the test may be true of though `at_most` is not.
        taken: Odd documents that the test may not be true of though `at_least` is.
        gap: What is missing between the two, in words.
    """

    at_most: Condition
    at_least: Condition
    missed: tuple[Oddity, ...] = ()
    taken: tuple[Oddity, ...] = ()
    gap: str = ""


def exactly(condition: Condition, *, missed: tuple[Oddity, ...] = (), taken: tuple[Oddity, ...] = ()) -> Said:
    """The test is what the condition is."""
    return Said(at_most=condition, at_least=condition, missed=missed, taken=taken)


def nothing(gap: str) -> Said:
    """The index knows nothing of it."""
    return Said(at_most=ALWAYS, at_least=NEVER, gap=gap)


def no_more_than(condition: Condition, gap: str, *, missed: tuple[Oddity, ...] = ()) -> Said:
    """The condition is true wherever the test is, and elsewhere, too."""
    return Said(at_most=condition, at_least=NEVER, missed=missed, gap=gap)
