"""`elastic status`: how things stand in Elasticsearch and on the way there, for people and for programs.

Two halves: what the node has, and what the store of this host still has for it. What is wrong in either is a
finding, a line at the end and exit status 1.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fileaudit_engine.cli.delivering import ELASTICSEARCH
from fileaudit_engine.cli.top_table import short_size
from fileaudit_engine.config import DEFAULT_STORE
from fileaudit_engine.events.times import SECOND_NS, UNITS_NS, rfc3339
from fileaudit_engine.sinks.elastic.installed import Standing, State
from fileaudit_engine.sinks.elastic.node import Node
from fileaudit_engine.sinks.elastic.status import Status, status_of
from fileaudit_engine.sinks.output import BOLD, GREEN, RED, YELLOW, painted
from fileaudit_engine.sinks.terminal_words import length_words
from fileaudit_engine.store.lag import lag_of
from fileaudit_engine.store.letters import letter_count, letters_of
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import counted, printable

MOST_BEHIND: Final = 10_000
"""Rows that may wait: what a busy host writes while the node is started anew."""
LONGEST_WAIT_NS: Final = 5 * UNITS_NS["m"]
"""How long a row may wait: no pause between two attempts is longer than a minute."""
LETTERS_SHOWN: Final = 5
"""Rejected records that people are told the reasons of; the rest is counted."""
LETTERS_TOLD: Final = 1_000
"""And programs."""

_STATES: Final = {
    State.MISSING: "missing",
    State.SAME: "as it should be",
    State.OLDER: "older than this engine",
    State.NEWER: "of a newer version of the engine",
    State.EDITED: "changed by hand",
    State.YOURS: "your own",
}
_INSTALL: Final = "'elastic install' puts it right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """What the store of this host has for Elasticsearch.

    Attributes:
        path: The store.
        head: Its last row.
        cursor: Up to where Elasticsearch has had everything; None: it has never had anything.
        behind: Rows after that.
        oldest_ns: When the oldest of them happened, nanoseconds since the Unix epoch; None: there is none.
        rejected: How many rows were rejected.
        letters: The first of them, and why.
    """

    path: Path
    head: int
    cursor: int | None
    behind: int
    oldest_ns: int | None
    rejected: int
    letters: Mapping[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How things stand.

    Attributes:
        place: Where the node is.
        node: What it has.
        spool: What waits on this host; None: there is no store.
        now_ns: When that was, nanoseconds since the Unix epoch.
        findings: What is wrong, a sentence each.
    """

    place: str
    node: Status
    spool: Spool | None
    now_ns: int
    findings: list[str] = field(default_factory=list)


def spool_of(path: Path | None, *, asked: bool) -> Spool | None:
    """What a store has for Elasticsearch; None where there is none, and none was asked for by name.

    Raises:
        UnusableInput: It is no store, or damaged.
        MachineCannot: It cannot be read.
    """
    place = path or DEFAULT_STORE
    if not asked and not place.exists():
        return None
    with Store.open(place, read_only=True) as store:
        cursor = store.cursor(ELASTICSEARCH)
        lag = lag_of(store, store.head.seq if cursor is None else cursor)
        return Spool(
            path=place,
            head=store.head.seq,
            cursor=cursor,
            behind=lag.behind,
            oldest_ns=lag.oldest_ns,
            rejected=letter_count(store, ELASTICSEARCH),
            letters=letters_of(store, ELASTICSEARCH, LETTERS_TOLD),
        )


def report_on(node: Node, namespace: str, spool: Spool | None) -> Report:
    """Look at a node.

    Raises:
        MachineCannot: It cannot be reached, or does not know who asks.
    """
    now_ns = time.time_ns()
    found = status_of(node, namespace)
    findings = [*_of_node(found), *(() if spool is None else _of_spool(spool, now_ns))]
    return Report(place=node.place, node=found, spool=spool, now_ns=now_ns, findings=findings)


def _of_node(found: Status) -> Iterator[str]:
    plan = found.plan
    if plan is None:
        return
    wrong = [one for one in plan.standings if one.behind]
    if wrong:
        names = ", ".join(one.template.name for one in wrong)
        yield f"{counted(len(wrong), 'template')} not as shipped ({names}): {_INSTALL}"
    yield from plan.hindrances
    yield from plan.warnings
    for stream in plan.behind:
        name = printable(stream.name)
        yield f"{name} is written by other mappings than the installed ones: 'elastic install --rollover'"


def _of_spool(spool: Spool, now_ns: int) -> Iterator[str]:
    waited_ns = 0 if spool.oldest_ns is None else now_ns - spool.oldest_ns
    if spool.behind > MOST_BEHIND or waited_ns > LONGEST_WAIT_NS:
        rows = counted(spool.behind, "row")
        yield f"{rows} waiting: does the engine run, and what does it say of elasticsearch?"
    if spool.letters:
        yield (
            f"{counted(spool.rejected, 'record')} rejected: mend what the reasons say; SIGHUP and every start"
            " of the engine try them once more"
        )


# ------------------------------------------------------------------------------------------- for people


