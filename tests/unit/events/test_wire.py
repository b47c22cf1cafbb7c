"""Both sides of the ring read one ABI."""

import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.events import model, wire
from fileaudit_engine.events.model import AccessMode, Operation, PathState, Process
from fileaudit_engine.text import from_kernel

EVENT_H = (Path(__file__).parents[3] / "bpf" / "event.h").read_text(encoding="utf-8")
CODES = {"u8": "B", "u16": "H", "u32": "I", "s32": "i", "u64": "Q", "char": "16s"}
PROCESS = Process(pid=1, name="cat")


def fields_in_c(name: str) -> str:
    """The struct of `event.h` as a format string, up to its candidates."""
    body = re.search(rf"struct {name} {{(.*?)}};", EVENT_H, re.DOTALL)
    assert body is not None
    lines = re.sub(r"/\*.*?\*/", "", body[1], flags=re.DOTALL)
    return "=" + "".join(
        CODES[kind] for kind in re.findall(r"^\s*(\w+) \w+(?:\[\w+\])?;", lines, re.MULTILINE)
    )


def numbers_in_c(name: str) -> dict[str, int]:
    body = re.search(rf"enum {name} {{(.*?)}};", EVENT_H, re.DOTALL)
    assert body is not None
    return {key: int(value) for key, value in re.findall(r"(\w+) = (\d+)", body[1])}


def lookups(words: int = 1) -> wire.Lookups:
    return wire.Lookups(
        process=lambda pid, start, parent, name, image: Process(
            pid=pid, start_ns=start, parent_pid=parent, name=name, image_inode=image
        ),
        user={0: "root", 1000: "alice"}.get,
        group={0: "wheel", 5: "tty"}.get,
        clause_words=words,
        boot_to_wall_ns=10**18,
    )


def file_record(
    path: bytes = b"/etc/shadow", asked: bytes | None = b"shadow", **changes: int | bytes
) -> bytes:
    known: dict[str, int | bytes] = {
        "kind": 1, "operation": 0, "access": 1, "state": 0, "call": 1, "path_bytes": len(path),
        "asked_bytes": 0xFFFF if asked is None else len(asked), "mode": 0o100640, "epoch": 7, "time": 42,
        "start": 41, "result": 3, "flags": 0o1101, "tgid": 10, "tid": 11, "parent": 9, "uid": 1000, "gid": 0,
        "euid": 0, "egid": 5, "login": 1000, "session": 4, "device": 8 << 20 | 1, "inode": 77, "cgroup": 88,
        "image": 99, "comm": b"cat\0garbage",
    }  # fmt: skip
    head = wire.FILE_HEAD.pack(*(known | changes).values())
    return head + struct.pack("=Q", 0b101) + path + (asked or b"")


def test_the_structures_are_those_of_the_kernel_programs() -> None:
    assert fields_in_c("file_record") == wire.FILE_HEAD.format
    assert fields_in_c("process_record") == wire.PROCESS_HEAD.format


def test_the_numbers_are_those_of_the_kernel_programs() -> None:
    assert numbers_in_c("record_kind") == {f"RECORD_{kind.name}": kind.value for kind in wire.Kind}
    assert numbers_in_c("access_mode") == {f"ACCESS_{mode.name}": mode.number for mode in AccessMode}
    assert numbers_in_c("file_call") == {
        f"CALL_{call.upper()}": number for number, call in enumerate(wire.SYSCALLS)
    }
    states = {f"PATH_{state.name}": state.value for state in PathState if state.name != "FOLLOWED"}
    assert numbers_in_c("path_state") == states
    assert numbers_in_c("file_operation")["OPERATION_OPEN"] == Operation.OPEN.number
    assert numbers_in_c("file_operation")["OPERATIONS"] >= len(model.OPERATIONS)


