"""`verify`: statuses, what is printed where, and where anchors come from."""

import io
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record
from tests.unit.store.tampered import anchor_of, sql, write

from fileaudit_engine.cli.main import main
from fileaudit_engine.store import blocks
from fileaudit_engine.store.anchors import Anchor, AnchorFile, default_file, line_of
from fileaudit_engine.store.retention import Retention, remove
from fileaudit_engine.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "fileaudit.db"


@pytest.fixture
def anchors(path: Path) -> list[Anchor]:
    with Store.open(path) as store:
        return [*write(store, 60), anchor_of(store)]


def text_of(anchors: list[Anchor]) -> str:
    """As syslog would have them."""
    lines = (f"Nov 28 10:00:00 web-1 fileaudit-engine[7]: {line_of(anchor)}" for anchor in anchors)
    return "Nov 28 09:59:59 web-1 sshd[4]: something else\n" + "\n".join(lines) + "\n"


def test_a_store_that_nobody_touched_ends_with_status_0_and_says_what_was_checked(
    path: Path, anchors: list[Anchor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "syslog").write_text(text_of(anchors))
    assert main(["verify", str(path), "--anchors", str(tmp_path / "syslog"), "--color", "never"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"store     {path} · {anchors[0].store.hex()}",
        "rows      61, from 1 to 61, of 2026-11-24T07:30:45.123456789Z to 2026-11-24T08:29:45.123456789Z",
        "chain     all 61 rows fit their links",
        "index     61 rows and 0 blocks compared",
        "anchors   3 agree, the newest with row 61 of 2026-11-24T08:31:45.123456789Z",
        "verdict   ✓ nothing was altered",
    ]
    assert err == ""


def declared_removed(path: Path, anchors: Path, *, announce: bool) -> None:
    """Retention removes everything but the last block, with or without telling the file of anchors first."""
    with Store.open(path) as store:
        file = AnchorFile(anchors)
        file.append(anchor_of(store))

        def told(until_seq: int) -> bool:
            if announce:
                file.append(replace(anchor_of(store), start=until_seq))
            return True

        for _ in remove(store, Retention(age_ns=1), SHADOW.ts_ns + 10**18, announce=told):
            pass
        assert store.removed_seq
        file.append(replace(anchor_of(store), start=store.removed_seq))


@pytest.mark.parametrize("announce", [True, False])
def test_rows_that_are_declared_removed_are_missed_unless_the_engine_announced_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, announce: bool
) -> None:
    monkeypatch.setattr(blocks, "ROWS", 20)
    with Store.open(path) as store:
        write(store, 60)
    declared_removed(path, default_file(path), announce=announce)
    status = main(["verify", str(path), "--color", "never"])
    out, _ = capsys.readouterr()
    assert status == (0 if announce else 1)
    assert ("anchors from before announced nothing of the kind" in out) == (not announce)


def test_of_anchors_that_may_not_be_all_it_is_said_that_none_announced_a_removal(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(blocks, "ROWS", 20)
    with Store.open(path) as store:
        anchors = write(store, 60)
    declared_removed(path, tmp_path / "elsewhere", announce=False)
    (tmp_path / "syslog").write_text(text_of(anchors))
    main(["verify", str(path), "--anchors", str(tmp_path / "syslog"), "--color", "never"])
    assert "no anchor given announced it" in capsys.readouterr().err


def test_what_is_no_file_in_the_place_of_the_anchors_holds_nobody_up(
    path: Path, anchors: list[Anchor], capsys: pytest.CaptureFixture[str]
) -> None:
    assert anchors
    os.mkfifo(default_file(path))
    assert main(["verify", str(path), "--color", "never"]) == 0
    assert main(["report", "--store", str(path), "--since", "2026-11-01"]) == 0
    assert "it cannot be seen whether the newest rows are gone" in capsys.readouterr().err


def test_findings_end_with_status_1_and_are_told_with_what_the_row_says(
    path: Path, anchors: list[Anchor], capsys: pytest.CaptureFixture[str]
) -> None:
    assert anchors
    sql(path, "UPDATE records SET ts_ns = ts_ns + 1 WHERE seq = 20")
    assert main(["verify", str(path), "--color", "never"]) == 1
    out, _ = capsys.readouterr()
    assert out.splitlines()[:2] == [
        "✗ edited  row 20  2026-11-24T07:48:45.123456790Z  event  shadow_file_read  /etc/shadow",
        "          what it says is not what it was linked with",
    ]
    assert "chain     60 of 61 rows fit their links" in out
    assert out.splitlines()[-1] == "verdict   ✗ 1 finding: 1 edited"


def test_json_has_all_of_it(path: Path, anchors: list[Anchor], capsys: pytest.CaptureFixture[str]) -> None:
    assert anchors
    sql(path, "DELETE FROM records WHERE seq BETWEEN 20 AND 22")
    assert main(["verify", str(path), "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["verdict"], document["complete"], document["findings_total"]) == ("altered", True, 1)
    assert document["findings_by_kind"] == {"removed": 1}
    (finding,) = document["findings"]
    assert (finding["kind"], finding["first"], finding["last"]) == ("removed", 20, 22)
    assert finding["message"] == "3 rows are not there any more; what row 23 says cannot be proven without"
    assert document["rows"] == {
        "checked": 58,
        "first": 1,
        "last": 61,
        "from": "2026-11-24T07:30:45.123456789Z",
        "to": "2026-11-24T08:29:45.123456789Z",
        "removed_until": 0,
    }


def test_a_cut_tail_is_found_by_anchors_on_stdin(
    path: Path, anchors: list[Anchor], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sql(path, "DELETE FROM records WHERE seq > 40; DELETE FROM marks")
    assert main(["verify", str(path)]) == 0
    assert "it cannot be seen whether the newest rows are gone" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO(text_of(anchors)))
    assert main(["verify", str(path), "--anchors", "-", "--color", "never"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("✗ cut off  rows 41 to 61\n          the newest rows are gone: the anchor of ")
    assert err == ""


def test_the_file_that_the_engine_writes_is_read_unless_another_one_is_named(
    path: Path, anchors: list[Anchor], capsys: pytest.CaptureFixture[str]
) -> None:
    file = AnchorFile(default_file(path))
    for anchor in anchors:
        file.append(anchor)
    assert main(["verify", str(path), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["anchors"]["agree"] == len(set(anchors))
    assert document["anchor_sources"] == [str(default_file(path))]


def test_the_configuration_says_where_store_and_anchors_are(
    path: Path, anchors: list[Anchor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "apart").write_text(text_of(anchors))
    config = tmp_path / "config.yml"
    config.write_text(f"store: {{path: {path}, anchors: {{file: {tmp_path / 'apart'}}}}}\n")
    assert main(["verify", "--config", str(config), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["store"], document["anchors"]["agree"]) == (str(path), len(set(anchors)))


def test_torn_anchors_and_those_of_other_stores_are_told(
    path: Path, anchors: list[Anchor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Anchor(b"o" * 16, 5, b"x" * 32, anchors[0].time_ns)
    (tmp_path / "a").write_text(text_of([other]) + line_of(anchors[0])[:60])
    assert main(["verify", str(path), "--anchors", str(tmp_path / "a"), "--color", "never"]) == 0
    out, err = capsys.readouterr()
    assert "anchors   0 agree; 1 of other stores" in out
    assert "1 line among the anchors cannot be read: torn, or edited" in err
    assert "no anchor given is of a row of it" in err


@pytest.mark.parametrize("what", ["nothing", "a folder", "no database", "an empty file"])
def test_what_is_no_store_ends_with_status_2(
    path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path.parent.mkdir(mode=0o700)
    if what == "a folder":
        path.mkdir()
    elif what != "nothing":
        path.write_bytes(b"" if what == "an empty file" else b"no database" * 1_000)
    before = sorted(path.parent.iterdir())
    assert main(["verify", str(path)]) == 2
    assert "error[FA09" in capsys.readouterr().err
    assert sorted(path.parent.iterdir()) == before


def test_anchors_that_cannot_be_read_end_with_status_2(
    path: Path, anchors: list[Anchor], capsys: pytest.CaptureFixture[str]
) -> None:
    assert anchors
    assert main(["verify", str(path), "--anchors", "/no/such\x1bfile"]) == 2
    err = capsys.readouterr().err
    assert "error[FA095]" in err
    assert "\x1b" not in err


def test_a_store_without_rows_is_fine(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(path):
        pass
    assert main(["verify", str(path), "--color", "never"]) == 0
    out = capsys.readouterr().out
    assert "rows      none\n" in out
    assert "✓ nothing was altered, as far as can be seen without anchors" in out


def test_json_holds_nothing_that_acts_on_a_terminal(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(path) as store:
        event = msgspec.structs.replace(SHADOW, path="/x\x9b2J\u202e\u200b")
        store.append([record(event)])
    sql(path, "UPDATE records SET ts_ns = ts_ns + 1")
    assert main(["verify", str(path), "--format", "json"]) == 1
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out)["findings"][0]["path"]


def test_very_many_findings_are_counted_and_the_first_are_shown(
    path: Path, anchors: list[Anchor], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert anchors
    monkeypatch.setattr("fileaudit_engine.cli.verify.MAX_SHOWN", 3)
    monkeypatch.setattr("fileaudit_engine.cli.verify.MAX_LISTED", 3)
    sql(path, "UPDATE records SET pid = seq + 100000 WHERE seq > 1")
    assert main(["verify", str(path), "--color", "never"]) == 1
    out = capsys.readouterr().out
    assert out.count("✗ column") == 3
    assert "more findings not shown" in out
    assert main(["verify", str(path), "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert len(document["findings"]) == 3
    assert document["findings_total"] == 60


def test_a_store_whose_writer_was_killed_is_read_with_its_log(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "left").mkdir(mode=0o700)
    with Store.open(path) as store:
        write(store, 60)
        for name in ("fileaudit.db", "fileaudit.db-wal"):
            shutil.copy(path.with_name(name), tmp_path / "left" / name)
    assert main(["verify", str(tmp_path / "left" / "fileaudit.db"), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"]["checked"] == 61
