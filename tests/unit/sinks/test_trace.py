"""Operations as lines in columns.

After a change that is meant, write the golden file anew with `UPDATE_GOLDEN=1 pytest tests/unit/sinks`, and
read it.
"""

import contextlib
import io
import os
import re
from collections.abc import Callable
from datetime import timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.events.examples import HOSTILE, SHADOW, events, names
from tests.unit.sinks.every_operation import DAY, event

from fileaudit_engine.events.model import FileEvent, Operation, PathState, Process
from fileaudit_engine.sinks.trace import TraceLines, style_of, trace_header, trace_line
from fileaudit_engine.sinks.trace_words import detail_of, files_of, name_of, size_words

GOLDEN = Path(__file__).parents[2] / "golden" / "trace"
replace = msgspec.structs.replace
_O = Operation


def line(event: FileEvent, *, color: bool = False) -> str:
    return trace_line(event, color=color, zone=timezone.utc)


def lines(events: list[FileEvent], *, color: bool = False) -> str:
    stream = io.StringIO()
    TraceLines(stream, color=color, zone=timezone.utc).show(events)
    return stream.getvalue()


def golden(name: str, text: str) -> str:
    """What the golden file says; with UPDATE_GOLDEN=1 in the environment it is written anew."""
    if os.environ.get("UPDATE_GOLDEN") == "1":
        (GOLDEN / name).write_text(text)
    return (GOLDEN / name).read_text()


def detail(operation: Operation, **facts: Any) -> str:
    return detail_of(event(operation, "/usr/bin/p", "/f", **facts), timezone.utc)


def after_the_columns(event: FileEvent) -> str:
    """The files of an event and its notes."""
    return line(event)[trace_header(color=False).index("PATH") :]


def test_every_operation_is_a_line_in_the_columns_of_the_header() -> None:
    text = lines(DAY)
    assert text == golden("operations.txt", text)


def test_the_day_has_every_operation() -> None:
    assert {one.operation for one in DAY} == set(Operation)


def test_usual_values_stand_in_their_columns() -> None:
    start = trace_header(color=False).index("PATH")
    usual = [one for one in DAY if one.operation not in {_O.UTIMES, _O.CHOWN}]
    assert {line(one)[start - 1] for one in usual} == {" "}
    assert {line(one)[start] for one in usual} == {"/"}


def test_colours_tell_what_becomes_of_a_file() -> None:
    text = lines(DAY, color=True)
    assert text == golden("operations.ansi.txt", text)


def test_each_kind_of_operation_has_a_colour_of_its_own() -> None:
    kinds = [
        {_O.CREATE, _O.MKDIR, _O.SYMLINK, _O.LINK},
        {_O.UNLINK, _O.RMDIR},
        {_O.RENAME},
        {_O.CHMOD, _O.CHOWN, _O.UTIMES, _O.SETXATTR, _O.REMOVEXATTR, _O.TRUNCATE},
        {_O.WRITE},
        {_O.OPEN, _O.READ},
        {_O.EXEC},
        {_O.MOUNT, _O.UMOUNT},
    ]
    assert set().union(*kinds) == set(Operation)
    styles = [{style_of(operation) for operation in kind} for kind in kinds]
    assert [len(style) for style in styles] == [1] * len(kinds)
    assert len(set().union(*styles)) == len(kinds)


def test_the_header_is_there_before_the_first_event() -> None:
    stream = io.StringIO()
    TraceLines(stream, color=False)
    assert stream.getvalue().startswith("TIME ")


def test_a_stream_that_takes_nothing_is_tried_once_and_told() -> None:
    read, write = os.pipe()
    os.close(read)
    with contextlib.suppress(BrokenPipeError), os.fdopen(write, "w") as closed:
        sink = TraceLines(closed, color=False)
        sink.show(DAY)
        assert sink.output.gone == "the reader has closed the pipe"


def test_what_is_not_known_is_a_dash() -> None:
    bare = FileEvent(ts_ns=0, operation=_O.UNLINK, process=Process(pid=7))
    assert line(bare).split() == ["00:00:00.000", "unlink", "ok", "?", "7", "-", "-", "-", "-"]


