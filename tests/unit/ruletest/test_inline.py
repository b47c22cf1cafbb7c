"""Events that are written out in a case, and the defaults under them."""

from pathlib import Path

import pytest
from tests.unit.ruletest.packs import loaded

from fileaudit_engine.events.model import AccessMode, FileEvent, Outcome
from fileaudit_engine.events.times import rfc3339


def event(folder: Path, defaults: str, written: str) -> FileEvent:
    """The event of a case, all of which must be fine."""
    text = f"defaults: {defaults}\ntests:\n  - {{name: a, events: [{written}], alerts: []}}\n"
    found = loaded(folder, text)
    assert not found.diagnostics, found.diagnostics
    return found.cases[0].events[0].event


def test_defaults_stand_under_every_event(tmp_path: Path) -> None:
    found = event(tmp_path, "{User: alice, AccessMode: write}", "{Operation: open, TargetFilename: /a}")
    assert (found.user_name, found.access_mode, found.path) == ("alice", AccessMode.WRITE, "/a")


@pytest.mark.parametrize("default", ["Image", "process.executable"])
@pytest.mark.parametrize("own", ["Image: /b", "process.executable: /b", "process: {executable: /b}"])
def test_an_event_overrides_a_default_however_either_spells_it(
    tmp_path: Path, default: str, own: str
) -> None:
    found = event(tmp_path, f"{{{default}: /a, process.name: x}}", f"{{Operation: open, {own}}}")
    assert (found.process.executable, found.process.name) == ("/b", "x")


def test_a_nested_default_gives_way_in_part(tmp_path: Path) -> None:
    defaults = "{process: {executable: /a, name: a}}"
    found = event(tmp_path, defaults, "{Operation: open, process.name: b}")
    assert (found.process.executable, found.process.name) == ("/a", "b")


def test_a_case_starts_when_it_says(tmp_path: Path) -> None:
    text = "tests: [{name: a, start: %s, events: [{at: 2s, Operation: open}], alerts: []}]"
    for start in ("2026-03-04T03:00:00Z", '"2026-03-04 04:00:00+01:00"'):
        (happened,) = loaded(tmp_path, text % start).cases[0].events
        assert rfc3339(happened.event.ts_ns) == "2026-03-04T03:00:02.000000000Z"
        assert happened.at_ns == 2 * 10**9


def test_a_start_is_no_default(tmp_path: Path) -> None:
    text = "{start: 2026-03-04T03:00:00Z}\ntests: [{name: a, events: [{Operation: open}], alerts: []}]"
    (found,) = loaded(tmp_path, f"defaults: {text}").diagnostics
    assert (found.code, found.message) == ("FA061", "'start' belongs to a case")


def test_an_event_after_the_last_time_that_can_be_told_is_refused(tmp_path: Path) -> None:
    text = (
        "tests: [{name: a, start: 2262-01-01T00:00:00Z, events: [{at: 200d, Operation: open}], alerts: []}]"
    )
    (found,) = loaded(tmp_path, text).diagnostics
    assert (found.code, found.message) == ("FA062", "'at' is after the year 2262")


def test_null_takes_a_default_away(tmp_path: Path) -> None:
    assert event(tmp_path, "{User: alice}", "{Operation: open, User: null}").user_name is None


def test_arguments_override_a_default_command_line(tmp_path: Path) -> None:
    found = event(tmp_path, "{CommandLine: cat a}", "{Operation: open, Arguments: [ls]}")
    assert found.process.args == ("ls",)


def test_an_error_number_overrides_a_default_outcome_and_the_other_way_round(tmp_path: Path) -> None:
    failed = event(tmp_path, "{Outcome: success}", "{Operation: open, Errno: EACCES}")
    assert (failed.outcome, failed.errno) == (Outcome.FAILURE, 13)
    fine = event(tmp_path, "{Outcome: failure, Errno: 2}", "{Operation: open, Outcome: success}")
    assert (fine.outcome, fine.errno) == (Outcome.SUCCESS, 0)


def test_a_wrong_default_is_reported_once_at_its_own_place(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        """\
        defaults:
          Usr: alice
        tests:
          - {name: a, events: [{Operation: open}, {Operation: open}], alerts: []}
          - {name: b, events: [{Operation: open}], alerts: []}
        """,
    )
    assert [(d.code, d.location.line, d.location.column) for d in found.diagnostics] == [("FA072", 2, 3)]


def test_a_file_name_keeps_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    assert event(tmp_path, "{}", r"{Operation: open, TargetFilename: '/tmp/\xff'}").path == "/tmp/\udcff"
