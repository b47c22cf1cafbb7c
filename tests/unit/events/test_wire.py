"""Both sides of the ring read one ABI."""

import dataclasses
import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.events import model, wire
from fileaudit_engine.events import process_record as told
from fileaudit_engine.events.calls import CALLS
from fileaudit_engine.events.model import AccessMode, Operation, PathState, Process
from fileaudit_engine.text import from_kernel

EVENT_H = (Path(__file__).parents[3] / "bpf" / "event.h").read_text(encoding="utf-8")
CODES = {"u8": "B", "u16": "H", "u32": "I", "s32": "i", "u64": "Q", "s64": "q", "char": "s"}
PROCESS = Process(pid=1, name="cat")


def fields_in_c(name: str) -> str:
    """The struct of `event.h` as a format string, up to its candidates."""
    body = re.search(rf"struct {name} {{(.*?)}};", EVENT_H, re.DOTALL)
    assert body is not None
    lines = re.sub(r"/\*.*?\*/", "", body[1], flags=re.DOTALL)
    return "=" + "".join(
        code_in_c(kind, count)
        for kind, count in re.findall(r"^\s*(\w+) \w+(?:\[(\w+)\])?;", lines, re.MULTILINE)
    )


def code_in_c(kind: str, count: str) -> str:
    match kind, count:
        case "char", _:
            return "16s"
        case "u8", number if number:
            return f"{number}s"
        case _:
            return count + CODES[kind]


def numbers_in_c(name: str) -> dict[str, int]:
    body = re.search(rf"enum {name} {{(.*?)}};", EVENT_H, re.DOTALL)
    assert body is not None
    numbers = re.findall(r"(\w+) = (\d+)", body[1])
    names = re.findall(r"^\s*(\w+),", body[1], re.MULTILINE)
    return {key: int(value) for key, value in numbers} or {name: number for number, name in enumerate(names)}


def lookups(words: int = 1) -> wire.Lookups:
    return wire.Lookups(
        process=lambda pid, start, parent, name, image: Process(
            pid=pid, start_ns=start, parent_pid=parent, name=name, image_inode=image
        ),
        surroundings=lambda _pid, _start, cgroup: ("/home", model.Container(id=f"{cgroup}")),
        user={0: "root", 1000: "alice"}.get,
        group={0: "wheel", 5: "tty"}.get,
        clause_words=words,
        boot_to_wall_ns=10**18,
        host_name="here",
        host_id="4711",
    )


def file_record(
    path: bytes = b"/etc/shadow",
    asked: bytes | None = b"shadow",
    *,
    second: bytes = b"",
    second_asked: bytes = b"",
    extra: bytes = b"",
    alias: bytes = b"",
    details: tuple[int, int, int] = (0, 0, 0),
    **changes: int | bytes,
) -> bytes:
    known: dict[str, int | bytes] = {
        "kind": 1, "operation": 0, "call": 1, "access": 1, "state": 0, "second_state": 0, "hints": 0,
        "path_bytes": len(path), "asked_bytes": 0xFFFF if asked is None else len(asked),
        "alias_bytes": len(alias), "second_bytes": len(second), "second_asked_bytes": len(second_asked),
        "extra_bytes": len(extra), "mode": 0o100640, "unused": 0, "time": 42, "start": 41, "result": 3,
        "epoch": 7,
        "tgid": 10, "tid": 11, "parent": 9, "flags": 0o1101, "uid": 1000, "gid": 0, "euid": 0, "egid": 5,
        "login": 1000, "session": 4, "device": 8 << 20 | 1, "owner": 0, "owner_group": 5, "inode": 77,
        "size": 1234,
        "cgroup": 88, "image": 99, "first": details[0], "second": details[1], "third": details[2],
        "comm": b"cat\0garbage",
    }  # fmt: skip
    head = wire.FILE_HEAD.pack(*(known | changes).values())
    return head + struct.pack("=Q", 0b101) + path + (asked or b"") + alias + second + second_asked + extra


def event_of(record: bytes) -> model.FileEvent:
    return wire.file_record(record, 0, lookups(), {}).event


def process_record(
    image: bytes = b"",
    args: bytes = b"",
    cwd: bytes = b"",
    cgroup: bytes = b"",
    *,
    state: int = 0,
    cwd_state: int = 0,
    compat: int = 0,
) -> bytes:
    head = told.PROCESS_HEAD.pack(
        3, len(image), len(args), len(cwd), len(cgroup), 1, state, cwd_state, compat, b"", 10, 9, 1000, 100,
        41, 40, 66, 88, b"cat" + b"\0" * 13,
    )  # fmt: skip
    return head + image + args + cwd + cgroup


def test_the_structures_are_those_of_the_kernel_programs() -> None:
    assert fields_in_c("file_record") == wire.FILE_HEAD.format
    assert fields_in_c("process_record") == told.PROCESS_HEAD.format


