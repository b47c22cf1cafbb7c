"""The sections of a report that say how far it can be relied on: coverage, chain and controls."""

from collections.abc import Iterator, Sequence
from typing import Final

from fileaudit_engine.cli.report_page import (
    NO_VALUE,
    Column,
    Section,
    Strip,
    Table,
    clock,
    length,
    number,
    percent,
    rest,
    shown,
)
from fileaudit_engine.events.times import SECOND_NS, parse_rfc3339
from fileaudit_engine.runtime.report_data import Coverage, Framework, Report, Requirement, Serving
from fileaudit_engine.text import counted

STATES: Final = {
    "seen": "seen",
    "ran": "ran, saw nothing",
    "engine": "by the engine",
    "no trail": "no trail ran",
    "nothing": "nothing ran",
}
"""How the states of requirements are written."""

_UNKNOWN: Final = (
    "The store does not say when an engine was running: its records were not written by 'run', or are older"
    " than such notes."
)


_HOW_TO_READ: Final = (
    (
        "What of this host's records can serve as evidence for which requirement. No attestation: whether a"
        " requirement is met is for an assessor to say. Titles are in our own words, the frameworks' own"
        " texts prevail."
    ),
    (
        f"'{STATES['seen']}': records are there. '{STATES['ran']}': its rules were loaded and found nothing."
        f" '{STATES['no trail']}': rules that alert ran, but none of the trails that would write everything"
        f" down. '{STATES['nothing']}': none of its rules and trails is known to have run in this range."
        f" '{STATES['engine']}': what serves it needs no rule."
    ),
)


# --- coverage ----------------------------------------------------------------------------------------------


def coverage(report: Report) -> Section:
    """When nobody was watching, and what was lost while somebody was."""
    known = report.coverage
    return Section(
        key="coverage",
        title="Coverage: gaps and losses",
        facts=list(_coverage_facts(known)),
        sentences=() if known.known else (_UNKNOWN,),
        figures=[_strip(report)] if known.known and known.seconds else (),
        tables=list(_coverage_tables(known)),
    )


def _coverage_facts(known: Coverage) -> Iterator[tuple[str, str]]:
    if known.known:
        of = f"{length(known.watched_seconds)} of {length(known.seconds)}"
        yield "watched", f"{percent(known.percent)} ({of} since {clock(known.begins)} UTC)"
        yield "gaps", number(known.gaps_total)
    lost = known.losses
    when = f", around {length(lost.seconds)} in all" if lost.times else ""
    yield "events lost", f"{number(lost.events)}{when}"


def _strip(report: Report) -> Strip:
    """The range with its gaps; what lies before anything is known is a hole, too."""
    known = report.coverage
    first, last = _seconds(report.range.since), _seconds(report.range.until)
    whole = max(last - first, 1e-9)
    ends = known.begins or report.range.since
    spans = [(report.range.since, ends, "not known"), *((g.since, g.until, g.how) for g in known.gaps)]
    holes = [
        (start, end, f"{clock(since)} to {clock(until)}: {how}")
        for since, until, how in spans
        if (end := (_seconds(until) - first) / whole) > (start := (_seconds(since) - first) / whole)
    ]
    return Strip(
        caption="When an engine was watching",
        holes=holes,
        ends=(clock(report.range.since), clock(report.range.until)),
        summary=f"{percent(known.percent)} watched, {counted(known.gaps_total, 'gap')}.",
    )


def _seconds(time: str) -> float:
    return parse_rfc3339(time) / SECOND_NS


def _coverage_tables(known: Coverage) -> Iterator[Table]:
    if known.known:
        yield Table(
            caption="Gaps: no engine was watching",
            columns=(
                Column(title="from (UTC)"),
                Column(title="to (UTC)"),
                Column(title="length", number=True),
                Column(title="how the engine ended"),
            ),
            rows=[(clock(g.since), clock(g.until), length(g.seconds), shown(g.how)) for g in known.gaps],
            rest=rest(len(known.gaps), known.gaps_total, "gap"),
        )
    if known.losses.what:
        yield Table(
            caption="When events found no room",
            columns=(
                Column(title="events", number=True),
                Column(title="from (UTC)"),
                Column(title="to (UTC)"),
            ),
            rows=[(number(span.events), clock(span.since), clock(span.until)) for span in known.losses.spans],
            rest=rest(len(known.losses.spans), known.losses.spans_total, "time"),
        )
        yield Table(
            caption="Events that found no room, by operation",
            columns=(Column(title="events", number=True), Column(title="operation", name=True)),
            rows=[(number(count), shown(name)) for name, count in known.losses.what.items()],
        )
    if known.troubles:
        yield Table(
            caption="The store could not be written",
            columns=(Column(title="from (UTC)"), Column(title="to (UTC)"), Column(title="why", name=True)),
            rows=[(clock(t.since), clock(t.until), shown(t.reason)) for t in known.troubles],
        )


