"""What stands in each section of a report, in the order in which it is read."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from fileaudit_engine.cli.report_assurance import chain, controls, coverage
from fileaudit_engine.cli.report_page import (
    Chart,
    Column,
    Page,
    Section,
    Table,
    clock,
    length,
    number,
    rest,
    shown,
)
from fileaudit_engine.runtime.report_data import Report, Top

LEVELS: Final = ("critical", "high", "medium", "low")
_ABOUT: Final = (
    "Counted are records: an operation that raised an alert and belongs to the audit trail besides is two."
)
_OUTCOMES: Final = {"success": "succeeded", "failure": "failed"}
_RECORDS: Final = Column(title="records", number=True)


def page_of(report: Report) -> Page:
    """The report as a page."""
    span = report.range
    return Page(
        title=f"Audit report of {shown(report.host)}",
        facts=(
            ("range", f"{clock(span.since)} to {clock(span.until)} UTC ({length(span.seconds)})"),
            ("store", _store(report)),
            ("made", f"{clock(report.made)} UTC by fileaudit-engine {report.engine}"),
        ),
        findings=report.findings,
        sections=[section(report) for section in _SECTIONS],
    )


def _store(report: Report) -> str:
    store = report.store
    kept = f"{number(store.records)} records since {clock(store.kept_since)} UTC"
    return f"{shown(store.path)} · {kept if store.records else 'empty'} · id {store.identity}"


def _totals(report: Report) -> Section:
    totals, course = report.totals, report.course
    outcomes = [(_OUTCOMES.get(name, shown(name)), number(count)) for name, count in totals.outcomes.items()]
    return Section(
        key="totals",
        title="Totals",
        facts=(
            ("records", number(totals.records)),
            ("alerts", number(totals.alerts)),
            ("audit events", number(totals.events)),
            ("engine notes", number(totals.engine)),
            *outcomes,
        ),
        sentences=(_ABOUT,),
        figures=[figure for kind in ("events", "alerts") if (figure := _course_chart(report, kind))],
        tables=(
            Table(
                caption=f"Records by {course.unit} (UTC)",
                columns=(
                    Column(title=course.unit),
                    Column(title="audit events", number=True),
                    Column(title="alerts", number=True),
                ),
                rows=[
                    (_bucket(bucket.begins), number(bucket.events), number(bucket.alerts))
                    for bucket in course.buckets
                ],
                of_chart=True,
            ),
        ),
    )


def _course_chart(report: Report, kind: str) -> Chart | None:
    """The audit events, or the alerts, in the course of the range; None where there is nothing to compare."""
    course = report.course
    noun = "audit events" if kind == "events" else "alerts"
    points = [(_bucket(b.begins), (b.events if kind == "events" else b.alerts,)) for b in course.buckets]
    label, (most,) = max(points, key=lambda point: point[1], default=("", (0,)))
    if not most or len(points) < 2:
        return None
    total = sum(parts[0] for _, parts in points)
    return Chart(
        caption=f"{noun.capitalize()} by {course.unit} (UTC)",
        series=((noun, kind),),
        points=points,
        upright=True,
        summary=f"{number(total)} {noun}; the most in one {course.unit}: {number(most)}, {label}.",
    )


def _bucket(begins: str) -> str:
    """`2026-11-28 14:00` for an hour; a day and a month are what they are."""
    day, _, hour = begins.partition("T")
    return f"{day} {hour}:00" if hour else day


def _operations(report: Report) -> Section:
    rows = report.operations
    most = rows[0] if rows else None
    chart = Chart(
        caption="Records by operation and outcome",
        series=(("success", "success"), ("failure", "failure"), ("unknown", "unknown")),
        points=[(shown(row.operation), (row.success, row.failure, row.unknown)) for row in rows],
        upright=False,
        summary=f"Most frequent: {shown(most.operation)}, {number(most.records)} records." if most else "",
    )
    return Section(
        key="operations",
        title="Operations and outcomes",
        figures=[chart] if rows else (),
        tables=(
            Table(
                caption="Records by operation and outcome",
                columns=(
                    _RECORDS,
                    Column(title="succeeded", number=True),
                    Column(title="failed", number=True),
                    Column(title="operation", name=True),
                ),
                rows=[
                    (number(row.records), number(row.success), number(row.failure), shown(row.operation))
                    for row in rows
                ],
                weights=[row.records for row in rows],
            ),
        ),
    )


def _top(key: str, title: str, noun: str) -> Callable[[Report], Section]:
    def section(report: Report) -> Section:
        top: Top = getattr(report, key)
        return Section(
            key=key,
            title=title,
            tables=(
                Table(
                    caption=f"{title}, by records",
                    columns=(_RECORDS, Column(title=noun, name=True)),
                    rows=[(number(row.records), shown(row.name)) for row in top.top],
                    weights=[row.records for row in top.top],
                    rest=rest(len(top.top), top.distinct, noun),
                ),
            ),
        )

    return section


def _alerts(report: Report) -> Section:
    alerts = report.alerts
    return Section(
        key="alerts",
        title="Alerts",
        facts=[(level, number(alerts.levels.get(level, 0))) for level in LEVELS],
        figures=list(_alert_charts(report)),
        tables=(
            Table(
                caption="Alerts by day and level (UTC)",
                columns=(Column(title="day"), *(Column(title=level, number=True) for level in LEVELS)),
                rows=[(day.day, *(number(getattr(day, level)) for level in LEVELS)) for day in alerts.days],
                of_chart=True,
            ),
            Table(
                caption="Alerts by rule",
                columns=(
                    Column(title="alerts", number=True),
                    Column(title="level", toned=True),
                    Column(title="first day"),
                    Column(title="last day"),
                    Column(title="rule", name=True),
                ),
                rows=[
                    (number(row.alerts), shown(row.level), row.first_day, row.last_day, shown(row.rule))
                    for row in alerts.rules
                ],
                weights=[row.alerts for row in alerts.rules],
            ),
        ),
    )


def _alert_charts(report: Report) -> Iterator[Chart]:
    days = report.alerts.days
    if days:
        most = max(days, key=lambda day: sum(getattr(day, level) for level in LEVELS))
        total = number(sum(getattr(most, level) for level in LEVELS))
        yield Chart(
            caption="Alerts by day and level (UTC)",
            series=[(level, level) for level in LEVELS],
            points=[(day.day, [getattr(day, level) for level in LEVELS]) for day in days],
            upright=True,
            summary=f"{number(report.alerts.alerts)} alerts; the most in one day: {total}, {most.day}.",
        )


def _denied(report: Report) -> Section:
    denied = report.denied
    return Section(
        key="denied",
        title="Denied accesses",
        facts=(("refused", number(denied.records)), ("pairs of user and file", number(denied.distinct))),
        tables=(
            Table(
                caption="Who was refused which file, and how often",
                columns=(Column(title="times", number=True), _name("user"), _name("file")),
                rows=[(number(row.records), shown(row.user), shown(row.path)) for row in denied.top],
                weights=[row.records for row in denied.top],
                rest=rest(len(denied.top), denied.distinct, "pair"),
            ),
        ),
    )


def _changes(report: Report) -> Section:
    changes = report.changes
    return Section(
        key="changes",
        title="Changes to watched files",
        facts=(("changes", number(changes.records)), ("files", number(changes.distinct))),
        tables=(
            Table(
                caption="Which file was changed how, and how often",
                columns=(Column(title="changes", number=True), Column(title="operations"), _name("file")),
                rows=[(number(row.records), _done(row.operations), shown(row.path)) for row in changes.top],
                weights=[row.records for row in changes.top],
                rest=rest(len(changes.top), changes.distinct, "file"),
            ),
        ),
    )


def _done(operations: dict[str, int]) -> str:
    return ", ".join(f"{number(count)} {shown(name)}" for name, count in operations.items())


def _sessions(report: Report) -> Section:
    sessions = report.sessions
    return Section(
        key="sessions",
        title="Sessions",
        sentences=(
            "A session is a login as the kernel's audit numbers it; sudo and su do not begin another.",
        ),
        tables=(
            Table(
                caption="Login sessions, by records",
                columns=(
                    _RECORDS,
                    Column(title="session", number=True),
                    Column(title="first (UTC)"),
                    Column(title="last (UTC)"),
                    _name("login user"),
                ),
                rows=[
                    (
                        number(row.records),
                        shown(row.session),
                        clock(row.first),
                        clock(row.last),
                        shown(row.login_user),
                    )
                    for row in sessions.top
                ],
                weights=[row.records for row in sessions.top],
                rest=rest(len(sessions.top), sessions.distinct, "session"),
            ),
        ),
    )


def _name(title: str) -> Column:
    return Column(title=title, name=True)


_SECTIONS: Final[Sequence[Callable[[Report], Section]]] = (
    _totals,
    _operations,
    _alerts,
    _denied,
    _changes,
    _top("users", "Busiest users", "user"),
    _top("files", "Busiest files", "file"),
    _top("commands", "Busiest commands", "command"),
    _sessions,
    coverage,
    chain,
    controls,
)
