"""Rules in the words of auditd, Sysmon and a plain log are true of the events that their writers meant."""

import pytest
from msgspec.structs import replace

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.model import FileEvent, Operation, Process
from fileaudit_engine.rules.parser import parse_text

AUDITD = "product: linux, service: auditd"
COPY = FileEvent(
    ts_ns=0,
    operation=Operation.EXEC,
    syscall="execve",
    path="/usr/bin/cp",
    user_id=33,
    effective_user_id=33,
    login_user_id=1000,
    process=Process(
        pid=7,
        name="cp",
        executable="/usr/bin/cp",
        args=("cp", "/bin/sh", "/tmp/crond"),
        parent_pid=6,
        parent=Process(
            pid=6,
            executable="/usr/bin/bash",
            name="bash",
            parent=Process(pid=5, executable="/usr/sbin/nginx", name="nginx"),
        ),
    ),
)
UNIT = replace(
    COPY, operation=Operation.CREATE, syscall="openat", path="/etc/systemd/system/evil.service", mode=0o100644
)
MOVED = replace(
    UNIT, operation=Operation.RENAME, syscall="rename", source_path="/tmp/x", path="/etc/cron.d/x", errno=0
)
DENIED = replace(COPY, operation=Operation.OPEN, syscall="openat", path="/etc/shadow", errno=13, result=-13)
EVENTS = {"copy": COPY, "unit": UNIT, "moved": MOVED, "denied": DENIED}


def fires_on(source: str, detection: str, condition: str = "selection") -> set[str]:
    """The events that a rule matches."""
    text = (
        f"title: x\nlogsource: {{{source}}}\ndetection:\n  selection: {detection}\n  condition: {condition}\n"
    )
    (rule,) = compile_rules(parse_text(text).rules).user.rules
    holds = matcher(rule.predicate)
    return {name for name, event in EVENTS.items() if holds(event)}


@pytest.mark.parametrize(
    ("detection", "events"),
    [
        ("{type: EXECVE, a0: cp, a1: /bin/sh, 'a2|endswith': /crond}", {"copy"}),
        ("{type: execve, a0: cp}", {"copy"}),
        ("{type: SYSCALL, SYSCALL: [execve, execveat], euid: 33}", {"copy"}),
        ("{type: PATH, nametype: CREATE, 'name|startswith': /etc/systemd/system/}", {"unit"}),
        ("{type: PATH, nametype: CREATE}", {"unit", "moved"}),
        ("{type: PATH, name: [/etc/shadow, /etc/passwd]}", {"denied"}),
        ("{success: 'no'}", {"denied"}),
        ("{exit: -13, syscall: openat}", {"denied"}),
        ("{mode: '0100644', comm: cp}", {"unit", "moved"}),
        ("{auid: 1000, uid: 33, 'exe|endswith': /cp, ppid: 6}", {"copy", "unit", "moved", "denied"}),
        ("{'proctitle|contains': 'cp /bin/sh', argc: 3, type: EXECVE}", {"copy"}),
        ("{type: SERVICE_STOP}", set()),
        ("{SYSCALL: socket, a0: 26}", set()),
        ("{a0: null, type: PATH}", {"unit", "moved", "denied"}),
    ],
)
def test_in_auditds_words(detection: str, events: set[str]) -> None:
    assert fires_on(AUDITD, detection) == events


@pytest.mark.parametrize(
    ("source", "detection", "events"),
    [
        (
            "product: linux, category: process_creation",
            "{Image|endswith: /cp, ParentImage: '*/bash'}",
            {"copy"},
        ),
        ("product: linux, category: process_creation", "{AncestorImages|endswith: /nginx}", {"copy"}),
        ("product: linux, category: process_creation", "{GrandParentImage: /usr/sbin/nginx}", {"copy"}),
        ("product: linux, category: process_creation", "{LogonId: 1000}", {"copy"}),
        ("product: linux, category: file_event", "{FileExtension: service}", {"unit"}),
        ("product: linux, category: file_rename", "{SourceFilename|startswith: /tmp/}", {"moved"}),
        ("product: linux, category: file_event", "{Permissions: '0644', file.type: file}", {"unit", "moved"}),
        ("product: linux, category: file_access", "{ErrorName: eacces}", {"denied"}),
    ],
)
def test_in_the_words_of_sysmon_and_ecs(source: str, detection: str, events: set[str]) -> None:
    assert fires_on(source, detection) == events


@pytest.mark.parametrize(
    ("keywords", "events"),
    [
        ("['cp /bin/sh']", {"copy", "unit", "moved", "denied"}),
        ("[evil.service, /etc/cron.d/]", {"unit", "moved"}),
        ("{'|all': [rename, /tmp/x]}", {"moved"}),
        ("[PROCTITLE]", set()),
    ],
)
def test_in_the_words_of_a_plain_log(keywords: str, events: set[str]) -> None:
    assert fires_on("product: linux", keywords) == events
