"""What events came to together, for `explain --event`: what made correlations tell, or what was missing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fileaudit_engine.cli.explain_text import Layout, inner, section, title_lines
from fileaudit_engine.cli.explained_correlation import CorrelationExplanation
from fileaudit_engine.compiler.stages import Compiled
from fileaudit_engine.detect.correlating import Correlating
from fileaudit_engine.detect.crossing import Crossing, Limits
from fileaudit_engine.detect.crossing_words import as_json
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.events.batch import EventBatch
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.ruletest.correlated import made_of, short_of
from fileaudit_engine.ruletest.heard import Remembering, heard_by
from fileaudit_engine.text import printable, to_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What events came to in one correlation.

    Attributes:
        correlation: Which.
        crossings: What it told, in order.
        short_of: Where it told nothing, why.
    """

    correlation: CorrelationExplanation
    crossings: tuple[Crossing, ...]
    short_of: tuple[str, ...]


class Together:
    """Correlates events for an explanation."""

    def __init__(self, compiled: Compiled, asked: Sequence[CorrelationExplanation], limits: Limits) -> None:
        plan = compiled.correlations
        self._asked = asked
        self._limits = limits
        self._crossings: list[Crossing] = []
        self._correlator = Remembering(plan, compiled.user, limits)
        self._correlating = Correlating(Detector(compiled.user, compiled.kernel), self._correlator, plan)

    def take(self, event: FileEvent) -> None:
        """One more event."""
        if self._asked:
            _, crossings = self._correlating.take(EventBatch(events=(event,)))
            self._crossings += crossings

    def outcomes(self) -> Iterator[Outcome]:
        """What all of them came to, now that no more will come."""
        self._crossings += self._correlator.finish()
        for one in self._asked:
            key = one.correlation.rule.key
            crossings = tuple(c for c in self._crossings if c.correlation.rule.key == key)
            short = () if crossings else self._short_of(one)
            yield Outcome(correlation=one, crossings=crossings, short_of=tuple(short))

    def _short_of(self, one: CorrelationExplanation) -> Iterator[str]:
        heard = heard_by(one.correlation, self._correlator.fed, self._crossings, self._limits)
        return short_of(heard, self._limits, _at)


def outcome_lines(outcome: Outcome, layout: Layout) -> Iterator[str]:
    """What events came to, for people."""
    rule = outcome.correlation.correlation.rule
    yield from title_lines(rule, rule.type.value, layout)
    told = (f"{_at(crossing.ts_ns)}: {made_of(crossing, _at)}" for crossing in outcome.crossings)
    for name, texts in (("tells", told), ("silent", outcome.short_of)):
        lines = (line for text in texts for line in inner(layout).wrapped("- ", printable(text)))
        yield from section(name, lines)
    yield ""


def outcome_document(outcome: Outcome) -> dict[str, object]:
    """What events came to, as JSON types."""
    return {
        "rule": to_document(outcome.correlation.correlation.rule.key),
        "crossings": [_crossing_document(crossing) for crossing in outcome.crossings],
        "short_of": list(map(to_document, outcome.short_of)),
    }


def _crossing_document(crossing: Crossing) -> dict[str, object]:
    return {
        "@timestamp": rfc3339(crossing.ts_ns),
        "summary": to_document(made_of(crossing, _at)),
        "value": None if crossing.value is None else as_json(crossing.value),
        "total": crossing.total,
        "first": rfc3339(crossing.first_ns),
        "last": rfc3339(crossing.last_ns),
        "event_ids": [one.id for one in crossing.events],
    }


def _at(ts_ns: int) -> str:
    """`at 2026-01-02T03:04:05.25Z`."""
    moment = rfc3339(ts_ns).removesuffix("Z")
    return f"at {moment.rstrip('0').removesuffix('.') if '.' in moment else moment}Z"
