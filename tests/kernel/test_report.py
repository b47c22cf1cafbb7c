"""What `report` says of an engine that ran, was killed and ran again on this machine."""

import json
from pathlib import Path

import pytest
from tests.kernel.test_commands import cat, engine, rule_for, the_alert

from fileaudit_engine.cli.main import main

pytestmark = pytest.mark.kernel

HOSTILE = "<script>alert(1)<\u202ecod.exe"


def test_a_killed_engine_is_a_gap_and_what_it_saw_before_is_in_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / HOSTILE
    secret.write_text("secret")
    rule = rule_for(tmp_path / "rules", watched=secret)
    with engine(tmp_path, "--rules", rule) as command:
        the_alert(command, cat(str(secret)))
        command.process.kill()
        command.process.wait()
    with engine(tmp_path, "--rules", rule) as command:
        the_alert(command, cat(str(secret)))
        assert command.stop() == 0
    assert main(["report", "--store", str(command.store), "--format", "json", "--verify"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["totals"]["alerts"], said["totals"]["engine"]) == (2, 3)
    assert [(row["rule"], row["alerts"]) for row in said["alerts"]["rules"]] == [("watched", 2)]
    assert said["files"]["top"] == [{"name": str(secret), "records": 2}]
    assert [gap["how"] for gap in said["coverage"]["gaps"]] == ["not started", "killed", "stopped"]
    assert 0 < said["coverage"]["watched_seconds"] < said["coverage"]["seconds"]
    assert said["chain"]["anchor"] == said["chain"]["anchor"] | {
        "seq": said["chain"]["head_seq"],
        "agrees": True,
    }
    assert said["chain"]["check"] == {"rows": 5, "findings": 0, "lines": []}
    states = {one["id"]: one for one in said["controls"][0]["requirements"]}
    assert {one["state"] for one in states.values()} <= {"nothing", "engine"}
