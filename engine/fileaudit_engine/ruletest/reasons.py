"""Why something expected did not come, and why something came that nobody expected, one line each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.compiler.correlation_wording import listed
from fileaudit_engine.compiler.listening import heard_through
from fileaudit_engine.compiler.plan import CorrelationPlan, UserCorrelation, UserPlan
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.detect.runnable import runnable
from fileaudit_engine.rules.ast import QUIET_LEVEL
from fileaudit_engine.rules.names import RuleNames
from fileaudit_engine.ruletest.cases import Case, Expectation
from fileaudit_engine.ruletest.compare import differences
from fileaudit_engine.ruletest.correlated import in_the_way, made_of, short_of
from fileaudit_engine.ruletest.heard import Heard, heard_by
from fileaudit_engine.ruletest.hints import about_time, why_silent
from fileaudit_engine.ruletest.ran import LIMITS, Ran
from fileaudit_engine.ruletest.report import Raised
from fileaudit_engine.ruletest.wording import When, at
from fileaudit_engine.text import counted

_ALMOST_SHOWN: Final = 3
"""Alerts of the right rule that are shown with what is wrong about them."""

_ONCE: Final = "it tells when its condition turns true, and again only after that was false"

_SOURCES_SHOWN: Final = 3
"""Rules that never matched, of which it is told why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an expectation was held against.

    Attributes:
        case: The case.
        kind: Whether alerts or audit events are looked at.
        ran: All that came of its events.
        came: What was told of the kind.
        left: Those of them that no expectation accounts for.
    """

    case: Case
    kind: Kind
    ran: Ran
    came: Sequence[Raised]
    left: Sequence[Raised]


class Reasons:
    """Knows the rules and correlations."""

    def __init__(self, user: UserPlan, correlations: CorrelationPlan, names: RuleNames) -> None:
        self._rules = {rule.rule.key: runnable(rule) for rule in user.rules}
        self._correlations = {one.rule.key: one for one in correlations.correlations}
        self._heard_through = heard_through(correlations)
        self._silent = {user.rules[number].rule.key for number in correlations.silent}
        self._silent |= {one.rule.key for one in correlations.correlations if one.silent}
        self._names = names

    def of_missing(self, asked: Asked, expectation: Expectation, key: str | None) -> Iterator[str]:
        """Why it is missing; the most telling first. `key` is that of the rule that it names."""
        if key is None:
            yield f"{self._names.problem(expectation.rule)}; {self._names.remedy(expectation.rule)}"
            return
        if (self._level(key) == QUIET_LEVEL) is not (asked.kind is Kind.EVENT):
            yield _other_list(asked.kind)
            return
        if key in self._silent:
            yield from self._why_unheard(asked, key)
            return
        mine = [one for one in asked.came if one.record.rule == key]
        almost = [one for one in asked.left if one.record.rule == key]
        then = [one for one in almost if expectation.at_ns in {None, one.at_ns}]
        if not then and any(not any(differences(expectation, one)) for one in mine):
            yield "it came, but other expectations account for each time"
            if key in self._correlations:
                yield _ONCE
        elif not then and key in self._rules:
            yield from self._why_silent(asked.case, key, expectation.at_ns)
        elif not then:
            yield from self._why_not_together(
                asked, self._correlations[key], expectation.at_ns, told=bool(mine)
            )
        for one in (then or almost)[:_ALMOST_SHOWN]:
            yield from (f"{difference} ({one.words})" for difference in differences(expectation, one))

    def of_raised(self, case: Case, one: Raised) -> tuple[str, ...]:
        """Why it came."""
        if one.crossing is not None:
            return (made_of(one.crossing, _when(case)),)
        held = ", ".join(f"'{name}'" for name in one.selections)
        why = f"{held} held for {one.words}" if held else f"its condition held for {one.words}"
        return (why, *about_time(self._rules[one.record.rule], case))

    def _level(self, key: str) -> str:
        rule = self._rules.get(key)
        return rule.plan.rule.level if rule else self._correlations[key].rule.level

    def _why_silent(self, case: Case, key: str, at_ns: int | None) -> Iterator[str]:
        rule = self._rules[key]
        yield from why_silent(rule, case.events, at_ns)
        yield from about_time(rule, case)

    def _why_unheard(self, asked: Asked, key: str) -> Iterator[str]:
        """Why a rule raises nothing by itself, and whether it would have."""
        through = listed([f"'{name}'" for name in self._heard_through[key]])
        yield f"it is silent because {through} refers to it: 'generate: true' there makes it heard, too"
        times = sum(1 for _ in asked.ran.of(key))
        if times:
            yield f"it would have been raised {counted(times, 'time')}"
        elif key in self._rules:
            yield from self._why_silent(asked.case, key, None)
        else:
            yield from self._why_not_together(asked, self._correlations[key], None, told=False)

    def _why_not_together(
        self, asked: Asked, one: UserCorrelation, at_ns: int | None, *, told: bool
    ) -> Iterator[str]:
        """Why a correlation did not tell; or not again, where it has."""
        if told:
            yield _ONCE
            return
        heard = self._heard(asked, one)
        yield from self._short_of(asked, heard, at_ns)
        for source in in_the_way(heard)[:_SOURCES_SHOWN]:
            yield from (f"{source}: {reason}" for reason in self._why_never(asked, source, at_ns))

    def _why_never(self, asked: Asked, source: str, at_ns: int | None) -> Iterator[str]:
        """Why a source of a correlation said nothing; through chains, the first one at each step."""
        while source in self._correlations:
            heard = self._heard(asked, self._correlations[source])
            yield from self._short_of(asked, heard, at_ns)
            missing = in_the_way(heard)
            if not missing:
                return
            source = missing[0]
        yield from self._why_silent(asked.case, source, None)

    def _heard(self, asked: Asked, one: UserCorrelation) -> Heard:
        return heard_by(one, asked.ran.matches, asked.ran.crossings, LIMITS)

    def _short_of(self, asked: Asked, heard: Heard, at_ns: int | None) -> Iterator[str]:
        around_ns = None if at_ns is None else asked.case.starts_ns + at_ns
        return short_of(heard, LIMITS, _when(asked.case), around_ns)


def _when(case: Case) -> When:
    starts_ns = case.starts_ns
    return lambda ts_ns: at(ts_ns - starts_ns)


def _other_list(kind: Kind) -> str:
    if kind is Kind.ALERT:
        return "the rule is informational and alerts nobody: list what it records under 'audit'"
    return "only informational rules write audit events: list it under 'alerts'"
