"""What `top` shows, as text.

After a change that is meant, write the golden files anew with `UPDATE_GOLDEN=1 pytest tests/unit/cli`, and
read them.
"""

import json
import os
import re
from datetime import timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.events.examples import HOSTILE, events
from tests.unit.sinks.every_operation import DAY, START_NS, event

from fileaudit_engine.cli.top_table import (
    FILES,
    PROCESSES,
    clipped,
    clipped_start,
    fitting,
    screen_table,
    short,
    short_size,
)
from fileaudit_engine.cli.top_text import KEYS, Look, block, document, screen, summary
from fileaudit_engine.events.model import FileEvent, Loss, Operation, Process
from fileaudit_engine.runtime.activity import Activity
from fileaudit_engine.sinks.output import width
from fileaudit_engine.text import from_document

GOLDEN = Path(__file__).parents[2] / "golden" / "top"
COLOR = re.compile(r"\x1b\[[0-9;]+m")
_O = Operation


def golden(name: str, text: str) -> str:
    """What the golden file says; with UPDATE_GOLDEN=1 in the environment it is written anew."""
    if os.environ.get("UPDATE_GOLDEN") == "1":
        (GOLDEN / name).write_text(text)
    return (GOLDEN / name).read_text()


def look(**changes: Any) -> Look:
    known: dict[str, Any] = {"seconds": 2.0, "now_ns": START_NS + 2_000_000_000, "zone": timezone.utc}
    return Look(**known | changes)


def activity_of(events: list[FileEvent]) -> Activity:
    activity = Activity()
    for one in events:
        activity.feed(one)
    activity.end_interval()
    return activity


def busy_day() -> Activity:
    """A day's work, a backup that moves much, a flood of failures, an alert and a loss."""
    backup = [
        event(_O.READ, "/usr/bin/tar", f"/srv/data/{n}.db", transferred_bytes=n << 20, transfer_calls=8 * n)
        for n in range(1, 9)
    ]
    flood = [event(_O.OPEN, "/usr/bin/find", f"/proc/{n}/fd", errno=13) for n in range(40)]
    activity = Activity()
    for one in (*DAY, *backup, *flood):
        activity.feed(one)
    stolen = event(_O.OPEN, "/usr/bin/cat", "/etc/shadow")
    activity.alert(stolen, level="high", title="Shadow file read")
    activity.lose(Loss(first_ns=1, last_ns=2, counts={"open": 1_234}))
    activity.end_interval()
    return activity


def text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (132, 30), (200, 16), (40, 10), (20, 5)])
def test_a_screen_has_room_for_what_matters_most(columns: int, lines: int) -> None:
    shown = text(screen(busy_day(), look(keys=True), columns=columns, lines=lines))
    assert shown == golden(f"screen_{columns}x{lines}.txt", shown)


def test_a_screen_in_colours() -> None:
    shown = text(screen(busy_day(), look(keys=True, color=True, order="read"), columns=100, lines=24))
    assert shown == golden("screen.ansi.txt", shown)


def test_on_paper_an_interval_is_a_block_of_lines() -> None:
    shown = text(block(busy_day(), look(most=5)))
    assert shown == golden("block.txt", shown)


def test_the_summary_has_all_that_each_process_did() -> None:
    shown = text(summary(busy_day(), look(whole=True, order="read", most=20)))
    assert shown == golden("summary.txt", shown)


def test_the_summary_as_json() -> None:
    shown = json.dumps(document(busy_day(), look(whole=True, most=3)), indent=1) + "\n"
    assert shown == golden("summary.json", shown)


def test_nothing_is_told_of_nothing() -> None:
    shown = text(summary(activity_of([]), look(whole=True, seconds=0.0)))
    assert shown.splitlines()[0] == (
        "0.0 s in all · 0 operations · 0 alerts · 0 failed · read 0 B in 0 calls"
        " · written 0 B in 0 calls · nothing lost"
    )
    assert document(activity_of([]), look())["processes"] == []


def test_alerts_are_told_on_paper_as_on_the_screen() -> None:
    line = "07:30:45.500 HIGH     Shadow file read  cat[4212]  alice  /etc/shadow"
    assert line in screen(busy_day(), look(), columns=80, lines=24)
    assert block(busy_day(), look())[1] == line
    assert summary(busy_day(), look(whole=True))[1] == line
    activity = busy_day()
    activity.end_interval()
    assert line not in block(activity, look())


def test_what_was_lost_is_in_every_form() -> None:
    activity = busy_day()
    assert "1,234 LOST" in screen(activity, look(), columns=80, lines=24)[0]
    assert "1,234 LOST" in block(activity, look())[0]
    assert "1,234 LOST" in summary(activity, look())[0]
    assert document(activity, look())["lost"] == 1_234


def test_on_paper_no_path_is_cut() -> None:
    path = "/" + "d/" * 2_000 + "file"
    (row,) = [line for line in block(activity_of([event(_O.OPEN, "/p", path)]), look()) if "/d/" in line]
    assert row.endswith(f" {path}")


