"""Events for tests of documents, records and output: one that has everything, and arbitrary ones."""

from hypothesis import strategies as st

from fileaudit_engine.events.model import (
    AccessMode,
    Container,
    FileEvent,
    Loss,
    Operation,
    PathState,
    Process,
)
from fileaudit_engine.text import from_kernel

HOSTILE = from_kernel(b"/tmp/a\nb\x1b[31m\xff\\x41\\ \xe2\x80\xaeend")
"""Newline, escape sequence, a byte that is no UTF-8, text that looks like an escape, a bidi override."""

SSHD = Process(
    pid=901, start_ns=7, executable="/usr/sbin/sshd", args=("sshd: alice",), name="sshd", parent_pid=1
)
BASH = Process(
    pid=4100,
    start_ns=8,
    executable="/usr/bin/bash",
    args=("-bash",),
    name="bash",
    parent_pid=901,
    parent=SSHD,
)
CAT = Process(
    pid=4242,
    start_ns=9,
    executable="/usr/bin/cat",
    args=("cat", "../etc/shadow"),
    name="cat",
    parent_pid=4100,
    parent=BASH,
)

SHADOW = FileEvent(
    ts_ns=1_795_505_445_123_456_789,
    operation=Operation.OPEN,
    process=CAT,
    syscall="openat",
    path="/etc/shadow",
    asked_path="../etc/shadow",
    flags=0o2000000,
    access_mode=AccessMode.READ,
    errno=0,
    result=3,
    inode=1_234_567,
    device=0xFE00001,
    mode=0o100640,
    thread_id=4242,
    user_id=0,
    group_id=0,
    effective_user_id=0,
    effective_group_id=42,
    login_user_id=1000,
    session_id=12,
    cgroup_id=5_555,
    user_name="root",
    group_name="root",
    login_user_name="alice",
    host_name="web-1",
)
"""2026-11-24T07:30:45.123456789Z: alice, as root, reads /etc/shadow by a relative path."""

EVERYTHING = FileEvent(
    ts_ns=SHADOW.ts_ns,
    operation=Operation.CHOWN,
    process=CAT,
    container=Container(
        id="4f5b",
        name="web",
        image="docker.io/library/nginx:1.27",
        runtime="containerd",
        pod="web-7c9d",
        namespace="shop",
    ),
    syscall="fchownat",
    path="/srv/data/report.tar.gz",
    asked_path="report.tar.gz",
    container_path="/data/report.tar.gz",
    alias_path="/mnt/report.tar.gz",
    path_state=PathState.DELETED,
    flags=0o100,
    access_mode=AccessMode.WRITE,
    errno=13,
    result=-13,
    inode=77,
    device=0xFE00001,
    mode=0o104755,
    owner_id=1000,
    owner_group_id=1001,
    owner_name="alice",
    owner_group_name="staff",
    size_bytes=4096,
    thread_id=4243,
    user_id=1000,
    group_id=1001,
    effective_user_id=0,
    effective_group_id=42,
    login_user_id=1000,
    session_id=12,
    cgroup_id=5_555,
    user_name="alice",
    group_name="staff",
    effective_user_name="root",
    effective_group_name="shadow",
    login_user_name="alice",
    working_directory="/srv/data",
    host_name="web-1",
    host_id="0123456789abcdef0123456789abcdef",
    clock="boottime+realtime",
    source_path="/srv/data/old",
    asked_source_path="old",
    link_target="../old",
    new_mode=0o4777,
    new_owner_id=0,
    new_owner_group_id=0,
    new_owner_name="root",
    new_owner_group_name="root",
    new_accessed_ns=1,
    new_modified_ns=2,
    new_size_bytes=0,
    attribute_name="user.note",
    transferred_bytes=8192,
    transfer_calls=2,
    mount_source="/dev/vdb1",
    file_system="ext4",
)
"""What no event has together: every attribute."""

LOSS = Loss(first_ns=SHADOW.ts_ns - 5, last_ns=SHADOW.ts_ns, counts={"open": 3, "process": 1})

names = st.binary(max_size=24).map(from_kernel)
"""Whatever bytes the kernel may hand over as a name."""
_ids = st.integers(0, 2**32 - 1)
_registers = st.integers(-(2**63), 2**64 - 1)
_sizes = st.integers(0, 2**63 - 1)
_arguments = st.lists(names, max_size=3).map(tuple)


def optional(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


def processes(depth: int = 3) -> st.SearchStrategy[Process]:
    """A process with up to `depth` ancestors."""
    return st.builds(
        Process,
        pid=_ids,
        start_ns=optional(st.integers(0, 2**63 - 1)),
        executable=optional(names),
        args=optional(_arguments),
        args_truncated=st.booleans(),
        name=optional(names),
        parent_pid=optional(_ids),
        parent=st.none() | processes(depth - 1) if depth else st.none(),
    )


_containers = st.builds(
    Container,
    id=names,
    name=optional(names),
    image=optional(names),
    runtime=optional(names),
    pod=optional(names),
    namespace=optional(names),
)
_moments = st.integers(0, 2**63 - 1)


_extras = st.dictionaries(
    st.from_regex(r"my\.[a-z]{1,4}", fullmatch=True),
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(max_size=5)
    | st.lists(st.text(max_size=5)),
    min_size=1,
    max_size=3,
)

events = st.builds(
    FileEvent,
    ts_ns=st.integers(0, 2**63 - 1),
    operation=st.sampled_from(Operation),
    process=processes(),
    syscall=optional(st.sampled_from(["open", "openat2"])),
    path=optional(names),
    asked_path=optional(names),
    path_state=st.integers(0, sum(PathState)).map(PathState),
    flags=optional(_registers),
    access_mode=optional(st.sampled_from(AccessMode)),
    errno=st.sampled_from([0, 0, 2, 13, 133, 4095]),
    result=optional(_registers),
    inode=optional(_registers),
    device=optional(_ids),
    mode=optional(st.integers(0, 0o177777)),
    thread_id=optional(_ids),
    user_id=optional(_ids),
    group_id=optional(_ids),
    effective_user_id=optional(_ids),
    effective_group_id=optional(_ids),
    login_user_id=optional(_ids),
    session_id=optional(_ids),
    cgroup_id=optional(_registers),
    user_name=optional(names),
    group_name=optional(names),
    login_user_name=optional(names),
    effective_user_name=optional(names),
    effective_group_name=optional(names),
    working_directory=optional(names),
    container_path=optional(names),
    alias_path=optional(names),
    owner_id=optional(_ids),
    owner_group_id=optional(_ids),
    owner_name=optional(names),
    owner_group_name=optional(names),
    size_bytes=optional(_sizes),
    container=optional(_containers),
    host_name=optional(names),
    host_id=optional(names),
    clock=optional(names),
    source_path=optional(names),
    asked_source_path=optional(names),
    link_target=optional(names),
    new_mode=optional(st.integers(0, 0o177777)),
    new_owner_id=optional(_ids),
    new_owner_group_id=optional(_ids),
    new_owner_name=optional(names),
    new_owner_group_name=optional(names),
    new_accessed_ns=optional(_moments),
    new_modified_ns=optional(_moments),
    new_size_bytes=optional(_sizes),
    attribute_name=optional(names),
    transferred_bytes=optional(_sizes),
    transfer_calls=optional(_sizes),
    mount_source=optional(names),
    file_system=optional(names),
    extra=st.none() | _extras,
)
"""Any event that a source could make."""