def test_a_file_record_becomes_an_event() -> None:
    event = wire.file_event(b"\0" * 8 + file_record(), 8, lookups())
    assert event == model.FileEvent(
        ts_ns=10**18 + 42,
        operation=Operation.OPEN,
        process=Process(pid=10, start_ns=41, parent_pid=9, name="cat", image_inode=99),
        syscall="openat",
        path="/etc/shadow",
        asked_path="shadow",
        flags=0o1101,
        access_mode=AccessMode.WRITE,
        result=3,
        inode=77,
        device=8 << 20 | 1,
        mode=0o100640,
        thread_id=11,
        user_id=1000,
        group_id=0,
        effective_user_id=0,
        effective_group_id=5,
        login_user_id=1000,
        session_id=4,
        cgroup_id=88,
        user_name="alice",
        group_name="wheel",
        effective_user_name="root",
        effective_group_name="tty",
        login_user_name="alice",
    )


def test_a_failed_open_has_an_errno_and_no_file() -> None:
    event = wire.file_event(file_record(result=-13), 0, lookups())
    assert (event.errno, event.result) == (13, -13)
    assert (event.inode, event.device, event.mode) == (None, None, None)


def test_a_call_that_was_to_be_run_again_was_interrupted() -> None:
    assert wire.file_event(file_record(result=-512), 0, lookups()).errno == 4


def test_nobody_and_no_session_are_absent() -> None:
    event = wire.file_event(file_record(login=0xFFFFFFFF, session=0xFFFFFFFF), 0, lookups())
    assert (event.login_user_id, event.login_user_name, event.session_id) == (None, None, None)


def test_an_asked_name_that_could_not_be_read_is_absent_and_an_empty_one_is_not() -> None:
    assert wire.file_event(file_record(asked=None), 0, lookups()).asked_path is None
    assert wire.file_event(file_record(asked=b""), 0, lookups()).asked_path == ""


@given(path=st.binary(min_size=1, max_size=300), asked=st.binary(max_size=300))
def test_every_byte_of_a_name_survives(path: bytes, asked: bytes) -> None:
    event = wire.file_event(file_record(path, asked), 0, lookups())
    assert event.path == from_kernel(path)
    assert event.asked_path == from_kernel(asked)


def test_a_route_is_epoch_pid_and_candidates() -> None:
    assert wire.route(b"\0" * 8 + file_record(), 8, 1) == (7, 10, 0b101)
    assert wire.kind_of(file_record(), 0) == wire.Kind.FILE


def test_candidates_of_many_words_are_one_number() -> None:
    record = file_record()[: wire.FILE_HEAD.size] + struct.pack("=4Q", 1, 0, 0, 1 << 63) + b"/p"
    assert wire.route(record, 0, 4).candidates == 1 | 1 << 255


def test_an_exec_record_has_image_and_arguments() -> None:
    image, args = b"/bin/cat", b"cat\0\0a b\0"
    head = wire.PROCESS_HEAD.pack(3, len(image), len(args), 1, 0, 10, 9, 41, 40, 66, b"cat" + b"\0" * 13)
    assert wire.process_record(head + image + args, 0) == wire.ProcessRecord(
        kind=wire.Kind.EXEC,
        pid=10,
        start_ns=41,
        parent_pid=9,
        parent_start_ns=40,
        name="cat",
        image=66,
        executable="/bin/cat",
        args=("cat", "", "a b"),
        args_truncated=True,
    )


@pytest.mark.parametrize(
    ("raw", "args"),
    [(b"", ()), (b"a\0", ("a",)), (b"a\0b", ("a", "b")), (b"a\0\0", ("a", "")), (b"\0", ("",))],
)
def test_arguments_end_with_a_nul(raw: bytes, args: tuple[str, ...]) -> None:
    assert wire.split_args(raw) == args


def test_thousands_of_arguments_stay_one_command_line_and_few_objects() -> None:
    args = wire.split_args(b"cat\0" + b"-u\0" * 2000 + b"/etc/shadow\0")
    assert len(args) == wire.MAX_ARGS
    assert " ".join(args) == "cat " + "-u " * 2000 + "/etc/shadow"


def test_an_image_that_an_ordinary_user_may_have_named_is_not_the_hosts() -> None:
    image = b"/usr/bin/ssh"
    for state, told in ((0, "/usr/bin/ssh"), (16, "/usr/bin/ssh"), (48, "/proc/10/root/usr/bin/ssh")):
        head = wire.PROCESS_HEAD.pack(3, len(image), 0, 0, state, 10, 9, 41, 40, 66, b"ssh" + b"\0" * 13)
        assert wire.process_record(head + image, 0).executable == told
