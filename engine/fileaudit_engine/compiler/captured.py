"""What live capture of this version fills in of an event.

The field table is that of the whole engine. A rule that asks for what no live event has can be proven on
recordings and fixtures and would still never match on a host: `explain` says which of its fields those are.
"""

from typing import Final

import msgspec

from fileaudit_engine.events.fields import FIELDS
from fileaudit_engine.events.model import AccessMode, Container, FileEvent, Operation, Process

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
        args=("b",) * 9,
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
    size_bytes=1,
    owner_id=1,
    owner_group_id=1,
    owner_name="u",
    owner_group_name="g",
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
    working_directory="/",
    container_path="/a.conf",
    alias_path="/srv/a.conf",
    container=Container(id="c", name="c", image="i", runtime="docker", pod="p", namespace="n"),
    host_name="h",
    host_id="1",
    clock="c",
    source_path="/etc/b.conf",
    asked_source_path="b.conf",
    link_target="/etc/c.conf",
    new_mode=0o644,
    new_owner_id=1,
    new_owner_group_id=1,
    new_owner_name="u",
    new_owner_group_name="g",
    new_accessed_ns=1,
    new_modified_ns=1,
    new_size_bytes=1,
    attribute_name="user.a",
    transferred_bytes=1,
    transfer_calls=1,
    mount_source="/dev/a",
    file_system="ext4",
)
"""With everything that `events.wire`, the process table and the look at mounts and links know of any
operation; no event has all of it."""

NOT_CAPTURED: Final = frozenset(
    field.name
    for field in FIELDS
    if not any(
        field.get(msgspec.structs.replace(LIVE_EVENT, operation=operation)) is not None
        for operation in field.operations or Operation
    )
)
"""Fields that no live event of this version has."""
