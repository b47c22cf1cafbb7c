"""Alerts: how many, how grave, from which rules, on which hosts, by whom, and which files they are about."""

from typing import Final

from tools.kibana import filters, searches
from tools.kibana.dashboard import Control, Page, Panel, Row
from tools.kibana.lens import (
    Chart,
    among,
    bars,
    count,
    different,
    largest,
    newest,
    number,
    over_time,
    ranking,
    ring,
    table,
    top,
)
from tools.kibana.views import ONLY_ALERTS

COLORS: Final = {"low": "#6092c0", "medium": "#d6bf57", "high": "#da8b45", "critical": "#bd271e"}
"""Of the levels, the gravest one last: it stands on top."""
_LEVELS: Final = tuple(COLORS)


def _number(name: str, title: str, kql: str, color: str = "") -> Panel:
    chart = Chart(
        name=name, columns=(count(label=title),), shape=number(color=color), kql=kql, view=ONLY_ALERTS
    )
    return Panel(title="", width=12, shows=chart)


_NUMBERS: Final = Row(
    height=6,
    panels=(
        _number("all", "Alerts", ""),
        _number("critical", "Critical", filters.level("critical"), COLORS["critical"]),
        _number("high", "High", filters.level("high"), COLORS["high"]),
        Panel(
            title="",
            width=12,
            shows=Chart(
                name="hosts-hit",
                columns=(different("hosts", "host.name", "Hosts with alerts"),),
                shape=number("hosts"),
                view=ONLY_ALERTS,
            ),
        ),
    ),
)
_COURSE: Final = Row(
    height=12,
    panels=(
        Panel(
            title="Alerts by level over time",
            width=32,
            shows=Chart(
                name="course",
                columns=(
                    over_time(),
                    *(count(level, level, kql=filters.level(level)) for level in _LEVELS),
                ),
                shape=bars("time", *_LEVELS, colors=COLORS),
                view=ONLY_ALERTS,
            ),
        ),
        Panel(
            title="ATT&CK tactics",
            width=16,
            shows=Chart(
                name="tactics",
                columns=(top("tactic", "threat.tactic.name", "Tactic"), count(label="Alerts")),
                shape=ring("tactic"),
                view=ONLY_ALERTS,
            ),
        ),
    ),
)
_RULES: Final = Row(
    height=15,
    panels=(
        Panel(
            title="Rules that alerted",
            width=32,
            shows=Chart(
                name="rules",
                columns=(
                    top("rule", "rule.name", "Rule", size=50),
                    among("level", "fileaudit.rule.level", "Level", size=1),
                    count(label="Alerts"),
                    different("hosts", "host.name", "Hosts"),
                    different("users", "user.name", "Users"),
                    newest(),
                ),
                shape=table(("level", "rule", "count", "hosts", "users", "newest")),
                view=ONLY_ALERTS,
            ),
        ),
        Panel(
            title="ATT&CK techniques",
            width=16,
            shows=Chart(
                name="techniques",
                columns=(
                    top("technique", "threat.technique.name", "Technique", size=20),
                    count(label="Alerts"),
                    different("rules", "rule.name", "Rules"),
                ),
                shape=table(("technique", "count", "rules")),
                view=ONLY_ALERTS,
            ),
        ),
    ),
)
_WHERE: Final = Row(
    height=12,
    panels=tuple(
        Panel(
            title=title,
            width=16,
            shows=Chart(
                name=name,
                columns=(top(name, field, title), count(label="Alerts")),
                shape=ranking(name),
                view=ONLY_ALERTS,
            ),
        )
        for name, title, field in (
            ("hosts", "Alerts by host", "host.name"),
            ("users", "Alerts by user", "user.name"),
            ("logins", "Alerts by who logged in", "fileaudit.login_user.name"),
        )
    ),
)
_FILES: Final = Row(
    height=15,
    panels=(
        Panel(
            title="Files that alerts are about",
            width=24,
            shows=Chart(
                name="files",
                columns=(
                    top("path", "file.path", "File", size=50),
                    count(label="Alerts"),
                    different("users", "user.name", "Users"),
                    largest("severity", "event.severity", "Gravest"),
                    newest(),
                ),
                shape=table(("path", "count", "users", "severity", "newest")),
                view=ONLY_ALERTS,
            ),
        ),
        Panel(
            title="Programs that caused them",
            width=24,
            shows=Chart(
                name="programs",
                columns=(
                    top("program", "process.executable", "Program", size=50),
                    among("parent", "process.parent.executable", "Started by"),
                    count(label="Alerts"),
                    newest(),
                ),
                shape=table(("program", "parent", "count", "newest")),
                view=ONLY_ALERTS,
            ),
        ),
    ),
)
_LATEST: Final = Row(height=22, panels=(Panel(title="Latest alerts", width=48, shows=searches.ALERTS),))

PAGE: Final = Page(
    name="alerts",
    description="What rules and correlations found: by level, rule, host, user, file and ATT&CK technique.",
    kql=filters.ALERTS,
    since="now-24h",
    controls=(
        Control(field="fileaudit.rule.level", title="Level"),
        Control(field="rule.name", title="Rule"),
        Control(field="host.name", title="Host"),
        Control(field="user.name", title="User"),
        Control(field="tags", title="Tag"),
    ),
    view=ONLY_ALERTS,
    rows=(_NUMBERS, _COURSE, _RULES, _WHERE, _FILES, _LATEST),
)
