"""`top` as users see it: through a terminal, through a pipe."""

import contextlib
import fcntl
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.sinks.every_operation import DAY

from fileaudit_engine.cli.main import main
from fileaudit_engine.sinks.output import width

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "tests" / "unit" / "cli" / "made_live.py"
PATIENCE_S = 60
"""How long a step may take on a crowded machine; nothing here is fast by being shorter."""
COLOR = re.compile(r"\x1b\[[0-9;]+m")
ENTER, LEAVE, HOME = "\x1b[?1049h", "\x1b[?1049l", "\x1b[H"


def environment(**changes: str) -> dict[str, str]:
    known = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "TERM"}}
    return {**known, "PYTHONPATH": str(ROOT), "TERM": "xterm", **changes}


def arguments(made: str, *options: str) -> list[str]:
    return [sys.executable, str(PROGRAM), made, "top", *options]


def piped(made: str, *options: str, status: int = 0) -> tuple[str, str]:
    """What it prints on stdout and on stderr where neither is a terminal."""
    done = subprocess.run(
        arguments(made, *options), capture_output=True, check=False, env=environment(), timeout=PATIENCE_S
    )
    assert done.returncode == status, done.stderr
    return done.stdout.decode(), done.stderr.decode()


class Terminal:
    """A program in front of a terminal, and what it has written there."""

    def __init__(self, master: int, slave: int, process: subprocess.Popen[bytes]) -> None:
        self.master = master
        self.slave = slave
        self.process = process
        self.text = ""

    def wait_for(self, seen: Callable[[str], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not seen(self.text):
            assert time.monotonic() < deadline, self.text
            more = self.read(0.1)
            assert more or self.process.poll() is None or seen(self.text), self.errors()

    def read(self, timeout_s: float) -> bool:
        """Take what comes; whether something did."""
        if not select.select([self.master], [], [], timeout_s)[0]:
            return False
        try:
            raw = os.read(self.master, 65_536)
        except OSError:  # nobody has the other end any more
            return False
        self.text += raw.decode()
        return bool(raw)

    def errors(self) -> str:
        """What it said on stderr, once it has ended."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def hang_up(self) -> None:
        """Close the window."""
        for end in {self.master, self.slave} - {-1}:
            os.close(end)
        self.master = self.slave = -1

    def settings(self) -> list[object]:
        return termios.tcgetattr(self.master)

    def end(self) -> int:
        """Its status, after it has written everything."""
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.text
            self.read(0.05)
        while self.read(0):
            pass
        return self.process.returncode

    @property
    def frame(self) -> list[str]:
        """The lines of the last whole screen, without colours."""
        text = self.text.split(LEAVE)[0].rpartition(HOME)[2]
        return [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in re.split("\r*\n", text)]


@contextlib.contextmanager
def terminal(
    *options: str, made: str = "day", size: tuple[int, int] = (100, 30), stdin: int | None = None, **env: str
) -> Iterator[Terminal]:
    master, slave = os.openpty()
    process = subprocess.Popen(
        arguments(made, *options),
        stdin=slave if stdin is None else stdin,
        stdout=slave,
        stderr=subprocess.PIPE,
        env=environment(**env),
        start_new_session=True,
    )
    shown = Terminal(master, slave, process)
    shown.resize(*size)
    try:
        yield shown
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_S)
        shown.hang_up()


def test_a_terminal_is_filled_and_given_back_as_it_was_with_the_summary_on_it() -> None:
    with terminal() as shown:
        before = shown.settings()
        shown.wait_for(lambda text: "/srv/report" in text)
        assert ENTER in shown.text
        assert shown.settings() != before
        shown.press("q")
        assert shown.end() == 0
        assert shown.settings() == before
    _, left, after = shown.text.partition(LEAVE)
    assert left
    assert "s in all · " in after
    assert "/usr/sbin/logrotate" in after
    assert ENTER not in after


def test_keys_sort_and_show_totals() -> None:
    with terminal("--interval", "0.2") as shown:
        shown.wait_for(lambda text: "/srv/report" in text)
        shown.press("w")
        shown.wait_for(lambda _: "by written" in shown.frame[0])
        shown.press("t")
        shown.wait_for(lambda _: "since the start" in shown.frame[0] and len(shown.frame) > 20)
        assert shown.frame[3].split()[:3] == ["tar", "4227", "alice"]
        shown.press("\x1b[A")  # an arrow: its letter is no key of ours
        shown.press("zq")
        assert shown.end() == 0


def test_the_screen_follows_the_size_of_the_terminal() -> None:
    with terminal("--interval", "0.2") as shown:
        shown.wait_for(lambda _: len(shown.frame) == 30)
        for columns, lines in ((40, 9), (7, 2), (132, 40), (1, 1)):
            shown.resize(columns, lines)
            shown.wait_for(lambda _: len(shown.frame) == lines)  # noqa: B023 - called at once
            assert max(map(width, shown.frame)) <= columns


def test_a_signal_gives_the_terminal_back_and_prints_the_summary() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with terminal() as shown:
            before = shown.settings()
            shown.wait_for(lambda text: "PROCESS" in text)
            shown.process.send_signal(number)
            assert shown.end() == 0
            assert shown.settings() == before
        assert "s in all · " in shown.text.partition(LEAVE)[2]


def test_losses_are_on_the_screen() -> None:
    with terminal("--interval", "0.2", made="loss") as shown:
        shown.wait_for(lambda _: "1,234 LOST" in shown.frame[0])


def test_colours_are_left_out_where_they_are_not_wanted() -> None:
    with terminal(NO_COLOR="1") as shown:
        shown.wait_for(lambda text: "PROCESS" in text)
        assert not COLOR.search(shown.text)
    with terminal() as shown:
        shown.wait_for(lambda text: "PROCESS" in text)
        assert COLOR.search(shown.text)


def test_a_terminal_without_a_keyboard_shows_the_same_without_the_keys() -> None:
    with (
        Path(os.devnull).open("rb") as nothing,
        terminal("--interval", "0.2", stdin=nothing.fileno()) as shown,
    ):
        shown.wait_for(lambda text: "/srv/report" in text)
        assert "[q]uit" not in shown.text


def test_a_terminal_that_can_nothing_gets_a_table_an_interval() -> None:
    for options, kind in (((), "dumb"), (("--batch",), "xterm")):
        with terminal("--duration", "0.5", "--interval", "0.2", *options, TERM=kind) as shown:
            assert shown.end() == 0
        assert "\x1b[?" not in shown.text
        assert shown.text.count("PROCESS") >= 2


def test_a_job_in_the_background_does_not_draw_over_the_one_in_front() -> None:
    with terminal("--duration", "0.5", "--interval", "0.2", BEHIND="1") as shown:
        before = shown.settings()
        shown.wait_for(lambda text: "PROCESS" in text)
        assert shown.settings() == before
        assert shown.end() == 0
    assert "\x1b[?" not in shown.text


def test_a_terminal_that_goes_away_ends_it_quietly() -> None:
    with terminal("--interval", "0.1") as shown:
        shown.wait_for(lambda text: "PROCESS" in text)
        shown.hang_up()
        assert shown.process.wait(PATIENCE_S) == 3  # as for any output that cannot be written
        assert b"Traceback" not in shown.process.communicate()[1]


def test_a_pipe_gets_a_table_an_interval_and_the_summary() -> None:
    out, err = piped("day", "--interval", "0.2", "--duration", "0.5")
    blocks = out.split("\n\n")
    assert re.match(r"[0-9-]{10} [0-9:]{8} · [0-9.]+ s · [0-9]+ operations · .* · nothing lost\n", out)
    assert " s in all · " in blocks[-3]
    assert "\x1b" not in out
    assert [line.split()[0] for line in err.splitlines()] == ["loading", "watching", "events"]


def test_one_interval_is_the_summary_alone() -> None:
    out, _ = piped("day", "--interval", "0.3", "--once", "--sort", "written", "--limit", "2")
    lines = out.splitlines()
    others = len({one.process.pid for one in DAY}) - 2
    assert " s in all · " in lines[0]
    (header,) = [number for number, line in enumerate(lines) if line.startswith("PROCESS")]
    assert [line.split()[0] for line in lines[header + 1 : header + 4]] == ["tar", "vim", str(others)]


def test_json_is_one_object_and_nothing_else() -> None:
    out, _ = piped("loss", "--format", "json", "--duration", "0.3", "--sort", "written")
    found = json.loads(out)
    assert found["lost"] == 1_234
    assert found["processes"][0]["written_bytes"] == 4_096 + (3 << 29)
    assert len(found["processes"]) == len({one.process.pid for one in DAY})
    assert found["total"]["operations"]["rename"] == 1


def test_alerts_of_the_shipped_rules_are_counted_by_process() -> None:
    out, _ = piped("day", "--format", "json", "--duration", "0.3")
    found = json.loads(out)
    raised = {process["name"] for process in found["processes"] if process["alerts"]}
    assert "cat" in raised
    assert sum(found["alerts"].values()) == found["total"]["alerts"] > 0


def test_losses_are_told_beside_the_tables() -> None:
    out, err = piped("loss", "--duration", "0.3")
    assert "LOST      1234 events" in err
    assert "1,234 LOST" in out


def test_filters_hold_for_alerts_as_well() -> None:
    out, _ = piped("day", "--format", "json", "--duration", "0.3", "--path", "/srv/*")
    found = json.loads(out)
    assert found["processes"]
    assert {file["path"] for file in found["files"]} >= {"/srv/report", "/srv/tool"}
    assert not [file for file in found["files"] if file["path"] == "/etc/shadow"]
    assert found["total"]["alerts"] == 0


def test_a_reader_that_goes_away_ends_it_as_it_ends_others() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            arguments("day", "--interval", "0.1"),
            check=False,
            stdout=closed,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=PATIENCE_S,
        )
    assert done.returncode == 141
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--interval=0",), "argument --interval: must be a number of seconds above 0"),
        (("--limit=0",), "argument --limit: must be a number from 1 to 1000000"),
        (("--sort=cpu",), "argument --sort: invalid choice: 'cpu'"),
        (("--once", "--batch"), "not allowed with argument"),
        (("--op=opne",), "did you mean 'open'?"),
    ],
)
def test_what_it_cannot_do_is_refused(
    options: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["top", *options])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
