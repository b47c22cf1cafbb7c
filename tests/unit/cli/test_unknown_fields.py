"""`--allow-unknown-fields`: a field of the user's own in rules, events and test cases."""

from pathlib import Path

import pytest

from fileaudit_engine.cli.main import main

RULE = """\
title: Zone
id: 5ec07b55-9d8a-4a2f-8bd4-7a6c9a1f8f12
name: zone
status: test
description: What a shipper adds is a field like any other.
logsource: {product: linux, category: file_access}
detection:
    selection:
        Zone: dmz
        TargetFilename|startswith: /etc/
    condition: selection
level: high
"""
EVENT = (
    '{"@timestamp": "2026-01-01T00:00:00Z", "Operation": "open", "TargetFilename": "/etc/x", "Zone": "dmz"}\n'
)
CASES = """\
tests:
  - name: In the zone
    events:
      - {Operation: open, TargetFilename: /etc/x, Zone: dmz}
      - {Operation: open, TargetFilename: /etc/x, Zone: lan}
    alerts:
      - {rule: zone, at: 0s}
  - name: In a recording
    events_from: events.ndjson
    alerts: [{rule: zone}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "zone.yml").write_text(RULE)
    (tmp_path / "events.ndjson").write_text(EVENT)
    (tmp_path / "zone.test.yml").write_text(CASES)
    return tmp_path


COMMANDS = [
    (["check", "zone.yml"], 1),
    (["explain", "zone.yml"], 2),
    (["explain", "zone.yml", "--event", "events.ndjson"], 2),
    (["replay", "events.ndjson", "--rules", "zone.yml"], 2),
    (["test", "zone.yml", "zone.test.yml"], 2),
]


@pytest.mark.parametrize(("command", "status"), COMMANDS, ids=str)
def test_a_field_of_ones_own_is_refused_unless_asked_otherwise(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], status: int
) -> None:
    monkeypatch.chdir(folder)
    assert main(command) == status
    assert main([*command, "--allow-unknown-fields"]) == 0


def test_a_rule_matches_by_a_field_of_ones_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    main(["replay", "events.ndjson", "--rules", "zone.yml", "--format", "json", "--allow-unknown-fields"])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert '"extra":{"Zone":"dmz"}' in out


@pytest.mark.parametrize("command", ["run", "record out.ndjson"])
def test_live_commands_take_the_option_too(command: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--allow-unknown-fields", "--help"])
    assert ended.value.code == 0
