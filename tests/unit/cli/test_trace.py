"""`trace` as a program: what it prints where."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from tests.unit.sinks.every_operation import DAY

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "tests" / "unit" / "cli" / "made_live.py"
GOLDEN = ROOT / "tests" / "golden" / "trace"
PATIENCE_S = 60
"""How long it may take on a crowded machine; nothing here is fast by being shorter."""


def traced(made: str, *options: str, stdout: int | IO[bytes] = subprocess.PIPE) -> tuple[int, str, str]:
    """Its status, and what it prints on stdout and on stderr."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), made, "trace", *options],
        check=False,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TZ": "UTC"},
        timeout=PATIENCE_S,
    )
    return done.returncode, (done.stdout or b"").decode(), done.stderr.decode()


@pytest.mark.parametrize(("color", "name"), [("never", "operations.txt"), ("always", "operations.ansi.txt")])
def test_every_operation_is_a_line_on_stdout_and_nothing_else_is(color: str, name: str) -> None:
    status, out, err = traced("day", "--duration", "0.2", "--color", color)
    assert status == 0
    assert out == (GOLDEN / name).read_text()
    assert [line.split()[0] for line in err.splitlines()] == ["loading", "tracing", "events"]


def test_json_is_one_document_a_line() -> None:
    _, out, _ = traced("day", "--duration", "0.2", "--format", "json")
    documents = [json.loads(line) for line in out.splitlines()]
    assert [document["event"]["action"] for document in documents] == [one.operation.value for one in DAY]
    assert {document["event"]["kind"] for document in documents} == {"event"}
    assert {document["rule"]["id"] for document in documents} == {"trace"}


def test_only_what_was_asked_for_is_shown() -> None:
    _, out, _ = traced("day", "--duration", "0.2", "--op", "delete,rename", "--path", "/srv/*")
    assert [line.split()[1] for line in out.splitlines()[1:]] == ["rmdir", "unlink", "rename"]


def test_losses_are_told() -> None:
    _, _, err = traced("loss", "--duration", "0.2")
    assert "LOST      1234 events between" in err


@pytest.mark.parametrize("form", ["pretty", "json"])
def test_a_reader_that_goes_away_ends_it_as_it_ends_others(form: str) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        status, _, err = traced("day", "--format", form, stdout=closed)
    assert status == 141
    assert "Traceback" not in err
