"""From a store to what a report says: everything is asked here, and nothing is laid out.

    store ─ totals ───┬─ totals, operations, course, users, files, commands, alerts, denied, changes, sessions
          ─ coverage ─┼─ gaps, losses, which rules ran ─┬─ controls
          ─ overview ─┴─ chain                          └─ schemas/controls.json

Of a store of many millions only what is shown comes into memory.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine import __version__
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.events.times import SECOND_NS, rfc3339
from fileaudit_engine.runtime.controls import FrameworkSpec, RequirementSpec
from fileaudit_engine.runtime.coverage import Known, coverage_of
from fileaudit_engine.runtime.report_course import course_of
from fileaudit_engine.runtime.report_data import (
    FORMAT_VERSION,
    Alerts,
    AnchorFacts,
    Chain,
    ChangedFile,
    Changes,
    Check,
    Counted,
    DayOfAlerts,
    Denied,
    DeniedCount,
    Framework,
    OperationCount,
    Range,
    Report,
    Requirement,
    RuleCount,
    Serving,
    SessionCount,
    Sessions,
    StoreFacts,
    Top,
    Totals,
)
from fileaudit_engine.runtime.report_findings import with_findings
from fileaudit_engine.store import totals as counts
from fileaudit_engine.store.anchors import Anchor
from fileaudit_engine.store.facets import CHANGES, Dimension
from fileaudit_engine.store.overview import Overview, link_at, overview
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import to_document

LEVELS: Final = ("critical", "high", "medium", "low")
USERS: Final = 10
FILES: Final = 20
COMMANDS: Final = 10
_PAIRS: Final = 20
_SESSIONS: Final = 20
_RULES: Final = 200
"""Rules that alerts are told by; more than anybody reads, and packs may have thousands."""
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAYS: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a report is to be about.

    Attributes:
        since_ns: From then on, nanoseconds since the Unix epoch.
        until_ns: Before then.
        now_ns: The present.
        host: This host's name.
        anchors: What was found in the file of anchors, of any store.
        anchors_file: That file, as it is shown.
        frameworks: The control mapping.
    """

    since_ns: int
    until_ns: int
    now_ns: int
    host: str
    anchors: Sequence[Anchor]
    anchors_file: str
    frameworks: Sequence[FrameworkSpec]


def report_of(store: Store, asked: Question, check: Check | None = None) -> Report:
    """Everything that a report says.

    Args:
        store: Open, for reading or writing.
        asked: What it is to be about.
        check: What `verify` found, if it was asked.

    Raises:
        UnusableInput: The file is damaged.
        MachineCannot: The system refuses.
    """
    state = overview(store)
    kept_ns = state.first_ns if state.removed_seq else None
    known = coverage_of(store, asked.since_ns, asked.until_ns, asked.now_ns, kept_ns)
    with counts.Totals(store, asked.since_ns, asked.until_ns) as counted:
        controls = [_framework(framework, counted, known) for framework in asked.frameworks]
        report = Report(
            format=FORMAT_VERSION,
            made=rfc3339(asked.now_ns),
            engine=__version__,
            host=to_document(asked.host),
            range=_range(asked),
            store=_store_facts(store.path, state),
            findings=[],
            totals=_totals(counted),
            operations=_operations(counted),
            course=course_of(counted.all(Dimension.HOUR), _shown_span(asked, state)),
            users=_top(counted, Dimension.USER, USERS),
            files=_top(counted, Dimension.PATH, FILES),
            commands=_top(counted, Dimension.COMMAND, COMMANDS),
            alerts=_alerts(counted),
            denied=_denied(counted),
            changes=_changes(counted),
            sessions=_sessions(counted),
            coverage=known.coverage,
            chain=_chain(store, state, asked, check),
            controls=controls,
        )
    return with_findings(report)


def _range(asked: Question) -> Range:
    seconds = (asked.until_ns - asked.since_ns) / SECOND_NS
    return Range(since=rfc3339(asked.since_ns), until=rfc3339(asked.until_ns), seconds=seconds)


