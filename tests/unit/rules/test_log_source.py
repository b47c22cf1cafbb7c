"""Which log sources there are, and what is said of those that are not."""

import pytest
from tests.unit.rules.examples import HEAD, codes, marked, one, only_rule, rule_text

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.model import FileEvent, Operation, Process

NO_SOURCE = HEAD.replace("logsource: {product: linux, category: file_access}\n", "")


def with_source(source: str) -> str:
    return rule_text("{User: root}", head=f"{NO_SOURCE}logsource: {{{source}}}\n")


def matching(source: str) -> set[Operation]:
    """The operations whose events a rule of this log source looks at."""
    (compiled,) = compile_rules([only_rule(with_source(source))]).user.rules
    holds = matcher(compiled.predicate)
    root = Process(pid=1)
    return {o for o in Operation if holds(FileEvent(ts_ns=0, operation=o, process=root, user_name="root"))}


@pytest.mark.parametrize(
    "source",
    [
        "product: linux, category: file_access",
        "product: linux, category: file_event",
        "product: linux, category: process_creation",
        "product: linux",
        "service: fileaudit",
        "product: linux, service: fileaudit",
        "product: linux, service: auditd",
        "product: linux, service: fileaudit, category: file_access",
        "product: linux, service: auditd, category: process_creation",
        "product: linux, category: file_delete, definition: anything",
        "product: linux, category: file_delete, x-team: {name: blue}",
    ],
)
def test_a_log_source_that_we_have_is_taken(source: str) -> None:
    assert codes(with_source(source)) == []


@pytest.mark.parametrize(
    "source", ["product: linux", "service: fileaudit", "product: linux, service: auditd"]
)
def test_a_whole_log_is_every_operation(source: str) -> None:
    assert matching(source) == set(Operation)


@pytest.mark.parametrize("service", ["fileaudit", "auditd"])
def test_a_category_decides_whatever_service_stands_beside_it(service: str) -> None:
    assert matching(f"product: linux, category: process_creation, service: {service}") == {Operation.EXEC}


@pytest.mark.parametrize(
    ("source", "mark", "word"),
    [
        ("product: windows, category: file_event", "windows", "this engine watches Linux hosts"),
        ("product: plan9, category: file_event", "plan9", "this engine has product linux"),
        ("product: linux, category: file_acess", "file_acess", "did you mean 'file_access'?"),
        ("product: linux, category: fileaudit", "fileaudit", "write 'service: fileaudit'"),
        ("product: linux, service: auditctl", "auditctl", "did you mean 'auditd'?"),
        ("product: linux, category: network_connection", "network_connection", "not connections"),
        ("product: linux, service: sshd", "sshd", "that is a log file"),
        ("product: linux, service: clamav, category: file_event", "clamav", "that is a log file"),
        ("category: file_event", "logsource", "add 'product: linux'"),
    ],
)
def test_a_log_source_that_we_do_not_have_is_refused_with_the_reason(
    source: str, mark: str, word: str
) -> None:
    text = with_source(source)
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA041", mark)
    assert word in found.help


def test_an_empty_log_source_says_nothing() -> None:
    assert "FA041" in codes(with_source(""))


def test_a_log_source_of_the_wrong_type_is_reported_once() -> None:
    assert codes(with_source("product: linux, category: 5")) == ["FA012"]
