"""`tools/sigma_rules.py`: which rules of a checkout load as they are."""

from pathlib import Path

import pytest
from tools import sigma_rules
from tools.sigma_rules import listing, report, verdicts

RULE = """\
title: {title}
logsource: {{{source}}}
detection:
    selection: {{{test}}}
    condition: selection
"""


def rule(title: str, source: str, test: str) -> str:
    return RULE.format(title=title, source=source, test=test)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    files = {
        "linux/file_event/a.yml": rule("A", "product: linux, category: file_event", "TargetFilename: /a"),
        "linux/file_event/b.yml": rule("B", "product: linux, category: file_event", "Hashes|contains: x"),
        "linux/auditd/c.yml": rule("C", "product: linux, service: auditd", "'type': EXECVE, a0: dd")
        + "---\n"
        + rule("D", "product: linux, service: auditd", "type: SERVICE_STOP"),
        "linux/e.yml": rule("E", "product: linux, service: sshd", "User: root"),
        "windows/f.yml": rule("F", "product: windows, category: file_event", "TargetFilename: x"),
        "linux/broken.yml": "title: [\n",
        "README.md": "no rule\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_rules_for_linux_are_counted_by_log_source(checkout: Path) -> None:
    lines = list(report(verdicts([checkout])))
    assert lines[:4] == [
        "5 rules for linux, 3 load unchanged",
        "      1 of     2  category file_event",
        "      2 of     2  service auditd",
        "      0 of     1  service sshd",
    ]


def test_refused_rules_are_grouped_by_reason_with_an_example(checkout: Path) -> None:
    text = "\n".join(report(verdicts([checkout])))
    assert "2 rules refused" in text
    assert "FA040 unknown field 'Hashes': files are not read, so there is no hash" in text
    assert f"{checkout}/linux/file_event/b.yml:1:1" in text
    assert "FA041 there are no events of service 'sshd'" in text


def test_a_rule_of_which_a_part_never_matches_is_named(checkout: Path) -> None:
    text = "\n".join(report(verdicts([checkout])))
    assert "1 rule loaded of which a part never matches" in text
    assert "type is never 'SERVICE_STOP'" in text
    assert f"{checkout}/linux/auditd/c.yml:7:1" in text


def test_every_rule_can_be_listed(checkout: Path) -> None:
    lines = list(listing(verdicts([checkout])))
    assert [line.split()[0] for line in lines] == ["loads", "loads", "FA041", "loads", "FA040"]


@pytest.mark.parametrize(("path", "status"), [("linux/file_event/a.yml", 0), ("linux", 1), ("windows", 2)])
def test_the_status_says_whether_all_load(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, path: str, status: int
) -> None:
    monkeypatch.setattr("sys.argv", ["sigma_rules.py", str(checkout / path)])
    assert sigma_rules.main() == status
