"""The compiler: from parsed rules to the plans, one visible stage after the other."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from fileaudit_engine.compiler.constraint import Clause, all_clauses
from fileaudit_engine.compiler.correlations import correlation_plan, quiet_rules
from fileaudit_engine.compiler.ir import All, AnyOf, Matches, Predicate, Test
from fileaudit_engine.compiler.kernel import plan_of
from fileaudit_engine.compiler.lint import warnings
from fileaudit_engine.compiler.lower import lower
from fileaudit_engine.compiler.operations import in_operations
from fileaudit_engine.compiler.plan import CorrelationPlan, KernelPlan, UserPlan, UserRule
from fileaudit_engine.compiler.simplify import simplify
from fileaudit_engine.diagnostics import Diagnostic
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.log_source import EVERY_OPERATION, LogSource
from fileaudit_engine.rules.ast import Correlation, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A step that every rule takes.

    Attributes:
        name: What it is called in the docs and in errors.
        run: The step.
        reason: Why it is there, and why there.
    """

    name: str
    run: Callable[[UserRule], UserRule]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What the compiler made of a rule pack.

    Attributes:
        user: The rules for user space.
        kernel: The tables for the kernel.
        correlations: What is made of the rules' matches.
        diagnostics: Warnings about what the rules cost.
    """

    user: UserPlan
    kernel: KernelPlan
    correlations: CorrelationPlan
    diagnostics: tuple[Diagnostic, ...]


def within_log_source(rule: UserRule) -> UserRule:
    """The rule speaks only of the operations of its log source; one that has them all needs no test."""
    if rule.logsource.operations == EVERY_OPERATION:
        return rule
    return replace(rule, predicate=All(operands=(_operation_in(rule.logsource), rule.predicate)))


@functools.cache
def _operation_in(source: LogSource) -> Predicate:
    """The operation is one of the log source's."""
    names = sorted(operation.value for operation in source.operations)
    field = BY_NAME["Operation"]
    tests = tuple(Test(field=field, check=Matches(pattern=(name,), cased=True)) for name in names)
    return AnyOf(operands=tests)


def in_kernel_terms(rule: UserRule) -> UserRule:
    """The rule with what its computed fields say about operations said as such."""
    return replace(rule, predicate=in_operations(rule.predicate))


def simplified(rule: UserRule) -> UserRule:
    """The rule with the smallest equivalent predicates."""
    selections = {name: simplify(predicate) for name, predicate in rule.selections.items()}
    return replace(rule, predicate=simplify(rule.predicate), selections=selections)


STAGES: Final = (
    Stage(
        name="operations",
        run=in_kernel_terms,
        reason="a rule in auditd's words would else need every event; it adds constants for simplify",
    ),
    Stage(
        name="log source",
        run=within_log_source,
        reason="the log source is a condition like any other, and the kernel's cheapest one",
    ),
    Stage(
        name="simplify",
        run=simplified,
        reason="after everything that adds to the predicate; constraints and closures see each test once",
    ),
)
"""What happens to every rule between `lower` and the kernel plan, in this order."""


def compile_rules(rules: Sequence[Rule], correlations: Sequence[Correlation] = ()) -> Compiled:
    """The plans for rules and correlations that were parsed without an error.

    Args:
        rules: The rules.
        correlations: What refers to them; all that they refer to is there.
    """
    lowered = tuple(_through_stages(lower(rule)) for rule in rules)
    correlated = correlation_plan(correlations, lowered)
    quiet = quiet_rules(lowered, correlated)
    asked = [all_clauses(rule.predicate) for rule in lowered]
    kernel = plan_of(asked, audit=quiet)
    diagnostics = _diagnostics(lowered, asked, kernel)
    return Compiled(
        user=UserPlan(rules=lowered), kernel=kernel, correlations=correlated, diagnostics=diagnostics
    )


def _through_stages(rule: UserRule) -> UserRule:
    for stage in STAGES:
        rule = stage.run(rule)
    return rule


def _diagnostics(
    rules: Sequence[UserRule], asked: Sequence[tuple[Clause, ...]], kernel: KernelPlan
) -> tuple[Diagnostic, ...]:
    """What the rules' clauses cost, rule by rule."""
    of_rule: list[list[int]] = [[] for _ in rules]
    for clause, owners in enumerate(kernel.owners):
        for owner in owners:
            of_rule[owner].append(clause)
    found = (
        warnings(
            rule,
            [kernel.clauses[clause] for clause in of_rule[number]],
            kernel.widened.get(number, ()),
            asked[number],
        )
        for number, rule in enumerate(rules)
    )
    return tuple(chain.from_iterable(found))