def _store_facts(path: Path, state: Overview) -> StoreFacts:
    return StoreFacts(
        path=to_document(str(path)),
        identity=state.identity.hex(),
        records=state.records,
        kept_since=None if state.first_ns is None else rfc3339(state.first_ns),
    )


def _shown_span(asked: Question, state: Overview) -> tuple[int, int]:
    """What of the range is worth a chart: from the first record on, and not beyond the present."""
    first_ns = max(asked.since_ns, asked.since_ns if state.first_ns is None else state.first_ns)
    end_ns = min(asked.until_ns, max(asked.now_ns, first_ns + 1))
    return (first_ns, end_ns) if first_ns < end_ns else (asked.since_ns, asked.since_ns)


# --- what was counted --------------------------------------------------------------------------------------


def _totals(counted: counts.Totals) -> Totals:
    kinds = counted.all(Dimension.KIND)
    outcomes = counted.all(Dimension.OUTCOME)
    return Totals(
        records=kinds.total(),
        alerts=kinds[Kind.ALERT.value],
        events=kinds[Kind.EVENT.value],
        engine=kinds[Kind.ENGINE.value],
        outcomes=_most_first(outcomes),
    )


def _most_first(counter: Mapping[str, int]) -> dict[str, int]:
    """Without what has no name: alerts about no operation have no outcome."""
    named = [(name, count) for name, count in counter.items() if name]
    return dict(sorted(named, key=lambda item: (-item[1], item[0])))


def _operations(counted: counts.Totals) -> list[OperationCount]:
    outcomes: dict[str, Counter[str]] = {}
    for name, count in counted.all(Dimension.DEED).items():
        operation, _, outcome = name.partition(" ")
        if outcome:
            outcomes.setdefault(operation, Counter())[outcome] += count
    rows = [
        OperationCount(
            operation=operation,
            records=of.total(),
            success=of["success"],
            failure=of["failure"],
            unknown=of.total() - of["success"] - of["failure"],
        )
        for operation, of in outcomes.items()
    ]
    return sorted(rows, key=lambda row: (-row.records, row.operation))


def _top(counted: counts.Totals, dimension: Dimension, most: int) -> Top:
    sums = counted.sums(dimension)
    top = [Counted(name=name, records=count) for name, count in counted.top(dimension, most)]
    return Top(records=sums.records, distinct=sums.distinct, top=top)


def _alerts(counted: counts.Totals) -> Alerts:
    levels: Counter[str] = Counter()
    rules: dict[tuple[str, str], Counter[str]] = {}
    days: dict[str, Counter[str]] = {}
    for name, count in counted.all(Dimension.ALERT).items():
        day, level, rule = (*name.split(" ", 2), "?", "?")[:3]
        day = day if _DAY.fullmatch(day) else "?"  # somebody may have edited it
        levels[level] += count
        rules.setdefault((rule, level), Counter())[day] += count
        days.setdefault(day, Counter())[level] += count
    return Alerts(
        alerts=levels.total(),
        levels={level: levels[level] for level in LEVELS},
        rules=_rules(rules),
        days=[
            DayOfAlerts(day=day, **{level: days[day][level] for level in LEVELS})
            for day in sorted(days)[-_DAYS:]
        ],
    )


def _rules(rules: Mapping[tuple[str, str], Counter[str]]) -> list[RuleCount]:
    rows = [
        RuleCount(rule=rule, level=level, alerts=days.total(), first_day=min(days), last_day=max(days))
        for (rule, level), days in rules.items()
    ]
    weight = {level: index for index, level in enumerate(LEVELS)}
    rows.sort(key=lambda row: (weight.get(row.level, len(weight)), -row.alerts, row.rule))
    return rows[:_RULES]


def _denied(counted: counts.Totals) -> Denied:
    sums = counted.sums(Dimension.DENIED)
    top = []
    for name, count in counted.top(Dimension.DENIED, _PAIRS):
        user, path = _parted(name)
        top.append(DeniedCount(user=user, path=path, records=count))
    return Denied(records=sums.records, distinct=sums.distinct, top=top)