def test_the_numbers_are_those_of_the_kernel_programs() -> None:
    assert numbers_in_c("record_kind") == {f"RECORD_{kind.name}": kind.value for kind in wire.Kind}
    assert numbers_in_c("access_mode") == {f"ACCESS_{mode.name}": mode.number for mode in AccessMode}
    assert numbers_in_c("file_call") == {
        f"CALL_{call.upper()}": number for number, call in enumerate(CALLS)
    } | {"CALLS": len(CALLS)}
    states = {f"PATH_{state.name}": state.value for state in PathState if state.name != "FOLLOWED"}
    assert numbers_in_c("path_state") == states
    operations = {f"OPERATION_{operation.name}": operation.number for operation in Operation}
    assert numbers_in_c("file_operation") == operations | {"OPERATIONS": 32}
    assert numbers_in_c("path_hint") == {f"HINT_{hint.name}": hint.value for hint in wire.Hint}


def test_a_file_record_becomes_an_event() -> None:
    event = wire.file_record(b"\0" * 8 + file_record(), 8, lookups(), {}).event
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
        working_directory="/home",
        owner_id=0,
        owner_group_id=5,
        owner_name="root",
        owner_group_name="tty",
        size_bytes=1234,
        container=model.Container(id="88"),
        host_name="here",
        host_id="4711",
        clock=model.LIVE_CLOCK,
    )


def test_what_an_operation_alone_has_is_told() -> None:
    renamed = event_of(file_record(operation=8, second=b"/old", second_asked=b"old"))
    assert (renamed.source_path, renamed.asked_source_path) == ("/old", "old")
    assert event_of(file_record(operation=10, extra=b"../x")).link_target == "../x"
    assert event_of(file_record(operation=14, extra=b"user.a")).attribute_name == "user.a"
    mounted = event_of(file_record(operation=16, extra=b"/dev/sda1\0ext4"))
    assert (mounted.mount_source, mounted.file_system) == ("/dev/sda1", "ext4")
    read = event_of(file_record(operation=2, details=(4096, 3, 17)))
    assert (read.transferred_bytes, read.transfer_calls) == (4096, 3)
    assert event_of(file_record(operation=4, details=(5, 0, 0))).new_size_bytes == 5
    assert event_of(file_record(operation=11, details=(0o104755, 0, 0))).new_mode == 0o4755


def test_a_chown_may_leave_the_owner_or_the_group_as_it_is() -> None:
    owner = event_of(file_record(operation=12, details=(1000, 0xFFFFFFFF, 0)))
    assert (owner.new_owner_id, owner.new_owner_name, owner.new_owner_group_id) == (1000, "alice", None)
    group = event_of(file_record(operation=12, details=(0xFFFFFFFF, 5, 0)))
    assert (group.new_owner_id, group.new_owner_group_id, group.new_owner_group_name) == (None, 5, "tty")


def test_what_a_change_has_changed_is_not_told_as_what_was_before() -> None:
    chmod, chown = event_of(file_record(operation=11)), event_of(file_record(operation=12))
    assert (chmod.mode, chmod.owner_id) == (None, 0)
    assert (chown.mode, chown.owner_id, chown.owner_group_name) == (0o100640, None, None)


def test_times_that_documents_cannot_say_are_the_nearest_that_they_can() -> None:
    event = event_of(file_record(operation=13, details=(-5, -(1 << 63), 0)))
    assert (event.new_accessed_ns, event.new_modified_ns) == (0, None)


def test_a_time_of_now_is_that_of_the_call() -> None:
    event = event_of(file_record(operation=13, details=(-(1 << 63) + 1, 5, 0)))
    assert (event.new_accessed_ns, event.new_modified_ns) == (event.ts_ns, 5)


def test_only_opens_and_transfers_have_an_access_mode() -> None:
    assert event_of(file_record(operation=7)).access_mode is None
    assert event_of(file_record(operation=3)).access_mode is AccessMode.WRITE


def test_the_name_is_that_of_the_thread_when_it_made_the_call() -> None:
    known = Process(pid=10, name="java", executable="/usr/bin/java")
    asked = dataclasses.replace(lookups(), process=lambda *_: known)
    event = wire.file_record(file_record(comm=b"pool-1\0"), 0, asked, {}).event
    assert (event.process.name, event.process.executable) == ("pool-1", "/usr/bin/java")


def test_what_user_space_goes_on_with_stands_beside_the_event() -> None:
    raw = file_record(operation=9, second=b"/b", second_state=2, hints=5, alias=b"/etc/x", details=(0, 0, 9))
    record = wire.file_record(raw, 0, lookups(), {})
    assert (record.second_state, record.alias, record.use) == (PathState.UNRESOLVED, "/etc/x", 9)
    assert record.hints == wire.Hint.NAME | wire.Hint.ALIAS