def lines_of(report: Report, *, color: bool) -> Iterator[str]:
    """The report for people."""
    found = report.node
    yield f"node      {report.place} · Elasticsearch {found.version or 'of an unknown version'}"
    yield from _headed("templates", _template_lines(report, color=color))
    yield from _headed("streams", _stream_lines(report))
    yield from _headed("alerts", _alert_lines(report, color=color))
    for what, why in found.untold.items():
        yield f"{painted('?', YELLOW, color=color)} {what}: {why}"
    yield from _headed("store", _spool_lines(report))
    for finding in report.findings:
        yield f"{painted('✗', RED, color=color)} {finding}"
    if not report.findings:
        yield f"{painted('✓', GREEN, color=color)} nothing is wrong"


def _headed(heading: str, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"{heading if number == 0 else '':10}{line}"


def _template_lines(report: Report, *, color: bool) -> Iterator[str]:
    plan = report.node.plan
    for standing in () if plan is None else plan.standings:
        words = _STATES[standing.state]
        shown = painted(words, YELLOW, color=color) if standing.behind else words
        yield f"{standing.template.name:20}  {_version(standing):8}  {shown}"
    lacking = [] if plan is None else [name for name, why_not in plan.parts.items() if why_not]
    if lacking:
        yield f"the node lacks {', '.join(lacking)}: the portable core does without"


def _version(standing: Standing) -> str:
    return standing.version or "-"


def _stream_lines(report: Report) -> Iterator[str]:
    holdings = report.node.holdings
    if holdings is not None and not holdings:
        yield "none yet: the first record makes one"
    for one in holdings or ():
        name, documents = printable(one.stream.name), counted(one.documents, "document")
        number = len(one.stream.backing)
        indices = "1 index" if number == 1 else f"{number:,} indices"
        yield f"{name}  {documents} · {short_size(one.size_bytes)} · {indices}"


def _alert_lines(report: Report, *, color: bool) -> Iterator[str]:
    alerts = report.node.alerts
    if alerts is None:
        return
    levels = " · ".join(f"{level} {number:,}" for level, number in alerts.levels.items())
    yield f"{alerts.total:,}{'  ' if levels else ''}{levels}"
    if alerts.newest is not None:
        newest = alerts.newest
        yield f"newest {newest.time}  {painted(newest.level, BOLD, color=color)}  {newest.message}"


def _spool_lines(report: Report) -> Iterator[str]:
    spool = report.spool
    if spool is None:
        yield "there is none on this host"
        return
    path = printable(str(spool.path))
    if spool.cursor is None:
        yield f"{path}  {counted(spool.head, 'row')}; nothing of it was ever sent to Elasticsearch"
    else:
        behind = counted(spool.behind, "row")
        yield f"{path}  sent up to row {spool.cursor:,} of {spool.head:,}: {behind} behind"
    if spool.oldest_ns is not None:
        waited = length_words(max(report.now_ns - spool.oldest_ns, 0))
        yield f"the oldest that waits happened {rfc3339(spool.oldest_ns)}, {waited} ago"
    for seq, reason in list(spool.letters.items())[:LETTERS_SHOWN]:
        yield f"row {seq:,} was rejected: {printable(reason)}"
    if spool.rejected > LETTERS_SHOWN:
        yield f"… and {spool.rejected - LETTERS_SHOWN:,} more were rejected"


# ----------------------------------------------------------------------------------------- for programs


def as_json(report: Report) -> str:
    """The report for programs."""
    found, plan = report.node, report.node.plan
    document = {
        "node": {"hosts": report.place, "version": found.version or None},
        "templates": None if plan is None else [_template(one) for one in plan.standings],
        "lacks": None if plan is None else [name for name, why_not in plan.parts.items() if why_not],
        "streams": None
        if found.holdings is None
        else [
            {
                "name": one.stream.name,
                "documents": one.documents,
                "bytes": one.size_bytes,
                "indices": len(one.stream.backing),
                "data_stream": not one.stream.plain,
            }
            for one in found.holdings
        ],
        "alerts": _alerts(found),
        "store": None if report.spool is None else _spool(report.spool, report.now_ns),
        "untold": dict(found.untold),
        "findings": report.findings,
    }
    return json.dumps(document, indent=2)


def _template(standing: Standing) -> dict[str, object]:
    template = standing.template
    return {
        "kind": template.kind.word,
        "name": template.name,
        "state": standing.state.value,
        "version": standing.version or None,
    }


def _alerts(found: Status) -> dict[str, object] | None:
    alerts = found.alerts
    if alerts is None:
        return None
    newest = alerts.newest
    told = None if newest is None else {"time": newest.time, "level": newest.level, "message": newest.message}
    return {"total": alerts.total, "levels": dict(alerts.levels), "newest": told}


def _spool(spool: Spool, now_ns: int) -> dict[str, object]:
    oldest_ns = spool.oldest_ns
    return {
        "path": str(spool.path),
        "head": spool.head,
        "cursor": spool.cursor,
        "behind": spool.behind,
        "oldest": None if oldest_ns is None else rfc3339(oldest_ns),
        "waits_seconds": None if oldest_ns is None else max(now_ns - oldest_ns, 0) // SECOND_NS,
        "rejected_total": spool.rejected,
        "rejected": [{"row": seq, "reason": reason} for seq, reason in spool.letters.items()],
    }
