"""The law in every dimension, for every operation and every name of a file; and that each of them matters.

A dimension that accepts everything keeps the law, too. So it is counted how often each one spares an event,
and how often a rule that asks for something there matches all the same.
"""

import collections
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.every_dimension import events_for, rules
from tests.unit.compiler.strategies import COMPONENTS, LENGTHS, REPEATABLE

from fileaudit_engine.compiler.classifier import Facts, Name, classify, facts_of, of_last, of_whole
from fileaudit_engine.compiler.constraint import DIMENSIONS, END, KEY_BYTES, Clause, OneOf
from fileaudit_engine.compiler.ir import Matches, Predicate, Test, Wildcard
from fileaudit_engine.compiler.kernel import kernel_plan, plan_of
from fileaudit_engine.compiler.plan import SELECTORS, KernelPlan
from fileaudit_engine.compiler.simplify import simplify
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.model import FileEvent, Operation, Process

EVERY = -1
EVENTS_AN_EXAMPLE = 60
STRIDES = {"operation": (8, 32), "access": (2, 4), "outcome": (1, 2)}
"""Of the dimensions in the selectors: how far apart their values stand, and how many there are."""


def without(plan: KernelPlan, dimension: str) -> KernelPlan:
    """The plan if it asked nothing in a dimension."""
    if dimension not in STRIDES:
        anything: dict[str, Any] = {f"any_{dimension}": EVERY}
        return replace(plan, **anything)
    stride, values = STRIDES[dimension]
    table = [0] * SELECTORS
    for index in range(SELECTORS):
        first = index - index // stride % values * stride
        for value in range(values):
            table[index] |= plan.selectors[first + value * stride]
    return replace(plan, selectors=tuple(table))


def asked(clause: Clause) -> set[str]:
    """The dimensions in which a clause asks for something."""
    return {name for name in DIMENSIONS if isinstance(getattr(clause, name), OneOf)}


def rules_of(plan: KernelPlan, bits: int) -> set[int]:
    return {rule for clause, owners in enumerate(plan.owners) if bits >> clause & 1 for rule in owners}


def note(plan: KernelPlan, facts: Facts, matching: set[int], seen: collections.Counter[str]) -> None:
    """Count what each dimension had to do with what became of an event."""
    bits = classify(plan, facts)
    for dimension in DIMENSIONS:
        seen[f"spared by {dimension}"] += (classify(without(plan, dimension), facts) & ~bits) != 0
    for number, owners in enumerate(plan.owners):
        if bits >> number & 1 and matching.intersection(owners):
            seen.update(f"matched by {dimension}" for dimension in asked(plan.clauses[number]))
    if matching:
        seen[f"matched {facts.operation.value}"] += 1
        seen["matched by last component"] += any(not name.whole for name in facts.names)
        seen["matched with several names"] += len(facts.names) > 1


def test_no_dimension_drops_what_a_rule_matches_and_each_of_them_matters() -> None:
    seen: collections.Counter[str] = collections.Counter()

    @settings(REPEATABLE, max_examples=120)
    @given(st.lists(rules(), min_size=1, max_size=3), st.integers(0, 2**32))
    def law(predicates: list[Predicate], seed: int) -> None:
        plan = kernel_plan([simplify(rule) for rule in predicates])
        matchers = [matcher(rule) for rule in predicates]
        for happened in events_for(predicates, seed=seed, count=EVENTS_AN_EXAMPLE):
            facts = facts_of(happened)
            matching = {number for number, matches in enumerate(matchers) if matches(happened)}
            lost = matching - rules_of(plan, classify(plan, facts))
            assert not lost, f"rules {lost} lose {happened}"
            note(plan, facts, matching, seen)

    law()
    assert {name: seen[name] for name in _counted() if seen[name] < 20} == {}


def _counted() -> list[str]:
    return [
        *(f"{what} by {dimension}" for what in ("spared", "matched") for dimension in DIMENSIONS),
        *(f"matched {operation.value}" for operation in Operation),
        *("matched by last component", "matched with several names"),
    ]


# --- endings of paths that are certain, and of which only the last component is ----------------------------

PARTS = st.sampled_from(
    [part.encode() for part in COMPONENTS if part.isascii() and "/" not in part]
    + [b"n" * length for length in (*LENGTHS[:3], 245, 246)]
)


def endings() -> st.SearchStrategy[bytes]:
    inner = st.lists(PARTS, min_size=1, max_size=3).map(b"/".join)
    return st.builds(lambda slash, text: slash + text, st.sampled_from((b"", b"/")), inner)


def table(literals: list[bytes]) -> KernelPlan:
    return plan_of(
        [(Clause(suffix=OneOf(frozenset({literal[-KEY_BYTES:].lower()}))),) for literal in literals]
    )


def numbers(accepts: list[bool]) -> set[int]:
    return {number for number, accepted in enumerate(accepts) if accepted}


@settings(REPEATABLE, max_examples=300)
@given(st.lists(endings(), min_size=1, max_size=8), st.lists(PARTS, min_size=1, max_size=4))
def test_twins_do_not_disturb_the_endings_of_whole_paths(literals: list[bytes], parts: list[bytes]) -> None:
    path = b"/" + b"/".join(parts).lower()
    plan = table(literals)
    accepts = [path.endswith(literal[-KEY_BYTES:].lower()) for literal in literals]
    assert rules_of(plan, of_whole(plan, path)) == numbers(accepts)


@settings(REPEATABLE, max_examples=300)
@given(st.lists(endings(), min_size=1, max_size=8), PARTS)
def test_a_last_component_finds_every_ending_that_a_path_with_it_could_have_and_no_other(
    literals: list[bytes], name: bytes
) -> None:
    name = name.lower()
    plan = table(literals)
    accepts = [could_end(b"/" + name, literal[-KEY_BYTES:].lower()) for literal in literals]
    assert rules_of(plan, of_last(plan, b"/anywhere/" + name)) == numbers(accepts)


def could_end(leaf: bytes, literal: bytes) -> bool:
    """Whether some path that ends with the leaf ends with the literal; as far as a key reaches."""
    before, _, last = literal.rpartition(b"/")
    if not before:
        return leaf.endswith(literal)
    return (END + leaf)[-KEY_BYTES:] == (END + b"/" + last)[-KEY_BYTES:]


def test_what_is_known_of_a_file_is_what_its_path_would_have_been_let_through_for() -> None:
    field = BY_NAME["TargetFilename"]
    patterns = (
        ("/etc/shadow",),
        ("/etc/", Wildcard.ANY),
        (Wildcard.ANY, "shadow"),
        ("/etc/shadow", Wildcard.ANY),
    )
    rules = [Test(field=field, check=Matches(pattern=pattern, cased=False)) for pattern in patterns]
    user = Test(field=BY_NAME["User"], check=Matches(pattern=("root",), cased=False))
    plan = kernel_plan([*rules, user])
    assert plan.known_files == {b"/etc/shadow": 0b1111}


def test_an_event_has_all_the_names_under_which_a_rule_may_know_its_file() -> None:
    happened = FileEvent(
        ts_ns=1,
        operation=Operation.RENAME,
        process=Process(pid=1),
        path="/a",
        source_path="/b",
        container_path="/c",
        alias_path="/d",
    )
    assert facts_of(happened).names == tuple(Name(path=path) for path in (b"/a", b"/b", b"/c", b"/d"))
