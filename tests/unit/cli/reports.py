"""A report with everything in it that a host could have written, the hostile included."""

from typing import Any

import msgspec

from fileaudit_engine.runtime.report_data import (
    FORMAT_VERSION,
    Alerts,
    AnchorFacts,
    Bucket,
    Chain,
    ChangedFile,
    Changes,
    Counted,
    Course,
    Coverage,
    DayOfAlerts,
    Denied,
    DeniedCount,
    Framework,
    Gap,
    Losses,
    LostSpan,
    OperationCount,
    Range,
    Report,
    Requirement,
    RuleCount,
    Serving,
    SessionCount,
    Sessions,
    StoreFacts,
    Top,
    Totals,
    Trouble,
)
from fileaudit_engine.runtime.report_findings import with_findings

SCRIPT = "/srv/<script>document.title='owned'</script>/a\"b'&amp;.html"
"""A name that would be a script."""
TURNED = "/home/alice/\u202egnp.exe"
"""A name that would read backwards."""
ACTING = "/tmp/\x1b[2J\n\u200bclear"
"""A name that would act on a terminal."""
BROKEN = "/tmp/\\xff\\xfe.dat"
"""A name whose bytes are not UTF-8, as documents have it."""


def report(**changed: Any) -> Report:
    """The report, with other members where they are given, and with its own findings."""
    return with_findings(msgspec.structs.replace(_REPORT, **changed))


def _buckets() -> list[Bucket]:
    events = (120, 80, 60, 50, 40, 40, 90, 400, 1800, 2600, 2400, 2100, 1200, 1900, 2500, 2300, 1700, 900)
    return [
        Bucket(begins=f"2026-11-28T{hour:02d}", alerts=hour % 5 if hour > 6 else 0, events=count)
        for hour, count in enumerate(events)
    ]


def _requirements() -> list[Requirement]:
    shadow = Serving(name="shadow_file_read", kind="rule", records=3, ran=True)
    trail = Serving(name="changes_only", kind="trail", records=18_404, ran=True)
    sweep = Serving(name="ssh_key_sweep", kind="rule", records=0, ran=True)
    absent = Serving(name="pci_dss", kind="trail", records=0, ran=False)
    return [
        Requirement(
            id="10.2.1.1",
            title="Every access of a person to cardholder data is recorded",
            state="nothing",
            records=0,
            serving=[absent],
            sections=["files", "denied"],
            note="where cardholder data lies is for you to say, in the trail's list of paths",
        ),
        Requirement(
            id="10.2.1.2",
            title="Everything that an administrator does is recorded",
            state="seen",
            records=18_407,
            serving=[shadow, trail],
            sections=["users", "commands"],
            note="",
        ),
        Requirement(
            id="10.2.1.5",
            title="Changes to credentials are recorded",
            state="no trail",
            records=0,
            serving=[sweep, absent],
            sections=[],
            note="accounts in a directory service are not seen",
        ),
        Requirement(
            id="10.5.1",
            title="The trail is kept for a year",
            state="engine",
            records=0,
            serving=[],
            sections=["chain"],
            note="",
        ),
    ]