@pytest.mark.parametrize("operation", Operation)
def test_an_operation_of_which_nothing_more_is_known_has_a_dash_for_its_detail(operation: Operation) -> None:
    bare = FileEvent(ts_ns=0, operation=operation, process=Process(pid=7), path="/f")
    assert detail_of(bare, timezone.utc) == "-"
    assert files_of(bare) == ("/f",)


@pytest.mark.parametrize(
    ("operation", "flags", "words"),
    [
        (_O.OPEN, 0o102, "O_RDWR|O_CREAT"),
        (_O.RENAME, 2, "RENAME_EXCHANGE"),
        (_O.RENAME, 0x41, "RENAME_NOREPLACE|0x40"),
        (_O.UNLINK, 0x200, "AT_REMOVEDIR"),
        (_O.LINK, 0x1400, "AT_SYMLINK_FOLLOW|AT_EMPTY_PATH"),
        (_O.MOUNT, 0x5000, "MS_BIND|MS_REC"),
        (_O.UMOUNT, 0xA, "MNT_DETACH|UMOUNT_NOFOLLOW"),
        (_O.SETXATTR, 2, "XATTR_REPLACE"),
        (_O.MKDIR, 0x10, "0x10"),
        (_O.UNLINK, 0, "-"),
    ],
)
def test_flags_are_told_by_the_names_that_they_have_for_the_call(
    operation: Operation, flags: int, words: str
) -> None:
    assert detail(operation, flags=flags) == words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"new_mode": 0o644}, "0644"),
        ({"new_mode": 0}, "0000"),
        ({"new_mode": 0o6777, "mode": 0o100600}, "6777 was 0600"),
        ({"new_mode": 0o600, "mode": 0o100600}, "0600"),
        ({"new_mode": 0o777, "mode": 0o100600, "errno": 1}, "0777"),
    ],
)
def test_a_mode_is_four_octal_digits_and_what_it_was_before(facts: dict[str, int], words: str) -> None:
    assert detail(_O.CHMOD, **facts) == words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"new_owner_id": 1000, "new_owner_name": "alice"}, "alice (1000)"),
        ({"new_owner_group_id": 50, "new_owner_group_name": "staff"}, ":staff (:50)"),
        ({"new_owner_id": 4_000_000_000}, "4000000000"),
        ({"new_owner_id": 0, "new_owner_name": "root", "new_owner_group_id": 7}, "root:7 (0:7)"),
        ({"new_owner_id": 1, "new_owner_name": "a\n\x1b[2J"}, r"a\x0a\x1b[2J (1)"),
    ],
)
def test_an_owner_is_told_by_name_and_by_number_as_chown_takes_them(
    facts: dict[str, Any], words: str
) -> None:
    assert detail(_O.CHOWN, **facts) == words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"transferred_bytes": 0, "transfer_calls": 1}, "0 B in 1 call"),
        ({"transferred_bytes": 4096, "transfer_calls": 1_200}, "4.0 KiB in 1,200 calls"),
        ({"transferred_bytes": 5}, "5 B"),
        ({"transfer_calls": 5}, "5 calls"),
    ],
)
def test_a_transfer_is_told_by_its_bytes_and_calls(facts: dict[str, int], words: str) -> None:
    assert detail(_O.READ, **facts) == words
    assert detail(_O.WRITE, **facts) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1_048_525, "1.0 MiB"),
        (1_048_524, "1023.9 KiB"),
        (5 << 30, "5.0 GiB"),
        (2**63 - 1, "8.0 EiB"),
        (1 << 80, "1048576.0 EiB"),
        (-1, "-1 B"),
    ],
)
def test_a_size_is_in_the_largest_unit_that_it_fills(count: int, words: str) -> None:
    assert size_words(count) == words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"new_modified_ns": 1_000_000_000_000_000_000}, "modified 2001-09-09 01:46:40"),
        ({"new_accessed_ns": 0}, "accessed 1970-01-01 00:00:00"),
        ({"new_accessed_ns": 5, "new_modified_ns": 5}, "modified 1970-01-01 00:00:00"),
        ({"new_modified_ns": 2**63 - 1}, "modified 2262-04-11 23:47:16"),
    ],
)
def test_times_that_are_set_are_told_with_their_date(facts: dict[str, int], words: str) -> None:
    assert detail(_O.UTIMES, **facts) == words


