"""What the configuration says about rules reaches every command that reads rules."""

from pathlib import Path

import pytest

from fileaudit_engine.cli.main import main

RULE = """\
title: Keys of administrators
id: 929a690e-bef0-4204-a928-ef5e620d6fcc
name: admin_keys
description: Somebody read a key of an administrator
level: high
logsource: {product: linux, category: file_access}
detection:
  selection: {TargetFilename|expand: /home/%admins%/.ssh/id_rsa}
  condition: selection
"""
CASES = """\
tests:
  - name: A key of one of two administrators is read
    events:
      - {Operation: open, AccessMode: read, TargetFilename: /home/bob/.ssh/id_rsa}
      - {Operation: open, AccessMode: read, TargetFilename: /home/carol/.ssh/id_rsa}
    alerts: [{rule: admin_keys, fields: {file.path: /home/bob/.ssh/id_rsa}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rule.yml").write_text(RULE)
    (tmp_path / "cases.test.yml").write_text(CASES)
    (tmp_path / "config.yml").write_text("placeholders: {admins: [alice, bob]}\ntimezone: Europe/Berlin\n")
    return tmp_path


def test_placeholders_of_the_configuration_make_a_rule_usable(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(folder / "rules")]) == 1
    assert "the placeholder 'admins' has no value" in capsys.readouterr().out
    assert main(["check", str(folder / "rules"), "--config", str(folder / "config.yml")]) == 0


def test_rules_are_tested_with_the_values_of_the_configuration(folder: Path) -> None:
    config = ["--config", str(folder / "config.yml")]
    assert main(["test", str(folder / "rules"), str(folder / "cases.test.yml"), *config]) == 0
    (folder / "config.yml").write_text("placeholders: {admins: alice}")
    assert main(["test", str(folder / "rules"), str(folder / "cases.test.yml"), *config]) == 1


def test_a_mistake_in_the_configuration_is_shown_in_its_line_with_a_caret(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "config.yml"
    path.write_text("suppress:\n  by: [rule.uuid, Image]\n  for: 10m\n")
    assert main(["check", str(folder / "rules"), "--config", str(path), "--color", "never"]) == 2
    assert capsys.readouterr().err.startswith(
        f"{path}:2:19: error[FA085]: no alert has 'Image'\n"
        "  │\n"
        "2 │   by: [rule.uuid, Image]\n"
        "  │                   ^^^^^\n"
        "  = help: did you mean 'process.executable'?\n"
    )


def test_a_wrong_time_zone_is_reported_before_anything_is_done(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "config.yml").write_text("timezone: Europe/Berln\n")
    assert main(["check", str(folder / "rules"), "--config", str(folder / "config.yml")]) == 2
    assert "did you mean 'Europe/Berlin'?" in capsys.readouterr().err
