"""A day at work: one event or more of each operation, as programs on a host make them."""

import msgspec
from tests.unit.events.examples import SHADOW

from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, PathState, Process

START_NS = SHADOW.ts_ns // 1_000_000_000 * 1_000_000_000

_O = Operation


def event(operation: Operation, program: str, path: str | None, **facts: object) -> FileEvent:
    """What a program of alice's did, half a second after the full second."""
    name = program.rpartition("/")[2]
    pid = 4_000 + sum(program.encode()) % 900
    known = {
        "ts_ns": START_NS + 500_000_000,
        "operation": operation,
        "process": Process(pid=pid, start_ns=pid, executable=program, args=(name,), name=name[:15]),
        "path": path,
        "thread_id": pid,
        "user_id": 1000,
        "user_name": "alice",
    }
    return FileEvent(**{**known, **facts})  # type: ignore[arg-type]  # each fact has its attribute's type


def later(events: list[FileEvent]) -> list[FileEvent]:
    """The same, a millisecond apart."""
    return [
        msgspec.structs.replace(one, ts_ns=one.ts_ns + number * 1_000_000)
        for number, one in enumerate(events)
    ]


EXECUTED = Process(
    pid=4711, executable="/usr/bin/tar", args=("tar", "-cf", "my backup.tar", "/srv"), name="tar"
)

DAY = later(
    [
        event(_O.EXEC, "/usr/bin/tar", "/usr/bin/tar", process=EXECUTED, thread_id=4711),
        event(_O.EXEC, "/usr/bin/bash", "/srv/run.sh", errno=13),
        event(_O.OPEN, "/usr/bin/cat", "/etc/hostname", flags=0o2000000, access_mode=AccessMode.READ),
        event(_O.OPEN, "/usr/bin/cat", "/etc/shadow", flags=0, errno=13, access_mode=AccessMode.READ),
        event(_O.OPEN, "/usr/bin/cat", "/etc/shadow", flags=0, asked_path="/tmp/notes"),
        event(_O.READ, "/usr/bin/cat", "/etc/hostname", transferred_bytes=7, transfer_calls=2),
        event(_O.CREATE, "/usr/bin/bash", "/srv/report", flags=0o1101, mode=0o100644),
        event(_O.WRITE, "/usr/bin/tar", "/srv/report", transferred_bytes=4_096, transfer_calls=3),
        event(_O.WRITE, "/usr/bin/tar", "/srv/report", transferred_bytes=3 << 29, transfer_calls=1),
        event(_O.TRUNCATE, "/usr/sbin/logrotate", "/var/log/syslog", new_size_bytes=0),
        event(_O.MKDIR, "/usr/bin/mkdir", "/srv/new", mode=0o040755),
        event(_O.MKDIR, "/usr/bin/mkdir", "/srv/new", errno=17),
        event(_O.RMDIR, "/usr/bin/rmdir", "/srv/new", flags=0x200),
        event(_O.UNLINK, "/usr/bin/rm", "/srv/report"),
        event(_O.RENAME, "/usr/bin/mv", "/srv/b", source_path="/srv/a", flags=1),
        event(_O.LINK, "/usr/bin/ln", "/tmp/hosts", source_path="/etc/hosts"),
        event(_O.SYMLINK, "/usr/bin/ln", "/tmp/notes", link_target="/etc/shadow"),
        event(_O.CHMOD, "/usr/bin/chmod", "/srv/tool", new_mode=0o4755, mode=0o100644),
        event(
            _O.CHOWN,
            "/usr/bin/chown",
            "/srv/tool",
            new_owner_id=1000,
            new_owner_name="alice",
            new_owner_group_id=50,
            new_owner_group_name="staff",
            flags=0x100,
        ),
        event(
            _O.UTIMES,
            "/usr/bin/touch",
            "/srv/tool",
            new_accessed_ns=START_NS,
            new_modified_ns=1_000_000_000_000_000_000,
        ),
        event(_O.SETXATTR, "/usr/bin/setfattr", "/srv/tool", attribute_name="user.note", flags=1),
        event(_O.REMOVEXATTR, "/usr/bin/setfattr", "/srv/tool", attribute_name="security.capability"),
        event(_O.MOUNT, "/usr/bin/mount", "/mnt", mount_source="/dev/vdb1", file_system="ext4", flags=3),
        event(_O.UMOUNT, "/usr/bin/umount", "/mnt", flags=2),
        event(
            _O.OPEN,
            "/usr/bin/nginx",
            "/var/lib/containers/7f/merged/etc/nginx.conf",
            flags=0,
            container_path="/etc/nginx.conf",
        ),
        event(_O.READ, "/usr/bin/sqlite3", "/srv/data.db", transfer_calls=1, alias_path="/mnt/bind/data.db"),
        event(_O.WRITE, "/usr/bin/vim", "/tmp/gone", transferred_bytes=1, path_state=PathState.DELETED),
    ]
)
