"""Hosts and users: what was done on a host, by a user or a program, once an alert has said where to look."""

from typing import Final

from tools.kibana import filters, searches
from tools.kibana.dashboard import Control, Page, Panel, Row
from tools.kibana.kql import every, is_
from tools.kibana.lens import (
    Chart,
    among,
    bars,
    count,
    different,
    newest,
    number,
    over_time,
    table,
    top,
    total,
)
from tools.kibana.views import EVERYTHING

from fileaudit_engine.events.model import Operation


def _number(name: str, title: str, kql: str) -> Panel:
    chart = Chart(name=name, columns=(count(label=title),), shape=number(), kql=kql)
    return Panel(title="", width=12, shows=chart)


_NUMBERS: Final = Row(
    height=6,
    panels=(
        _number("alerts", "Alerts", filters.ALERTS),
        _number("changes", "Changes", filters.CHANGES),
        _number("denied", "Access denied", filters.DENIED),
        _number("executions", "Programs run", filters.EXECUTIONS),
    ),
)
_COURSE: Final = Row(
    height=11,
    panels=(
        Panel(
            title="Operations over time",
            width=48,
            shows=Chart(
                name="course",
                columns=(
                    among("operation", "event.action", "Operation", size=8),
                    over_time(),
                    count(),
                ),
                shape=bars("time", "count", split="operation"),
            ),
        ),
    ),
)
_WHO: Final = Row(
    height=15,
    panels=(
        Panel(
            title="Hosts",
            width=20,
            shows=Chart(
                name="hosts",
                columns=(
                    top("host", "host.name", "Host", size=50),
                    count(),
                    count("alerts", "Alerts", kql=filters.ALERTS),
                    different("users", "user.name", "Users"),
                    newest(),
                ),
                shape=table(("host", "count", "alerts", "users", "newest")),
            ),
        ),
        Panel(
            title="Users, and who had logged in",
            width=28,
            shows=Chart(
                name="users",
                columns=(
                    top("user", "user.name", "User", size=20),
                    among("login", "fileaudit.login_user.name", "Logged in as", size=5),
                    count(),
                    count("alerts", "Alerts", kql=filters.ALERTS),
                    count("denied", "Denied", kql=filters.DENIED),
                    different("files", "file.path", "Files"),
                    newest(),
                ),
                shape=table(("user", "login", "count", "alerts", "denied", "files", "newest")),
            ),
        ),
    ),
)


def _bytes(key: str, title: str, operation: Operation) -> tuple[str, str, str]:
    return key, title, every(is_("event.action", operation.value), filters.SUCCEEDED)


_PROGRAMS: Final = Row(
    height=15,
    panels=(
        Panel(
            title="Programs",
            width=48,
            shows=Chart(
                name="programs",
                columns=(
                    top("program", "process.executable", "Program", size=50),
                    among("parent", "process.parent.executable", "Started by"),
                    count(),
                    count("alerts", "Alerts", kql=filters.ALERTS),
                    different("files", "file.path", "Files"),
                    *(
                        total(key, "fileaudit.bytes", title, kql=kql)
                        for key, title, kql in (
                            _bytes("read", "Read", Operation.READ),
                            _bytes("written", "Written", Operation.WRITE),
                        )
                    ),
                    newest(),
                ),
                shape=table(("program", "parent", "count", "alerts", "files", "read", "written", "newest")),
            ),
        ),
    ),
)
_FILES: Final = Row(
    height=15,
    panels=(
        Panel(
            title="Files that were changed",
            width=24,
            shows=Chart(
                name="changed",
                columns=(
                    top("path", "file.path", "File", size=50),
                    among("operation", "event.action", "Operation"),
                    count(),
                    different("programs", "process.executable", "Programs"),
                    newest(),
                ),
                shape=table(("path", "operation", "count", "programs", "newest")),
                kql=filters.CHANGES,
            ),
        ),
        Panel(
            title="What was refused",
            width=24,
            shows=Chart(
                name="refused",
                columns=(
                    top("path", "file.path", "File", size=50),
                    among("user", "user.name", "User"),
                    among("error", "fileaudit.errno_name", "Error"),
                    count(),
                    newest(),
                ),
                shape=table(("path", "user", "error", "count", "newest")),
                kql=filters.DENIED,
            ),
        ),
    ),
)
_ELSEWHERE: Final = Row(
    height=13,
    panels=(
        Panel(
            title="Login sessions",
            width=24,
            shows=Chart(
                name="sessions",
                columns=(
                    top("login", "fileaudit.login_user.name", "Logged in as", size=20),
                    among("session", "fileaudit.session_id", "Session", size=5),
                    among("host", "host.name", "Host"),
                    count(),
                    count("alerts", "Alerts", kql=filters.ALERTS),
                    newest(),
                ),
                shape=table(("login", "session", "host", "count", "alerts", "newest")),
            ),
        ),
        Panel(
            title="Containers",
            width=24,
            shows=Chart(
                name="containers",
                columns=(
                    top("container", "container.name", "Container", size=20),
                    among("image", "container.image.name", "Image", size=1),
                    count(),
                    count("alerts", "Alerts", kql=filters.ALERTS),
                    newest(),
                ),
                shape=table(("container", "image", "count", "alerts", "newest")),
            ),
        ),
    ),
)
_LATEST: Final = Row(height=22, panels=(Panel(title="Latest activity", width=48, shows=searches.ACTIVITY),))

PAGE: Final = Page(
    name="activity",
    description="What was done on a host, by a user, by a program, to a file. Choose above whom to look at.",
    kql=filters.OF_HOST,
    since="now-24h",
    controls=(
        Control(field="host.name", title="Host"),
        Control(field="user.name", title="User"),
        Control(field="fileaudit.login_user.name", title="Logged in as"),
        Control(field="process.executable", title="Program"),
        Control(field="container.name", title="Container"),
    ),
    view=EVERYTHING,
    rows=(_NUMBERS, _COURSE, _WHO, _PROGRAMS, _FILES, _ELSEWHERE, _LATEST),
)
