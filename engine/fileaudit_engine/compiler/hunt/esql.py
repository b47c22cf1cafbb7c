r"""A hunt in ES|QL.

    FROM logs-fileaudit.* METADATA _id, _ignored
    | WHERE event.action IN ("create", "open") AND file.path.caseless LIKE "/etc/*"

ES|QL has three truth values, and a comparison with a column that a document lacks is neither true nor false:
so a negation says what it makes of that. A comparison with several values is no truth value either; columns
that can have several are joined to one text by `SEPARATOR`, and looked through for what stands between two.
"""

from collections.abc import Mapping
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.hunt.columns import ALWAYS_THERE
from fileaudit_engine.compiler.hunt.conditions import (
    Both,
    Calendar,
    Column,
    Condition,
    Either,
    Expression,
    Form,
    Glob,
    Inside,
    Interval,
    IsTrue,
    Leaf,
    Not,
    Present,
    Related,
    Spelled,
    Texts,
    Whole,
    columns_of,
)
from fileaudit_engine.compiler.hunt.expression import ANY, ANYTHING, Node, Sequence, literal, without, written
from fileaudit_engine.compiler.hunt.oddities import IGNORED, SEPARATOR
from fileaudit_engine.compiler.ir import Operator, Wildcard
from fileaudit_engine.text import printable

_LONGEST_CHAIN: Final = 60
_ORDER: Final = {
    Operator.EQ: "==",
    Operator.LT: "<",
    Operator.LTE: "<=",
    Operator.GT: ">",
    Operator.GTE: ">=",
}
_CONTROLS: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def in_esql(condition: Condition) -> str:  # noqa: PLR0911 - one return a case
    """What stands behind WHERE."""
    match condition:
        case Both(()):
            return "true"
        case Both(parts):
            return _chained([_part(part, Either) for part in parts], " AND ")
        case Either(()):
            return "false"
        case Either(parts):
            return _chained([_part(part, Both) for part in parts], " OR ")
        case Not(leaf):
            columns = dict.fromkeys(columns_of(leaf))
            if isinstance(leaf, Present):
                return f"{leaf.column.name} IS NULL"
            if columns.keys() <= ALWAYS_THERE:
                return f"NOT {_operand(leaf)}"
            absent = " OR ".join(f"{column.name} IS NULL" for column in columns)
            return f"({absent} OR NOT {_operand(leaf)})"
        case leaf:
            return _leaf(leaf)


def _part(condition: Condition, mixed: type[Both] | type[Either]) -> str:
    text = in_esql(condition)
    several = isinstance(condition, mixed) and condition.parts
    return f"({text})" if several or (isinstance(condition, Texts) and _is_choice(condition)) else text


def _operand(leaf: Leaf) -> str:
    text = _leaf(leaf)
    return text if isinstance(leaf, IsTrue) else f"({text})"


def _is_choice(texts: Texts) -> bool:
    return " OR " in _texts(texts)


def _leaf(leaf: Leaf) -> str:  # noqa: PLR0911 - one return a case
    match leaf:
        case Texts():
            return _texts(leaf)
        case Interval(column=column, lowest=lowest, highest=highest):
            return _interval(column, lowest, highest)
        case Spelled(column=column, lowest=low, highest=high):
            return f"{column.name} >= {quoted(low)} AND {column.name} <= {quoted(high)}"
        case Present(column=column):
            return f"{column.name} IS NOT NULL"
        case IsTrue(column=column):
            return f"{column.name} == true"
        case Related():
            return _related(leaf)
        case Calendar(column=column, unit=unit, operator=operator, number=number):
            return f"DATE_EXTRACT({quoted(unit)}, {column.name}) {_ORDER[operator]} {number}"
        case Inside(column=column, network=network):
            return f"CIDR_MATCH(TO_IP({column.name}), {quoted(str(network))})"
        case _ as never:
            assert_never(never)


def _interval(column: Column, lowest: int | None, highest: int | None) -> str:
    if lowest == highest:
        return f"{column.name} == {lowest}"
    bounds = [f"{column.name} >= {lowest}"] if lowest is not None else []
    bounds += [f"{column.name} <= {highest}"] if highest is not None else []
    return " AND ".join(bounds)


