"""The report for people: cases by file, failures with what was expected, what came and why."""

import itertools
from collections.abc import Iterator
from typing import Final

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.diagnostics import Location
from fileaudit_engine.ruletest.coverage import Coverage
from fileaudit_engine.ruletest.report import CaseResult, Missing, Report, Unexpected
from fileaudit_engine.ruletest.wording import at, value
from fileaudit_engine.text import printable

_RED, _GREEN, _YELLOW, _BOLD, _DIM = "31", "32", "33", "1", "2"
_LABELS: Final = ("missing", "unexpected")
_INDENT: Final = " " * 6
_DETAIL: Final = _INDENT + " " * (max(map(len, _LABELS)) + 2)


def render(report: Report, *, color: bool, coverage: bool) -> str:
    """The report; ends with a line feed. Nothing in it can act on a terminal except its own colours.

    Args:
        report: What came of the cases.
        color: Whether to colour it (ANSI).
        coverage: Whether to list what is proven of each rule.
    """
    return "\n".join(_Page(color=color).lines(report, coverage=coverage)) + "\n"


class _Page:
    def __init__(self, *, color: bool) -> None:
        self._color = color

    def lines(self, report: Report, *, coverage: bool) -> Iterator[str]:
        for file, results in itertools.groupby(report.results, key=lambda result: result.case.file):
            yield self._paint(printable(file), _BOLD)
            for result in results:
                yield from self._result(result)
            yield ""
        if coverage:
            yield from self._coverage(report.coverage)
            yield ""
        yield self._summary(report)

    def _result(self, result: CaseResult) -> Iterator[str]:
        name = printable(result.case.name)
        if result.passed:
            yield f"  {self._paint('✓', _GREEN)} {name}"
            return
        yield f"  {self._paint('✗', _RED)} {name}  {self._place(result.case.location)}"
        for missing in result.missing:
            yield from self._entry(_LABELS[0], _wanted(missing), missing.location, missing.reasons)
        for unexpected in result.unexpected:
            yield from self._entry(
                _LABELS[1], _came(unexpected), unexpected.raised.location, unexpected.reasons
            )

    def _entry(self, label: str, what: str, place: Location, reasons: tuple[str, ...]) -> Iterator[str]:
        gap = " " * (len(_DETAIL) - len(_INDENT) - len(label))
        yield f"{_INDENT}{self._paint(label, _RED)}{gap}{printable(what)}  {self._place(place)}"
        for reason in reasons:
            yield f"{_DETAIL}{printable(reason)}"

    def _coverage(self, coverage: Coverage) -> Iterator[str]:
        yield self._paint("coverage", _BOLD)
        width = max((len(printable(key)) for key in coverage.rules), default=0)
        for key, rule in coverage.rules.items():
            yield (
                f"  {printable(key):<{width}}  {self._mark(proven=rule.firing)} firing"
                f"  {self._mark(proven=rule.silent)} silent"
            )
        if coverage.never_tested:
            names = ", ".join(map(printable, coverage.never_tested))
            yield f"  {self._paint('never tested', _YELLOW)}: {names}"
        yield f"  {coverage.percent:.1f} % of the rules are proven to fire and to stay silent"

    def _summary(self, report: Report) -> str:
        coverage = report.coverage
        failed = f"{report.failed} failed"
        rules = len(coverage.rules)
        return (
            f"{self._paint(f'{report.passed} passed', _GREEN)}, "
            f"{self._paint(failed, _RED) if report.failed else failed}"
            f" · rules firing {coverage.firing}/{rules} silent {coverage.silent}/{rules}"
        )

    def _mark(self, *, proven: bool) -> str:
        return self._paint("✓", _GREEN) if proven else self._paint("✗", _YELLOW)

    def _place(self, location: Location) -> str:
        return self._paint(printable(str(location)), _DIM)

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text


def _wanted(missing: Missing) -> str:
    """Rule, kind and whatever else was expected."""
    kind = "audit event" if missing.kind is Kind.EVENT else ""
    parts = [missing.rule, kind, missing.level or "", "" if missing.at_ns is None else at(missing.at_ns)]
    fields = [f"{name} = {value(expected)}" for name, expected in missing.fields.items()]
    return ", ".join(part for part in [*parts, *fields] if part)


def _came(unexpected: Unexpected) -> str:
    raised = unexpected.raised
    return f"{raised.record.rule}, {raised.record.level}, {at(raised.at_ns)}"
