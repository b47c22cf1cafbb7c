"""What an auditor asks of a record, and where the audit trail answers it: one scene, played on this kernel.

A person who logged in as `daemon` and works as `nobody` starts a program that runs with root's rights, in a
container's cgroup. It makes a file, writes, reads, changes the mode, renames, and is refused another file.
The scope of the whole host writes that down; the documents are read back out of a store.
"""

import os
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from tests.kernel.capture import Capture
from tests.kernel.test_container import ID, UNIFIED, cgroup

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.alert import record_of
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Record
from fileaudit_engine.events.batch import EventBatch
from fileaudit_engine.events.jsonl import EventReader, encode
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.resources import rules_dir
from fileaudit_engine.rules.parser import load_rules
from fileaudit_engine.store.store import Store

pytestmark = pytest.mark.kernel

NOBODY: Final = 65534
DAEMON: Final = 1
"""Who logged in. Both are on every Debian and Ubuntu, under these numbers."""

PROGRAM: Final = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void)
{
    char five[5];
    int made = open("made", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (write(made, "hello", 5) != 5 || pread(made, five, 5, 0) != 5 || fchmod(made, 0600) || close(made))
        return 1;
    if (renameat2(AT_FDCWD, "made", AT_FDCWD, "moved", RENAME_NOREPLACE) || seteuid(getuid()))
        return 2;
    return open("closed", O_RDONLY) >= 0;
}
"""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What was played, and what was written down of it.

    Attributes:
        folder: Where.
        program: Its path, with a blank in it.
        cgroup_id: Of the container.
        facts: What the player knows: its process, the program's, the audit session.
        began_ns: Wall clock before, nanoseconds since the Unix epoch; `ended_ns` after.
        events: The program's.
        documents: Of these, by operation and outcome.
    """

    folder: Path
    program: Path
    cgroup_id: int
    facts: list[str]
    began_ns: int
    ended_ns: int
    events: tuple[FileEvent, ...]
    documents: dict[str, dict[str, Any]]


def built(folder: Path) -> Path:
    """The program, which belongs to root and runs with his rights."""
    program = folder / "au dited"
    subprocess.run(["cc", "-x", "c", "-o", program, "-"], input=PROGRAM, text=True, check=True)
    program.chmod(0o4755)
    return program


def recorded(events: list[FileEvent] | tuple[FileEvent, ...]) -> list[Record]:
    """What the scope of the whole host says of them."""
    plans = compile_rules(load_rules([rules_dir() / "audit" / "whole_host.yml"]).rules)
    detector = Detector(plans.user, plans.kernel)
    return [record_of(finding, host="elsewhere") for finding in detector.findings(EventBatch(events=events))]


def kept(records: list[Record], path: Path) -> dict[str, dict[str, Any]]:
    """The documents as the store gives them back, by operation and outcome."""
    with Store.open(path) as store:
        store.append(records)
        documents = [one.document for one in store.records_after(0, len(records))]
    return {f"{one['event']['action']} {one['event']['outcome']}": one for one in documents}


def played(capture: Capture, folder: Path, program: Path, container: Path) -> list[FileEvent]:
    """The program's events."""
    plans = compile_rules(load_rules([rules_dir() / "audit" / "whole_host.yml"]).rules)
    assert capture.source.replace_plan(plans.kernel)
    capture.drain()

    def action() -> None:
        (container / "cgroup.procs").write_text(str(os.getpid()))
        Path("/proc/self/loginuid").write_text(str(DAEMON))
        facts = (folder / "facts").open("w")
        os.chdir(folder)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        with facts, subprocess.Popen([program, "one", "two words"]) as running:
            session = Path("/proc/self/sessionid").read_text()
            facts.write(f"{os.getpid()} {running.pid} {session}")
        assert running.returncode == 0

    seen = capture.of(action)
    return [one.event for one in seen if one.event.process.executable == str(program) and not one.again]


@pytest.fixture(scope="module")
def scene(loaded: Capture, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    loaded.drain()
    folder = tmp_path_factory.mktemp("scene").resolve()
    for path in (folder, *folder.parents[:-2]):
        path.chmod(0o755)
    (folder / "closed").touch(mode=0o600)
    program = built(folder)
    began_ns = time.time_ns()
    with cgroup(UNIFIED, "system.slice", f"docker-{ID}.scope") as container:
        events = played(loaded, folder, program, container)
        cgroup_id = container.stat().st_ino
    return Scene(
        folder=folder,
        program=program,
        cgroup_id=cgroup_id,
        facts=(folder / "facts").read_text().split(),
        began_ns=began_ns,
        ended_ns=time.time_ns(),
        events=tuple(events),
        documents=kept(recorded(events), folder / "store" / "fileaudit.db"),
    )


Expected = Callable[[Scene], object]


def is_(value: object) -> Expected:
    return lambda _: value


def said(place: str, document: dict[str, Any]) -> Any:
    """What stands at a dotted place; None where nothing does."""
    found: Any = document
    for name in place.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
MADE: Final = "create success"

ANSWERS: Final[list[tuple[str, str, str, Expected]]] = [
    ("by which clock?", MADE, "fileaudit.clock", is_("boottime+realtime")),
    ("on which host?", MADE, "host.name", is_(platform.node())),
    ("on which machine of that name?", MADE, "host.id", lambda _: machine_id()),
    ("which process?", MADE, "process.pid", lambda scene: int(scene.facts[1])),
    ("which thread?", MADE, "process.thread.id", lambda scene: int(scene.facts[1])),
    ("started by which one?", MADE, "process.parent.pid", lambda scene: int(scene.facts[0])),
    ("which program was that?", MADE, "process.parent.name", lambda _: own_name()),
    ("which real user?", MADE, "user.id", is_("65534")),
    ("by name?", MADE, "user.name", is_("nobody")),
    ("which group?", MADE, "user.group.id", is_("65534")),
    ("by name? (group)", MADE, "user.group.name", is_("nogroup")),
    ("with whose rights?", MADE, "user.effective.id", is_("0")),
    ("by name? (rights)", MADE, "user.effective.name", is_("root")),
    ("with which group's rights?", MADE, "user.effective.group.id", is_("65534")),
    ("by name? (group's rights)", MADE, "user.effective.group.name", is_("nogroup")),
    ("who logged in?", MADE, "fileaudit.login_user.id", is_("1")),
    ("by name? (login)", MADE, "fileaudit.login_user.name", is_("daemon")),
    ("in which session?", MADE, "fileaudit.session_id", lambda scene: scene.facts[2]),
    ("in which cgroup?", MADE, "fileaudit.cgroup_id", lambda scene: scene.cgroup_id),
    ("in which container?", MADE, "container.id", is_(ID)),
    ("by which program?", MADE, "process.executable", lambda scene: str(scene.program)),
    ("called what?", MADE, "process.name", is_("au dited")),
    ("with which command line?", MADE, "process.command_line", lambda s: f"{s.program} one two words"),
    ("in which words?", MADE, "process.args", lambda s: [str(s.program), "one", "two words"]),
    ("from which folder?", MADE, "process.working_directory", lambda scene: str(scene.folder)),
    ("what was done?", MADE, "event.action", is_("create")),
    ("by which call?", MADE, "fileaudit.syscall", is_("openat")),
    ("to which file?", MADE, "file.path", lambda scene: str(scene.folder / "made")),
    ("as asked for?", MADE, "fileaudit.asked_path", is_("made")),
    ("with which flags?", MADE, "fileaudit.flags", is_(FLAGS)),
    ("in words?", MADE, "fileaudit.flags_names", is_(["O_RDWR", "O_CREAT", "O_EXCL", "O_CLOEXEC"])),
    ("for what?", MADE, "fileaudit.access_mode", is_("read_write")),
    ("with which outcome?", MADE, "event.outcome", is_("success")),
    ("which error?", MADE, "fileaudit.errno", is_(0)),
    ("how many bytes were written?", "write success", "fileaudit.bytes", is_(5)),
    ("in how many calls?", "write success", "fileaudit.calls", is_(1)),
    ("how many were read?", "read success", "fileaudit.bytes", is_(5)),
    ("which rights were given?", "chmod success", "fileaudit.new_mode", is_("0600")),
    ("what was it called?", "rename success", "fileaudit.source_path", lambda s: str(s.folder / "made")),
    ("what is it called now?", "rename success", "file.path", lambda scene: str(scene.folder / "moved")),
    ("in words? (rename)", "rename success", "fileaudit.flags_names", is_(["RENAME_NOREPLACE"])),
    ("what was refused?", "open failure", "file.path", lambda scene: str(scene.folder / "closed")),
    ("with which error?", "open failure", "fileaudit.errno", is_(13)),
    ("called? (error)", "open failure", "fileaudit.errno_name", is_("EACCES")),
    ("whose rights did not suffice?", "open failure", "user.effective.name", is_("nobody")),
    ("under which rule?", "open failure", "rule.id", is_("whole_host")),
    ("as what?", "open failure", "event.kind", is_("event")),
]  # fmt: skip
"""The question, the document that is asked, the place of the answer, and the answer."""


def machine_id() -> str | None:
    path = Path("/etc/machine-id")
    return path.read_text().strip() if path.exists() else None


def own_name() -> str:
    return Path("/proc/self/comm").read_text().strip()


@pytest.mark.parametrize(
    ("document", "place", "expected"),
    [answer[1:] for answer in ANSWERS],
    ids=[answer[0] for answer in ANSWERS],
)
def test_an_auditor_who_asks_finds_the_answer(
    scene: Scene, document: str, place: str, expected: Expected
) -> None:
    assert said(place, scene.documents[document]) == expected(scene)


def test_the_time_is_the_hosts_real_time(scene: Scene) -> None:
    second_ns = 10**9  # a host's clock may be put right while the test runs
    assert all(scene.began_ns - second_ns < one.ts_ns < scene.ended_ns + second_ns for one in scene.events)
    assert [one.ts_ns for one in scene.events] == sorted(one.ts_ns for one in scene.events)


def test_the_line_of_ancestors_leads_from_the_parent_to_the_first_process(scene: Scene) -> None:
    facts = scene.documents["create success"]["fileaudit"]
    line = [facts["parent"], *facts["ancestors"]]
    assert [one["parent_pid"] for one in line[:-1]] == [one["pid"] for one in line[1:]]
    assert line[-1]["pid"] == 1


def test_a_replay_of_what_was_recorded_says_the_same_and_the_store_keeps_it_once(
    scene: Scene, tmp_path: Path
) -> None:
    records = recorded(scene.events)
    lines = [encode(record.document) for record in records]
    read = [EventReader(file="x").read(line, number) for number, line in enumerate(lines, 2)]
    again = recorded([event for event in read if isinstance(event, FileEvent)])
    assert [encode(one.document) for one in again] == lines
    with Store.open(tmp_path / "store" / "fileaudit.db") as store:
        assert store.append(records) == len(records)
        assert store.append(again) == 0


def test_nothing_that_was_done_to_files_of_the_scene_is_missing(scene: Scene) -> None:
    done = [one.operation.value for one in scene.events if (one.path or "").startswith(str(scene.folder))]
    assert done == ["exec", "create", "write", "read", "chmod", "rename", "open"]
