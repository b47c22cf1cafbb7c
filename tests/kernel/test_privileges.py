"""The daemon with the privileges that it keeps: exactly these, and everything works with them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.kernel.capture import in_child
from tests.kernel.test_commands import WATCHED, Running, cat, engine, rule_for, the_alert

from fileaudit_engine.sources.privilege import KEPT, mask, privileges

pytestmark = pytest.mark.kernel

STRANGER = 54_321
"""A user id that nobody has."""


def as_stranger(path: str) -> int:
    """A process of another user tries to read the file; its id."""

    def action() -> None:
        os.setgroups([])
        os.setgid(STRANGER)
        os.setuid(STRANGER)
        subprocess.run(["cat", path], check=False, stderr=subprocess.DEVNULL)

    return in_child(action)


def test_exactly_what_it_keeps_is_left_of_root(tmp_path: Path) -> None:
    with engine(tmp_path, "--rules", rule_for(tmp_path / "rules", x=tmp_path / "x")) as command:
        command.wait_for(lambda c: any(line.startswith("privileges") for line in c.err))
        left = privileges(command.process.pid)
        threads = {entry.name for entry in Path(f"/proc/{command.process.pid}/task").iterdir()}
    assert left.permitted == left.effective == left.bounding == mask(KEPT)
    assert left.inheritable == 0
    assert left.no_new
    assert threads == {str(command.process.pid)}, "capabilities are a thread's: others keep theirs"
    (line,) = [line for line in command.err if line.startswith("privileges")]
    assert set(line.removeprefix("privileges").strip().split(", ")) == set(KEPT)


@pytest.mark.parametrize("command", ["trace", "record"])
def test_the_other_commands_that_listen_give_up_the_same(tmp_path: Path, command: str) -> None:
    arguments = ["--path", f"{tmp_path}/*"] if command == "trace" else [tmp_path / "out.ndjson"]
    running = Running(command, *map(str, arguments))
    try:
        running.wait_for(lambda c: any(line.startswith(("tracing", "recording")) for line in c.err))
        assert privileges(running.process.pid).permitted == mask(KEPT)
    finally:
        running.stop()


def test_a_denied_open_behind_a_link_in_another_users_closed_folder_is_followed(place: Path) -> None:
    """The name leads through a folder that only its owner, and CAP_DAC_READ_SEARCH, may enter."""
    closed, secret = place / "closed", place / "secret"
    closed.mkdir()
    secret.write_text("x")
    secret.chmod(0o600)
    (closed / "link").symlink_to(secret)
    closed.chmod(0o700)
    os.chown(closed, STRANGER, STRANGER)
    rules = rule_for(place / "rules", secret=secret)
    with engine(place, "--rules", rules) as command:
        as_stranger(str(closed / "link"))
        command.wait_for(lambda c: c.out)
    (alert,) = command.documents()
    assert alert["file"]["path"] == str(secret)
    assert alert["fileaudit"]["errno_name"] == "EACCES"
    assert alert["user"]["id"] == str(STRANGER)


def test_the_image_of_another_users_process_that_ran_before_is_known(place: Path) -> None:
    (place / "watched").write_text("x")
    code = "import sys; print(flush=True); sys.stdin.readline(); open(sys.argv[1]); sys.stdin.readline()"
    rules = rule_for(place / "rules", watched=place / "watched")
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code, str(place / "watched")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        user=STRANGER,
        group=STRANGER,
        extra_groups=[],
    ) as stranger:
        assert stranger.stdin is not None
        assert stranger.stdout is not None
        stranger.stdout.readline()
        with engine(place, "--rules", rules) as command:
            stranger.stdin.write(b"\n")
            stranger.stdin.flush()
            alert = the_alert(command, stranger.pid)
        stranger.stdin.close()
    assert alert["process"]["executable"] == os.path.realpath(sys.executable)


def test_rules_that_need_other_programs_are_loaded_without_root(tmp_path: Path) -> None:
    """Twice: the loader that is started for them gets no more than its parent has."""
    folder = tmp_path / "a folder of nobody else"
    folder.mkdir()
    watched = folder / "a file of nobody else"
    watched.write_text("x")
    rules = rule_for(tmp_path / "rules", whatever="/nowhere/")
    others = (("|contains", f"/{folder.name}/"), ("|endswith", f"/{watched.name}"))
    with engine(tmp_path, "--rules", rules) as command:
        for number, (modifier, text) in enumerate(others):
            rule = WATCHED.replace("|startswith", modifier).format(name=f"rule{number}", path=text)
            (rules / f"{number}.yml").write_text(rule)
            command.process.send_signal(signal.SIGHUP)
            reloaded = f"reload    {number + 2} rules"
            command.wait_for(lambda c, told=reloaded: any(told in line for line in c.err))  # type: ignore[misc]
        pid = cat(str(watched))
        both = {"rule0", "rule1"}
        command.wait_for(
            lambda c: {d["rule"]["id"] for d in c.documents() if d["process"]["pid"] == pid} == both
        )
        assert privileges(command.process.pid).permitted == mask(KEPT)
    assert not [line for line in command.err if "going on with the rules in use" in line]


def test_it_starts_with_nothing_but_what_it_keeps(tmp_path: Path) -> None:
    """As the shipped systemd unit starts it."""
    rules = rule_for(tmp_path / "rules", watched=tmp_path / "watched")
    (tmp_path / "watched").write_text("x")
    code = (
        "import os, sys; from fileaudit_engine.sources.privilege import drop; drop(); "
        "os.execv(sys.executable, [sys.executable, '-m', 'fileaudit_engine', *sys.argv[1:]])"
    )
    store = tmp_path / "store" / "x.db"
    arguments = ["run", "--rules", str(rules), "--store", str(store), "--format", "json"]
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stderr:
            if "Ctrl-C" in line:
                break
        pid = cat(str(tmp_path / "watched"))
        assert json.loads(process.stdout.readline())["process"]["pid"] == pid
        process.terminate()
        process.communicate()
    assert process.returncode == 0
