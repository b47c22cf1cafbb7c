"""What a reader of a report must not miss: one line each, the worst first."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec

from fileaudit_engine.detect.engine_record import Action
from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.runtime.report_data import Chain, Coverage, Finding, Report
from fileaudit_engine.sinks.terminal_words import length_words
from fileaudit_engine.text import counted, from_document, printable

_ORDER: Final = ("bad", "note", "good")
_NAMED: Final = 6
"""Requirements that a finding names."""


def with_findings(report: Report) -> Report:
    """The report with what must not be missed in it."""
    found = [*_alerts(report), *_coverage(report), *_chain(report.chain), *_controls(report)]
    return msgspec.structs.replace(report, findings=sorted(found, key=lambda one: _ORDER.index(one.weight)))


def _finding(weight: str, section: str, text: str) -> Finding:
    return Finding(weight=weight, section=section, text=text)


def _alerts(report: Report) -> Iterator[Finding]:
    if not report.totals.records:
        yield _finding("bad", "totals", "nothing at all was recorded in this range")
        return
    altered = sum(
        rule.alerts for rule in report.alerts.rules if rule.rule == Action.AUDIT_TRAIL_ALTERED.value
    )
    if altered:
        times = counted(altered, "time")
        yield _finding("bad", "alerts", f"the engine found the audit trail altered when it started: {times}")
    levels = report.alerts.levels
    grave = [f"{levels[level]:,} {level}" for level in ("critical", "high") if levels.get(level)]
    if grave:
        yield _finding("bad", "alerts", f"alerts: {' and '.join(grave)}, {report.alerts.alerts:,} in all")
    elif report.alerts.alerts:
        alerts = counted(report.alerts.alerts, "alert")
        yield _finding("note", "alerts", f"{alerts}, none of them critical or high")
    else:
        yield _finding("good", "alerts", "no alerts")


def _coverage(report: Report) -> Iterator[Finding]:
    known = report.coverage
    if not known.known:
        yield _finding("bad", "coverage", "the store does not say when an engine was watching")
    elif known.gaps_total:
        yield _finding("bad", "coverage", _gaps(known))
    elif known.seconds:
        yield _finding("good", "coverage", "an engine was watching all the time")
    if known.begins is not None and known.begins > report.range.since:
        since = f"{known.begins[:19].replace('T', ' ')} UTC"
        yield _finding("note", "coverage", f"records of before {since} were removed by retention")
    if known.losses.events:
        lost = counted(known.losses.events, "event")
        yield _finding("bad", "coverage", f"{lost} found no room and {_were(known.losses.events)} lost")
    if known.troubles:
        times = counted(len(known.troubles), "time")
        yield _finding("bad", "coverage", f"the store could not be written {times}")


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _gaps(known: Coverage) -> str:
    missing = length_words(int((known.seconds - known.watched_seconds) * SECOND_NS))
    how = Counter(gap.how for gap in known.gaps)
    told = ", ".join(f"{count:,} {name}" for name, count in how.most_common())
    gaps = counted(known.gaps_total, "gap")
    return f"{gaps} in coverage, {missing} in all ({printable(from_document(told))})"


def _chain(chain: Chain) -> Iterator[Finding]:
    check, anchor = chain.check, chain.anchor
    if check is None:
        yield _finding(
            "note", "chain", "the hash chain was not checked: --verify does that, and takes longer"
        )
    elif check.findings:
        findings = counted(check.findings, "finding")
        yield _finding("bad", "chain", f"the audit trail was altered: {findings} of verify")
    else:
        rows = counted(check.rows, "row")
        yield _finding("good", "chain", f"the hash chain holds over {rows}")
    if anchor is None:
        yield _finding("note", "chain", "no anchor was found: a tail that was cut off could not be noticed")
    elif anchor.agrees is False:
        yield _finding("bad", "chain", "the store is not what its last anchor says: 'verify' says more")
    elif anchor.agrees:
        yield _finding("good", "chain", "the store agrees with its last anchor")


def _controls(report: Report) -> Iterator[Finding]:
    everything = sum(len(framework.requirements) for framework in report.controls)
    for weight, state, words in (
        ("bad", "nothing", "nothing ran that serves"),
        ("bad", "no trail", "rules ran, but no audit trail, for"),
    ):
        missing = [
            f"{framework.name} {one.id}"
            for framework in report.controls
            for one in framework.requirements
            if one.state == state
        ]
        if missing:
            named = printable(", ".join(missing[:_NAMED]))
            more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
            of = f"{len(missing):,} of {counted(everything, 'requirement')}"
            yield _finding(weight, "controls", f"{words} {of}: {named}{more}")