def _parted(name: str) -> tuple[str, str]:
    """User and file: paths are absolute as a rule, and names of a directory service may hold blanks."""
    user, blank, path = name.partition(" /")
    if blank:
        return user, f"/{path}"
    user, _, path = name.partition(" ")
    return user, path


def _changes(counted: counts.Totals) -> Changes:
    files, distinct = counted.changed_files(FILES)
    top = [ChangedFile(path=path, records=count, operations=_deeds(counted, path)) for path, count in files]
    return Changes(records=counted.sums(Dimension.CHANGED).records, distinct=distinct, top=top)


def _deeds(counted: counts.Totals, path: str) -> dict[str, int]:
    """How often each operation changed a file."""
    deeds = {deed: counted.of(Dimension.CHANGED, f"{deed} {path}") for deed in CHANGES}
    return _most_first({deed: count for deed, count in deeds.items() if count})


def _sessions(counted: counts.Totals) -> Sessions:
    sums = counted.sums(Dimension.SESSION)
    top = []
    for name, count in counted.top(Dimension.SESSION, _SESSIONS):
        session, _, login = name.partition(" ")
        span = counted.session_span(name)
        first, last = (None, None) if span is None else (rfc3339(span[0]), rfc3339(span[1]))
        top.append(SessionCount(session=session, login_user=login, records=count, first=first, last=last))
    return Sessions(records=sums.records, distinct=sums.distinct, top=top)


# --- what vouches for it -----------------------------------------------------------------------------------


def _chain(store: Store, state: Overview, asked: Question, check: Check | None) -> Chain:
    own = [anchor for anchor in asked.anchors if anchor.store == state.identity and anchor.seq]
    newest = max(own, key=lambda anchor: (anchor.time_ns, anchor.seq), default=None)
    return Chain(
        head_seq=state.head.seq,
        head_link=state.head.link.hex(),
        first_seq=state.removed_seq + 1 if state.records else 0,
        removed_seq=state.removed_seq,
        anchors=to_document(asked.anchors_file),
        anchor=None if newest is None else _anchor(store, state, newest),
        check=check,
    )


def _anchor(store: Store, state: Overview, anchor: Anchor) -> AnchorFacts:
    agrees: bool | None = None
    if anchor.seq == state.removed_seq:
        agrees = anchor.link == state.removed_link
    elif anchor.seq > state.removed_seq:
        agrees = link_at(store, anchor.seq) == anchor.link
    return AnchorFacts(seq=anchor.seq, time=rfc3339(anchor.time_ns), agrees=agrees)


def _framework(spec: FrameworkSpec, counted: counts.Totals, known: Known) -> Framework:
    return Framework(
        name=spec.name,
        version=spec.version,
        requirements=[_requirement(one, counted, known) for one in spec.requirements],
    )


def _requirement(spec: RequirementSpec, counted: counts.Totals, known: Known) -> Requirement:
    serving = list(_serving(spec, counted, known))
    return Requirement(
        id=spec.id,
        title=spec.title,
        state=_state(serving),
        records=sum(one.records for one in serving),
        serving=serving,
        sections=list(spec.sections),
        note=spec.note,
    )


def _state(serving: Sequence[Serving]) -> str:
    """What became of a requirement; alerts of its rules are no trail."""
    if not serving:
        return "engine"
    if not any(one.ran for one in serving):
        return "nothing"
    trails = [one for one in serving if one.kind == "trail"]
    if trails and not any(one.ran for one in trails):
        return "no trail"
    return "seen" if any(one.records for one in serving) else "ran"


def _serving(spec: RequirementSpec, counted: counts.Totals, known: Known) -> Iterator[Serving]:
    for kind, names in (("rule", spec.rules), ("trail", spec.trails)):
        for name in names:
            records = counted.of(Dimension.RULE, name)
            told = name in known.ran or bool(records)
            ran = True if told else False if known.complete else None
            yield Serving(name=name, kind=kind, records=records, ran=ran)
