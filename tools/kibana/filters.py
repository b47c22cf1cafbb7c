"""What the searches and panels ask for, each said once."""

from typing import Final

from tools.kibana.kql import at_least, every, is_, like, no, some, there

from fileaudit_engine.detect.described import SEVERITIES
from fileaudit_engine.detect.engine_record import DATASET, Action
from fileaudit_engine.events.document import LOST
from fileaudit_engine.events.model import Operation

ALERTS: Final = is_("event.kind", "alert")
GRAVE: Final = at_least("event.severity", SEVERITIES["high"])
OF_ENGINE: Final = is_("event.dataset", DATASET)
OF_HOST: Final = no(OF_ENGINE)
"""What happened on a host, told as an alert or kept in the audit trail."""

SUCCEEDED: Final = is_("event.outcome", "success")
DENIED: Final = every(
    is_("event.outcome", "failure"), is_("fileaudit.errno_name", "EACCES", "EPERM", "EROFS")
)
"""Refused for want of a permission: a file that is not there is no refusal."""
CHANGES: Final = every(is_("event.type", "change", "creation", "deletion"), SUCCEEDED, OF_HOST)
DELETIONS: Final = every(is_("event.type", "deletion"), SUCCEEDED)
RIGHTS: Final = every(
    is_(
        "event.action",
        *(one.value for one in (Operation.CHMOD, Operation.CHOWN)),
        *(one.value for one in (Operation.SETXATTR, Operation.REMOVEXATTR)),
    ),
    SUCCEEDED,
)
EXECUTIONS: Final = is_("event.action", Operation.EXEC.value)
TRAIL: Final = is_("event.dataset", "fileaudit.event")

CREDENTIAL_ACCESS: Final = "TA0006"
_CREDENTIAL_FILES: Final = (
    *("/etc/shadow*", "/etc/gshadow*", "/etc/sudoers*", "/etc/ssh/ssh_host_*"),
    *("*/.ssh/id_*", "*/.ssh/authorized_keys*", "*/.gnupg/*"),
    *("*/.aws/*", "*/.azure/*", "*/.config/gcloud/*", "*/.kube/config", "*/.docker/config.json"),
    *("*/.env", "*/.htpasswd", "*/.netrc", "*/.pgpass", "*/.my.cnf", "*/.git-credentials", "*/secrets/*"),
)
CREDENTIALS: Final = some(is_("threat.tactic.id", CREDENTIAL_ACCESS), like("file.path", *_CREDENTIAL_FILES))
"""What rules take for access to credentials, and whatever else was done to such files."""

CHAINED: Final = is_("rule.category", "correlation")
MISSING: Final = there("fileaudit.losses.total")
"""Alerts of a time in which events were lost."""


def acted(*actions: Action) -> str:
    """The engine says one of these of itself."""
    return every(OF_ENGINE, is_("event.action", *(action.value for action in actions)))


def level(name: str) -> str:
    """Alerts of a level."""
    return is_("fileaudit.rule.level", name)


LOSSES: Final = every(OF_ENGINE, is_("event.action", LOST))
STARTS: Final = acted(Action.ENGINE_START)
STOPS: Final = acted(Action.ENGINE_STOP)
DELIVERIES: Final = acted(Action.DELIVERY)
RETENTION: Final = acted(Action.RETENTION)
TROUBLE: Final = acted(
    Action.STORE_UNAVAILABLE,
    Action.STORE_REPLACED,
    Action.JSON_LOG_UNAVAILABLE,
    Action.SINK_UNAVAILABLE,
    Action.AUDIT_TRAIL_ALTERED,
)
"""What somebody should do something about."""
UNCLEAN: Final = every(STARTS, there("fileaudit.engine.previous.unwatched_seconds"))
"""Starts that know how long nobody watched before them."""
DOUBTFUL: Final = some(LOSSES, MISSING)
