"""Records by the million, like those of a live host: what the store is measured with.

The events are those of the recorded attack that `make demo` replays, completed with everything that the
capture adds on a live host, and sent through one rule that audits and one that alerts: they take 2 to 3 KB.
What makes a document costs more than to store it, so each is made once; a record is a copy in which that
changes which changes on a host: time, ids, path, inode, user, process and its command line.

Which file, user or command comes next follows Zipf's law: the second one half as often as the first.
"""

import functools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from fileaudit_engine.compiler.plan import UserRule
from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.alert import record_of
from fileaudit_engine.detect.record import Finding, Kind, Record
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, Process
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.sources.replay import ReplaySource

RECORDING: Final = Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "demo" / "attack.ndjson"
RULES: Final = """
title: Everything
name: audit_everything
level: informational
description: Every operation on every file of the host, for those who must answer for all of them.
logsource: {product: linux, service: fileaudit}
detection: {selection: {Operation|exists: true}, condition: selection}
---
title: Credentials read
name: credentials_read
level: high
description: A file that holds credentials was read by a program that has no business with it.
author: Bench
references: [https://example.org/credentials]
tags: [attack.credential-access, attack.t1552.001]
falsepositives: [Backups]
logsource: {product: linux, service: fileaudit}
detection: {selection: {Operation|exists: true}, condition: selection}
"""
HOST: Final = "web-1"
EACCES: Final = 13
AT_WORK: Final = 24
"""Processes that run at a time."""
LIFE: Final = 20
"""What a process does before it ends, on the average; a build was seen to do eighty things each."""

# Documents are JSON: Any by nature.
Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variety:
    """How much differs from record to record.

    Attributes:
        paths: Distinct ones, by Zipf's law; 0: every record has a path of its own.
        users: Distinct ones, by Zipf's law.
        commands: Distinct command lines, by Zipf's law; 0: every record has one of its own, and a process
            of its own.
        alert_every: One record in so many is an alert; 0 none, 1 all.
        denied_every: One in so many failed for lack of permission; 0 none.
        padding: Bytes that the command line is longer by.
        step_ns: Time from one event to the next, nanoseconds.
    """

    paths: int = 1_000_000
    users: int = 200
    commands: int = 5_000
    alert_every: int = 0
    denied_every: int = 100
    padding: int = 0
    step_ns: int = 25_000


class Traffic:
    """Records without end; the same ones for the same seed.

    Args:
        variety: How much differs.
        start_ns: Time of the first event, nanoseconds since the Unix epoch.
        seed: Of everything that is drawn.
    """

    def __init__(self, variety: Variety, *, start_ns: int, seed: int = 1) -> None:
        self._variety = variety
        self._now_ns = start_ns
        self._random = random.Random(seed)
        self._count = 0
        self._pid = 1_000
        self._doers: list[Doer | None] = [None] * AT_WORK
        shapes = _shapes()
        self._shapes = {
            (kind, denied): [one for one in shapes[kind] if one.denied is denied]
            for kind in (Kind.EVENT, Kind.ALERT)
            for denied in (False, True)
        }

    def take(self, count: int) -> list[Record]:
        """The next so many records."""
        return [self._next() for _ in range(count)]

    def _next(self) -> Record:
        variety = self._variety
        self._count += 1
        self._now_ns += variety.step_ns
        alert = variety.alert_every and not self._count % variety.alert_every
        denied = bool(variety.denied_every and not self._count % variety.denied_every)
        shapes = self._shapes[Kind.ALERT if alert else Kind.EVENT, denied]
        shape = shapes[self._count % len(shapes)]
        return shape.record(
            ts_ns=self._now_ns,
            number=self._random.getrandbits(128),
            path=path_of(self._rank(variety.paths)),
            doer=self._doer(),
        )

    def _doer(self) -> "Doer":
        """Whoever runs has done it; most do many things before they end."""
        turn = int(self._random.random() * AT_WORK)
        doer = self._doers[turn]
        if doer is None or not self._variety.commands or self._random.random() * LIFE < 1:
            self._pid = self._pid % 60_000 + 1
            user, command = self._rank(self._variety.users), self._rank(self._variety.commands)
            doer = self._doers[turn] = doer_of(self._pid, user, command, self._variety.padding)
        return doer

    def _rank(self, distinct: int) -> int:
        """From 0; how often a rank comes is as 1 to the rank."""
        if not distinct:
            return self._count
        return int(math.exp(self._random.random() * math.log(distinct + 1))) - 1


def path_of(rank: int) -> str:
    """The path of a file, which tells nothing of its rank by its place in the alphabet."""
    number = rank * 2_654_435_761 & 0xFFFFFFFF
    return f"{_FOLDERS[number % len(_FOLDERS)]}/{number >> 24:02x}/{number >> 16 & 0xFF:02x}/{rank}.dat"


