"""Records for searches: few names, so that they meet; among them what wildcards and SQL choke on."""

import random

import msgspec
from tests.unit.events.examples import CAT, HOSTILE, LOSS, SHADOW
from tests.unit.events.records import record

from fileaudit_engine.detect.record import Record
from fileaudit_engine.events.model import Container, FileEvent, Loss, Operation, Process
from fileaudit_engine.text import from_kernel

PATHS = (
    *("/etc/shadow", "/etc/shadow-", "/etc/ssh/id_rsa", "/home/alice/.ssh/id_rsa", "/home/a_b/%_[x]*?"),
    *(
        "/",
        "/tmp/A",
        "/tmp/a",
        "/tmp/\u017ftra\xdfe",
        "/tmp/STRASSE",
        "/tmp/\\x41",
        "/tmp/a\\b",
        "/tmp/\U0010ffff",
    ),
    *(HOSTILE, from_kernel(b"/tmp/\xff"), from_kernel(b"/tmp/\xc3\xa4\xff\xfe"), "/tmp/new\nline"),
)
USERS = ("root", "alice", "a_b", "%", from_kernel(b"\xff"), "Alice")
IMAGES = ("/usr/bin/cat", "/usr/bin/bash", "/opt/cat", "/usr/bin/systemd-journald")
NAMES = ("cat", "bash", "4242", "systemd-journal", "[kthread]")
CONTAINERS = (
    None,
    Container(id="4f5be01aa2" + "0" * 54, name="web"),
    Container(id="4f5be01bb3" + "0" * 54),
    Container(id="77aa" * 16, name="4f5be01"),
)
RULES = ("shadow_file_read", "audit_all", "rule%", "rule\udcff")
LEVELS = ("informational", "low", "high", "critical")

MOMENTS = range(41)
"""Nanoseconds since 1970: so few that many records have the same."""

Batch = tuple[list[Record], list[Loss]]
"""What is kept in one transaction."""


def batches(seed: int, number: int) -> list[Batch]:
    """Arbitrary records in an arbitrary order of time."""
    dice = random.Random(seed)
    return [
        ([_record(dice) for _ in range(dice.randrange(7))], [_loss(dice)] * (dice.randrange(4) == 0))
        for _ in range(number)
    ]


def _record(dice: random.Random) -> Record:
    return record(_event(dice), key=dice.choice(RULES), level=dice.choice(LEVELS))


def _loss(dice: random.Random) -> Loss:
    last = dice.choice(MOMENTS)
    return msgspec.structs.replace(LOSS, first_ns=last, last_ns=last)


def _event(dice: random.Random) -> FileEvent:
    pick = dice.choice
    operation = pick((Operation.OPEN, Operation.RENAME, Operation.UNLINK))
    return msgspec.structs.replace(
        SHADOW,
        ts_ns=pick(MOMENTS),
        operation=operation,
        path=pick((None, *PATHS)),
        asked_path=pick((None, "/asked/for")),
        source_path=pick((None, *PATHS)) if operation is Operation.RENAME else None,
        alias_path=pick((None, None, "/mnt/shadow")),
        container_path=pick((None, None, "/in/container")),
        errno=pick((0, 13)),
        user_name=pick((None, *USERS)),
        login_user_name=pick((None, *USERS)),
        process=_process(dice),
        container=pick(CONTAINERS),
    )


def _process(dice: random.Random) -> Process:
    return msgspec.structs.replace(
        CAT,
        pid=dice.choice((1, 42, 4242)),
        executable=dice.choice((None, *IMAGES)),
        name=dice.choice((None, *NAMES)),
        args=dice.choice(((), ("cat", "/etc/shadow"), ("CAT", HOSTILE), ("x" * 2_000, "tail"))),
    )
