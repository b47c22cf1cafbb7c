"""The plan of correlations: what stands behind what, what is silent, what the kernel has to let through."""

import pytest

from fileaudit_engine.compiler.classifier import classify, facts_of
from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.events.model import FileEvent, Operation, Process
from fileaudit_engine.rules.parser import parse_text


def rule(name: str, level: str = "low") -> str:
    detection = f"{{selection: {{TargetFilename: /srv/{name}}}, condition: selection}}"
    source = "{product: linux, category: file_access}"
    return f"title: Rule {name}\nname: {name}\nlevel: {level}\nlogsource: {source}\ndetection: {detection}\n"


def correlation(name: str, *rules: str, level: str = "high", more: str = "") -> str:
    listed = ", ".join(rules)
    section = f"{{type: temporal, rules: [{listed}], group-by: [User], timespan: 1m{more}}}"
    return f"title: Correlation {name}\nname: {name}\nlevel: {level}\ncorrelation: {section}\n"


def compiled(*documents: str) -> Compiled:
    loaded = parse_text("---\n".join(documents))
    assert len(loaded.rules) + len(loaded.correlations) == len(documents)
    return compile_rules(loaded.rules, loaded.correlations)


def order(pack: Compiled) -> list[str]:
    return [one.rule.key for one in pack.correlations.correlations]


def silent(pack: Compiled) -> set[str]:
    rules = {pack.user.rules[number].rule.key for number in pack.correlations.silent}
    return rules | {one.rule.key for one in pack.correlations.correlations if one.silent}


def test_a_correlation_stands_behind_what_it_refers_to() -> None:
    outer = correlation("outer", "middle", "a")
    middle = correlation("middle", "inner", "b")
    assert order(compiled(outer, middle, correlation("inner", "a", "b"), rule("a"), rule("b"))) == [
        "inner",
        "middle",
        "outer",
    ]


def test_what_does_not_refer_to_each_other_keeps_its_order() -> None:
    assert order(compiled(correlation("y", "a", "b"), correlation("x", "b", "a"), rule("a"), rule("b"))) == [
        "y",
        "x",
    ]


def test_what_is_referred_to_is_silent_alone() -> None:
    pack = compiled(rule("a"), rule("b"), rule("c"), correlation("i", "a", "b"), correlation("o", "i", "a"))
    assert silent(pack) == {"a", "b", "i"}


def test_one_correlation_that_asks_for_it_is_enough_to_be_heard() -> None:
    pack = compiled(
        rule("a"),
        rule("b"),
        correlation("x", "a", "b"),
        correlation("y", "a", "b", more=", condition: a and not b, generate: true"),
    )
    assert silent(pack) == set()


def test_a_step_is_a_rule_or_a_correlation_by_its_number() -> None:
    pack = compiled(rule("a"), rule("b"), correlation("i", "a", "b"), correlation("o", "b", "i"))
    outer = pack.correlations.correlations[1]
    assert [(step.key, step.chained, step.number) for step in outer.steps] == [
        ("b", False, 1),
        ("i", True, 0),
    ]


def test_an_alias_names_another_field_for_each_rule() -> None:
    more = ", aliases: {who: {a: User, b: FileOwner}}"
    text = correlation("x", "a", "b", more=more).replace("[User]", "[who, Image]")
    (one,) = compiled(rule("a"), rule("b"), text).correlations.correlations
    assert [[field.name for field in step.group] for step in one.steps] == [
        ["User", "Image"],
        ["FileOwner", "Image"],
    ]


@pytest.mark.parametrize(
    ("levels", "quiet"),
    [
        ({"a": "informational", "b": "low", "x": "high"}, set()),
        ({"a": "informational", "b": "low", "x": "informational"}, {"a"}),
    ],
    ids=["an alert waits for it", "only the audit trail does"],
)
def test_a_rule_that_an_alert_waits_for_gives_way_to_nothing(levels: dict[str, str], quiet: set[str]) -> None:
    pack = compiled(
        rule("a", levels["a"]), rule("b", levels["b"]), correlation("x", "a", "b", level=levels["x"])
    )
    bits = {pack.user.rules[owner].rule.key: 1 << bit for bit, (owner,) in enumerate(pack.kernel.owners)}
    assert {key for key, bit in bits.items() if pack.kernel.audit & bit} == quiet


def test_an_alert_at_the_end_of_a_chain_is_waited_for_through_all_of_it() -> None:
    pack = compiled(
        rule("a", "informational"),
        rule("b", "informational"),
        correlation("inner", "a", "b", level="informational"),
        correlation("outer", "inner", level="critical"),
    )
    assert pack.kernel.audit == 0


def test_the_kernel_lets_through_what_only_a_correlation_asks_for() -> None:
    pack = compiled(rule("a"), rule("b"), correlation("x", "a", "b"))
    event = FileEvent(ts_ns=1, operation=Operation.OPEN, process=Process(pid=1), path="/srv/a")
    other = FileEvent(ts_ns=1, operation=Operation.OPEN, process=Process(pid=1), path="/srv/c")
    assert classify(pack.kernel, facts_of(event))
    assert not classify(pack.kernel, facts_of(other))


def test_a_chain_speaks_of_the_operations_of_all_rules_behind_it() -> None:
    deleted = rule("b").replace("file_access", "file_delete")
    pack = compiled(rule("a"), deleted, correlation("i", "a", "b"), correlation("o", "i"))
    outer = pack.correlations.correlations[1]
    assert {Operation.OPEN, Operation.UNLINK} <= outer.operations
