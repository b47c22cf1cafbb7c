"""The verdict on one case: what is missing, what is unexpected, and why."""

from collections.abc import Iterator, Sequence
from typing import Final

from fileaudit_engine.compiler.plan import UserPlan
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.detect.runnable import runnable
from fileaudit_engine.rules.names import RuleNames
from fileaudit_engine.ruletest.cases import Case, Expectation
from fileaudit_engine.ruletest.compare import Pairing, differences
from fileaudit_engine.ruletest.hints import about_time, why_silent
from fileaudit_engine.ruletest.report import Missing, Raised, Unexpected
from fileaudit_engine.ruletest.wording import happened

_ALMOST_SHOWN: Final = 3
"""Alerts of the right rule that are shown with what is wrong about them."""

Verdict = tuple[tuple[Missing, ...], tuple[Unexpected, ...]]


class Judge:
    """Knows the rules, so that it can say why one of them did not fire."""

    def __init__(self, user: UserPlan, names: RuleNames) -> None:
        self._rules = {rule.rule.key: runnable(rule) for rule in user.rules}
        self._names = names

    def compare(self, case: Case, raised: Sequence[Raised]) -> Verdict:
        """Hold what the rules raised against what the case expects, exactly."""
        alerts = self._of_kind(case, Kind.ALERT, case.alerts, raised)
        audit = self._of_kind(case, Kind.EVENT, case.audit, raised) if case.audit is not None else ((), ())
        return alerts[0] + audit[0], alerts[1] + audit[1]

    def _of_kind(
        self, case: Case, kind: Kind, expected: Sequence[Expectation], raised: Sequence[Raised]
    ) -> Verdict:
        came = [one for one in raised if one.record.kind is kind]
        keys = [self._names.key(expectation.rule) for expectation in expected]
        pairing = Pairing([_accepted(e, key, came) for e, key in zip(expected, keys, strict=True)])
        left = [one for number, one in enumerate(came) if number not in pairing.expectation_of]
        missing = tuple(
            self._missing(case, kind, expectation, key, came, left)
            for number, (expectation, key) in enumerate(zip(expected, keys, strict=True))
            if number not in pairing.alert_of
        )
        return missing, tuple(Unexpected(raised=one, reasons=self._why_raised(case, one)) for one in left)

    def _missing(  # noqa: PLR0913 - everything that may explain it
        self,
        case: Case,
        kind: Kind,
        expectation: Expectation,
        key: str | None,
        came: Sequence[Raised],
        left: Sequence[Raised],
    ) -> Missing:
        return Missing(
            kind=kind,
            rule=key or expectation.rule,
            level=expectation.level,
            at_ns=expectation.at_ns,
            fields=expectation.fields,
            location=expectation.location,
            reasons=tuple(self._why_missing(case, kind, expectation, came, left)),
        )

    def _why_missing(
        self,
        case: Case,
        kind: Kind,
        expectation: Expectation,
        came: Sequence[Raised],
        left: Sequence[Raised],
    ) -> Iterator[str]:
        key = self._names.key(expectation.rule)
        if key is None:
            yield f"{self._names.problem(expectation.rule)}; {self._names.remedy(expectation.rule)}"
            return
        rule = self._rules[key]
        if (rule.plan.rule.level == "informational") is not (kind is Kind.EVENT):
            yield _other_list(kind)
            return
        mine = [one for one in came if one.record.rule == key]
        almost = [one for one in left if one.record.rule == key]
        then = [one for one in almost if expectation.at_ns in {None, one.at_ns}]
        if not then and any(not any(differences(expectation, one)) for one in mine):
            yield "it came, but other expectations account for each time"
        elif not then:
            yield from why_silent(rule, case.events, expectation.at_ns)
            yield from about_time(rule, case)
        for one in (then or almost)[:_ALMOST_SHOWN]:
            event = happened(one.record.event, one.at_ns)
            yield from (f"{difference} ({event})" for difference in differences(expectation, one))

    def _why_raised(self, case: Case, one: Raised) -> tuple[str, ...]:
        held = ", ".join(f"'{name}'" for name in one.selections)
        event = happened(one.record.event, one.at_ns)
        why = f"{held} held for {event}" if held else f"its condition held for {event}"
        return (why, *about_time(self._rules[one.record.rule], case))


def _accepted(expectation: Expectation, key: str | None, came: Sequence[Raised]) -> list[int]:
    """Which of the alerts satisfy the expectation."""
    return [
        number
        for number, one in enumerate(came)
        if one.record.rule == key and not any(differences(expectation, one))
    ]


def _other_list(kind: Kind) -> str:
    if kind is Kind.ALERT:
        return "the rule is informational and alerts nobody: list what it records under 'audit'"
    return "only informational rules write audit events: list it under 'alerts'"
