"""Tags: the forms of the namespaces that the specification defines, and the techniques that there are."""

import pytest
from tests.unit.rules.examples import HEAD, codes, marked, one, rule_text

from fileaudit_engine.diagnostics import Severity
from fileaudit_engine.rules.attack import attack
from fileaudit_engine.rules.tags import tag_problem

RIGHT = [
    "attack.t1003",
    "attack.t1003.008",
    "attack.credential-access",
    "attack.command-and-control",
    "attack.stealth",
    "attack.defense-evasion",
    "attack.g0007",
    "attack.s0002",
    "attack.ds0022",
    "attack.m1022",
    "attack.a0001",
    "car.2016-04-005",
    "cve.2021-44228",
    "cve.2021.44228",
    "d3fend.d3-am",
    "d3fend.d3f-WindowsNtOpenFile",
    "d3fend.harden",
    "detection.threat-hunting",
    "stp.4",
    "stp.3k",
    "tlp.amber-strict",
    "my-team.Anything.at-all",
]
WRONG = [
    ("attack.t9999", "FA043", "https://attack.mitre.org/techniques/enterprise/"),
    ("attack.t1003.999", "FA043", "its technique is 'attack.t1003' (OS Credential Dumping)"),
    ("attack.t1086", "FA043", "write 'attack.t1059.001' (Command and Scripting Interpreter: PowerShell)"),
    ("attack.t1562.001", "FA043", "write 'attack.t1685' (Disable or Modify Tools)"),
    ("attack.T1003", "FA044", "write 'attack.t1003', in lower case"),
    ("attack.credential_access", "FA044", "did you mean 'attack.credential-access'?"),
    ("attack.credentialaccess", "FA044", "did you mean 'attack.credential-access'?"),
    ("attack.TA0006", "FA044", "tactics are written as words: 'attack.credential-access'"),
    ("attack.ta9999", "FA044", "tactics are written as words"),
    ("attack.t1003.8", "FA044", "the tactics are"),
    ("attack.t1003.008.1", "FA044", "the tactics are"),
    ("car.CAR-2016-04-005", "FA044", "without 'CAR-'"),
    ("cve.cve-2021-44228", "FA044", "write 'cve.2021-44228'"),
    ("d3fend.am", "FA044", "d3fend.d3-am"),
    ("detection.threat_hunting", "FA044", "did you mean 'detection.threat-hunting'?"),
    ("detection.x", "FA044", "'detection.dfir'"),
    ("stp.6", "FA044", "1 to 5"),
    ("stp.3x", "FA044", "a, u or k"),
    ("tlp.white", "FA044", "'tlp.clear'"),
    ("tlp.AMBER", "FA044", "did you mean 'tlp.amber'?"),
]


@pytest.mark.parametrize("tag", RIGHT)
def test_a_tag_of_the_right_form_is_taken(tag: str) -> None:
    assert tag_problem(tag) is None


@pytest.mark.parametrize(("tag", "code", "remedy"), WRONG)
def test_a_doubtful_tag_is_told_with_what_to_write(tag: str, code: str, remedy: str) -> None:
    problem = tag_problem(tag)
    assert problem is not None
    assert problem.code == code
    assert remedy in problem.help


def test_a_doubtful_tag_is_a_warning_at_its_place() -> None:
    text = rule_text("{User: x}", head=HEAD + "tags: [attack.t1003, attack.t9999]\n")
    found = one(text)
    assert (found.severity, marked(found, text)) == (Severity.WARNING, "attack.t9999")


def test_a_name_in_capitals_is_no_error_where_the_namespace_has_such() -> None:
    assert codes(rule_text("{User: x}", head=HEAD + "tags: [d3fend.d3f-File]\n")) == []


def test_every_technique_that_is_gone_has_a_successor_that_is_there_or_none() -> None:
    known = attack()
    assert {new for new in known.gone.values() if new} <= known.techniques.keys()
    assert known.gone.keys().isdisjoint(known.techniques)


def test_every_subtechnique_has_its_technique() -> None:
    assert {key.partition(".")[0] for key in attack().techniques} <= attack().techniques.keys()


def test_the_matrix_is_whole() -> None:
    assert len(attack().techniques) > 600
    assert len(attack().tactics) >= 15
    assert attack().name_of("T1003.008") == "OS Credential Dumping: /etc/passwd and /etc/shadow"
    assert attack().name_of("T1003") == "OS Credential Dumping"
    assert attack().name_of("T9999") is None