def test_a_name_that_was_asked_for_in_other_words_is_no_news_but_a_way_through_a_link_is() -> None:
    for asked in ("/etc/hosts", "hosts", "./hosts", "../etc/hosts", "etc/hosts/", "//etc/hosts"):
        assert after_the_columns(event(_O.OPEN, "/p", "/etc/hosts", asked_path=asked)) == "/etc/hosts"
    for asked in ("sts", "/tmp/hosts", "/proc/self/root/etc/hosts", "/etc/../etc/hosts"):
        shown = after_the_columns(event(_O.OPEN, "/p", "/etc/hosts", asked_path=asked))
        assert shown == f"/etc/hosts  (asked for {asked})"


def test_what_is_to_be_known_of_a_path_is_told_unless_it_is_whole_after_all() -> None:
    state = PathState.FOLLOWED
    assert after_the_columns(event(_O.OPEN, "/p", "/f", path_state=state)) == "/f"
    state |= PathState.DELETED | PathState.FOREIGN
    assert after_the_columns(event(_O.OPEN, "/p", "/f", path_state=state)) == "/f  [deleted, foreign]"


def test_a_command_that_was_not_started_has_no_arguments() -> None:
    assert after_the_columns(event(_O.EXEC, "/p", "/srv/run.sh", errno=13)) == "/srv/run.sh"


def test_no_name_in_the_column_looks_like_its_end() -> None:
    assert detail(_O.SETXATTR, attribute_name="user.x /etc/passwd") == r"user.x\x20/etc/passwd"
    assert detail(_O.MOUNT, file_system="ext4 /boot\n") == r"ext4\x20/boot\x0a"
    assert detail(_O.CHOWN, new_owner_name="a b") == r"a\x20b"


def test_failures_are_red() -> None:
    assert "\x1b[31mEACCES \x1b[0m" in line(replace(SHADOW, errno=13), color=True)


def test_a_path_is_never_cut() -> None:
    path = "/" + "d/" * 2_000 + "file"
    assert line(event(_O.OPEN, "/usr/bin/cat", path)).endswith(path)


def test_a_hostile_name_is_shown_whole_and_does_nothing() -> None:
    shown = line(replace(SHADOW, path=HOSTILE, asked_path=None))
    assert shown.endswith(r"/tmp/a\x0ab\x1b[31m\xff\\x41\\ \u202eend")


TWO_NAMES: list[Callable[[str, str], FileEvent]] = [
    lambda old, new: event(_O.RENAME, "/p", new, source_path=old),
    lambda old, new: event(_O.LINK, "/p", new, source_path=old),
    lambda name, text: event(_O.SYMLINK, "/p", name, link_target=text),
    lambda source, place: event(_O.MOUNT, "/p", place, mount_source=source),
]


@pytest.mark.parametrize("make", TWO_NAMES)
@pytest.mark.parametrize(
    ("first", "second"),
    [("/a -> /b", "/c"), ("/a", "/b -> /c"), ("/a ->", "-> b"), ("->", "->"), ("/a  [deleted]", "/b ")],
)
def test_a_line_with_two_names_has_one_arrow_and_no_note_that_a_name_fakes(
    make: Callable[[str, str], FileEvent], first: str, second: str
) -> None:
    shown = after_the_columns(make(first, second))
    assert shown.count("->") == 1
    assert "  " not in shown
    assert not shown.endswith(" ")


@given(names)
@settings(derandomize=True, database=None, deadline=None)
def test_no_name_holds_two_blanks_or_ends_with_one(name: str) -> None:
    assert "  " not in name_of(name)
    assert not name_of(name).endswith(" ")


@given(st.text(alphabet=" ->\\x20a", max_size=12), st.text(alphabet=" ->\\x20a", max_size=12))
@settings(derandomize=True, database=None, deadline=None)
def test_two_different_names_are_never_shown_alike(one: str, other: str) -> None:
    assert (name_of(one) == name_of(other)) == (one == other)


@given(events)
@settings(derandomize=True, database=None, deadline=None)
def test_any_event_is_one_line_that_does_nothing_to_a_terminal(event: FileEvent) -> None:
    assert line(event).isprintable()
    assert re.sub(r"\x1b\[[0-9;]+m", "", line(event, color=True)) == line(event)
