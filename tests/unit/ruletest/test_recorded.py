"""Recordings as the events of a case: where they may lie, and how they are moved in time."""

import gzip
import os
from pathlib import Path

import pytest
import zstandard

from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.ruletest import recorded
from fileaudit_engine.ruletest.cases import CASE_START_NS, LoadedCases
from fileaudit_engine.ruletest.load import load_cases

LINES = (
    b'{"@timestamp": "2020-02-02T00:00:05Z", "Operation": "open", "TargetFilename": "/a"}\n'
    b'{"@timestamp": "2020-02-02T00:00:03Z", "Operation": "open", "TargetFilename": "/b"}\n'
)


def case_from(folder: Path, name: str, more: str = "") -> LoadedCases:
    """What is loaded of a folder whose one case has its events from `name`."""
    (folder / "sub").mkdir(exist_ok=True)
    text = f"defaults: {{User: alice}}\ntests:\n  - {{name: a, events_from: {name!r}, {more}alerts: []}}\n"
    (folder / "sub" / "x.test.yml").write_text(text)
    return load_cases(folder)


def test_the_earliest_event_happens_at_the_start_and_distances_stay(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_bytes(LINES)
    (case,) = case_from(tmp_path, "../events.ndjson").cases
    assert [(e.event.path, e.at_ns, e.event.ts_ns - CASE_START_NS) for e in case.events] == [
        ("/a", 2 * 10**9, 2 * 10**9),
        ("/b", 0, 0),
    ]


def test_a_recording_happens_when_the_case_says_that_it_starts(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_bytes(LINES)
    (case,) = case_from(tmp_path, "../events.ndjson", "start: 2020-02-02T00:00:03Z, ").cases
    assert [rfc3339(e.event.ts_ns) for e in case.events] == [
        "2020-02-02T00:00:05.000000000Z",
        "2020-02-02T00:00:03.000000000Z",
    ]


def test_a_recording_that_would_last_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_bytes(LINES)
    (found,) = case_from(tmp_path, "../events.ndjson", "start: 2262-04-11T23:47:15Z, ").diagnostics
    assert (found.code, found.help) == ("FA062", "choose an earlier 'start'")


def test_defaults_change_nothing_that_was_recorded(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_bytes(LINES)
    (case,) = case_from(tmp_path, "../events.ndjson").cases
    assert [e.event.user_name for e in case.events] == [None, None]


@pytest.mark.parametrize(
    ("ending", "pack"), [("gz", gzip.compress), ("zst", zstandard.ZstdCompressor().compress)]
)
def test_compressed_recordings_are_read(tmp_path: Path, ending: str, pack: object) -> None:
    assert callable(pack)
    (tmp_path / f"events.ndjson.{ending}").write_bytes(pack(LINES))
    assert len(case_from(tmp_path, f"../events.ndjson.{ending}").cases[0].events) == 2


def test_a_recorded_loss_is_no_event(tmp_path: Path) -> None:
    loss = (
        b'{"event.action": "lost", "fileaudit.lost": {"first_ns": 1, "last_ns": 2, "counts": {"open": 3}}}\n'
    )
    (tmp_path / "events.ndjson").write_bytes(loss + LINES)
    assert len(case_from(tmp_path, "../events.ndjson").cases[0].events) == 2


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../outside.ndjson", "link.ndjson", "links/outside.ndjson"]
)
def test_nothing_outside_the_folder_is_opened(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "fixtures"
    (inside / "sub").mkdir(parents=True)
    (tmp_path / "outside.ndjson").write_bytes(LINES)
    (inside / "sub" / "link.ndjson").symlink_to(tmp_path / "outside.ndjson")
    (inside / "sub" / "links").symlink_to(tmp_path)
    found = case_from(inside, name)
    assert not found.cases
    assert [d.message.partition("' ")[2] for d in found.diagnostics if d.code == "FA067"] == [
        "leads out of the folder of fixtures"
    ]


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "sub" / "pipe")
    (tmp_path / "sub" / "circle").symlink_to("circle")
    for name in ("pipe", "circle", ".", "missing.ndjson", "x" * 300):
        assert [d.code for d in case_from(tmp_path, name).diagnostics] == ["FA067"], name


def test_a_file_called_dash_is_a_file_and_not_the_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-").write_bytes(LINES)
    Path("x.test.yml").write_text("tests:\n  - {name: a, events_from: '-', alerts: []}\n")
    assert len(load_cases("x.test.yml").cases[0].events) == 2


def test_a_wrong_line_is_reported_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "events.ndjson").write_bytes(LINES + b"{}}\n")
    found = case_from(tmp_path, "events.ndjson")
    assert not found.cases
    assert [(Path(d.location.file).name, d.location.line) for d in found.diagnostics] == [
        ("events.ndjson", 3)
    ]


def test_a_recording_has_events_but_not_more_than_fit_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "MAX_RECORDED", 1)
    (tmp_path / "many.ndjson").write_bytes(LINES)
    (tmp_path / "none.ndjson").write_bytes(b"\n")
    assert [d.message for d in case_from(tmp_path, "../many.ndjson").diagnostics] == [
        "the recording has more than 1 events"
    ]
    assert [d.message for d in case_from(tmp_path, "../none.ndjson").diagnostics] == [
        "the recording has no events"
    ]
