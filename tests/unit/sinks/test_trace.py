"""Operations as lines in columns."""

import io
from datetime import timezone

import msgspec
from hypothesis import given, settings
from tests.unit.events.examples import HOSTILE, SHADOW, events
from tests.unit.events.records import record

from fileaudit_engine.events.model import FileEvent, Operation, Process
from fileaudit_engine.sinks.trace import TraceLines, trace_line

replace = msgspec.structs.replace


def line(event: FileEvent, *, color: bool = False) -> str:
    return trace_line(event, color=color, zone=timezone.utc)


def test_a_header_and_a_line_for_each_operation_stand_in_the_same_columns() -> None:
    stream = io.StringIO()
    sink = TraceLines(stream, color=False, zone=timezone.utc)
    sink.deliver([record(level="informational"), record(replace(SHADOW, errno=2, flags=0o102))])
    assert stream.getvalue() == (
        "TIME         OPERATION   OUTCOME  PROCESS             PID     TID USER         FLAGS"
        "                        PATH\n"
        "07:30:45.123 open        ok       cat                4242    4242 root         O_RDONLY|O_CLOEXEC"
        "           /etc/shadow\n"
        "07:30:45.123 open        ENOENT   cat                4242    4242 root         O_RDWR|O_CREAT"
        "               /etc/shadow\n"
    )


def test_the_header_is_there_before_the_first_event() -> None:
    stream = io.StringIO()
    TraceLines(stream, color=False)
    assert stream.getvalue().startswith("TIME ")


def test_what_is_not_known_is_a_dash() -> None:
    bare = FileEvent(ts_ns=0, operation=Operation.UNLINK, process=Process(pid=7))
    assert line(bare).split() == ["00:00:00.000", "unlink", "ok", "?", "7", "-", "-", "-", "-"]


def test_flags_of_other_calls_stay_numbers() -> None:
    assert " 0x200 " in line(replace(SHADOW, operation=Operation.UNLINK, flags=0x200))


def test_failures_are_red_and_operations_have_their_colours() -> None:
    colored = line(replace(SHADOW, errno=13), color=True)
    assert "\x1b[31mEACCES  \x1b[0m" in colored
    assert "\x1b[36mopen       \x1b[0m" in colored


def test_a_hostile_name_is_shown_whole_and_does_nothing() -> None:
    assert line(replace(SHADOW, path=HOSTILE)).endswith(r"/tmp/a\x0ab\x1b[31m\xff\\x41\\ \u202eend")


@given(events)
@settings(derandomize=True, database=None, deadline=None)
def test_any_event_is_one_line_that_does_nothing_to_a_terminal(event: FileEvent) -> None:
    assert line(event).isprintable()