def _related(leaf: Related) -> str:
    one, other = leaf.column.name, leaf.other.name
    match leaf.how:
        case "whole":
            return f"{one} == {other}"
        case "startswith":
            return f"STARTS_WITH({one}, {other})"
        case "endswith":
            return f"ENDS_WITH({one}, {other})"
        case "contains":
            return f"LOCATE({one}, {other}) > 0"


def _texts(texts: Texts) -> str:
    """The forms of one column, whole texts first and together."""
    if texts.column.many:
        return _chained([_joined(texts.column, form) for form in texts.forms], " OR ")
    name = texts.column.name
    whole = [form.text for form in texts.forms if isinstance(form, Whole)]
    parts = [f"{name} == {quoted(whole[0])}"] if len(whole) == 1 else []
    parts += [f"{name} IN ({', '.join(map(quoted, whole))})"] if len(whole) > 1 else []
    parts += [f"{name} {_like(form)}" for form in texts.forms if not isinstance(form, Whole)]
    return _chained(parts, " OR ")


def _chained(parts: list[str], by: str) -> str:
    """The parts, very many in groups: ES|QL nests an expression for each, and takes 400."""
    while len(parts) > _LONGEST_CHAIN:
        groups = [parts[at : at + _LONGEST_CHAIN] for at in range(0, len(parts), _LONGEST_CHAIN)]
        parts = [f"({by.join(group)})" if len(group) > 1 else group[0] for group in groups]
    return by.join(parts)


def _like(form: Form) -> str:
    match form:
        case Whole(text):
            return f"LIKE {quoted(_for_like(text))}"
        case Glob(pattern):
            text = "".join(part.value if isinstance(part, Wildcard) else _for_like(part) for part in pattern)
            return f"LIKE {quoted(text)}"
        case Expression(node):
            return f"RLIKE {quoted(written(node))}"
        case _ as never:
            assert_never(never)


def _joined(column: Column, form: Form) -> str:  # noqa: PLR0911 - one return a case
    """Any value of a column that can have several."""
    if isinstance(form, Glob) and any(SEPARATOR in part for part in form.pattern if isinstance(part, str)):
        return f'MV_CONCAT({column.name}, " ") {_like(form)}'
    if column == IGNORED and isinstance(form, Whole):  # no column's name holds another one's
        return f'MV_CONCAT({column.name}, " ") {_like(Glob((Wildcard.ANY, form.text, Wildcard.ANY)))}'
    text = f"CONCAT({quoted(SEPARATOR)}, MV_CONCAT({column.name}, {quoted(SEPARATOR)}), {quoted(SEPARATOR)})"
    match form:
        case Whole(whole):
            return f"{text} {_like(Glob((Wildcard.ANY, SEPARATOR + whole + SEPARATOR, Wildcard.ANY)))}"
        case Glob((str(begin), Wildcard.ANY)):
            return f"{text} {_like(Glob((Wildcard.ANY, SEPARATOR + begin, Wildcard.ANY)))}"
        case Glob((Wildcard.ANY, str(end))):
            return f"{text} {_like(Glob((Wildcard.ANY, end + SEPARATOR, Wildcard.ANY)))}"
        case Glob((Wildcard.ANY, str(), Wildcard.ANY)):
            return f"{text} {_like(form)}"
        case Glob(pattern):
            node: Node = Sequence(tuple(literal(p) if isinstance(p, str) else _WILDCARDS[p] for p in pattern))
        case Expression(node):
            pass
        case _ as never:
            assert_never(never)
    return f"{text} {_like(Expression(between_separators(node)))}"


def between_separators(node: Node) -> Node:
    """An expression for one value as one for all of a column's, joined."""
    between = (literal(SEPARATOR), without(node, SEPARATOR), literal(SEPARATOR))
    return Sequence((ANYTHING, *between, ANYTHING))


_WILDCARDS: Final[Mapping[Wildcard, Node]] = {Wildcard.ANY: ANYTHING, Wildcard.ONE: ANY}


def _for_like(text: str) -> str:
    return "".join(f"\\{character}" if character in "*?\\" else character for character in text)


def quoted(text: str) -> str:
    """A text as ES|QL writes one."""
    return f'"{"".join(_CONTROLS.get(character, character) for character in text)}"'


def can_quote(text: str) -> bool:
    """Whether all of a text can be seen when it is quoted."""
    return all(character in _CONTROLS or printable(character) == character for character in text)
