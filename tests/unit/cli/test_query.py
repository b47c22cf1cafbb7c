"""`query`: what it shows of a store, in which order, and what it says where nothing is to be shown."""

import contextlib
import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.unit.events.examples import EVERYTHING, HOSTILE, LOSS, SHADOW
from tests.unit.events.records import record

from fileaudit_engine.cli.common import READER_GONE
from fileaudit_engine.cli.main import main
from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.detect.record import Record
from fileaudit_engine.diagnostics import Diagnostic
from fileaudit_engine.events.jsonl import EventReader
from fileaudit_engine.events.model import FileEvent, Loss, Operation
from fileaudit_engine.store.documents import Packer
from fileaudit_engine.store.store import Store

ROOT = Path(__file__).parents[3]
SECOND = 1_000_000_000
BEGIN = 1_795_505_445 * SECOND
"""2026-11-24T07:30:45Z."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "x.db") as opened:
        yield opened


def made(second: int, path: str = "/etc/shadow", *, level: str = "high", **changes: object) -> Record:
    event = msgspec.structs.replace(
        SHADOW, ts_ns=BEGIN + second * SECOND, path=path, asked_path=None, **changes
    )
    return record(event, level=level)


def asked(store: Store, *options: str) -> int:
    return main(["query", "--store", str(store.path), *options])


def paths(out: str) -> list[str]:
    return [line.split()[-1] for line in out.splitlines()[1:]]


# -------------------------------------------------------------------------------------------------- lines

PAGE = """\
TIME (UTC)                KIND      OPERATION    OUTCOME USER  PROCESS      RULE             PATH
2026-11-24 07:30:45.000   engine    engine_start                                             Engine started: pid 1
2026-11-24 07:30:45.123   engine    lost                                                     4 events were lost
2026-11-24 07:30:47.000   audit     rename       ok      root  cat[4242]    shadow_file_read /srv/a -> /srv/b
2026-11-24 07:30:48.000 ▌ HIGH      open         EACCES  alice cat[4242]    shadow_file_read /etc/shadow
"""  # noqa: E501 - as it is printed


def test_a_page_has_a_line_for_each_record_in_columns_and_the_newest_at_the_bottom(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    renamed = made(2, "/srv/b", level="informational", operation=Operation.RENAME, source_path="/srv/a")
    start = engine_record(Action.ENGINE_START, BEGIN, "this-host", "pid 1", {"pid": 1})
    store.append([made(3, errno=13, user_name="alice"), renamed, start], [LOSS])
    assert asked(store) == 0
    assert capsys.readouterr().out == PAGE


def test_alerts_stand_out_by_colour_and_by_a_bar(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.append([made(1, level="critical"), made(2, level="informational")])
    assert asked(store, "--color", "always") == 0
    _, alert, audit = capsys.readouterr().out.splitlines()
    assert "▌" in alert
    assert "\x1b[1;97;41mCRITICAL" in alert
    assert "▌" not in audit
    assert "\x1b[2maudit" in audit


def test_with_v_more_is_said_of_each(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.append([record(EVERYTHING)])
    assert asked(store, "-v") == 0
    out = capsys.readouterr().out
    for words in (
        "Shadow file read",
        "cat ../etc/shadow",
        "/usr/bin/bash",
        "id 4f5b",
        "nginx",
        record(EVERYTHING).id,
    ):
        assert words in out


@pytest.mark.parametrize("output", [("pretty",), ("pretty", "-v"), ("csv",), ("json",)])
def test_no_name_acts_on_a_terminal_or_makes_a_line(
    store: Store, capsys: pytest.CaptureFixture[str], output: tuple[str, ...]
) -> None:
    process = msgspec.structs.replace(SHADOW.process, name=HOSTILE, executable=HOSTILE, args=(HOSTILE,))
    store.append([made(1, HOSTILE, user_name=HOSTILE, process=process)])
    assert asked(store, "--color", "never", "--format", *output) == 0
    shown = capsys.readouterr().out
    assert all(line.isprintable() for line in shown.replace("\r\n", "\n").split("\n"))
    if "-v" not in output:
        assert len(shown.splitlines()) == 1 + (output != ("json",))


@pytest.mark.parametrize(
    "document", [b"[1]", b'{"event": "x"}', b'{"event": {}, "process": [7]}', b"{\n", b"\xff", b"{}\x1b[2J"]
)
@pytest.mark.parametrize("output", [("pretty",), ("pretty", "-v"), ("csv",), ("json",)])
def test_a_document_that_somebody_has_put_there_hides_no_other(
    store: Store, capsys: pytest.CaptureFixture[str], output: tuple[str, ...], document: bytes
) -> None:
    store.append([made(1, "/a"), made(2, "/b"), made(3, "/c")])
    store.connection.execute(
        "UPDATE records SET document = ? WHERE seq = 2", (next(iter(Packer().begin([document])())),)
    )
    assert asked(store, "--format", *output) == 0
    out = capsys.readouterr().out
    assert "/a" in out
    assert "/c" in out
    assert out.replace("\r\n", "").replace("\n", "").isprintable()
    assert len(out.splitlines()) >= 3
    assert output == ("json",) or "the document of row 2 is none of the engine's" in out


# ------------------------------------------------------------------------------------------ order and pages


def test_pages_count_from_the_newest_unless_they_are_sorted_otherwise(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.append([made(i, f"/{i}") for i in (3, 1, 5, 2, 4)])
    for options, expected in {
        ("--limit", "2"): ["/4", "/5"],
        ("--limit", "2", "--page", "2"): ["/2", "/3"],
        ("--limit", "2", "--page", "3"): ["/1"],
        ("--limit", "2", "--sort", "-time"): ["/5", "/4"],
        ("--limit", "2", "--sort", "time", "--page", "2"): ["/3", "/4"],
        ("--limit", "0"): ["/1", "/2", "/3", "/4", "/5"],
    }.items():
        assert asked(store, *options) == 0
        assert paths(capsys.readouterr().out) == expected


def test_it_is_said_that_there_is_more_and_how_to_see_it(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.append([made(i) for i in range(101)])
    assert asked(store) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 101
    assert "the newest 100 are shown: --page 2 goes on" in shown.err
    assert asked(store, "--limit", "101") == 0
    assert capsys.readouterr().err == ""


def test_json_and_csv_have_all_of_it_unless_a_limit_is_given(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.append([made(i) for i in range(300)])
    for form, head in (("json", 0), ("csv", 1)):
        assert asked(store, "--format", form) == 0
        assert len(capsys.readouterr().out.splitlines()) == 300 + head


def test_count_says_a_number(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.append([made(i, user_name=("alice", "bob")[i % 2]) for i in range(7)])
    assert asked(store, "--count", "--user", "bob") == 0
    assert capsys.readouterr().out == "3\n"


# ------------------------------------------------------------------------------------------------- filters


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--path", "/a/*"], ["/a/1", "/a/2"]),
        (["--path", "/a/1", "--path", "/c"], ["/a/1", "/c"]),
        (["--path", "/a/*", "--user", "bob"], ["/a/2"]),
        (["--level", "high+"], ["/a/1"]),
        (["--level", "LOW,high"], ["/a/1", "/a/2"]),
        (["--kind", "event"], ["/c"]),
        (["--kind", "all"], ["/a/1", "/a/2", "/c"]),
        (["--operation", "delete"], ["/a/2"]),
        (["--outcome", "failure"], ["/c"]),
        (["--since", "2026-11-24T07:30:47Z"], ["/a/2", "/c"]),
        (["--until", "2026-11-24T07:30:47Z"], ["/a/1"]),
        (["--text", "A/2"], ["/a/2"]),
        (["--rule", "shadow*", "--process", "cat"], ["/a/1", "/a/2", "/c"]),
        (["--process", "/usr/bin/*", "--process", "1"], ["/a/1", "/a/2", "/c"]),
    ],
)
def test_values_are_alternatives_and_filters_must_all_hold(
    store: Store, capsys: pytest.CaptureFixture[str], options: list[str], expected: list[str]
) -> None:
    store.append(
        [
            made(1, "/a/1"),
            made(2, "/a/2", level="low", user_name="bob", operation=Operation.UNLINK),
            made(3, "/c", level="informational", errno=2),
        ]
    )
    assert asked(store, *options) == 0
    assert paths(capsys.readouterr().out) == expected


def test_a_rename_is_found_by_either_name(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.append([made(1, "/new", operation=Operation.RENAME, source_path="/old")])
    for path in ("/new", "/old"):
        assert asked(store, "--path", path) == 0
        assert "/old -> /new" in capsys.readouterr().out


def test_an_argument_that_is_no_utf_8_finds_the_name_that_it_is(store: Store) -> None:
    store.append([made(1, "/tmp/\udcff"), made(2, "/tmp/x")])
    command = [sys.executable, "-m", "fileaudit_engine", "query", "--store", str(store.path), "--count"]
    done = subprocess.run(
        [*command, "--path", b"/tmp/\xff"], env=environment(), capture_output=True, check=True
    )
    assert done.stdout == b"1\n"


# ---------------------------------------------------------------------------------------- JSON and CSV


def test_json_is_what_replay_and_test_cases_read(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.append([record(EVERYTHING), made(1), made(2, HOSTILE, level="informational")], [LOSS])
    assert asked(store, "--format", "json") == 0
    lines = capsys.readouterr().out.splitlines()
    read = [EventReader(file="x").read(line.encode(), number) for number, line in enumerate(lines, 1)]
    assert [one for one in read if isinstance(one, Diagnostic | tuple)] == []
    assert {one.path for one in read if isinstance(one, FileEvent)} == {
        EVERYTHING.path,
        "/etc/shadow",
        HOSTILE,
    }
    assert [one for one in read if isinstance(one, Loss)] == [LOSS]


def test_replay_passes_over_what_the_engine_says_about_itself(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts: dict[str, object] = {"pid": 1}
    start = engine_record(Action.ENGINE_START, BEGIN, "this-host", "pid 1", facts)
    full = engine_record(Action.STORE_UNAVAILABLE, BEGIN, "this-host", "full", facts, alert_level="high")
    store.append([start, full, made(1)], [LOSS])
    assert asked(store, "--format", "json") == 0
    recording = tmp_path / "x.ndjson"
    recording.write_text(capsys.readouterr().out)
    assert len(recording.read_text().splitlines()) == 4
    assert main(["replay", str(recording)]) == 0
    assert "alerts   1 " in capsys.readouterr().err


def test_json_is_the_document_to_the_byte_where_nothing_in_it_acts(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.append([made(1)])
    assert asked(store, "--format", "json") == 0
    assert capsys.readouterr().out.encode() == store.read([1])[0].raw + b"\n"
    assert json.loads(store.read([1])[0].raw) == made(1).document


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\uff1d"])
def test_no_cell_is_a_formula(store: Store, capsys: pytest.CaptureFixture[str], first: str) -> None:
    store.append([made(1, user_name=f'{first}cmd|"/c calc"!A1')])
    assert asked(store, "--format", "csv") == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))
    assert row["user"] == f"""'{first}cmd|"/c calc"!A1"""


