"""What a person sees of the alert of a correlation."""

import io
import json
import re
from datetime import timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.detect.crossings import RENAMES, contributions, crossing
from tests.unit.events.examples import HOSTILE, LOSS, SHADOW, events, names
from tests.unit.events.records import record

from fileaudit_engine.detect.alert import record_of_crossing
from fileaudit_engine.detect.crossing import Evicted
from fileaudit_engine.detect.record import Record
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.sinks.terminal import Terminal
from fileaudit_engine.sinks.terminal_words import length_words

replace = msgspec.structs.replace
FIRST = "             ▌ "
ONE_DAY_NS = 86_400_000_000_000
UNSEEN: dict[str, Any] = {"event": None, "events": (), "total": 0}


def printed_of(*records: Record, color: bool = False, show_audit: bool = False) -> str:
    stream = io.StringIO()
    Terminal(stream, color=color, show_audit=show_audit, zone=timezone.utc).deliver(records)
    return stream.getvalue()


def printed(rule: dict[str, Any] | None = None, **changes: Any) -> str:
    return printed_of(record_of_crossing(crossing(rule, **changes), host="this-host"))


def body(rule: dict[str, Any] | None = None, **changes: Any) -> list[str]:
    """The lines below that with the title."""
    return [line.removeprefix(FIRST) for line in printed(rule, **changes).splitlines()[2:]]


def test_what_was_seen_comes_first_then_the_newest_event_and_who_did_it() -> None:
    assert printed() == (
        "── 2026-11-24 (UTC) ──\n"
        "07:30:49.123 ▌ HIGH      Many files renamed  many_files_renamed\n"
        "             ▌ 5 events in 4.0 s (07:30:45.123 to 07:30:49.123)  ProcessId 4242  User root\n"
        "             ▌ last  renamed  /home/a/4.enc  (was /home/a/4)\n"
        "             ▌ by root (uid 0, login alice)  /usr/bin/cat[4242] ← bash[4100] ← sshd[901]\n"
        "             ▌ $ cat ../etc/shadow\n"
        "             ▌ among them  /home/a/0.enc  /home/a/1.enc  /home/a/2.enc  … and 2 more\n"
    )


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ({"SessionId": 7, "CgroupId": None}, "  SessionId 7"),
        ({"SessionId": None, "CgroupId": None}, "  no SessionId  no CgroupId"),
        ({"SessionId": None}, "  no SessionId"),
        ({"User": ""}, "  User ''"),
        ({"ProcessId": 13088, "ProcessStart": 14149298182501}, "  ProcessId 13088"),
        ({"ProcessId": 13088, "ProcessStart": None}, "  ProcessId 13088"),
        ({"ProcessStart": 5, "User": "a", "process.pid": 13088}, "  User a  process.pid 13088"),
        ({"ProcessId": None, "ProcessStart": 5}, "  ProcessStart 5"),
        ({"ProcessStart": 5}, "  ProcessStart 5"),
        ({"ParentProcessId": 4, "ProcessStart": 5}, "  ParentProcessId 4  ProcessStart 5"),
        ({}, ""),
    ],
)
def test_of_the_group_what_is_there_is_told_but_no_number_for_machines(
    group: dict[str, Any], words: str
) -> None:
    made = record_of_crossing(crossing({"group_by": tuple(group)}, group=group), host="this-host")
    line = printed_of(made).splitlines()[2].removeprefix(FIRST)
    assert line == f"5 events in 4.0 s (07:30:45.123 to 07:30:49.123){words}"
    kept = made.document["fileaudit"]["correlation"].get("group", [])  # type: ignore[index]  # an object
    assert [member["field"] for member in kept] == list(group)


def test_an_alert_without_an_event_says_what_is_known() -> None:
    assert body(**UNSEEN) == ["5 events in 4.0 s (07:30:45.123 to 07:30:49.123)  ProcessId 4242  User root"]


def test_a_suspicion_says_that_nothing_was_seen_and_what_was_lost() -> None:
    assert body(suspected=True, losses=(LOSS,), **UNSEEN) == [
        (
            "not seen, but possible since events were lost: at least 3 events within 1m"
            "  ProcessId 4242  User root"
        ),
        "4 events were lost around this time",
    ]


