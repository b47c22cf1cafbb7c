"""What came of the cases: data that the formats print."""

from collections.abc import Mapping
from dataclasses import dataclass

from fileaudit_engine.detect.crossing import Crossing
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.diagnostics import Location
from fileaudit_engine.rules.ast import Scalar
from fileaudit_engine.ruletest.cases import Case
from fileaudit_engine.ruletest.coverage import Coverage
from fileaudit_engine.ruletest.wording import at, happened


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alert or audit event that the rules raised in a case.

    Attributes:
        record: It, as it would be stored.
        at_ns: Time of the event that raised it, or at which a correlation's condition turned true; in
            nanoseconds since the case's start.
        location: Where that event is written; of a correlation, the newest that it tells of.
        selections: The detections of the rule that held.
        crossing: Of a correlation, what it has seen.
    """

    record: Record
    at_ns: int
    location: Location
    selections: tuple[str, ...]
    crossing: Crossing | None = None

    @property
    def words(self) -> str:
        """What raised it, in a few words."""
        event = self.record.event
        if event is not None and self.crossing is None:
            return happened(event, self.at_ns)
        return f"what came together {at(self.at_ns)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something expected that did not come, or that would not have come through the kernel's filter.

    Attributes:
        kind: Alert or audit event.
        rule: The rule's key; as written in the case, where there is no such rule.
        level: Its level, if expected.
        at_ns: Its time, if expected, nanoseconds since the case's start.
        fields: What its document was expected to hold.
        location: Where it is expected; for what only the filter dropped, where its event is written.
        reasons: Why, one line each; the most telling first.
    """

    kind: Kind
    rule: str
    level: str | None
    at_ns: int | None
    fields: Mapping[str, Scalar | tuple[Scalar, ...]]
    location: Location
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unexpected:
    """Something raised that no expectation of the case accounts for.

    Attributes:
        raised: It.
        reasons: Why, one line each.
    """

    raised: Raised
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What came of one case."""

    case: Case
    missing: tuple[Missing, ...]
    unexpected: tuple[Unexpected, ...]

    @property
    def passed(self) -> bool:
        """Whether everything expected came, and nothing else."""
        return not self.missing and not self.unexpected


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of all cases that ran, and which rules they prove."""

    results: tuple[CaseResult, ...]
    coverage: Coverage

    @property
    def passed(self) -> int:
        """How many cases passed."""
        return sum(result.passed for result in self.results)

    @property
    def failed(self) -> int:
        """How many cases failed."""
        return len(self.results) - self.passed
