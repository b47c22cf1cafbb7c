"""How a capture begins and ends: a loader that goes away, and nothing that stays."""

import contextlib
import dataclasses
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.capture import Capture, begins, contains, in_child, made, touch

from fileaudit_engine.compiler.ir import All
from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.enrich.identity import IdentityCache
from fileaudit_engine.enrich.process_table import ProcessTable
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import OPERATIONS, FileEvent, Loss
from fileaudit_engine.sources import headers
from fileaudit_engine.sources.bpf import LiveSource
from fileaudit_engine.sources.capture import load_capture
from fileaudit_engine.sources.headers import kernel_types
from fileaudit_engine.sources.load import Load, Program
from fileaudit_engine.sources.machine import probe_machine
from fileaudit_engine.sources.maps import Shape
from fileaudit_engine.sources.probes import PROCESSES, hooks_for
from fileaudit_engine.sources.ring import close_all

pytestmark = pytest.mark.kernel


Object = tuple[str, int]
"""Kind and number of a BPF object."""


def existing() -> set[Object]:
    """The maps and links of the whole machine."""
    return {(kind, entry["id"]) for kind in ("map", "link") for entry in listed(kind)}


def listed(kind: str) -> list[dict[str, Any]]:
    done = subprocess.run(["bpftool", "-j", kind, "list"], capture_output=True, check=True, text=True)
    entries: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return entries


