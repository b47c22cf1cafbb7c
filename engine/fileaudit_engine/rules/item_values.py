"""The values of a detection item: each held against the type, and the form, that its modifiers ask for.

Every value keeps its place and its spelling; only `expand` is done here, because what a placeholder stands
for is the user's to say and not the rule's. Everything else is made of the value by the compiler; what is
looked at here is whether it can be.
"""

import math
from dataclasses import dataclass

from typing_extensions import assert_never

from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.rules import operands
from fileaudit_engine.rules.ast import SigmaValue
from fileaudit_engine.rules.chains import NUMERIC, ResolvedModifiers
from fileaudit_engine.rules.context import Context
from fileaudit_engine.rules.expressions import expression_problem
from fileaudit_engine.rules.modifiers import ValueType
from fileaudit_engine.rules.nodes import ScalarNode
from fileaudit_engine.rules.placeholders import expanded
from fileaudit_engine.rules.refusal import UnusableValue
from fileaudit_engine.rules.unknown_field import remedy
from fileaudit_engine.rules.values import Wildcard, parse_pattern
from fileaudit_engine.rules.wording import quoted

_KEYWORD_TYPES = frozenset({ValueType.TEXT, ValueType.NUMBER})


def refuse_field(name: str, span: tuple[int, int]) -> UnusableValue:
    """What to raise for a field that the table does not know."""
    return UnusableValue("FA040", f"unknown field {quoted(name)}", remedy(name), span)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueReader:
    """Reads the values of items, and notes what is wrong.

    Attributes:
        context: The file that they stand in.
    """

    context: Context

    def value(self, node: ScalarNode, modifiers: ResolvedModifiers, *, keyword: bool) -> SigmaValue | None:
        """The value of `node`; None if it is unusable. A `keyword` has no field."""
        try:
            return self._value(node, modifiers, keyword=keyword)
        except UnusableValue as problem:
            where = node.inside(*problem.span) if problem.span else node.location
            self.context.found.error(problem.code, problem.message, where, help=problem.help)
            return None

    def _value(self, node: ScalarNode, modifiers: ResolvedModifiers, *, keyword: bool) -> SigmaValue:
        kind = type_of(node)
        takes = modifiers.takes & _KEYWORD_TYPES if keyword else modifiers.takes
        if kind not in takes:
            raise _wrong_type(node, takes, modifiers, keyword=keyword)
        if isinstance(node.value, float) and not math.isfinite(node.value):
            raise UnusableValue("FA037", "no event has this number", "put it in quotes if a text is meant")
        match node.value:
            case None | bool():
                return SigmaValue(value=node.value, location=node.location)
            case int() | float() if modifiers.numeric and not keyword:
                if modifiers.part:
                    operands.date_number(modifiers.part, node.value)
                return SigmaValue(value=node.value, location=node.location)
            case (
                _
            ):  # where text is compared, a number is what was written, not what it amounts to: 0x1f, 1.50
                return self._text(node, modifiers, keyword=keyword)

    def _text(self, node: ScalarNode, modifiers: ResolvedModifiers, *, keyword: bool) -> SigmaValue:
        texts = expanded(node.text, self.context.options.placeholders) if modifiers.expands else (node.text,)
        forms = sum(self._forms(node, text, modifiers, keyword=keyword) for text in texts)
        if forms > 1:
            self.context.budget.count_forms(forms)
        return SigmaValue(
            value=node.text, expanded=texts if modifiers.expands else (), location=node.location
        )

    def _forms(self, node: ScalarNode, text: str, modifiers: ResolvedModifiers, *, keyword: bool) -> int:
        """How many forms the compiler will make of a text.

        Raises:
            UnusableValue: It can make nothing of it.
        """
        match modifiers.kind:
            case _ if modifiers.reference:
                self._reference(text)
            case "re":
                self._expression(text, modifiers.re_flags, as_written=text == node.text)
                if not text:
                    self._says_nothing(node)
            case "cidr":
                self._network(node, text)
            case "under":
                return len(operands.subtree(text))
            case "path" if len(text) > operands.MAX_PATH_PATTERN:
                raise UnusableValue(
                    "FA033",
                    f"a path of {len(text):,} characters, longer than any of the kernel's",
                    f"at most {operands.MAX_PATH_PATTERN:,} are read",
                )
            case "plain" | "contains" | "startswith" | "endswith" | "path":
                if keyword:
                    _says_something(text)
                return len(modifiers.patterns(text, keyword=keyword)) if modifiers.transforms else 1
            case "exists" | "lt" | "lte" | "gt" | "gte":
                raise AssertionError("a modifier that takes no texts was given one")
            case _ as never:
                assert_never(never)
        return 1

    def _reference(self, name: str) -> None:
        if name not in BY_NAME and not (name and self.context.options.allow_unknown_fields):
            raise refuse_field(name, (0, len(name)))

    def _expression(self, expression: str, flags: str, *, as_written: bool) -> None:
        """`as_written`: the value's own text, so that a part of it can be pointed at."""
        self.context.budget.count_expression()
        problem = expression_problem(expression, flags)
        if problem:
            span = (problem.start, problem.end) if as_written else None
            raise UnusableValue("FA034", problem.message, problem.help, span)

    def _says_nothing(self, node: ScalarNode) -> None:
        self.context.found.warning(
            "FA035",
            "the empty expression is found in every text",
            node.location,
            help="write what is looked for, or '|exists: true' for a field that is to be there",
        )

    def _network(self, node: ScalarNode, text: str) -> None:
        network = operands.network(text)
        if not operands.is_exact(text):
            self.context.found.warning(
                "FA059",
                f"{quoted(text)} is an address inside of its network",
                node.location,
                help=f"the network {network} is compared: write that",
            )


def _says_something(text: str) -> None:
    pattern = parse_pattern(text)
    if all(isinstance(part, Wildcard) for part in pattern):
        raise UnusableValue("FA036", "every event contains this keyword", "give it some text, or remove it")


def type_of(node: ScalarNode) -> ValueType:
    """The type of what a scalar means."""
    match node.value:
        case None:
            return ValueType.NULL
        case bool():
            return ValueType.BOOLEAN
        case int() | float():
            return ValueType.NUMBER
        case _:
            return ValueType.TEXT


def _wrong_type(
    node: ScalarNode, takes: frozenset[ValueType], modifiers: ResolvedModifiers, *, keyword: bool
) -> UnusableValue:
    kind = type_of(node)
    wanted = " or ".join(each.value for each in ValueType if each in takes)
    found = "null" if kind is ValueType.NULL else f"a {kind.value}"
    quotes = "put it in quotes if a text is meant"
    remedy = quotes if keyword else _type_remedy(node, kind, modifiers) or quotes
    return UnusableValue("FA033", f"expected a {wanted}, found {found}", remedy)


def _type_remedy(node: ScalarNode, kind: ValueType, modifiers: ResolvedModifiers) -> str:
    """What to write in place of a value of the wrong type, where quotes are not the answer."""
    if modifiers.kind == "exists":
        return "write true or false, without quotes"
    if modifiers.kind in NUMERIC or modifiers.part:
        quotes = kind is ValueType.TEXT and node.style and node.text.strip().lstrip("+-").isdecimal()
        return f"write {node.text.strip()}, without quotes" if quotes else "write a number"
    return "write null without a modifier, or '' for the empty text" if kind is ValueType.NULL else ""
