"""`convert`: what it prints, on which stream, and how it ends."""

import json
from pathlib import Path

import pytest
from tests.unit.compiler.hunt.esql_reader import where

from fileaudit_engine.cli.main import main

RULE = """\
title: Key read
id: 5ec07b55-9d8a-4a2f-8bd4-7a6c9a1f8f12
name: key_read
status: test
description: Somebody reads a key.
logsource: {product: linux, category: file_access}
detection:
    selection:
        Operation: open
        TargetFilename|startswith: /etc/keys/
    condition: selection
level: high
"""
COUNTED = """\
title: Keys read
id: 0a1d35b7-3a43-4c93-9f0e-5c1bd6b2e1a5
name: keys_read
status: test
description: Many of them.
correlation:
    type: event_count
    rules: [key_read]
    group-by: [UserId]
    timespan: 1m
    condition: {gte: 10}
level: high
"""


def changed(rule: str, old: str, new: str) -> str:
    assert old in rule
    return rule.replace(old, new)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "key.yml").write_text(RULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_query_for_one_rule_stands_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "key.yml", "--to", "lucene"]) == 0
    assert capsys.readouterr().out == (
        'event.action:("open" OR "read" OR "write") AND event.action:"open" AND '
        r"(file.path.caseless:(\/etc\/keys\/* OR *"
        '\u017f*) OR _ignored:"file.path.caseless")\n'
    )


@pytest.mark.usefixtures("folder")
def test_what_it_finds_besides_is_said_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    main(["convert", "key.yml", "--to", "lucene"])
    assert capsys.readouterr().err == (
        "note: documents are found whatever the rule says of them where a text that it asks about has "
        "more than 10,922 characters or the character \u017f: "
        "the index does not show those as rules see them\n"
    )


@pytest.mark.usefixtures("folder")
def test_esql_looks_where_it_is_told_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "key.yml", "--to", "esql", "--index", "logs-fileaudit.alert-prod"]) == 0
    first, condition, *rest = capsys.readouterr().out.splitlines()
    assert first == "FROM logs-fileaudit.alert-prod METADATA _id, _ignored"
    passes = where(condition.removeprefix("| WHERE "))
    assert passes({"event.action": ["open"], "file.path.caseless": ["/etc/keys/a"]})
    assert not passes({"event.action": ["open"], "file.path.caseless": ["/etc/key"]})
    assert [line.split()[1] for line in rest] == ["SORT", "KEEP", "LIMIT"]


@pytest.mark.parametrize("pattern", ["a b", 'x" | WHERE true', "", "-x", "Über"])
@pytest.mark.usefixtures("folder")
def test_an_index_that_would_be_another_query_is_refused(
    capsys: pytest.CaptureFixture[str], pattern: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["convert", "key.yml", "--to", "esql", f"--index={pattern}"])
    assert ended.value.code == 2
    assert "is no pattern of names such as logs-fileaudit.*" in capsys.readouterr().err


def test_queries_for_several_rules_have_headings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "keys.yml").write_text(COUNTED)
    assert main(["convert", ".", "--to", "esql"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("// key_read: Key read\nFROM ")
    assert "\n\n// keys_read: Keys read\nFROM " in out


def test_a_correlation_is_counted_in_overlapping_windows(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "keys.yml").write_text(COUNTED)
    assert main(["convert", ".", "--to", "esql", "--rule", "keys_read"]) == 0
    out, err = capsys.readouterr()
    begin = "DATE_TRUNC(60 seconds, @timestamp)"
    assert out.splitlines()[2:] == [
        "| WHERE is_1",
        f"| EVAL window = MV_APPEND({begin}, {begin} - 60 seconds) | MV_EXPAND window",
        "| STATS begins = MIN(@timestamp), ends = MAX(@timestamp) BY window, user.id, fileaudit.event_id",
        "| STATS events = COUNT(*), begins = MIN(begins), ends = MAX(ends) BY window, user.id",
        "| WHERE events >= 10",
        "| SORT window DESC",
    ]
    assert "note[FA101]: ES|QL's windows are fixed" in err


def test_a_correlation_has_no_query_in_lucene(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "keys.yml").write_text(COUNTED)
    assert main(["convert", ".", "--to", "lucene"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("# key_read: Key read\n")
    assert "keys.yml:1:1: error[FA100]: Lucene counts nothing: it finds single documents" in err
    assert "help: use '--to esql'" in err
    assert "no query for 1 rule of 2" in err


def test_fewer_than_has_no_query(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "keys.yml").write_text(changed(COUNTED, "gte: 10", "lte: 10"))
    assert main(["convert", ".", "--to", "esql", "--rule", "keys_read"]) == 1
    assert "error[FA100]: this asks only for what must not happen" in capsys.readouterr().err


def test_what_cannot_be_said_is_left_out_with_its_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "key.yml").write_text(
        changed(RULE, "    condition", "        CommandLine|re: '\\bcat\\b'\n    condition")
    )
    assert main(["convert", "key.yml", "--to", "lucene"]) == 0
    out, err = capsys.readouterr()
    assert "command_line" not in out
    assert r"key.yml:11:25: note[FA101]: the hunt finds more than the rule here" in err
    assert r"Lucene's regular expressions have not: \b" in err


def test_a_rule_of_which_nothing_can_be_said_is_refused_with_its_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "key.yml").write_text(
        changed(RULE, "TargetFilename|startswith: /etc/keys/", "ArgumentCount: 3")
    )
    assert main(["convert", "key.yml", "--to", "lucene"]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert (
        "key.yml:10:24: error[FA100]: this cannot be hunted for in Lucene: documents do not count the" in err
    )


def test_keywords_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start, end = RULE.index("        Operation"), RULE.index("    condition")
    (folder / "key.yml").write_text(f"{RULE[:start]}        - secret\n{RULE[end:]}")
    assert main(["convert", "key.yml", "--to", "lucene"]) == 1
    assert "a keyword may stand in any field" in capsys.readouterr().err


def test_everything_is_one_document_of_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "keys.yml").write_text(COUNTED)
    assert main(["convert", ".", "--to", "lucene", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["language"] == "lucene"
    assert [(one["rule"], one["kind"]) for one in document["hunts"]] == [("key_read", "rule")]
    assert document["hunts"][0]["query"].startswith("event.action:")
    assert document["hunts"][0]["found_whatever_they_are"]
    assert [one["rule"] for one in document["refused"]] == ["keys_read"]
    assert document["refused"][0]["reasons"][0]["code"] == "FA100"


@pytest.mark.usefixtures("folder")
def test_a_rule_that_there_is_not_is_no_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "key.yml", "--to", "lucene", "--rule", "lock\n"]) == 2
    assert capsys.readouterr().err == "fileaudit-engine: no usable rule is called lock\\x0a\n"


def test_a_broken_rule_is_a_finding_and_the_others_are_converted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = changed(changed(RULE, "key_read", "lock_read"), "5ec07b55", "6ec07b55")
    (folder / "broken.yml").write_text(changed(other, "startswith", "startwith"))
    assert main(["convert", ".", "--to", "lucene"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("event.action")
    assert "broken.yml:10:" in err


@pytest.mark.usefixtures("folder")
def test_a_language_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["convert", "key.yml"])
    assert ended.value.code == 2
    assert "--to" in capsys.readouterr().err
