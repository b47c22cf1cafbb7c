"""Tests of computed fields in terms of operations: another spelling, the same events."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.events.examples import EVERYTHING, events

from fileaudit_engine.compiler.constraint import Clause, OneOf
from fileaudit_engine.compiler.ir import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    IsNull,
    Matches,
    Negation,
    Pattern,
    Predicate,
    Searches,
    Test,
    Wildcard,
)
from fileaudit_engine.compiler.operations import in_operations
from fileaudit_engine.compiler.simplify import simplify
from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.fields import BY_NAME, FIELDS
from fileaudit_engine.events.model import FileEvent, Operation
from fileaudit_engine.rules.parser import parse_text

ANY = Wildcard.ANY
PATTERNS: list[Pattern] = [
    ("execve",),
    ("path",),
    ("EXECVE",),
    ("create",),
    ("normal",),
    ("no",),
    ("yes",),
    ("", ANY),
    (ANY,),
    (ANY, "e"),
    ("never",),
    ("a",),
    ("O_CREAT",),
    ("0", ANY),
]


def matches(name: str, *pattern: str | Wildcard, cased: bool = False) -> Test:
    return Test(field=BY_NAME[name], check=Matches(pattern=pattern, cased=cased))


def operations(*names: str) -> Predicate:
    return simplify(AnyOf(operands=tuple(matches("Operation", name, cased=True) for name in names)))


tests = st.builds(
    Test,
    field=st.sampled_from([field for field in BY_NAME.values() if field.computed] + [BY_NAME["Operation"]]),
    check=st.one_of(
        st.builds(Matches, pattern=st.sampled_from(PATTERNS), cased=st.booleans()),
        st.just(IsNull()),
        st.just(Searches(expression="c|a", flags="i")),
    ),
)
predicates = st.recursive(
    tests,
    lambda inner: (
        st.builds(Negation, operand=inner)
        | st.builds(All, operands=st.lists(inner, max_size=3).map(tuple))
        | st.builds(AnyOf, operands=st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=5,
)


@given(predicates, events)
@settings(derandomize=True, database=None, deadline=None, max_examples=500)
def test_both_spellings_are_true_of_the_same_events(predicate: Predicate, event: FileEvent) -> None:
    assert matcher(in_operations(predicate))(event) == matcher(predicate)(event)


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("name", [field.name for field in FIELDS if field.computed])
def test_of_an_event_that_has_everything_both_spellings_say_the_same(name: str, operation: Operation) -> None:
    event = replace(EVERYTHING, operation=operation, new_mode=0o755)
    written = [matches(name, *pattern, cased=cased) for pattern in PATTERNS for cased in (True, False)]
    differing = [test for test in written if matcher(in_operations(test))(event) != matcher(test)(event)]
    assert differing == []


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (matches("type", "execve"), operations("exec")),
        (matches("type", "path"), TRUE),
        (matches("type", ANY), TRUE),
        (matches("type", "service_stop"), FALSE),
        (matches("type", "execve", cased=True), FALSE),
        (matches("nametype", "delete"), operations("rmdir", "unlink")),
        (matches("success", "no"), simplify(matches("Outcome", "failure", cased=True))),
        (
            matches("a0", "cp"),
            All(operands=(matches("Operation", "exec", cased=True), matches("a0", "cp"))),
        ),
    ],
)
def test_what_a_field_says_is_said_of_operations(test: Test, expected: Predicate) -> None:
    assert simplify(in_operations(test)) == expected


def test_the_absence_of_a_field_says_nothing_of_operations() -> None:
    test = Test(field=BY_NAME["a0"], check=IsNull())
    assert in_operations(test) == test


def test_a_rule_in_auditds_words_lets_the_kernel_drop_all_but_its_operation() -> None:
    text = """
title: A program is copied
logsource: {product: linux, service: auditd}
detection: {selection: {type: EXECVE, a0: cp}, condition: selection}
"""
    kernel = compile_rules(parse_text(text).rules).kernel
    assert kernel.clauses == (Clause(operation=OneOf(values=frozenset({Operation.EXEC}))),)
