"""`test`: its exit statuses, and what goes where."""

import argparse
import json
from pathlib import Path

import pytest
from tests.unit.ruletest.packs import DELETED, SHADOW

from fileaudit_engine.cli import test as command
from fileaudit_engine.config import Config
from fileaudit_engine.diagnostics import UnusableInput

FIRING = """
  - name: A user reads the shadow file
    events: [{Operation: open, AccessMode: read, TargetFilename: /etc/shadow}]
    alerts: [{rule: shadow_file_read}]
"""
SILENT = """
  - name: Nobody minds the host name
    events: [{Operation: open, AccessMode: read, TargetFilename: /etc/hostname}]
    alerts: []
"""
BROKEN_RULE = DELETED.replace("startswith", "startwith")


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A folder with one rule that is proven both ways."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "shadow.yml").write_text(SHADOW)
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "shadow.test.yml").write_text(f"tests:{FIRING}{SILENT}")
    return tmp_path


def status(pack: Path, *options: str) -> int:
    """The exit status of `test rules fixtures` with options."""
    common = argparse.ArgumentParser(add_help=False)
    common.set_defaults(color="never", settings=Config())
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers(), common)
    args = parser.parse_args(["test", f"{pack}/rules", f"{pack}/fixtures", *options])
    return int(args.command(args))


def test_a_pack_that_is_proven_passes(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(pack) == 0
    shown = capsys.readouterr()
    assert shown.out.endswith("2 passed, 0 failed · rules firing 1/1 silent 1/1\n")
    assert not shown.err


def test_rules_are_tested_with_the_filters_of_the_pack_applied(
    pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted = (
        "title: Accepted\nlogsource: {product: linux}\n"
        "filter: {rules: any, a: {User: root}, condition: not a}\n"
    )
    (pack / "rules" / "accepted.yml").write_text(accepted)
    assert status(pack) == 0
    root = FIRING.replace("Operation: open", "User: root, Operation: open")
    (pack / "fixtures" / "shadow.test.yml").write_text(f"tests:{root}{SILENT}")
    assert status(pack) == 1
    assert "missing     shadow_file_read" in capsys.readouterr().out


def test_a_broken_path_fails_the_case_and_names_it(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pack / "rules" / "shadow.yml").write_text(SHADOW.replace("/etc/shadow", "/etc/shadoww"))
    assert status(pack) == 1
    shown = capsys.readouterr().out
    assert f"✗ A user reads the shadow file  {pack}/fixtures/shadow.test.yml:2:11" in shown
    assert "missing     shadow_file_read" in shown


def test_a_broken_rule_is_a_finding_even_if_all_cases_pass(
    pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pack / "rules" / "log.yml").write_text(BROKEN_RULE)
    assert status(pack) == 1
    shown = capsys.readouterr()
    assert "2 passed, 0 failed" in shown.out
    assert "startwith" in shown.err


def test_a_case_that_names_no_rule_fails_and_is_explained(
    pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pack / "fixtures" / "b.test.yml").write_text(f"tests:{FIRING.replace('shadow_file', 'shadow_fle')}")
    assert status(pack) == 1
    assert "no rule is called 'shadow_fle_read'" in capsys.readouterr().err


def test_a_test_file_with_a_mistake_is_unusable_and_the_others_run(
    pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pack / "fixtures" / "b.test.yml").write_text("tests: [{nam: x}]")
    assert status(pack) == 2
    shown = capsys.readouterr()
    assert "2 passed, 0 failed" in shown.out
    assert "b.test.yml:1:10: error[FA061]" in shown.err


@pytest.mark.parametrize("missing", ["rules", "fixtures"])
def test_a_path_that_does_not_exist_is_unusable(pack: Path, missing: str) -> None:
    (pack / missing).rename(pack / "elsewhere")
    with pytest.raises(UnusableInput):
        status(pack)


def test_a_pattern_chooses_cases(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(pack, "-k", "SHADOW") == 0
    assert capsys.readouterr().out.endswith("1 passed, 0 failed · rules firing 1/1 silent 0/1\n")


def test_a_pattern_that_chooses_nothing_proves_nothing(
    pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(pack, "-k", "a\x1b[1mb") == 2
    assert capsys.readouterr().err == "fileaudit-engine: no test case is called like 'a\\x1b[1mb'\n"


def test_json_is_the_only_thing_on_stdout(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pack / "rules" / "log.yml").write_text(BROKEN_RULE)
    assert status(pack, "--format", "json", "--coverage") == 1
    assert json.loads(capsys.readouterr().out)["summary"] == {
        "tests": 2,
        "passed": 2,
        "failed": 0,
        "rules": 1,
        "rules_firing": 1,
        "rules_silent": 1,
    }


def test_coverage_is_listed_if_asked_for(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pack / "rules" / "log.yml").write_text(DELETED)
    assert status(pack, "--coverage") == 0
    shown = capsys.readouterr().out
    assert "shadow_file_read  ✓ firing  ✓ silent" in shown
    assert "never tested: log_deleted" in shown


def test_coverage_below_what_is_asked_for_is_a_finding(
    pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pack / "rules" / "log.yml").write_text(DELETED)
    assert status(pack, "--fail-under", "50") == 0
    assert status(pack, "--fail-under", "50.1") == 1
    assert "coverage is 50.0 %, less than 50.1 %" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [("--fail-under", "101"), ("--fail-under", "nan"), ("--format", "junit"), ("--mutate",)]
)
def test_options_that_mean_nothing_are_refused(pack: Path, options: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as error:
        status(pack, *options)
    assert error.value.code == 2
