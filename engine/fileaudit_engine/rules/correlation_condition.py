"""The condition of a correlation in time, where it is a text: which of its rules must have matched.

    shadow_file_read and (archive_made or curl_started) and not backup_running

The grammar is that of a rule's condition without `1 of` and its kin. Names are names or ids of rules, as they
stand under `rules`; a title is one if it is a single word. What they stand for is known when the whole pack
is read (`correlating`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.rules.ast import And, Condition, Identifier, Not, Or, Quantified
from fileaudit_engine.rules.condition import (
    Joined,
    Name,
    Negated,
    Quantifier,
    Syntax,
    SyntaxProblem,
    syntax,
)
from fileaudit_engine.rules.nodes import ScalarNode
from fileaudit_engine.rules.wording import quoted

MAX_NAMES: Final = 500
"""Names of one condition, repetitions included: each is looked at whenever a rule matches."""

MAX_ALTERNATIVES: Final = 64
"""Ways in which a condition of `temporal_ordered` may come true: each is a list of rules whose order is
followed on its own."""


def read_condition(node: ScalarNode, *, ordered: bool, found: Collector) -> Condition | None:
    """The condition that a text spells, over names as written; None if anything is wrong with it.

    Args:
        node: The text.
        ordered: Whether it is one of `temporal_ordered`.
        found: Where findings go.
    """
    tree = syntax(node.text, "rule")
    if isinstance(tree, SyntaxProblem):
        found.error(tree.code, tree.message, node.inside(tree.start, tree.end), help=tree.help)
        return None
    condition = _Reader(node=node, ordered=ordered, found=found).read(tree)
    return condition if condition and _is_bounded(condition, node, ordered=ordered, found=found) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Makes a condition of one text's syntax."""

    node: ScalarNode
    ordered: bool
    found: Collector

    def read(self, tree: Syntax) -> Condition | None:
        match tree:
            case Name():
                return self._identifier(tree)
            case Quantifier():
                self._no_glob(tree)
                return None
            case Negated(operand=operand):
                inner = self.read(operand)
                return self._not(operand, inner) if inner else None
            case Joined(every=every, operands=operands):
                read = [self.read(operand) for operand in operands]
                known = tuple(operand for operand in read if operand)
                if len(known) < len(read):
                    return None
                return And(operands=known) if every else Or(operands=known)
            case _ as never:
                assert_never(never)

    def _identifier(self, name: Name) -> Identifier | None:
        if "*" in name.name:
            self._no_glob(name)
            return None
        return Identifier(name=name.name, location=self.node.inside(name.start, name.end))

    def _no_glob(self, tree: Name | Quantifier) -> None:
        written = self.node.text[tree.start : tree.end]
        self.found.error(
            "FA024",
            f"{quoted(written)}: the condition of a correlation has no patterns of names",
            self.node.inside(tree.start, tree.end),
            help="name each rule, and write 'or' or 'and' between them",
        )

    def _not(self, operand: Syntax, inner: Condition) -> Condition | None:
        if not self.ordered:
            return Not(operand=inner)
        start, end = _span(operand)
        self.found.error(
            "FA024",
            "what is not there has no place in an order: 'temporal_ordered' knows no 'not'",
            self.node.inside(start, end),
            help="write 'type: temporal', or leave this part out",
        )
        return None


def _span(tree: Syntax) -> tuple[int, int]:
    """From the first name to the last."""
    match tree:
        case Name(start=start, end=end) | Quantifier(start=start, end=end):
            return start, end
        case Negated(operand=operand):
            return _span(operand)
        case Joined(operands=operands):
            return _span(operands[0])[0], _span(operands[-1])[1]
        case _ as never:
            assert_never(never)


def _is_bounded(condition: Condition, node: ScalarNode, *, ordered: bool, found: Collector) -> bool:
    """Whether a condition is small enough, and can be true because something matched."""
    message, remedy = "", "split it into several correlations"
    if sum(1 for _ in identifiers(condition)) > MAX_NAMES:
        message = f"the condition has more than {MAX_NAMES} names"
    elif ordered and _alternatives(condition) > MAX_ALTERNATIVES:
        message = f"the condition can come true in more than {MAX_ALTERNATIVES} ways"
    elif not wanted(condition):
        message = "the condition asks for no match, only that there is none"
        remedy = "put a rule before it that must match: 'rule_a and not …'"
    if message:
        found.error("FA024", message, node.location, help=remedy)
    return not message


def identifiers(condition: Condition) -> Iterator[Identifier]:
    """Every name of a condition as often as it stands there, from left to right."""
    match condition:
        case Identifier():
            yield condition
        case Not(operand=operand):
            yield from identifiers(operand)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from identifiers(operand)
        case Quantified():
            raise AssertionError("conditions of correlations have no quantifiers")
        case _ as never:
            assert_never(never)


def named(condition: Condition, *, negated: bool = False) -> Iterator[tuple[str, bool]]:
    """Every name, and whether it stands under an odd number of `not`."""
    match condition:
        case Identifier(name=name):
            yield name, negated
        case Not(operand=operand):
            yield from named(operand, negated=not negated)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from named(operand, negated=negated)
        case Quantified():
            raise AssertionError("conditions of correlations have no quantifiers")
        case _ as never:
            assert_never(never)


def wanted(condition: Condition) -> frozenset[str]:
    """The names that stand under an even number of `not`: matches of theirs make the condition true."""
    return frozenset(name for name, negated in named(condition) if not negated)


def _alternatives(condition: Condition) -> int:
    """How many lists of names, joined by `or`, a condition without `not` amounts to, at most."""
    if isinstance(condition, Or):
        return sum(map(_alternatives, condition.operands))
    product = 1
    for operand in condition.operands if isinstance(condition, And) else ():
        product = min(product * _alternatives(operand), MAX_ALTERNATIVES + 1)
    return product
