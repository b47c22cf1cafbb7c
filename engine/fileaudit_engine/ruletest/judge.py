"""The verdict on one case: what is missing, and what is unexpected."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from fileaudit_engine.compiler.plan import CorrelationPlan, UserPlan
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.rules.names import RuleNames
from fileaudit_engine.ruletest.cases import Case, Expectation
from fileaudit_engine.ruletest.compare import Pairing, differences
from fileaudit_engine.ruletest.ran import Ran
from fileaudit_engine.ruletest.reasons import Asked, Reasons
from fileaudit_engine.ruletest.report import Missing, Raised, Unexpected

Verdict = tuple[tuple[Missing, ...], tuple[Unexpected, ...]]


class Judge:
    """Knows the rules and correlations, so that it can say why one of them did not fire."""

    def __init__(self, user: UserPlan, correlations: CorrelationPlan, names: RuleNames) -> None:
        self._reasons = Reasons(user, correlations, names)
        self._names = names

    def compare(self, case: Case, ran: Ran) -> Verdict:
        """Hold what was raised against what the case expects, exactly."""
        alerts = self._of_kind(case, Kind.ALERT, case.alerts, ran)
        audit = self._of_kind(case, Kind.EVENT, case.audit, ran) if case.audit is not None else ((), ())
        return alerts[0] + audit[0], alerts[1] + audit[1]

    def _of_kind(self, case: Case, kind: Kind, expected: Sequence[Expectation], ran: Ran) -> Verdict:
        came = [one for one in self._asked_about(case, ran) if one.record.kind is kind]
        keys = [self._names.key(expectation.rule) for expectation in expected]
        pairing = Pairing([_accepted(e, key, came) for e, key in zip(expected, keys, strict=True)])
        left = [one for number, one in enumerate(came) if number not in pairing.expectation_of]
        asked = Asked(case=case, kind=kind, ran=ran, came=came, left=left)
        missing = _without_repetition(
            self._missing(asked, expectation, key)
            for number, (expectation, key) in enumerate(zip(expected, keys, strict=True))
            if number not in pairing.alert_of
        )
        unexpected = (Unexpected(raised=one, reasons=self._reasons.of_raised(case, one)) for one in left)
        return tuple(missing), tuple(unexpected)

    def _asked_about(self, case: Case, ran: Ran) -> Iterable[Raised]:
        """All but what informational rules record that the case's file is not about."""
        if not case.audited:
            return ran.raised
        about = {self._names.key(name) for name in case.audited}
        return (one for one in ran.raised if one.record.kind is not Kind.EVENT or one.record.rule in about)

    def _missing(self, asked: Asked, expectation: Expectation, key: str | None) -> Missing:
        return Missing(
            kind=asked.kind,
            rule=key or expectation.rule,
            level=expectation.level,
            at_ns=expectation.at_ns,
            fields=expectation.fields,
            location=expectation.location,
            reasons=tuple(self._reasons.of_missing(asked, expectation, key)),
        )


def _accepted(expectation: Expectation, key: str | None, came: Sequence[Raised]) -> list[int]:
    """Which of the alerts satisfy the expectation."""
    return [
        number
        for number, one in enumerate(came)
        if one.record.rule == key and not any(differences(expectation, one))
    ]


def _without_repetition(missing: Iterable[Missing]) -> Iterator[Missing]:
    """The same, where several are missing for many reasons that were told already."""
    told: set[tuple[str, tuple[str, ...]]] = set()
    for one in missing:
        known = (one.rule, one.reasons)
        again = known in told and len(one.reasons) > 1
        told.add(known)
        yield replace(one, reasons=("for the same reasons as the one above",)) if again else one