_FOLDERS: Final = (
    "/srv/shop/var/cache/sessions",
    "/home/alice/projects/service/build",
    "/var/lib/postgresql/15/main/base",
    "/usr/lib/x86_64-linux-gnu/perl5",
    "/opt/app/releases/current/node_modules",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doer:
    """A process: what documents say of it and of its user.

    Attributes:
        process: ECS `process`.
        user: ECS `user`.
        related: ECS `related`.
        start_ns: When it began, on the boot clock.
    """

    process: Document
    user: Document
    related: Document
    start_ns: int


def doer_of(pid: int, user: int, command: int, padding: int) -> Doer:
    """A process with this number of a user and a command line by their ranks."""
    whole, related = _user_of(user)
    program = ("python3.11", "node", "postgres", "cp", "git", "bash", "java", "rsync")[command % 8]
    args = [
        program,
        "--job",
        str(command),
        f"/srv/jobs/{command}.conf",
        *(["x" * padding] if padding else []),
    ]
    process: Document = {
        "pid": pid,
        "name": program[:15],
        "executable": f"/usr/bin/{program}",
        "command_line": " ".join(args),
        "args": args,
        "parent": _PARENT,
        "thread": {"id": pid},
        "working_directory": "/srv/jobs",
    }
    return Doer(process=process, user=whole, related=related, start_ns=pid * 1_000_003)


_PARENT: Final[Document] = {
    "pid": 811,
    "executable": "/usr/bin/bash",
    "name": "bash",
    "command_line": "bash -l",
    "args": ["bash", "-l"],
}


@functools.cache
def _user_of(rank: int) -> tuple[Document, Document]:
    """A user's part of a document, and ECS `related`."""
    name, number = f"user{rank:03}" if rank else "root", str(1000 + rank) if rank else "0"
    whole: Document = {"name": name, "id": number, "group": {"name": name, "id": number}}
    return {**whole, "effective": whole}, {"user": [name], "hosts": [HOST]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A document that records are copies of.

    Attributes:
        template: The record that it is of.
        title: As its message begins.
        action: What was done.
        denied: Whether the call failed for lack of permission.
    """

    template: Record
    title: str
    action: str
    denied: bool

    def record(self, *, ts_ns: int, number: int, path: str, doer: Doer) -> Record:
        """A copy with these facts; `number` has 128 bits, from which the ids are made."""
        template = self.template
        record_id = f"{number:032x}"
        folder, _, name = path.rpartition("/")
        document: Document = {**template.document}
        document["@timestamp"] = rfc3339(ts_ns)
        document["event"] = {
            **document["event"],
            "id": record_id,
            "ingested": rfc3339(ts_ns // 4_000_000 * 4_000_000 + 5_000_000),
        }
        document["fileaudit"] = {
            **document["fileaudit"],
            "event_id": f"{number ^ -1 & (1 << 128) - 1:032x}",
            "process_start_ns": doer.start_ns,
            "asked_path": path,
        }
        document["file"] = {
            **document["file"],
            "path": path,
            "name": name,
            "directory": folder,
            "inode": str(number % 9_999_991),
        }
        document["process"], document["user"], document["related"] = doer.process, doer.user, doer.related
        by, program = doer.user["name"], doer.process["executable"]
        document["message"] = f"{self.title}: {by} {self.action} {path} with {program}"
        return Record(
            id=record_id,
            kind=template.kind,
            ts_ns=ts_ns,
            rule=template.rule,
            level=template.level,
            document=document,
            event=None,
        )


@functools.cache
def _shapes() -> dict[Kind, Sequence[Shape]]:
    """A document of each kind for each event of the recording."""
    events = [_completed(event) for event in ReplaySource([RECORDING]).events()]
    denied = [msgspec.structs.replace(event, errno=EACCES, result=-EACCES) for event in events]
    audit, alert = compile_rules(parse_text(RULES, "bench").rules).user.rules
    return {
        kind: [_shape(rule, event) for event in (*(e for e in events if not e.errno), *denied)]
        for kind, rule in ((Kind.EVENT, audit), (Kind.ALERT, alert))
    }


def _shape(rule: UserRule, event: FileEvent) -> Shape:
    finding = Finding(rule=rule, event=event, selections=("selection",))
    return Shape(
        template=record_of(finding, host=HOST, ingested_ns=event.ts_ns),
        title=rule.rule.title,
        action=event.operation.value,
        denied=bool(event.errno),
    )


def _completed(event: FileEvent) -> FileEvent:
    """An event of a recording made by hand, with what the capture knows besides."""
    opened = event.operation is Operation.OPEN
    return msgspec.structs.replace(
        event,
        process=_with_ancestors(event.process),
        syscall="openat" if opened else event.operation.value,
        asked_path=event.path,
        flags=0o2000000 if opened else None,
        access_mode=event.access_mode or (AccessMode.READ if opened else None),
        result=3 if opened else 0,
        inode=1_311_768,
        device=266_338_304,
        mode=0o100640,
        thread_id=event.process.pid,
        group_id=33,
        group_name="www-data",
        effective_user_id=event.user_id,
        effective_user_name=event.user_name,
        effective_group_id=33,
        effective_group_name="www-data",
        login_user_id=1000,
        login_user_name="alice",
        session_id=7,
        cgroup_id=4_211,
        working_directory="/srv/shop",
        owner_id=0,
        owner_name="root",
        owner_group_id=0,
        owner_group_name="root",
        size_bytes=4_096,
        host_name=HOST,
        host_id="3d1219c7c4c5404aaa1f6d2a48adfda4",
    )


def _with_ancestors(process: Process) -> Process:
    line = None
    for pid, path in ((1, "/usr/lib/systemd/systemd"), (640, "/usr/sbin/sshd"), (702, "/usr/bin/bash"),
                      (811, "/usr/bin/bash")):  # fmt: skip
        line = Process(
            pid=pid,
            start_ns=pid * 10_000_000,
            executable=path,
            name=path.rpartition("/")[2],
            args=(path,),
            parent_pid=line.pid if line else 0,
            parent=line,
        )
    return msgspec.structs.replace(process, start_ns=23_473_509_740_168, parent_pid=811, parent=line)
