"""What came of the events of a case: what was told, and what stayed behind it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from fileaudit_engine.detect.crossing import Crossing, Limits, Match
from fileaudit_engine.ruletest.report import Raised

LIMITS: Final = Limits()
"""What correlations may hold in a test: what they may by default on a host."""


@dataclass(slots=True, kw_only=True)
class Ran:
    """What came of one run of a case; it grows as the case runs.

    Attributes:
        raised: What rules and correlations told.
        silent: What those would have told that are heard only through correlations.
        matches: What the correlations heard, in the order in which it came.
        crossings: All that correlations told, silent ones too.
    """

    raised: list[Raised] = field(default_factory=list)
    silent: list[Raised] = field(default_factory=list)
    matches: list[Match]
    crossings: list[Crossing] = field(default_factory=list)

    @property
    def everything(self) -> list[Raised]:
        """Told or not."""
        return [*self.raised, *self.silent]

    def of(self, key: str) -> Iterator[Raised]:
        """What a rule or correlation said, told or not."""
        return (one for one in self.everything if one.record.rule == key)
