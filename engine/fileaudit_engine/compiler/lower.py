"""From the syntax tree to the intermediate representation: everything that Sigma abbreviates, spelled out.

A list of values becomes alternatives (with `|all`, a conjunction), a map a conjunction, a list of maps
alternatives, `1 of x*` alternatives, several conditions alternatives. Literals of tests that ignore case are
folded here, once.
"""

from collections.abc import Iterable, Mapping
from itertools import chain

from typing_extensions import assert_never

from fileaudit_engine.compiler.ir import (
    All,
    AnyOf,
    Check,
    Compares,
    DatePart,
    EqualsBoolean,
    EqualsNumber,
    InNetwork,
    IsNull,
    Matches,
    Negation,
    Operator,
    Pattern,
    Predicate,
    Relation,
    SameAs,
    Searches,
    Test,
)
from fileaudit_engine.compiler.plan import UserRule
from fileaudit_engine.events.fields import BY_NAME, WHOLE_EVENT, Field, unlisted
from fileaudit_engine.events.presence import presence_of
from fileaudit_engine.rules import operands
from fileaudit_engine.rules.ast import (
    And,
    Condition,
    Detection,
    DetectionItem,
    DetectionList,
    DetectionMap,
    Identifier,
    Not,
    Or,
    Quantified,
    Rule,
    SigmaValue,
)
from fileaudit_engine.rules.chains import NUMERIC, ResolvedModifiers, resolve
from fileaudit_engine.rules.log_source import source_of
from fileaudit_engine.text import fold


def lower(rule: Rule) -> UserRule:
    """The rule in the intermediate representation, its log source not yet applied.

    Raises:
        InternalError: The rule was not checked by the parser.
    """
    selections = {name: _detection(detection) for name, detection in rule.detections.items()}
    conditions = tuple(_condition(condition, selections) for condition in rule.conditions)
    return UserRule(
        rule=rule,
        logsource=source_of(rule.logsource),
        predicate=AnyOf(operands=conditions),
        selections=selections,
    )


def _condition(condition: Condition, selections: Mapping[str, Predicate]) -> Predicate:
    match condition:
        case Identifier(name=name):
            return selections[name]
        case Quantified(every=every, names=names):
            operands = tuple(selections[name] for name in names)
            return All(operands=operands) if every else AnyOf(operands=operands)
        case Not(operand=operand):
            return Negation(operand=_condition(operand, selections))
        case And(operands=parts):
            return All(operands=tuple(_condition(part, selections) for part in parts))
        case Or(operands=parts):
            return AnyOf(operands=tuple(_condition(part, selections) for part in parts))
        case _ as never:
            assert_never(never)


def _detection(detection: Detection) -> Predicate:
    match detection:
        case DetectionItem():
            return _item(detection)
        case DetectionMap(items=items):
            return All(operands=tuple(map(_item, items)))
        case DetectionList(members=members):
            return AnyOf(operands=tuple(map(_detection, members)))
        case _ as never:
            assert_never(never)


def _item(item: DetectionItem) -> Predicate:
    modifiers = resolve(item.modifiers)
    row = WHOLE_EVENT if item.field is None else _field(item.field)
    values = tuple(_value(row, value, item, modifiers) for value in item.values)
    if modifiers.negated:
        return Negation(operand=AnyOf(operands=values))
    return All(operands=values) if modifiers.all else AnyOf(operands=values)


def _field(name: str) -> Field:
    """The field's row; the parser lets a name that the table does not know through only if the user does."""
    return BY_NAME.get(name) or unlisted(name)


def _value(row: Field, value: SigmaValue, item: DetectionItem, modifiers: ResolvedModifiers) -> Predicate:
    """One value: one test, or one for each form that a modifier gives it."""
    if modifiers.kind == "exists":
        asked = row if row.name in BY_NAME else presence_of(row.name)
        absent = Test(field=asked, check=IsNull(), location=value.location)
        return Negation(operand=absent) if value.value else absent
    checks = _checks(value, item, modifiers)
    tests = tuple(Test(field=row, check=check, location=value.location) for check in checks)
    return AnyOf(operands=tests)


def _checks(value: SigmaValue, item: DetectionItem, modifiers: ResolvedModifiers) -> Iterable[Check]:
    match value.value:
        case None:
            return (IsNull(),)
        case bool(truth):
            return (EqualsBoolean(value=truth),)
        case int(number) | float(number) if item.field is not None and modifiers.numeric:
            return (_number(number, item, modifiers),)
        case written:
            texts = value.expanded or (str(written),)
            return chain.from_iterable(
                _of_text(text, modifiers, keyword=item.field is None) for text in texts
            )


def _number(number: float, item: DetectionItem, modifiers: ResolvedModifiers) -> Check:
    operator = Operator(modifiers.kind) if modifiers.kind in NUMERIC else Operator.EQ
    if modifiers.part:
        whole = operands.date_number(modifiers.part, number)
        return DatePart(part=modifiers.part, operator=operator, number=whole, zone=item.timezone)
    return (
        EqualsNumber(number=number) if operator is Operator.EQ else Compares(operator=operator, number=number)
    )


def _of_text(text: str, modifiers: ResolvedModifiers, *, keyword: bool) -> Iterable[Check]:
    match modifiers.kind:
        case "plain" | "contains" | "startswith" | "endswith" as how if modifiers.reference:
            relation: Relation = "whole" if how == "plain" else how
            return (SameAs(other=_field(text), how=relation, cased=modifiers.cased),)
        case "re":
            return (Searches(expression=text, flags=modifiers.re_flags),)
        case "cidr":
            return (InNetwork(network=operands.network(text)),)
        case "under":
            patterns = operands.subtree(text)
        case _:
            patterns = modifiers.patterns(text, keyword=keyword)
    return [_matches(pattern, cased=modifiers.cased) for pattern in patterns]


def _matches(pattern: Pattern, *, cased: bool) -> Matches:
    if cased:
        return Matches(pattern=pattern, cased=True)
    folded = tuple(fold(part) if isinstance(part, str) else part for part in pattern)
    return Matches(pattern=folded, cased=False)
