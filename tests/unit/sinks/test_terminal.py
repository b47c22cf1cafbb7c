"""What a person sees of an alert."""

import io
import re
from datetime import timezone

import msgspec
import pytest
from hypothesis import given, settings
from tests.unit.events.examples import CAT, HOSTILE, LOSS, SHADOW, events
from tests.unit.events.records import record

from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.events.model import FileEvent, PathState
from fileaudit_engine.sinks.terminal import Terminal

replace = msgspec.structs.replace


def printed(*events_and_levels: tuple[FileEvent, str], color: bool = False, show_audit: bool = False) -> str:
    stream = io.StringIO()
    sink = Terminal(stream, color=color, show_audit=show_audit, zone=timezone.utc)
    sink.deliver([record(event, level=level) for event, level in events_and_levels])
    return stream.getvalue()


def test_an_alert_says_at_a_glance_what_who_and_how() -> None:
    assert printed((SHADOW, "high")) == (
        "── 2026-11-24 (UTC) ──\n"
        "07:30:45.123 ▌ HIGH      Shadow file read  shadow_file_read\n"
        "             ▌ opened for reading  /etc/shadow  (asked for ../etc/shadow)\n"
        "             ▌ by root (uid 0, login alice)  /usr/bin/cat[4242] ← bash[4100] ← sshd[901]\n"
        "             ▌ $ cat ../etc/shadow\n"
    )


def test_a_failure_is_named_and_so_is_what_is_to_be_known_of_the_path() -> None:
    denied = replace(SHADOW, errno=13, path_state=PathState.FOLLOWED, asked_path="/etc/shadow")
    assert "▌ tried to open for reading  /etc/shadow  [followed]  EACCES\n" in printed((denied, "high"))


def test_what_is_not_known_is_left_out() -> None:
    bare = FileEvent(
        ts_ns=0, operation=SHADOW.operation, process=replace(CAT, executable=None, args=None, parent=None)
    )
    assert printed((bare, "low")).splitlines()[2:] == [
        "             ▌ opened  an unknown file",
        "             ▌ by somebody  cat[4242] ← [4100]",
    ]


def test_arguments_are_quoted_as_a_shell_takes_them() -> None:
    spaced = replace(SHADOW, process=replace(CAT, args=("cat", "a b\n"), args_truncated=True))
    assert "$ cat 'a b\\x0a' …\n" in printed((spaced, "high"))


def test_losses_around_an_alert_are_told() -> None:
    stream = io.StringIO()
    Terminal(stream, color=False, zone=timezone.utc).deliver([record(losses=(LOSS,))])
    assert "▌ 4 events were lost around this time\n" in stream.getvalue()


def test_a_day_is_announced_once() -> None:
    next_day = replace(SHADOW, ts_ns=SHADOW.ts_ns + 86_400_000_000_000)
    lines = printed((SHADOW, "low"), (SHADOW, "low"), (next_day, "low")).splitlines()
    assert [line for line in lines if line.startswith("──")] == [
        "── 2026-11-24 (UTC) ──",
        "── 2026-11-25 (UTC) ──",
    ]


def test_audit_events_are_one_dim_line_and_only_where_asked_for() -> None:
    assert printed((SHADOW, "informational")) == ""
    (_, line) = printed((SHADOW, "informational"), show_audit=True, color=True).splitlines()
    assert line == (
        "\x1b[2m07:30:45.123   audit     opened for reading /etc/shadow"
        "  by root (uid 0, login alice)  /usr/bin/cat[4242]  shadow_file_read\x1b[0m"
    )


@pytest.mark.parametrize(
    ("level", "style"),
    [("critical", "1;97;41"), ("high", "1;31"), ("medium", "1;33"), ("low", "1;36")],
)
def test_each_level_has_its_colour(level: str, style: str) -> None:
    assert f"\x1b[{style}m {level.upper()} \x1b[0m" in printed((SHADOW, level), color=True)


def test_colours_change_nothing_but_colours() -> None:
    colored = printed((SHADOW, "critical"), (SHADOW, "informational"), color=True, show_audit=True)
    plain = printed((SHADOW, "critical"), (SHADOW, "informational"), show_audit=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain


def test_a_hostile_name_is_shown_whole_and_does_nothing() -> None:
    hostile = printed((replace(SHADOW, path=HOSTILE), "high"))
    assert r"/tmp/a\x0ab\x1b[31m\xff\\x41\\ \u202eend" in hostile


@given(events)
@settings(derandomize=True, database=None, deadline=None)
def test_no_event_can_add_a_line_or_act_on_the_terminal(event: FileEvent) -> None:
    lines = printed((event, "high")).split("\n")
    assert len(lines) <= 6
    assert all(line.isprintable() for line in lines)


def test_a_terminal_without_our_characters_gets_escapes() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1")
    Terminal(stream, color=False, zone=timezone.utc).deliver([record()])
    assert b"\\u258c HIGH" in raw.getvalue()


def test_what_the_engine_says_of_itself_is_one_line_where_audit_events_are_shown() -> None:
    said = engine_record(Action.ENGINE_STOP, SHADOW.ts_ns, "web1", "time is\x1b[2J up", {})
    for show_audit, expected in (
        (False, ""),
        (True, "07:30:45.123   engine    Engine stopped: time is\\x1b[2J up"),
    ):
        stream = io.StringIO()
        Terminal(stream, color=False, show_audit=show_audit, zone=timezone.utc).deliver([said])
        assert stream.getvalue().partition("──\n")[2].rstrip("\n") == expected


def test_an_alert_of_the_engine_looks_like_any_other() -> None:
    stream = io.StringIO()
    alert = engine_record(Action.STORE_UNAVAILABLE, SHADOW.ts_ns, "web1", "disk full", {}, alert_level="high")
    Terminal(stream, color=False, zone=timezone.utc).deliver([alert])
    assert stream.getvalue().splitlines()[1:] == [
        "07:30:45.123 ▌ HIGH      Store cannot be written  store_unavailable",
        "             ▌ Store cannot be written: disk full",
    ]
