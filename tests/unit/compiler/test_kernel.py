"""The kernel's tables: bits, nested keys, and what happens when bits run out."""

import itertools
from collections.abc import Sequence

import pytest
from tests.unit.compiler.examples import ANY, event, path_test, text_test

from fileaudit_engine.compiler import kernel
from fileaudit_engine.compiler.classifier import classify, facts_of
from fileaudit_engine.compiler.ir import FALSE, All, AnyOf, Predicate, Test, Wildcard
from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.compiler.plan import MAX_CLAUSES, SELECTORS, KernelPlan, selector
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, Outcome


def rules_for(plan: KernelPlan, happened: FileEvent) -> set[int]:
    """The rules that own the bits of an event."""
    bits = classify(plan, facts_of(happened))
    return {rule for number, owners in enumerate(plan.owners) if bits >> number & 1 for rule in owners}


def beginnings(*literals: str) -> KernelPlan:
    return kernel_plan([path_test(literal, ANY) for literal in literals])


def endings(*literals: str) -> KernelPlan:
    return kernel_plan([path_test(ANY, literal) for literal in literals])


@pytest.mark.parametrize("order", list(itertools.permutations(("/a", "/a/b", "/a/b/c"))))
def test_three_nested_beginnings_all_report_in_whatever_order_they_are_written(order: Sequence[str]) -> None:
    plan = beginnings(*order)
    assert rules_for(plan, event("/a/b/c/file")) == {0, 1, 2}
    assert rules_for(plan, event("/a/b/x")) == {order.index("/a"), order.index("/a/b")}
    assert rules_for(plan, event("/a/x")) == {order.index("/a")}


@pytest.mark.parametrize("order", list(itertools.permutations(("c", "b/c", "a/b/c"))))
def test_three_nested_endings_all_report_in_whatever_order_they_are_written(order: Sequence[str]) -> None:
    plan = endings(*order)
    assert rules_for(plan, event("/x/a/b/c")) == {0, 1, 2}
    assert rules_for(plan, event("/x/b/c")) == {order.index("c"), order.index("b/c")}
    assert rules_for(plan, event("/x/c")) == {order.index("c")}


def test_four_levels_of_beginnings_with_gaps_between_them_all_report() -> None:
    plan = beginnings("/s", "/srv/data/", "/srv/data/2024/07/31/", "/srv/data/2024/07/31/reports/annual")
    assert rules_for(plan, event("/srv/data/2024/07/31/reports/annual.pdf")) == {0, 1, 2, 3}
    assert rules_for(plan, event("/srv/data/2024/07/31/reports/daily")) == {0, 1, 2}
    assert rules_for(plan, event("/srv/data/2024/07/30")) == {0, 1}


def test_four_levels_of_endings_with_gaps_between_them_all_report() -> None:
    plan = endings("y", ".key", "server.key", "/etc/ssl/private/server.key")
    assert rules_for(plan, event("/etc/ssl/private/server.key")) == {0, 1, 2, 3}
    assert rules_for(plan, event("/tmp/my-server.key")) == {0, 1, 2}
    assert rules_for(plan, event("/tmp/a.key")) == {0, 1}
    assert rules_for(plan, event("/tmp/monkey")) == {0}


def test_a_sibling_of_a_nested_key_does_not_report() -> None:
    plan = beginnings("/a", "/a/b", "/a/c")
    assert rules_for(plan, event("/a/c/x")) == {0, 2}


def test_rules_with_the_same_key_share_it() -> None:
    assert rules_for(beginnings("/a/", "/a/"), event("/a/x")) == {0, 1}


def test_upper_and_lower_case_meet_in_the_tables() -> None:
    plan = kernel_plan([path_test("/Etc/SHADOW"), path_test("/ETC/", ANY, cased=True)])
    assert rules_for(plan, event("/eTC/shadow")) == {0, 1}


def test_a_rule_that_can_never_be_true_owns_no_bit() -> None:
    plan = kernel_plan([FALSE, path_test("/a", ANY)])
    assert plan.owners == ((1,),)


def test_without_rules_every_event_is_dropped() -> None:
    assert rules_for(kernel_plan([]), event()) == set()


def test_every_place_of_the_selector_table_has_one_meaning() -> None:
    indices = {selector(o, a, r) for o in Operation for a in AccessMode for r in Outcome}
    assert len(indices) == len(Operation) * len(AccessMode) * len(Outcome)
    assert max(indices) < SELECTORS == len(kernel_plan([]).selectors)


def test_an_event_without_an_access_mode_reaches_rules_that_ask_for_none_of_them() -> None:
    plan = kernel_plan([text_test("AccessMode", "read"), text_test("AccessMode", "write")])
    assert rules_for(plan, event(access_mode=None)) == {
        0
    }  # shares its place with `read`: wider, not narrower
    assert rules_for(plan, event(access_mode=AccessMode.READ_WRITE)) == {0, 1}


def _with_many_clauses(number: int) -> Predicate:
    """A rule of sixteen clauses that nothing can merge."""
    names = tuple(f"{number}-{part}" for part in range(16))
    return AnyOf(operands=tuple(All(operands=_two_tests(name)) for name in names))


def _two_tests(name: str) -> tuple[Test, Test]:
    return path_test(f"/{name}/", ANY), path_test(ANY, f"/in-{name}/", ANY)


def test_more_clauses_than_bits_are_fewer_clauses_a_rule_and_lose_nothing() -> None:
    plan = kernel_plan([_with_many_clauses(number) for number in range(200)])
    assert len(plan.clauses) <= MAX_CLAUSES
    for number, part in itertools.product(range(0, 200, 7), range(16)):
        assert number in rules_for(plan, event(f"/{number}-{part}/in-{number}-{part}/file"))


def test_more_rules_than_bits_share_the_last_one_and_lose_nothing() -> None:
    count = MAX_CLAUSES + 500
    plan = kernel_plan([path_test(f"/{number}/", ANY) for number in range(count)])
    assert len(plan.clauses) == MAX_CLAUSES
    assert {rule for owners in plan.owners for rule in owners} == set(range(count))
    for number in (0, 1, MAX_CLAUSES - 2, MAX_CLAUSES - 1, MAX_CLAUSES, count - 1):
        assert number in rules_for(plan, event(f"/{number}/file"))


def test_what_the_shared_bit_still_knows_is_used() -> None:
    plan = kernel_plan([path_test(f"/{number}/", ANY) for number in range(MAX_CLAUSES + 500)])
    assert rules_for(plan, event("/nothing/of/that")) == set()


@pytest.mark.parametrize("paths", [("/{}/", ANY), (ANY, ".{}x"), (ANY, "/{}/", ANY)])
def test_more_literals_than_a_table_holds_widen_the_longest_list_and_lose_nothing(
    paths: tuple[str | Wildcard, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def test(number: int) -> Test:
        return path_test(*(part.format(number) if isinstance(part, str) else part for part in paths))

    monkeypatch.setattr(kernel, "MAX_KEYS", 100)
    long, short = (
        AnyOf(operands=tuple(map(test, range(90)))),
        AnyOf(operands=tuple(map(test, range(100, 150)))),
    )
    plan = kernel_plan([long, short])
    assert all(len(table) <= 100 for table in (plan.prefixes, plan.suffixes, plan.components))
    assert rules_for(plan, event("/nothing/of/that")) == {0}
    for number, rule in ((0, 0), (89, 0), (100, 1), (149, 1)):
        assert rule in rules_for(plan, event(f"/{number}/a.{number}x"))
