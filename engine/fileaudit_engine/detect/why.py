"""Why a rule did or did not match an event: every condition judged on its own, none skipped."""

from collections.abc import Callable
from dataclasses import dataclass

from typing_extensions import assert_never

from fileaudit_engine.compiler.conditions import Condition, Group, Leaf
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.fields import Value
from fileaudit_engine.events.model import FileEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a condition.

    Attributes:
        holds: Whether the event satisfies it.
        value: What the event has in the field of a leaf; None where it has none, and for groups.
        members: The verdicts on a group's members, in their order.
    """

    holds: bool
    value: Value = None
    members: tuple["Verdict", ...] = ()


Judge = Callable[[FileEvent], Verdict]
"""Judges events by one condition."""


def judge(condition: Condition) -> Judge:
    """A function that judges events; built once per rule."""
    match condition:
        case Leaf():
            return _of_leaf(condition)
        case Group():
            return _of_group(condition)
        case _ as never:
            assert_never(never)


def _of_leaf(leaf: Leaf) -> Judge:
    holds, get = matcher(leaf.predicate), leaf.field.get
    return lambda event: Verdict(holds=holds(event), value=get(event))


def _of_group(group: Group) -> Judge:
    judges = tuple(map(judge, group.members))
    decide: Callable[[list[bool]], bool] = all if group.every else any

    def of_event(event: FileEvent) -> Verdict:
        members = tuple(member(event) for member in judges)
        return Verdict(holds=decide([member.holds for member in members]), members=members)

    return of_event
