"""The saved searches: one for each question that people ask of a file audit."""

from collections.abc import Sequence
from typing import Final

from tools.kibana import filters
from tools.kibana.documents import known
from tools.kibana.saved import INDEX_NAME, PREFIX, Reference, SavedObject, search_source
from tools.kibana.views import EVERYTHING, ONLY_ALERTS, TIME

_WHO: Final = ("user.name", "fileaudit.login_user.name")
_WHAT: Final = ("event.action", "file.path")
_WITH: Final = ("process.executable", "process.command_line")


def _search(  # noqa: PLR0913 - what a search is
    name: str, title: str, description: str, kql: str, columns: Sequence[str], view: SavedObject = EVERYTHING
) -> SavedObject:
    attributes = {
        "columns": [known(column) for column in columns],
        "description": description,
        "grid": {},
        "hideChart": False,
        "isTextBasedQuery": False,
        "kibanaSavedObjectMeta": search_source(kql, {"indexRefName": INDEX_NAME}),
        "sort": [[TIME, "desc"]],
        "timeRestore": False,
        "title": f"[File audit] {title}",
    }
    needs = Reference(name=INDEX_NAME, type=view.type, id=view.id)
    return SavedObject(type="search", id=f"{PREFIX}search-{name}", attributes=attributes, references=(needs,))


ALERTS: Final = _search(
    "alerts",
    "Latest alerts",
    "What rules and correlations found, the newest first.",
    filters.ALERTS,
    ("fileaudit.rule.level", "rule.name", "host.name", *_WHO, *_WHAT, "process.executable", "message"),
    ONLY_ALERTS,
)
ACTIVITY: Final = _search(
    "activity",
    "Activity on hosts",
    "Everything that was done to files, as alerts and as the audit trail tell it.",
    filters.OF_HOST,
    ("event.kind", *_WHAT, "event.outcome", *_WHO, *_WITH, "host.name"),
)
CHANGES: Final = _search(
    "changes",
    "File changes",
    "Files that were written, created, renamed, deleted, or got other rights.",
    filters.CHANGES,
    (*_WHAT, "fileaudit.source_path", *_WHO, *_WITH, "host.name"),
)
DELETIONS: Final = _search(
    "deletions",
    "Deletions",
    "Files and folders that were deleted.",
    filters.DELETIONS,
    (*_WHAT, *_WHO, *_WITH, "host.name"),
)
RIGHTS: Final = _search(
    "rights",
    "Rights and owners",
    "Modes, owners and attributes that were changed, with what they were changed to.",
    filters.RIGHTS,
    (
        *(*_WHAT, "file.mode", "fileaudit.new_mode", "file.owner", "fileaudit.new_owner.name"),
        *("fileaudit.attribute_name", *_WHO, "process.executable", "host.name"),
    ),
)
DENIED: Final = _search(
    "denied",
    "Access denied",
    "What somebody tried and had no permission for.",
    filters.DENIED,
    (*_WHAT, "fileaudit.errno_name", *_WHO, *_WITH, "host.name"),
)
CREDENTIALS: Final = _search(
    "credentials",
    "Files with credentials",
    "Passwords, keys and tokens: who opened or changed the files that hold them, and what rules say of it.",
    filters.CREDENTIALS,
    ("event.kind", "rule.name", *_WHAT, "fileaudit.access_mode", "event.outcome", *_WHO, *_WITH, "host.name"),
)
EXECUTIONS: Final = _search(
    "executions",
    "Programs that were run",
    "Programs that were started, by whom, from where, and out of which program.",
    filters.EXECUTIONS,
    (
        *("file.path", "process.command_line", "process.parent.executable", "process.working_directory"),
        *(*_WHO, "event.outcome", "container.name", "host.name"),
    ),
)
TRAIL: Final = _search(
    "trail",
    "Audit trail",
    "What rules of the level informational write down: the scope of the audit.",
    filters.TRAIL,
    ("rule.name", *_WHAT, "event.outcome", *_WHO, *_WITH, "host.name"),
)
ENGINE: Final = _search(
    "engine",
    "What the engine says of itself",
    "Starts and stops, other rules, losses, retention, and trouble with the store and with receivers.",
    filters.OF_ENGINE,
    ("event.kind", "event.action", "host.name", "message", "log.level"),
)
SEARCHES: Final = (
    *(ALERTS, ACTIVITY, CHANGES, DELETIONS, RIGHTS, DENIED, CREDENTIALS, EXECUTIONS, TRAIL, ENGINE),
)
