"""What live capture of this version fills in of an event.

The field table is that of the whole engine. A rule that asks for what no live event has can be proven on
recordings and fixtures and would still never match on a host: `explain` says which of its fields those are.
"""

from typing import Final

from fileaudit_engine.events.fields import FIELDS
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, Process

_PROCESS: Final = Process(
    pid=1, start_ns=1, executable="/a", image_inode=1, args=("a",), name="a", parent_pid=1
)

LIVE_EVENT: Final = FileEvent(
    ts_ns=1,
    operation=Operation.OPEN,
    process=Process(
        pid=2,
        start_ns=2,
        executable="/b",
        image_inode=2,
        args=("b",),
        name="b",
        parent_pid=1,
        parent=Process(
            pid=1,
            start_ns=1,
            executable="/a",
            image_inode=1,
            args=("a",),
            name="a",
            parent_pid=1,
            parent=_PROCESS,
        ),
    ),
    syscall="openat",
    path="/etc/a.conf",
    asked_path="a.conf",
    flags=1,
    access_mode=AccessMode.READ,
    errno=1,
    result=-1,
    inode=1,
    device=1,
    mode=0o100644,
    thread_id=2,
    user_id=1,
    group_id=1,
    effective_user_id=1,
    effective_group_id=1,
    login_user_id=1,
    session_id=1,
    cgroup_id=1,
    user_name="u",
    group_name="g",
    effective_user_name="u",
    effective_group_name="g",
    login_user_name="u",
)
"""An event of the captured operation with everything that `events.wire` and the process table know of one."""

NOT_CAPTURED: Final = frozenset(
    field.name
    for field in FIELDS
    if (field.operations is None or Operation.OPEN in field.operations) and field.get(LIVE_EVENT) is None
)
"""Fields that opens could have, and that no live event of this version has."""