def test_what_else_may_be_missing_is_told() -> None:
    unwatched = Loss(first_ns=SHADOW.ts_ns - ONE_DAY_NS, last_ns=SHADOW.ts_ns, counts={})
    lines = body(losses=(LOSS, unwatched), evicted=Evicted(groups=1, events=20), late=1, **UNSEEN)
    assert lines[1:] == [
        "1 group and 20 events had to be forgotten so far, for want of room",
        "1 event came too late to be counted so far",
        "4 events were lost around this time",
        "nobody was watching 2026-11-23 07:30:45.123 to 07:30:45.123",
    ]
    only_unwatched = body(losses=(unwatched,), **UNSEEN)
    assert "lost" not in "".join(only_unwatched)


def test_one_file_is_not_told_twice() -> None:
    assert "among them" not in printed(events=contributions(RENAMES[-1]))


def test_few_files_are_all_named() -> None:
    assert body(events=contributions(*RENAMES[:2]))[-1] == "among them  /home/a/0.enc  /home/a/1.enc"


def test_no_name_can_look_like_two() -> None:
    two = contributions(replace(RENAMES[0], path="/a  /b"), replace(RENAMES[1], path="/c "))
    assert body(events=two)[-1] == r"among them  /a \x20/b  /c\x20"


def test_hostile_names_are_shown_whole_and_do_nothing() -> None:
    lines = body(group={"User": HOSTILE}, events=contributions(replace(RENAMES[0], path=HOSTILE), RENAMES[1]))
    assert r"User /tmp/a\x0ab\x1b[31m\xff\\x41\\ \u202eend" in lines[0]
    assert r"/tmp/a\x0ab\x1b[31m\xff\\x41\\ \u202eend" in lines[-1]


@given(events, st.dictionaries(names, st.none() | names, max_size=3), names)
@settings(derandomize=True, database=None, deadline=None)
def test_no_event_group_or_title_can_add_a_line_or_act_on_the_terminal(
    event: FileEvent, group: dict[str, Any], title: str
) -> None:
    rule = {"title": title or "x", "key": title or "x", "group_by": tuple(group)}
    lines = printed(rule, event=event, events=contributions(event, *RENAMES), group=group).split("\n")
    assert len(lines) <= 8
    assert all(line.isprintable() for line in lines)


def test_colours_change_nothing_but_colours() -> None:
    made = record_of_crossing(crossing(losses=(LOSS,), late=3), host="this-host")
    assert re.sub(r"\x1b\[[0-9;]*m", "", printed_of(made, color=True)) == printed_of(made)


def test_an_informational_correlation_is_one_line_of_the_trail() -> None:
    made = record_of_crossing(crossing({"level": "informational"}), host="this-host")
    assert printed_of(made) == ""
    assert printed_of(made, show_audit=True).splitlines()[1] == (
        "07:30:49.123   audit     5 events in 4.0 s (07:30:45.123 to 07:30:49.123)  ProcessId 4242  User root"
        "  many_files_renamed"
    )


def forgotten(made: Record) -> Record:
    """The record as it is known after a restart: by its document alone."""
    return replace(made, document=json.loads(encode(made.document)), event=None)


@pytest.mark.parametrize(
    "made", [record(), record_of_crossing(crossing(), host="this-host")], ids=["rule", "correlation"]
)
def test_an_alert_that_is_known_by_its_document_alone_is_told_with_its_repeats(made: Record) -> None:
    again = forgotten(made)
    own = again.document["fileaudit"]
    own["repeats"] = {  # type: ignore[index]  # an object of the document
        "count": 12,
        "first": "2026-11-24T07:30:46.000000000Z",
        "last": "2026-11-24T07:39:12.000000000Z",
    }
    lines = [line.removeprefix(FIRST) for line in printed_of(again).splitlines()[2:]]
    assert lines[-1] == "repeated 12 times more (07:30:46.000 to 07:39:12.000)"
    assert lines[0] in {
        "Shadow file read: root (login alice) opened /etc/shadow for reading with /usr/bin/cat",
        "5 events in 4.0 s (07:30:45.123 to 07:30:49.123)  ProcessId 4242  User root",
    }


@pytest.mark.parametrize(
    ("length_ns", "words"),
    [
        (0, "less than 1 ms"),
        (999_999, "less than 1 ms"),
        (450_999_999, "450 ms"),
        (1_000_000_000, "1.0 s"),
        (59_999_999_999, "59.9 s"),
        (60_000_000_000, "1 m 0 s"),
        (250_000_000_000, "4 m 10 s"),
        (7_500_000_000_000, "2 h 5 m"),
        (ONE_DAY_NS * 2, "2 d 0 h"),
    ],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(length_ns: int, words: str) -> None:
    assert length_words(length_ns) == words