def test_csv_has_a_line_of_names_and_ends_lines_as_the_standard_says(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.append([made(1, 'a,"b"\nc', errno=13)])
    assert asked(store, "--format", "csv") == 0
    out = capsys.readouterr().out
    assert out.count("\r\n") == out.count("\n") == 2
    (row,) = csv.DictReader(io.StringIO(out, newline=""))
    assert (row["path"], row["error"], row["pid"], row["seq"]) == ('a,"b"\\x0ac', "EACCES", "4242", "1")
    assert row["time"] == "2026-11-24T07:30:46.000000000Z"


# --------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rule", "shadw"], "did you mean 'shadow_file_read'?"),
        (["--level", "hihg"], "did you mean 'high'?"),
        (["--level", "high-"], "did you mean 'high'?"),
        (["--operation", "opne"], "did you mean 'open'?"),
        (["--outcome", "failed"], "did you mean 'failure'?"),
        (["--kind", "alarm"], "did you mean 'alert'?"),
        (["--path", ""], "must not be empty"),
        (["--path", "x" * 9_000], "9,000 characters, more than any name"),
        (["--text", " "], "must not be blank"),
        (["--id", "a b"], "no event.id"),
        (["--limit", "-1"], "a number from 0"),
        (["--page", "0"], "a number from 1"),
        (["--page", "2", "--limit", "0"], "there is one page"),
        (["--follow", "--until", "now"], "cannot be meant together"),
        (["--count", "--limit", "5"], "cannot be meant together"),
        (["--since", "tomorow"], "not a moment"),
        (["--since", "-1h", "--until", "-2h"], "the range of time is empty"),
    ],
)
def test_a_wrong_value_is_told_with_what_may_have_been_meant(
    store: Store, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    store.append([made(1)])
    with contextlib.suppress(SystemExit):
        assert asked(store, *options) == 2
    shown = capsys.readouterr()
    assert words in shown.err
    assert shown.out == ""


def test_a_rule_that_is_there_and_has_found_nothing_is_no_error(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(store, "--rule", "sudoers_write", "--rule", "many_denied_opens", "--count") == 0
    assert capsys.readouterr().out == "0\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--user", "alcie"], "did you mean 'alice'?"),
        (["--path", "/etc"], "write '/etc/**'"),
        (["--path", "/no/*"], "* stops at slashes"),
        (["--path", "etc/x"], "paths are absolute"),
        (["--user", "root", "--outcome", "failure"], "no record is like that"),
        (["--page", "2"], "there is no such page"),
    ],
)
def test_where_nothing_is_found_it_is_said_what_may_have_been_meant(
    store: Store, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    store.append([made(1, "/x", user_name="alice")])
    assert asked(store, *options) == 0
    shown = capsys.readouterr()
    assert words in shown.err
    assert shown.out == ""


def test_without_a_store_there_is_an_error_and_none_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", "--store", str(tmp_path / "none.db")]) == 2
    assert "FA090" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------ what comes


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "engine"), "PYTHONUNBUFFERED": "1"}