def completed(item: Batch | Loss) -> list[FileEvent]:
    return [] if isinstance(item, Loss) else [item.complete(index) for index in range(len(item.candidates))]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def held() -> set[Object]:
    """The maps and links behind our own descriptors."""
    found = set()
    for info in Path("/proc/self/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            for line in info.read_text().splitlines():
                if line.startswith(("map_id:", "link_id:")):
                    found.add((line.partition("_")[0], int(line.split()[1])))
    return found


def eventually(condition: Callable[[], bool]) -> bool:
    """The kernel frees maps and programs some time after their last descriptor.

    Nobody looks before: a map of programs that is looked up just while it is being emptied stays, empty,
    for ever (the kernel takes one reference too many).
    """
    for _ in range(50):
        time.sleep(0.2)
        if condition():
            return True
    return False


def test_nothing_stays_after_close(place: Path) -> None:
    others, before_open = held(), descriptors()
    capture = Capture(kernel_plan([begins(place)]))
    ours = held() - others
    assert len(ours) > len(PROCESSES)
    capture.close()
    assert descriptors() == before_open
    assert eventually(lambda: not ours & existing())
    before = capture.source.counters()
    in_child(touch(made(place / "file")))
    assert capture.source.counters() == before


def test_close_may_be_called_twice_and_ends_batches(place: Path) -> None:
    capture = Capture(kernel_plan([begins(place)]))
    in_child(touch(made(place / "file")))
    capture.close()
    capture.close()
    events = [event for item in capture.source.batches() for event in completed(item)]
    assert [event.path for event in events].count(f"{place}/file") == 1
    assert list(capture.source.batches()) == []


def test_what_was_fetched_survives_an_iterator_that_is_left(place: Path) -> None:
    """Several processes exec in one run, so that it makes several batches."""
    path = made(place / "file")
    capture = Capture(kernel_plan([begins(path)]))
    commands = 10

    def action() -> None:
        for _ in range(commands):
            touch(path)()
            pid = os.fork()
            if pid == 0:
                touch(path)()
                os.execv("/bin/cat", ["cat", str(path)])
            os.waitpid(pid, 0)

    try:
        in_child(action)
        events: list[FileEvent] = []
        while len(events) < commands * 3:
            found = completed(next(iter(capture.source.batches())))
            events += [event for event in found if event.path == str(path)]
    finally:
        capture.close()
    assert len(events) == commands * 3


def test_the_loader_and_its_compiler_are_gone() -> None:
    capture = Capture(kernel_plan([begins("/nowhere")]))
    try:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        assert children == []
        assert "libbcc" not in Path("/proc/self/maps").read_text()
    finally:
        capture.close()


def test_rules_of_another_shape_are_not_taken() -> None:
    capture = Capture(kernel_plan([begins("/nowhere")]))
    try:
        assert capture.source.replace_plan(kernel_plan([begins("/elsewhere")]))
        assert not capture.source.replace_plan(kernel_plan([contains("/elsewhere/")]))
    finally:
        capture.close()


@pytest.mark.parametrize("words", [1, 16])
def test_the_smallest_and_the_largest_shape_load(words: int) -> None:
    every = dict.fromkeys(("prefix", "suffix", "component", "user", "process", "comm", "file"), True)
    shape = Shape(clause_words=words, **every, components=1, callers=1, files=1)
    loading = load_capture(kernel_types(), shape, hooks_for(OPERATIONS), 4096)
    loading.close()
    close_all(list(loading.maps.values()))


def test_it_loads_without_typed_loads(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on kernels before 6.2."""
    known = dataclasses.replace(kernel_types(), cast_function=None)
    monkeypatch.setattr("fileaudit_engine.sources.bpf.kernel_types", lambda: known)
    path = made(place / ("n" * 40) / "file")
    capture = Capture(kernel_plan([begins(place / ("n" * 40))]))
    try:
        seen = capture.of(touch("/etc/hostname", "/etc/hostname", path))
        assert [one.event.path for one in seen] == [str(path)]
    finally:
        capture.close()


def test_many_clauses_are_told_apart(place: Path) -> None:
    numbers = range(300)
    capture = Capture(kernel_plan([begins(place / f"{number:03}") for number in numbers]))
    try:
        wanted = [made(place / f"{number:03}x") for number in numbers]
        assert [one.rules for one in capture.of(touch(*wanted))] == [{number} for number in numbers]
    finally:
        capture.close()


def test_a_program_that_does_not_compile_says_where(tmp_path: Path) -> None:
    (tmp_path / "include").symlink_to(Path(headers.__file__).parents[3] / "bpf" / "include")
    (tmp_path / "broken.c").write_text("\nint broken(void *ctx) { return nonsense; }\n")
    program = Program(name="broken", kind="raw_tracepoint", event="sched_process_fork")
    with pytest.raises(MachineCannot, match=r"bpf/broken\.c:2:.*nonsense"):
        Load(types=kernel_types(), files=["broken.c"], programs=[program], maps=[], folder=tmp_path)


def test_a_program_that_the_verifier_refuses_says_why(tmp_path: Path) -> None:
    (tmp_path / "include").symlink_to(Path(headers.__file__).parents[3] / "bpf" / "include")
    (tmp_path / "wild.c").write_text("int wild(void *ctx) { return *(volatile int *)0x10; }\n")
    program = Program(name="wild", kind="raw_tracepoint", event="sched_process_fork")
    with pytest.raises(MachineCannot, match=r"(?s)the kernel refuses wild.*invalid mem access"):
        Load(types=kernel_types(), files=["wild.c"], programs=[program], maps=[], folder=tmp_path)


def test_without_privilege_the_remedy_is_named() -> None:
    def action() -> None:
        os.setgid(65534)
        os.setuid(65534)
        with pytest.raises(MachineCannot) as caught:
            LiveSource.open(
                kernel_plan([All(operands=())]), processes=ProcessTable(), identities=IdentityCache()
            )
        assert "root" in caught.value.remedy

    in_child(action)


def test_a_profile_that_does_not_exist_is_refused() -> None:
    with pytest.raises(MachineCannot, match="lsm"):
        LiveSource.open(kernel_plan([]), processes=ProcessTable(), identities=IdentityCache(), profile="lsm")


def test_the_machine_is_probed_by_trying() -> None:
    before = held()
    checks = {check.name: check for check in probe_machine()}
    for name in ("kernel", "privileges", "BTF", "tracefs", "BCC", "ring buffer and LPM trie"):
        assert checks[name].ok, checks[name]
    assert all(check.ok for check in checks.values() if check.required)
    for check in checks.values():
        assert check.ok or check.cost
    assert {"fentry", "BPF LSM"} <= checks.keys()
    assert held() == before