def test_on_a_screen_the_end_of_a_path_stays_and_what_is_cut_is_seen() -> None:
    path = "/" + "d/" * 2_000 + "file"
    shown = screen(activity_of([event(_O.OPEN, "/p", path)]), look(), columns=80, lines=24)
    (row,) = [line for line in shown if "d/d/" in line]
    assert row.endswith("/file")
    assert "…" in row


def test_processes_whose_names_would_break_a_line_or_a_column_do_neither() -> None:
    hostile = event(_O.OPEN, "/p", HOSTILE, user_name="a\nb\x1b[2J", process=Process(pid=1, name=HOSTILE))
    activity = activity_of([hostile, event(_O.OPEN, "/usr/bin/cat", "/etc/hosts")])
    activity.alert(hostile, level="critical", title="t\x1b[2J\n")
    for lines in (block(activity, look()), screen(activity, look(), columns=120, lines=24)):
        assert all(line.isprintable() for line in lines)
    pid = screen(activity, look(), columns=120, lines=24)[2].index("PID")
    rows = screen(activity, look(), columns=120, lines=24)[3:5]
    assert {row[pid + 2] for row in rows} <= set("0123456789")


@given(
    some=st.lists(events, max_size=5),
    columns=st.integers(1, 140),
    lines=st.integers(1, 40),
    whole=st.booleans(),
    color=st.booleans(),
)
@settings(derandomize=True, database=None, deadline=None)
def test_no_screen_is_larger_than_the_terminal_nor_does_anything_to_it(
    some: list[FileEvent], columns: int, lines: int, *, whole: bool, color: bool
) -> None:
    activity = activity_of(some)
    for one in some:
        activity.alert(one, level="high", title="title")
    shown = screen(activity, look(whole=whole, color=color, keys=True), columns=columns, lines=lines)
    assert len(shown) <= lines
    for line in shown:
        plain = COLOR.sub("", line)
        assert plain.isprintable()
        assert width(plain) <= columns


@given(st.lists(events, max_size=5))
@settings(derandomize=True, database=None, deadline=None)
def test_any_summary_does_nothing_to_a_terminal_and_is_a_json_object(some: list[FileEvent]) -> None:
    activity = activity_of(some)
    assert all(line.isprintable() for line in summary(activity, look(whole=True)))
    encoded = json.dumps(document(activity, look()), ensure_ascii=False)
    assert json.loads(encoded.encode())["total"]["operations"] is not None


def test_columns_go_by_their_rank_when_a_screen_is_narrow() -> None:
    def titles(room: int) -> list[str]:
        return [column.title for column in fitting(PROCESSES, room)]

    assert titles(200) == [column.title for column in PROCESSES]
    assert titles(80) == ["PROCESS", "PID", "USER", "OPS", "READS", "READ", "WRITES", "WRITTEN", "ALERTS"]
    assert titles(10) == ["PROCESS", "PID", "OPS", "READS", "READ", "WRITES", "WRITTEN", "ALERTS"]
    assert [column.title for column in fitting(FILES, 200)] == [column.title for column in FILES]


def test_a_table_without_rows_is_its_header() -> None:
    rows = activity_of([]).processes("ops", None, whole=True)
    (header,) = screen_table(PROCESSES, rows, 80)
    assert header.startswith("PROCESS")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (99_999, "99999"),
        (100_000, "100.0K"),
        (999_949, "999.9K"),
        (999_950, "1.0M"),
        (2**63, "9.2E"),
        (1 << 80, "1208925.8E"),
    ],
)
def test_numbers_are_short_on_a_screen(number: int, words: str) -> None:
    assert short(number) == words


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0"), (1023, "1023"), (1024, "1.0K"), (1_048_575, "1.0M"), (3 << 29, "1.5G")]
)
def test_sizes_are_short_on_a_screen(size: int, words: str) -> None:
    assert short_size(size) == words


@pytest.mark.parametrize(
    ("name", "room", "front", "back"),
    [
        ("abc", 3, "abc", "abc"),
        ("abcd", 3, "ab…", "…cd"),
        ("abcd", 1, "…", "…"),
        ("abcd", 0, "", ""),
        ("日本語", 5, "日本…", "…本語"),
        ("日本語", 4, "日…", "…語"),
        ("x" * 10_000, 2, "x…", "…x"),
    ],
)
def test_what_is_cut_off_leaves_a_mark(name: str, room: int, front: str, back: str) -> None:
    assert (clipped(name, room), clipped_start(name, room)) == (front, back)


def test_every_key_is_told_and_fits_the_narrowest_usual_screen() -> None:
    told = screen(activity_of([]), look(keys=True), columns=80, lines=24)[-1]
    assert set(re.findall(r"\[(.)\]", told)) == {*KEYS, "q", "t"}
    assert not screen(activity_of([]), look(keys=False), columns=80, lines=24)[-1].startswith("[q]")


def test_names_that_are_not_utf8_come_back_from_json() -> None:
    activity = activity_of([msgspec.structs.replace(DAY[0], path=HOSTILE)])
    (file,) = json.loads(json.dumps(document(activity, look())))["files"]
    assert from_document(file["path"]) == HOSTILE
