"""Every call that events can name has a hook, and every hook is a function of the file that it names."""

import re

import pytest
from tests.unit.compiler.examples import path_test, text_test

from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.compiler.plan import CAPTURED_OPERATIONS
from fileaudit_engine.events.calls import CALLS
from fileaudit_engine.events.model import OPERATIONS, Operation
from fileaudit_engine.resources import bpf_dir
from fileaudit_engine.sources.probes import (
    BEHIND,
    HOOKS,
    PROCESSES,
    files_of,
    operations_of,
    programs_of,
    sums_transfers,
)

OTHERWISE_CALLED = {"sendfile": "sendfile64", "umount2": "umount"}
"""Calls whose tracepoints have other names."""


def source(name: str) -> str:
    return (bpf_dir() / name).read_text(encoding="utf-8")


def functions_in(name: str) -> set[str]:
    text = source(name)
    written = re.findall(r"^int (on_\w+)\(", text, re.MULTILINE)
    made = re.findall(r"^(?:[A-Z]+_)?HOOK\((\w+)", text, re.MULTILINE)
    return {*written, *(f"on_{hook}" for hook in made)}


@pytest.mark.parametrize("call", CALLS)
def test_every_call_has_a_hook(call: str) -> None:
    event = f"syscalls:sys_exit_{OTHERWISE_CALLED.get(call, call)}"
    assert event in {hook.program.event for hook in HOOKS}


def test_every_hook_is_a_function_of_its_file() -> None:
    for hook in HOOKS:
        assert hook.program.name in functions_in(hook.file), hook
    for program in PROCESSES:
        assert program.name in functions_in("probes/process.c")
    for program in BEHIND:
        assert program.name in functions_in("probes/behind.c")


def test_every_function_that_is_a_hook_is_attached_somewhere() -> None:
    files = {hook.file for hook in HOOKS}
    attached = {hook.program.name for hook in HOOKS}
    assert {name for file in files for name in functions_in(file)} == attached


def test_the_slow_half_is_in_the_places_where_it_is_called() -> None:
    places = dict(re.findall(r"#define BEHIND_(\w+) (\d+)", source("maps.h")))
    assert len(BEHIND) == int(places.pop("PROGRAMS"))
    of_execs = [program for program in PROCESSES if program.kind == "behind_raw"]
    assert len(of_execs) == int(places.pop("EXEC_PROGRAMS"))
    for program in (*BEHIND, *of_execs):
        _, _, place = program.event.partition(":")
        assert places[program.name.removeprefix("on_").upper()] == place


def test_the_hooks_tell_of_every_operation() -> None:
    told = {operation for hook in HOOKS for operation in hook.operations}
    assert told == set(OPERATIONS) == set(CAPTURED_OPERATIONS)


def test_a_plan_asks_for_the_operations_of_its_rules() -> None:
    renames = kernel_plan([text_test("Operation", "rename")])
    assert operations_of(renames) == {Operation.RENAME}
    assert operations_of(kernel_plan([path_test("/etc/shadow")])) == set(OPERATIONS)
    assert operations_of(kernel_plan([])) == set()


def test_what_is_not_asked_for_is_not_compiled() -> None:
    renames = [hook for hook in HOOKS if Operation.RENAME in hook.operations]
    assert "probes/transfer.c" not in files_of(renames)
    assert "transfer.h" not in files_of(renames)
    assert not sums_transfers(renames)
    assert {program.name for program in programs_of(renames)} >= {"on_rename", "on_exec", "on_deliver"}
