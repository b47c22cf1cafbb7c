"""From a predicate to a function: what user space runs on the events that survived the filter.

Functions are built once per rule from closures. Alternatives on one field are one closure: texts that must
be equal become a set, beginnings and endings become tuples that `str` tests in one call. A field's text is
folded once per group, not once per value.

What a check means for one value is said in `checks`, what it means for two fields in `references`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from typing_extensions import assert_never

from fileaudit_engine.compiler.glob import compile_glob
from fileaudit_engine.compiler.ir import (
    All,
    AnyOf,
    Compares,
    DatePart,
    EqualsBoolean,
    EqualsNumber,
    InNetwork,
    IsNull,
    Matches,
    Negation,
    Operator,
    Predicate,
    SameAs,
    Searches,
    Test,
    Wildcard,
)
from fileaudit_engine.detect.checks import (
    ScalarCheck,
    TextCheck,
    compares,
    date_part,
    in_network,
    is_boolean,
    on_text,
    searches,
)
from fileaudit_engine.detect.references import same_as
from fileaudit_engine.detect.whole_event import SEPARATOR, joined_texts_of, texts_of
from fileaudit_engine.events.fields import WHOLE_EVENT, Field, Value
from fileaudit_engine.events.model import FileEvent

Matcher = Callable[[FileEvent], bool]
"""Whether an event satisfies a predicate."""

_OfValue = Searches | EqualsNumber | Compares | InNetwork | DatePart | EqualsBoolean
"""The checks that look at one value of one field."""


def matcher(predicate: Predicate) -> Matcher:
    """A function that evaluates the predicate."""
    match predicate:
        case Test():
            return _of_test(predicate)
        case Negation(operand=operand):
            inner = matcher(operand)
            return lambda event: not inner(event)
        case All(operands=operands):
            return _conjunction([matcher(operand) for operand in operands])
        case AnyOf(operands=operands):
            return _disjunction(_alternatives(operands))
        case _ as never:
            assert_never(never)


def _conjunction(parts: Sequence[Matcher]) -> Matcher:
    match parts:
        case [a, b]:
            return lambda event: a(event) and b(event)
        case [a, b, c]:
            return lambda event: a(event) and b(event) and c(event)
        case _:
            return lambda event: all(part(event) for part in parts)


def _disjunction(parts: Sequence[Matcher]) -> Matcher:
    match parts:
        case [a]:
            return a
        case [a, b]:
            return lambda event: a(event) or b(event)
        case _:
            return lambda event: any(part(event) for part in parts)


def _alternatives(operands: Sequence[Predicate]) -> list[Matcher]:
    """One matcher for all text tests of a field, one for each other operand."""
    grouped: dict[tuple[str, bool], list[Test]] = defaultdict(list)
    others: list[Matcher] = []
    for operand in operands:
        if isinstance(operand, Test) and isinstance(operand.check, Matches):
            grouped[operand.field.name, operand.check.cased].append(operand)
        else:
            others.append(matcher(operand))
    groups = [
        _of_texts(tests[0].field, [_matches(test) for test in tests], cased=cased)
        for (_, cased), tests in grouped.items()
    ]
    return groups + others


def _of_texts(field: Field, checks: Sequence[Matches], *, cased: bool) -> Matcher:
    """Any of the checks on a field's text, on any text of a list, or on any text of the event."""
    if field is not WHOLE_EVENT:
        return _of_field(field, on_text(_any_text(checks), cased=cased))
    words = tuple(word for word in map(_word, checks) if word)
    others = [check for check in checks if not _word(check)]
    parts = [_of_words(words, cased=cased)] if words else []
    if others:
        check = _any_text(others)
        parts.append(lambda event: any(map(check, texts_of(event, folded=not cased))))
    return _disjunction(parts)


def _word(check: Matches) -> str:
    """The text that a check looks for anywhere, if that is all and it can be looked for in joined texts."""
    match check.pattern:
        case (Wildcard.ANY, str(word), Wildcard.ANY) if SEPARATOR not in word:
            return word
        case _:
            return ""


def _of_words(words: Sequence[str], *, cased: bool) -> Matcher:
    """Whether any of the words stands in the event."""

    def holds(event: FileEvent) -> bool:
        text = joined_texts_of(event, folded=not cased)
        return any(word in text for word in words)

    return holds


def _matches(test: Test) -> Matches:
    assert isinstance(test.check, Matches)  # noqa: S101 - the caller has grouped them by this
    return test.check


def _any_text(checks: Iterable[Matches]) -> TextCheck:
    """Whether a text fits any of the patterns; the common shapes together in one call each."""
    equal: set[str] = set()
    beginnings: list[str] = []
    endings: list[str] = []
    others: list[TextCheck] = []
    for check in checks:
        match check.pattern:
            case (str(literal),):
                equal.add(literal)
            case (str(literal), Wildcard.ANY):
                beginnings.append(literal)
            case (Wildcard.ANY, str(literal)):
                endings.append(literal)
            case pattern:
                others.append(compile_glob(pattern))
    return _first_of(frozenset(equal), tuple(beginnings), tuple(endings), tuple(others))


def _first_of(
    equal: frozenset[str],
    beginnings: tuple[str, ...],
    endings: tuple[str, ...],
    others: tuple[TextCheck, ...],
) -> TextCheck:
    shapes: list[TextCheck] = []
    if equal:
        shapes.append(equal.__contains__)
    if beginnings:
        shapes.append(lambda text: text.startswith(beginnings))
    if endings:
        shapes.append(lambda text: text.endswith(endings))
    shapes += others
    if len(shapes) == 1:
        return shapes[0]
    return lambda text: any(shape(text) for shape in shapes)


def _of_test(test: Test) -> Matcher:
    get: Callable[[FileEvent], Value] = test.field.get
    match test.check:
        case IsNull():
            return lambda event: get(event) is None
        case SameAs() as check:
            return same_as(test.field, check)
        case Matches(cased=cased) as check:
            return _of_texts(test.field, [check], cased=cased)
        case Searches(expression=expression, flags=flags) if test.field is WHOLE_EVENT:
            found = searches(expression, flags)
            return lambda event: any(map(found, texts_of(event, folded=False)))
        case check:
            return _of_field(test.field, _scalar_check(check))


def _of_field(field: Field, check: ScalarCheck) -> Matcher:
    """The check on a field's value, or on any member of a list."""
    get: Callable[[FileEvent], Value] = field.get

    def test(event: FileEvent) -> bool:
        value = get(event)
        if value is None:
            return False
        if isinstance(value, tuple):
            return any(map(check, value))
        return check(value)

    return test


def _scalar_check(check: _OfValue) -> ScalarCheck:
    match check:
        case Searches(expression=expression, flags=flags):
            return searches(expression, flags)
        case EqualsNumber(number=number):
            return compares(Operator.EQ, number)
        case Compares(operator=operator, number=number):
            return compares(operator, number)
        case InNetwork():
            return in_network(check)
        case DatePart():
            return date_part(check)
        case EqualsBoolean(value=wanted):
            return is_boolean(wanted)
        case _ as never:
            assert_never(never)
