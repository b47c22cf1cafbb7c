"""Simplifying changes the shape of a predicate and never its meaning."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.examples import path_test
from tests.unit.compiler.oracle import holds
from tests.unit.compiler.strategies import REPEATABLE, events_for, predicates

from fileaudit_engine.compiler.ir import FALSE, TRUE, All, AnyOf, Negation, Predicate, Test
from fileaudit_engine.compiler.simplify import simplify

A, B, C = (path_test(name) for name in "abc")


@settings(REPEATABLE, max_examples=200)
@given(predicates(), st.integers(0, 2**32))
def test_a_simplified_predicate_means_the_same(predicate: Predicate, seed: int) -> None:
    smaller = simplify(predicate)
    for event in events_for([predicate], seed=seed, count=20):
        assert holds(smaller, event) is holds(predicate, event)


@settings(REPEATABLE, max_examples=200)
@given(predicates(most_leaves=30))
def test_what_is_simplified_has_the_form_that_later_stages_rely_on(predicate: Predicate) -> None:
    smaller = simplify(predicate)
    assert simplify(smaller) == smaller
    assert smaller in {TRUE, FALSE} or all(map(_is_in_form, _nodes(smaller)))


def _nodes(predicate: Predicate) -> Iterator[Predicate]:
    yield predicate
    if isinstance(predicate, All | AnyOf):
        for operand in predicate.operands:
            yield from _nodes(operand)


def _is_in_form(node: Predicate) -> bool:
    """Negations at the leaves, groups flat, without repetition, and of two or more."""
    match node:
        case Test() | Negation(operand=Test()):
            return True
        case All(operands=operands) | AnyOf(operands=operands):
            flat = not any(isinstance(operand, type(node)) for operand in operands)
            return flat and len(operands) > 1 and len(set(operands)) == len(operands)
        case _:
            return False


@pytest.mark.parametrize(
    ("written", "simplified"),
    [
        (Negation(operand=Negation(operand=A)), A),
        (Negation(operand=TRUE), FALSE),
        (All(operands=(A,)), A),
        (All(operands=(A, A)), A),
        (All(operands=(A, TRUE)), A),
        (All(operands=(A, FALSE)), FALSE),
        (AnyOf(operands=(A, FALSE)), A),
        (AnyOf(operands=(A, TRUE)), TRUE),
        (All(operands=(A, All(operands=(B, C)))), All(operands=(A, B, C))),
        (AnyOf(operands=(A, AnyOf(operands=(B, A)))), AnyOf(operands=(A, B))),
        (
            Negation(operand=All(operands=(A, Negation(operand=B)))),
            AnyOf(operands=(Negation(operand=A), B)),
        ),
        (
            Negation(operand=AnyOf(operands=(A, B))),
            All(operands=(Negation(operand=A), Negation(operand=B))),
        ),
    ],
)
def test_it_becomes_as_small_as_it_can(written: Predicate, simplified: Predicate) -> None:
    assert simplify(written) == simplified