def test_a_failed_open_has_an_errno_and_no_file() -> None:
    event = event_of(file_record(result=-13, inode=0, device=0, mode=0))
    assert (event.errno, event.result) == (13, -13)
    assert (event.inode, event.device, event.mode, event.owner_id, event.size_bytes) == (None,) * 5


def test_a_call_that_was_to_be_run_again_was_interrupted() -> None:
    assert event_of(file_record(result=-512)).errno == 4


def test_nobody_and_no_session_are_absent() -> None:
    event = event_of(file_record(login=0xFFFFFFFF, session=0xFFFFFFFF))
    assert (event.login_user_id, event.login_user_name, event.session_id) == (None, None, None)


def test_an_asked_name_that_could_not_be_read_is_absent_and_an_empty_one_is_not() -> None:
    assert event_of(file_record(asked=None)).asked_path is None
    assert event_of(file_record(asked=b"")).asked_path == ""


@given(path=st.binary(min_size=1, max_size=300), asked=st.binary(max_size=300))
def test_every_byte_of_a_name_survives(path: bytes, asked: bytes) -> None:
    event = event_of(file_record(path, asked))
    assert event.path == from_kernel(path)
    assert event.asked_path == from_kernel(asked)


def test_a_route_is_epoch_pid_and_candidates() -> None:
    assert wire.route(b"\0" * 8 + file_record(), 8, 1) == (7, 10, 0b101)
    assert wire.kind_of(file_record(), 0) == wire.Kind.FILE


def test_candidates_of_many_words_are_one_number() -> None:
    record = file_record()[: wire.FILE_HEAD.size] + struct.pack("=4Q", 1, 0, 0, 1 << 63) + b"/p"
    assert wire.route(record, 0, 4).candidates == 1 | 1 << 255


def test_an_exec_record_has_image_and_arguments() -> None:
    raw = process_record(b"/bin/cat", b"cat\0\0a b\0", b"/root", b"docker-1.scope/system.slice/")
    assert told.process_record(raw, 0) == told.ProcessRecord(
        kind=wire.Kind.EXEC,
        pid=10,
        start_ns=41,
        parent_pid=9,
        parent_start_ns=40,
        name="cat",
        user_id=1000,
        group_id=100,
        cgroup_id=88,
        image=66,
        cwd="/root",
        cgroup=("docker-1.scope", "system.slice"),
        executable="/bin/cat",
        args=("cat", "", "a b"),
        args_truncated=True,
    )


@pytest.mark.parametrize(
    ("raw", "args"),
    [(b"", ()), (b"a\0", ("a",)), (b"a\0b", ("a", "b")), (b"a\0\0", ("a", "")), (b"\0", ("",))],
)
def test_arguments_end_with_a_nul(raw: bytes, args: tuple[str, ...]) -> None:
    assert told.split_args(raw) == args


def test_thousands_of_arguments_stay_one_command_line_and_few_objects() -> None:
    args = told.split_args(b"cat\0" + b"-u\0" * 2000 + b"/etc/shadow\0")
    assert len(args) == told.MAX_ARGS
    assert " ".join(args) == "cat " + "-u " * 2000 + "/etc/shadow"


def test_an_image_that_an_ordinary_user_may_have_named_is_not_the_hosts() -> None:
    image = b"/usr/bin/ssh"
    for state, path in ((0, "/usr/bin/ssh"), (16, "/usr/bin/ssh"), (48, "/proc/10/root/usr/bin/ssh")):
        assert told.process_record(process_record(image, state=state), 0).executable == path


def test_a_working_directory_in_mounts_that_nobody_vouches_for_is_not_the_hosts() -> None:
    raw = process_record(cwd=b"/etc", cwd_state=PathState.UNREACHABLE | PathState.FOREIGN)
    assert told.process_record(raw, 0).cwd == "/proc/10/root/etc"


def test_a_working_directory_whose_beginning_is_cut_off_does_not_begin_at_the_root() -> None:
    raw = process_record(cwd=b"/etc/deep", cwd_state=PathState.TRUNCATED)
    assert told.process_record(raw, 0).cwd == "etc/deep"


def test_a_32_bit_program_is_told_as_one() -> None:
    assert told.process_record(process_record(compat=1), 0).compat is True
    assert told.process_record(process_record(), 0).compat is False


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        (b"/dev/fd/3", ""),
        (b"/dev/fd/3/bin/sh", "bin/sh"),
        (b"/dev/fd/3x", "/dev/fd/3x"),
        (b"/bin/sh", "/bin/sh"),
    ],
)
def test_an_exec_by_descriptor_asked_for_what_stands_behind_it(kept: bytes, asked: str) -> None:
    assert event_of(file_record(asked=kept, call=CALLS.index("execveat"))).asked_path == asked
    assert event_of(file_record(asked=kept)).asked_path == from_kernel(kept)