_REPORT = Report(
    format=FORMAT_VERSION,
    made="2026-11-28T18:00:00.000000000Z",
    engine="0.1.0",
    host="web-1",
    range=Range(
        since="2026-11-28T00:00:00.000000000Z", until="2026-11-28T18:00:00.000000000Z", seconds=64_800.0
    ),
    store=StoreFacts(
        path="/var/lib/fileaudit/fileaudit.db",
        identity="000102030405060708090a0b0c0d0e0f",
        records=1_204_332,
        kept_since="2026-09-01T00:00:03.000000000Z",
    ),
    findings=[],
    totals=Totals(
        records=20_310,
        alerts=22,
        events=20_280,
        engine=8,
        outcomes={"success": 19_000, "failure": 1_292},
    ),
    operations=[
        OperationCount(operation="open", records=12_000, success=10_800, failure=1_200, unknown=0),
        OperationCount(operation="write", records=6_000, success=5_990, failure=10, unknown=0),
        OperationCount(operation="unlink", records=2_292, success=2_210, failure=82, unknown=0),
    ],
    course=Course(unit="hour", buckets=_buckets()),
    users=Top(
        records=20_292,
        distinct=12,
        top=[
            Counted(name="root", records=14_000),
            Counted(name="alice", records=6_200),
            Counted(name="mallory\u202e", records=92),
        ],
    ),
    files=Top(
        records=20_292,
        distinct=5_310,
        top=[
            Counted(name="/var/log/syslog", records=4_100),
            Counted(name=SCRIPT, records=31),
            Counted(name=TURNED, records=8),
            Counted(name=ACTING, records=7),
            Counted(name=BROKEN, records=1),
            Counted(name="/srv/数据/报告.txt", records=1),
        ],
    ),
    commands=Top(
        records=20_292,
        distinct=2,
        top=[Counted(name="sh -c 'echo <b>bold</b>'", records=12), Counted(name="x" * 1_024, records=1)],
    ),
    alerts=Alerts(
        alerts=22,
        levels={"critical": 1, "high": 2, "medium": 4, "low": 15},
        rules=[
            RuleCount(
                rule="shadow_file_write",
                level="critical",
                alerts=1,
                first_day="2026-11-28",
                last_day="2026-11-28",
            ),
            RuleCount(
                rule="shadow_file_read", level="high", alerts=2, first_day="2026-11-28", last_day="2026-11-28"
            ),
            RuleCount(
                rule="<img src=x onerror=alert(1)>",
                level="low",
                alerts=19,
                first_day="2026-11-28",
                last_day="2026-11-28",
            ),
        ],
        days=[DayOfAlerts(day="2026-11-28", critical=1, high=2, medium=4, low=15)],
    ),
    denied=Denied(
        records=1_204,
        distinct=24,
        top=[
            DeniedCount(user="alice", path="/etc/shadow", records=1_000),
            DeniedCount(user="mallory\u202e", path=SCRIPT, records=204),
        ],
    ),
    changes=Changes(
        records=8_200,
        distinct=801,
        top=[
            ChangedFile(path="/var/log/syslog", records=4_000, operations={"write": 3_999, "rename": 1}),
            ChangedFile(path=SCRIPT, records=3, operations={"chmod": 3}),
        ],
    ),
    sessions=Sessions(
        records=6_292,
        distinct=2,
        top=[
            SessionCount(
                session="7",
                login_user="alice",
                records=6_200,
                first="2026-11-28T07:12:09.120000000Z",
                last="2026-11-28T17:31:02.000000000Z",
            ),
            SessionCount(session="9", login_user="mallory\u202e", records=92, first=None, last=None),
        ],
    ),
    coverage=Coverage(
        known=True,
        begins="2026-11-28T00:00:00.000000000Z",
        seconds=64_800.0,
        watched_seconds=62_270.0,
        percent=100 * 62_270 / 64_800,
        gaps=[
            Gap(
                since="2026-11-28T03:00:00.000000000Z",
                until="2026-11-28T03:41:00.000000000Z",
                seconds=2_460.0,
                how="killed",
            ),
            Gap(
                since="2026-11-28T09:00:00.000000000Z",
                until="2026-11-28T09:01:10.000000000Z",
                seconds=70.0,
                how="stopped",
            ),
        ],
        gaps_total=2,
        losses=Losses(
            events=1_312,
            times=2,
            seconds=0.8,
            what={"open": 1_300, "write": 12},
            spans=[
                LostSpan(
                    since="2026-11-28T09:12:00.100000000Z",
                    until="2026-11-28T09:12:00.900000000Z",
                    events=1_312,
                )
            ],
            spans_total=1,
        ),
        troubles=[
            Trouble(
                since="2026-11-28T11:00:00.000000000Z",
                until="2026-11-28T11:04:00.000000000Z",
                reason="database or disk is full",
            )
        ],
    ),
    chain=Chain(
        head_seq=1_304_332,
        head_link="ab" * 32,
        first_seq=100_001,
        removed_seq=100_000,
        anchors="/var/log/fileaudit/anchors.log",
        anchor=AnchorFacts(seq=1_304_000, time="2026-11-28T17:50:00.000000000Z", agrees=True),
        check=None,
    ),
    controls=[Framework(name="PCI DSS", version="4.0.1", requirements=_requirements())],
)
