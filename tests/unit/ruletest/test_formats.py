"""Reports: for people, with nothing in them that acts on a terminal, and for scripts, by the contract."""

import json as json_module
from pathlib import Path

import pytest
from tests.unit.ruletest.packs import DELETED, PASSWD, SHADOW, compiled, loaded

from fileaudit_engine.ruletest.formats import json, pretty
from fileaudit_engine.ruletest.report import Report
from fileaudit_engine.ruletest.runner import run_cases
from fileaudit_engine.ruletest.wording import duration

GOLDEN = Path(__file__).parents[2] / "golden" / "ruletest"
TESTS = """\
defaults: {User: alice, Image: /usr/bin/cat}
tests:
  - name: A user reads the shadow file
    events:
      - {at: 0s, Operation: open, AccessMode: read, TargetFilename: /etc/shadow}
    alerts:
      - {rule: shadow_file_read, level: high, at: 0s, fields: {file.path: /etc/shadow}}
  - name: Everything is wrong
    events:
      - {at: 1m30s, Operation: open, AccessMode: read, TargetFilename: /etc/shadow}
      - {at: 2m, Operation: open, AccessMode: read, TargetFilename: /etc/passwd}
    alerts:
      - {rule: shadow_file_read, level: low, fields: {file.path: /etc/gshadow, process.pid: 3}}
      - {rule: shadow_file_read, at: 2m}
      - {rule: log_deleted}
      - {rule: shadow_read}
    audit:
      - {rule: passwd_read, at: 1m30s}
"""
HOSTILE = r"""
tests:
  - name: "a\e[31mb\nc\u202E"
    events:
      - {at: 0s, Operation: open, AccessMode: read, TargetFilename: "/etc/\e]0;x\a\n/\\xff"}
      - {at: 1s, Operation: open, AccessMode: read, TargetFilename: /etc/shadow}
    alerts:
      - {rule: "no\e[2Jne", fields: {"file.\e[1m": "\e[7m", x: [.nan, "\e"]}}
      - {rule: shadow_file_read, at: 0s}
"""


def report(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Report:
    """What came of a file `x.test.yml`."""
    monkeypatch.chdir(folder)
    found = loaded(Path(), text)
    assert not found.diagnostics
    plans = compiled(SHADOW, PASSWD, DELETED)
    return run_cases(found.cases, plans.user, plans.kernel)


def test_people_see_what_was_expected_what_came_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = pretty.render(report(tmp_path, monkeypatch, TESTS), color=False, coverage=True)
    assert shown == (GOLDEN / "report.txt").read_text()


def test_scripts_see_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = json.render(report(tmp_path, monkeypatch, TESTS))
    assert shown == (GOLDEN / "report.json").read_text()


def test_colour_changes_nothing_but_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = report(tmp_path, monkeypatch, TESTS)
    plain = pretty.render(found, color=False, coverage=True)
    coloured = pretty.render(found, color=True, coverage=True)
    assert coloured != plain
    for code in ("1", "2", "31", "32", "33", "0"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == plain


def test_nothing_that_a_case_holds_acts_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = pretty.render(report(tmp_path, monkeypatch, HOSTILE), color=False, coverage=True)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert r"a\x1b[31mb\x0ac\u202e" in shown
    assert r"/etc/\x1b]0;x\x07\x0a/\xff" in shown


def test_json_is_valid_whatever_a_case_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = json.render(report(tmp_path, monkeypatch, HOSTILE))
    document = json_module.loads(shown.encode(), parse_constant=pytest.fail)
    assert document["tests"][0]["name"] == "a\x1b[31mb\nc\u202e"
    assert document["tests"][0]["missing"][0]["fields"]["x"] == ["nan", "\x1b"]


def test_the_summary_is_the_last_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = pretty.render(report(tmp_path, monkeypatch, TESTS), color=False, coverage=False)
    assert shown.splitlines()[-1] == "1 passed, 1 failed · rules firing 3/3 silent 0/3"


@pytest.mark.parametrize(
    ("length_ns", "text"),
    [(0, "0s"), (150_000_000, "150ms"), (90 * 10**9, "1m30s"), (3_600 * 10**9 + 1, "1h1ns")],
)
def test_a_time_is_shown_as_cases_write_it(length_ns: int, text: str) -> None:
    assert duration(length_ns) == text
