"""The command line: statuses, streams, and what is said where."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.ruletest.correlated_packs import MANY, RENAMED

from fileaudit_engine.cli import check, common
from fileaudit_engine.cli.main import main
from fileaudit_engine.diagnostics import MachineCannot

FINE = """\
title: Fine
id: 5ec07b55-9d8a-4a2f-8bd4-7a6c9a1f8f12
name: fine
status: test
description: Nothing is wrong with it.
logsource: {product: linux, category: file_access}
detection:
    selection:
        TargetFilename: /etc/fine
    condition: selection
level: high
"""

FOUR_ERRORS = """\
title: Broken
id: 5ec07b55-9d8a-4a2f-8bd4-7a6c9a1f8f11
status: test
date: 2024-13-45
logsource:
    product: linux
    category: file_access
detection:
    selection:
        TargetFilename|startwith: /etc/
    selection:
        AccessMode: read
    condition: selection and not filter
level: high
"""

EVENT = '{"@timestamp": "2026-01-01T00:00:00Z", "Operation": "open", "TargetFilename": "/etc/fine"}\n'


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "fine.yml").write_text(FINE)
    return folder


@pytest.fixture
def events(tmp_path: Path) -> Path:
    file = tmp_path / "events.ndjson"
    file.write_text(EVENT)
    return file


def test_one_check_reports_every_error_with_its_place_and_a_caret(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = rules / "broken.yml"
    broken.write_text(FOUR_ERRORS)
    assert main(["check", str(rules), "--color", "never"]) == 1
    out, err = capsys.readouterr()
    for place in ("4:7", "10:24", "11:5", "13:34"):
        assert f"{broken}:{place}: error[" in out
    assert out.count("^") >= 4
    assert "1 rule usable; 4 errors in 1 file" in err


def test_check_is_silent_on_stdout_about_rules_that_are_right(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(rules)]) == 0
    assert capsys.readouterr().out == ""


def test_check_as_json_has_every_place(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (rules / "broken.yml").write_text(FOUR_ERRORS)
    assert main(["check", str(rules), "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["summary"] == {"rules": 1, "correlations": 0, "errors": 4, "warnings": 0}
    assert [(d["line"], d["column"]) for d in document["diagnostics"]] == [
        (4, 7),
        (10, 24),
        (11, 5),
        (13, 34),
    ]
    assert all(d["code"].startswith("FA") and d["help"] for d in document["diagnostics"])


def test_of_very_many_findings_the_first_are_printed_and_errors_before_all_others(
    rules: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "MAX_SHOWN", 5)
    doubtful = FINE.partition("title")[2].replace("name: fine\n", "")
    doubtful = "\n".join(line for line in doubtful.splitlines() if not line.startswith(("id", "description")))
    (rules / "a.yml").write_text("\n---\n".join([f"title{doubtful}"] * 3))
    (rules / "z.yml").write_text(FOUR_ERRORS)
    assert main(["check", str(rules), "--color", "never"]) == 1
    out, err = capsys.readouterr()
    assert (out.count(": error["), out.count(": warning[")) == (4, 1)
    assert out.index("a.yml") < out.index("z.yml")
    assert out.endswith("\n\n5 more findings not shown; '--format json' lists all\n")
    assert "4 errors, 6 warnings in 2 files" in err
    assert main(["check", str(rules), "--format", "json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["diagnostics"]) == 10


def test_correlations_are_counted_beside_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pack.yml").write_text(f"{RENAMED}---\n{MANY}")
    assert main(["check", str(tmp_path)]) == 0
    assert "1 rule, 1 correlation usable" in capsys.readouterr().err
    assert main(["check", str(tmp_path), "--format", "json"]) == 0
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert (summary["rules"], summary["correlations"]) == (1, 1)


def test_a_path_that_does_not_exist_is_an_unusable_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["pretty", "json"])
def test_a_check_of_nothing_is_no_check(
    output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text(FINE)
    assert main(["check", str(tmp_path), "--format", output]) == 2
    assert f"no rule found in {tmp_path}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["/dev/null", "nosuch", "pipe"])
def test_a_named_path_that_cannot_be_read_is_an_unusable_command_line_whatever_it_is(
    name: str, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(rules.parent)
    os.mkfifo("pipe")
    assert main(["check", name]) == main(["check", str(rules), name]) == 2


def test_a_file_in_a_folder_that_cannot_be_read_is_a_finding(rules: Path) -> None:
    (rules / "gone.yml").symlink_to("nowhere")
    assert main(["check", str(rules)]) == 1


@pytest.mark.parametrize("rule", [FOUR_ERRORS, ""])
@pytest.mark.parametrize(
    "command",
    [
        "replay --rules RULES EVENTS",
        "explain RULES",
        "explain RULES --event EVENTS",
        "test RULES CASES",
        "run --rules RULES",
        "record --rules RULES OUTPUT",
    ],
)
def test_without_one_usable_rule_nothing_is_begun(
    command: str, rule: str, tmp_path: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "rule.yml").write_text(rule)
    cases = tmp_path / "x.test.yml"
    cases.write_text("tests: [{name: a, events: [{Operation: open}], alerts: []}]")
    places = {"RULES": empty, "EVENTS": events, "CASES": cases, "OUTPUT": tmp_path / "output"}
    assert main([str(places.get(word, word)) for word in command.split()]) == 2
    shown = capsys.readouterr()
    assert not shown.out
    assert "no usable rule" in shown.err
    assert str(empty) in shown.err
    assert not (tmp_path / "output").exists()


def test_a_check_of_broken_rules_only_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.yml").write_text(FOUR_ERRORS)
    assert main(["check", str(tmp_path)]) == 1
    assert "no rule found" not in capsys.readouterr().err


@pytest.mark.parametrize("output", ["pretty", "json"])
@pytest.mark.parametrize("content", ["", "\n  \n"])
def test_explain_says_that_there_was_no_event(
    content: str, output: str, rules: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events.write_text(content)
    assert main(["explain", str(rules), "--event", str(events), "--format", output]) == 2
    assert f"there is no event in {events}" in capsys.readouterr().err


def test_explain_ends_at_a_line_that_never_does(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(rules), "--event", "/dev/zero"]) == 2
    assert "/dev/zero:1:1: error[FA076]" in capsys.readouterr().err


def test_explain_goes_on_after_a_broken_line_and_ends_with_two(
    rules: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events.write_text("{nonsense\n" + EVENT)
    assert main(["explain", str(rules), "--event", str(events)]) == 2
    out, err = capsys.readouterr()
    assert "event 1  2026-01-01T00:00:00" in out
    assert f"{events}:1:" in err
    assert "no event" not in err


def test_explain_reads_no_endless_list_of_mistakes(
    rules: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events.write_text("x\n" * 3_000)
    assert main(["explain", str(rules), "--event", str(events)]) == 2
    told = capsys.readouterr().err
    assert "1,001 errors in 1 file" in told
    assert "2000 more of these were found and are not listed" in told


def test_what_a_machine_cannot_do_ends_with_three_and_the_remedy(
    monkeypatch: pytest.MonkeyPatch, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def cannot(*_: object) -> None:
        raise MachineCannot("no BTF", remedy="another kernel")

    monkeypatch.setattr(check, "load_quietly", cannot)
    assert main(["check", str(rules)]) == 3
    assert capsys.readouterr().err == "fileaudit-engine: no BTF\n  = help: another kernel\n"


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch, rules: Path) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "load_quietly", interrupted)
    assert main(["check", str(rules)]) == 130


def test_replay_prints_one_document_an_alert_and_nothing_else(
    rules: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(events), "--rules", str(rules), "--format", "json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["rule"]["id"] == "fine"


def test_replay_is_the_same_every_time(rules: Path, events: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["replay", str(events), "--rules", str(rules), "--format", "json"]
    main(arguments)
    first = capsys.readouterr().out
    main(arguments)
    assert capsys.readouterr().out == first


def test_replay_goes_on_after_a_line_that_is_not_valid_and_ends_with_two(
    rules: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events.write_text("{nonsense\n" + EVENT)
    assert main(["replay", str(events), "--rules", str(rules), "--format", "json"]) == 2
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert f"{events}:1:" in err


def test_a_broken_rule_does_not_stop_the_others(
    rules: Path, events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (rules / "broken.yml").write_text(FOUR_ERRORS)
    main(["replay", str(events), "--rules", str(rules), "--format", "json"])
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert "4 errors in 1 file" in err


def test_replay_keeps_alerts_where_it_is_told_to(rules: Path, events: Path, tmp_path: Path) -> None:
    store = tmp_path / "store" / "alerts.db"
    assert main(["replay", str(events), "--rules", str(rules), "--store", str(store)]) == 0
    assert store.stat().st_mode & 0o777 == 0o600


def test_a_recording_never_goes_through_a_link_or_over_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    link = tmp_path / "link"
    link.symlink_to(target)
    for output in (target, link):
        assert main(["record", str(output), "--duration", "1"]) == 2
        assert "cannot write the recording" in capsys.readouterr().err
    assert target.read_text() == "precious"


def test_a_recording_replaces_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    assert main(["record", "--force", str(folder), "--duration", "1"]) == 2
    assert f"{folder}: error[FA077]: cannot write the recording: Is a directory" in capsys.readouterr().err
    assert folder.is_dir()


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_a_duration_is_a_time(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", f"--duration={seconds}"])
    assert ended.value.code == 2
    assert "--duration" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["run", "trace", "top", "replay", "record", "test", "check", "explain", "doctor"]
)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "--color" in capsys.readouterr().out


def command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "fileaudit_engine", *arguments],
        check=False,
        capture_output=True,
        env={**os.environ, **environment},
    )


def test_a_terminal_that_lacks_a_character_gets_an_escape(rules: Path) -> None:
    (rules / "broken.yml").write_text(FOUR_ERRORS)
    done = command("check", rules, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"error[FA030]" in done.stdout


def test_a_reader_that_goes_away_ends_it_quietly(rules: Path) -> None:
    (rules / "broken.yml").write_text(FOUR_ERRORS)
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "fileaudit_engine", "check", rules],
            check=False,
            stdout=closed,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 141
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
