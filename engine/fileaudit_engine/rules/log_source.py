"""The log source of a rule, held against what this engine can see.

A category says which operations a rule is about. A service is a log: `fileaudit` is this engine's own, and
`auditd` it can stand in for, because what auditd records of files and programs it sees itself. The product
alone means all logs of a Linux host, and those are here all operations. A service beside a category narrows
nothing. What is refused is refused with the reason: nobody is to believe that a rule watches what it cannot.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.events.log_source import LogSource
from fileaudit_engine.rules.ast import LogSourceSpec
from fileaudit_engine.rules.nodes import MapNode, text_of
from fileaudit_engine.rules.wording import nearest_of, quoted

PRODUCT: Final = LogSource.LINUX.value
CATEGORIES: Final = tuple(source.value for source in LogSource if source.is_category)
SERVICES: Final = (LogSource.FILEAUDIT.value, LogSource.AUDITD.value)

_NAMES: Final = ("product", "category", "service")
_OURS: Final = (
    f"this engine has product {PRODUCT}, alone or with category {', '.join(CATEGORIES)}, and service "
    f"{' or '.join(SERVICES)}"
)
_NO_NETWORK: Final = "this engine watches files and processes, not connections"
_NO_LOG: Final = "that is a log file, and this engine reads none: it watches files and processes themselves"
_NO_PRODUCT: Final = "this engine watches Linux hosts"

_REASONS: Final[Mapping[str, Mapping[str, str]]] = {
    "product": dict.fromkeys(
        ("windows", "macos", "aws", "azure", "gcp", "m365", "okta", "github", "cisco", "zeek", "kubernetes"),
        _NO_PRODUCT,
    ),
    "category": {
        **dict.fromkeys(
            ("network_connection", "dns", "dns_query", "firewall", "proxy", "webserver", "netflow"),
            _NO_NETWORK,
        ),
        **dict.fromkeys(
            ("registry_add", "registry_delete", "registry_event", "registry_set", "ps_script", "wmi_event"),
            "that is a thing of Windows",
        ),
        **dict.fromkeys(("antivirus", "application", "database"), _NO_LOG),
        **dict.fromkeys(
            ("process_access", "process_termination", "image_load", "create_remote_thread"),
            "of processes this engine sees the start, as category process_creation",
        ),
    },
    "service": dict.fromkeys(
        (
            *("sshd", "syslog", "cron", "clamav", "auth", "sudo", "vsftpd", "guacamole", "modsecurity"),
            *("apache", "nginx", "pam", "systemd", "journald", "kernel", "messages", "secure", "dpkg", "yum"),
        ),
        _NO_LOG,
    ),
}
"""By attribute and what stands there: why there are no such events."""


def read_log_source(root: MapNode, found: Collector) -> LogSourceSpec | None:
    """The log source, checked against what this engine can see."""
    node = root.values.get("logsource")
    if not isinstance(node, MapNode):
        return None
    spec = LogSourceSpec(
        category=text_of(node, "category"),
        product=text_of(node, "product"),
        service=text_of(node, "service"),
        location=root.keys["logsource"].location,
    )
    if any(name in node.values and text_of(node, name) is None for name in _NAMES):
        return None  # the schema has said that it is no text
    before = len(found.diagnostics)
    _check(node, spec, found)
    return None if len(found.diagnostics) > before else spec


def source_of(spec: LogSourceSpec) -> LogSource:
    """What a checked log source amounts to."""
    return LogSource(spec.category or spec.service or spec.product)


def _check(node: MapNode, spec: LogSourceSpec, found: Collector) -> None:
    for name, written in _foreign(spec):
        found.error(
            "FA041",
            f"there are no events of {name} {quoted(written)}",
            node.values[name].location,
            help=_why_not(name, written),
        )
        return
    if spec.service is None and spec.product is None:
        missing = f"product: {PRODUCT}"
        found.error(
            "FA041", "the log source is not complete", spec.location, help=f"add '{missing}'; {_OURS}"
        )


def _foreign(spec: LogSourceSpec) -> Iterator[tuple[str, str]]:
    """What this engine does not have, by the name of the attribute."""
    for name, written, known in (
        ("product", spec.product, (PRODUCT,)),
        ("service", spec.service, SERVICES),
        ("category", spec.category, CATEGORIES),
    ):
        if written is not None and written not in known:
            yield name, written


def _why_not(name: str, written: str) -> str:
    reason = _REASONS[name].get(written)
    if reason:
        return reason
    if name != "service" and written in SERVICES:
        return f"write 'service: {written}'"
    known = {"product": (PRODUCT,), "service": SERVICES, "category": CATEGORIES}[name]
    close = nearest_of(written, known)
    return f"did you mean {quoted(close)}?" if close else _OURS
