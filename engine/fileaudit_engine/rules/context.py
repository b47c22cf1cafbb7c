"""What reading a part of a rule file needs to know of the file: one object, handed down as it is."""

from dataclasses import dataclass

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.budget import Budget
from fileaudit_engine.rules.options import RuleOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """How a file is read, and what came of it so far.

    Attributes:
        found: Where findings go.
        budget: What the file may cost.
        options: What the user decided about the reading.
    """

    found: Collector
    budget: Budget
    options: RuleOptions