@contextlib.contextmanager
def following(store: Store, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [
        sys.executable,
        "-m",
        "fileaudit_engine",
        "query",
        "--follow",
        "--store",
        str(store.path),
        *options,
    ]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_following_shows_the_last_records_and_then_what_comes_until_ctrl_c(store: Store) -> None:
    store.append([made(i, f"/{i}") for i in range(30)])
    with following(store, "--user", "root") as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert [process.stdout.readline().split()[-1] for _ in range(10)] == [f"/{i}" for i in range(20, 30)]
        for i in range(30, 35):
            store.append([made(i, f"/{i}"), made(i, f"/other/{i}", user_name="bob")])
            assert process.stdout.readline().split()[-1] == f"/{i}"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0


def test_following_ends_when_nobody_reads_any_more_though_nothing_comes(store: Store) -> None:
    store.append([made(1)])
    with following(store, "--format", "json") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["file"]["path"] == "/etc/shadow"
        process.stdout.close()
        assert process.wait(timeout=60) == READER_GONE


@pytest.mark.parametrize("options", [[], ["--format", "json"], ["--format", "csv"], ["--limit", "2"]])
def test_a_damaged_document_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    path = tmp_path / "s" / "db"
    with Store.open(path) as store:
        for number in range(3):
            store.append([record(msgspec.structs.replace(SHADOW, ts_ns=SHADOW.ts_ns + number))])
        store.connection.execute("UPDATE records SET document = x'00' WHERE seq = 3")
    assert main(["query", "--store", str(path), *options]) == 0
    out, err = capsys.readouterr()
    assert "/etc/shadow" in out
    assert "row 3 is damaged and left out" in err