# --- the chain ---------------------------------------------------------------------------------------------


def chain(report: Report) -> Section:
    """What is known of the hash chain, and what was not looked at."""
    known = report.chain
    removed = f"rows up to {number(known.removed_seq)}" if known.removed_seq else "nothing"
    return Section(
        key="chain",
        title="Hash chain",
        facts=(
            ("head", f"row {number(known.head_seq)}, link {known.head_link}"),
            ("first row kept", number(known.first_seq) if known.first_seq else NO_VALUE),
            ("removed by retention", removed),
            ("last anchor", _anchor(report)),
            ("anchors read from", shown(known.anchors) or NO_VALUE),
            ("checked", _checked(report)),
        ),
        tables=_check_tables(report),
    )


def _anchor(report: Report) -> str:
    anchor = report.chain.anchor
    if anchor is None:
        return "none found for this store: a tail that was cut off could not be noticed"
    agrees = {
        True: "the store agrees",
        False: "the store does NOT agree",
        None: "its row was removed by retention",
    }[anchor.agrees]
    return f"row {number(anchor.seq)} at {clock(anchor.time)} UTC: {agrees}"


def _checked(report: Report) -> str:
    check = report.chain.check
    if check is None:
        return "not checked: 'report --verify' or 'verify' recomputes every link"
    found = counted(check.findings, "finding") if check.findings else "nothing is wrong"
    return f"{counted(check.rows, 'row')} recomputed: {found}"


def _check_tables(report: Report) -> Sequence[Table]:
    check = report.chain.check
    if check is None or not check.findings:
        return ()
    return (
        Table(
            caption="What is wrong with the chain",
            columns=(Column(title="finding", name=True),),
            rows=[(line,) for line in check.lines],
            rest=rest(len(check.lines), check.findings, "finding"),
        ),
    )


# --- the controls ------------------------------------------------------------------------------------------


def controls(report: Report) -> Section:
    """Which requirement is served by what, and whether it was."""
    return Section(
        key="controls",
        title="Control mapping",
        sentences=_HOW_TO_READ,
        tables=[_framework(framework) for framework in report.controls],
    )


def _framework(framework: Framework) -> Table:
    return Table(
        caption=f"{shown(framework.name)} {shown(framework.version)}".strip(),
        columns=(
            Column(title="requirement"),
            Column(title="state", toned=True),
            Column(title="records", number=True),
            Column(title="what it asks for, and what serves it", prose=True),
        ),
        rows=[
            (shown(one.id), STATES.get(one.state, one.state), number(one.records), _served(one))
            for one in framework.requirements
        ],
    )


def _served(one: Requirement) -> str:
    parts = (
        shown(one.title),
        *_serving(one.serving),
        f"See {', '.join(map(shown, one.sections))}" if one.sections else "",
        f"Note: {shown(one.note)}" if one.note else "",
    )
    return " ".join(part if part.endswith(".") else f"{part}." for part in parts if part)


def _serving(serving: Sequence[Serving]) -> Iterator[str]:
    """What serves it: first what was seen, then the others by what became of them."""
    seen = [f"{_named(one)} ({number(one.records)})" for one in serving if one.records]
    if seen:
        yield f"Seen: {', '.join(seen)}"
    for ran, words in (
        (True, "Ran and saw nothing"),
        (False, "Did not run"),
        (None, "Not known to have run"),
    ):
        silent = [_named(one) for one in serving if not one.records and one.ran is ran]
        if silent:
            yield f"{words}: {', '.join(silent)}"


def _named(serving: Serving) -> str:
    return f"trail {shown(serving.name)}" if serving.kind == "trail" else shown(serving.name)
