"""The command `report`: what it takes, where it writes, and how it ends."""

import io
import json
import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.cli.reports import SCRIPT, TURNED
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record

from fileaudit_engine.cli.main import main
from fileaudit_engine.events.times import SECOND_NS, rfc3339
from fileaudit_engine.store.anchors import Anchor, AnchorFile, default_file
from fileaudit_engine.store.store import Store

SINCE = "2026-11-01"
UNTIL = rfc3339(SHADOW.ts_ns + 100 * SECOND_NS)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A store with a few records."""
    path = tmp_path / "kept" / "fileaudit.db"
    names = ("/etc/shadow", "/etc/shadow", SCRIPT, TURNED)
    with Store.open(path) as store:
        store.append(
            [
                record(msgspec.structs.replace(SHADOW, ts_ns=SHADOW.ts_ns + n, path=name))
                for n, name in enumerate(names)
            ]
        )
    return path


def report(path: Path, *options: str, span: tuple[str, ...] = ("--since", SINCE, "--until", UNTIL)) -> int:
    return main(["report", "--store", str(path), *span, *options])


def as_json(capsys: pytest.CaptureFixture[str], path: Path, *options: str, **named: Any) -> dict[str, Any]:
    assert report(path, "--format", "json", *options, **named) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


# ------------------------------------------------------------------------------------------------- output


def test_a_report_of_a_store_is_printed(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(kept) == 0
    out, err = capsys.readouterr()
    assert re.search(r"^ +2  █+ +/etc/shadow$", out, re.MULTILINE)
    assert re.search(r"^alerts +4$", out, re.MULTILINE)
    assert err == ""


def test_the_json_has_the_figures(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, kept)
    assert found["format"] == 1
    assert found["totals"]["alerts"] == 4
    assert found["files"]["top"][0] == {"name": "/etc/shadow", "records": 2}
    assert (found["range"]["since"], found["range"]["until"]) == ("2026-11-01T00:00:00.000000000Z", UNTIL)


def test_the_json_holds_nothing_that_acts_on_a_terminal(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(kept, "--format", "json") == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert TURNED in [row["name"] for row in json.loads(out)["files"]["top"]]


def test_the_html_is_one_whole_page(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(kept, "--format", "html") == 0
    out = capsys.readouterr().out
    assert out.startswith("<!DOCTYPE html>")
    assert out.endswith("</html>\n")


def test_html_for_a_stream_without_unicode_is_the_same_page(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert report(kept, "--format", "html") == 0
    assert b"&#183;" in raw.getvalue()
    assert b"\\x" not in raw.getvalue().replace(b"\\u202e", b"")


def test_colours_are_for_who_wants_them(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(kept, "--color", "always") == 0
    assert "\x1b[" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------- a file


@pytest.mark.parametrize("form", ["pretty", "json", "html"])
def test_a_file_has_what_stdout_would_have_had(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    assert report(kept, "--format", form) == 0
    printed = capsys.readouterr().out
    assert report(kept, "--format", form, "--output", str(tmp_path / "out")) == 0
    assert capsys.readouterr() == ("", "")
    made = re.compile(r"2026-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z)?( UTC by)?")
    assert made.sub("", (tmp_path / "out").read_text()) == made.sub("", printed)


def test_nobody_else_can_read_the_file(kept: Path, tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.write_text("an earlier report")
    place.chmod(0o644)
    assert report(kept, "--output", str(place)) == 0
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert sorted(one.name for one in tmp_path.iterdir()) == ["kept", "out"]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "out"
    place.write_text("an earlier report")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert report(kept, "--output", str(place)) == 3
    assert "No space left on device" in capsys.readouterr().err
    assert place.read_text() == "an earlier report"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["kept", "out"]


def test_a_folder_that_is_not_there_is_said(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(kept, "--output", str(tmp_path / "no" / "out")) == 3
    err = capsys.readouterr().err
    assert "the report cannot be written to" in err
    assert "= help: name a file in a folder that is there" in err


def _folder(place: Path) -> None:
    place.mkdir()


def _link(place: Path) -> None:
    place.symlink_to("/dev/null")


def _pipe(place: Path) -> None:
    os.mkfifo(place)


@pytest.mark.parametrize("make", [_folder, _link, _pipe])
def test_what_is_no_file_is_not_replaced(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None]
) -> None:
    place = tmp_path / "out"
    make(place)
    before = place.lstat()
    assert report(kept, "--output", str(place)) == 2
    assert "error[FA099]" in capsys.readouterr().err
    assert place.lstat().st_ino == before.st_ino


# -------------------------------------------------------------------------------------------------- range


def test_without_a_range_it_is_the_last_day(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, kept, span=())
    assert found["range"]["seconds"] == 86_400
    assert found["range"]["until"] == found["made"]


def test_a_relative_range_needs_no_equals_sign(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json(capsys, kept, span=("--since", "-2h", "--until", "-1h"))
    assert found["range"]["seconds"] == 3_600


def test_an_empty_range_is_refused(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(kept, span=("--since", "2026-11-02", "--until", "2026-11-01")) == 2
    assert "error[FA098]: the range of time is empty" in capsys.readouterr().err


def test_a_range_from_the_beginning_of_time_is_a_range(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = as_json(capsys, kept, span=("--since", "1970-01-01", "--until", "2262-01-01"))
    assert found["totals"]["alerts"] == 4
    assert found["course"]["unit"] in {"hour", "day"}


# -------------------------------------------------------------------------------------------------- store


def test_a_store_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(tmp_path / "no.db") == 2
    assert "error[FA09" in capsys.readouterr().err


def test_a_report_only_reads(kept: Path) -> None:
    before = {one.name: one.read_bytes() for one in kept.parent.iterdir() if one.suffix == ".db"}
    assert report(kept) == 0
    assert {name: (kept.parent / name).read_bytes() for name in before} == before


def test_a_report_is_made_while_an_engine_writes(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(kept) as store:
        store.append([record(msgspec.structs.replace(SHADOW, ts_ns=SHADOW.ts_ns + 50))])
        assert as_json(capsys, kept)["totals"]["alerts"] == 5


def test_an_empty_store_has_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Store.open(tmp_path / "kept" / "fileaudit.db").close()
    found = as_json(capsys, tmp_path / "kept" / "fileaudit.db")
    assert found["totals"]["records"] == 0
    assert found["store"]["kept_since"] is None


# ----------------------------------------------------------------------------------------- chain and anchors


def test_the_anchors_of_the_store_are_looked_at(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(kept, read_only=True) as store:
        anchor = Anchor(store.identity, store.head.seq, store.head.link, SHADOW.ts_ns)
    AnchorFile(default_file(kept)).append(anchor)
    found = as_json(capsys, kept)["chain"]
    assert found["anchor"] == {"seq": 4, "time": rfc3339(SHADOW.ts_ns), "agrees": True}
    assert found["check"] is None


def test_the_chain_is_checked_where_that_is_asked_for(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert as_json(capsys, kept, "--verify")["chain"]["check"] == {"rows": 4, "findings": 0, "lines": []}


def test_a_trail_that_was_altered_ends_with_status_1(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(kept) as store:
        store.connection.execute("UPDATE records SET ts_ns = ts_ns + 1000 WHERE seq = 2")
    assert report(kept, "--verify", "--format", "json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["chain"]["check"]["findings"] >= 1
    assert any("row 2" in line for line in found["chain"]["check"]["lines"])
    assert found["findings"][0]["weight"] == "bad"
    assert report(kept, "--format", "json") == 0
