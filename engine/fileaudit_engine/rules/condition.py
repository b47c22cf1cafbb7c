"""The condition of a rule: which of its detections must hold.

    selection and not 1 of filter_*
    │              └─ all detections whose name begins with 'filter_', any one of them
    └─ the detection of that name

From loosest to tightest: `or`, `and`, `not`, `1 of` / `any of` / `all of`, parentheses; words in any case.
Names and globs that begin with no underscore, and `them`, leave out the detections whose names begin with
one.

Parsing goes in two steps. `syntax` knows only the text and is cached by it, for a rule pack says `selection
and not 1 of filter_*` a thousand times. `parse_condition` then resolves names against one rule's detections
and gives every part its place. The grammar decides by the next word alone and never goes back, so it takes
time in proportion to the text; its depth is bounded before it starts.
"""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pyparsing as pp

from fileaudit_engine.diagnostics import Collector, Location
from fileaudit_engine.rules.ast import And, Condition, Identifier, Not, Or, Quantified
from fileaudit_engine.rules.wording import listed, nearest_of, quoted

MAX_CHARACTERS = 16_384
"""The longest condition; the grammar takes about 40 µs a word."""

MAX_PARENTHESES = 20
"""Open parentheses at one point: each costs the parser a dozen stack frames of the thousand that it has."""

Named = Literal["detection", "rule"]
"""What the names of a condition stand for: detections of a rule, or the rules of a correlation."""

_NAME = r"[\w.\-*]+"
_OPERAND = "the name"
_SPLIT = "split it into several correlations"
_FIRST_NAMES: Mapping[Named, str] = {
    "detection": "name the detection that must match, such as 'selection'",
    "rule": "name the rules that must match, such as 'rule_a and rule_b'",
}
_VOCABULARY: Mapping[Named, str] = {
    "detection": "a condition has names, 'and', 'or', 'not', '1 of', 'all of', '()'",
    "rule": "a condition has names or ids of rules, 'and', 'or', 'not', '()'",
}
_WORD_END = r"(?![\w.\-*])"
_TOO_MANY_NOTS = re.compile(r"(?i:\b(?:not\s+){4}not\b)")
_TOKEN = re.compile(rf"{_NAME}|\S")
_TOKEN_IS_WORD = re.compile(_NAME)

Place = Callable[[int, int], Location]
"""Gives the place of a part of the condition's text."""


@dataclass(frozen=True, slots=True)
class Name:
    """A word that must name something; `start` and `end` are indexes into the text."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Quantifier:
    """`1 of pattern` and its relatives, as written."""

    every: bool
    pattern: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Negated:
    """`not`."""

    operand: "Syntax"


@dataclass(frozen=True, slots=True)
class Joined:
    """Two or more operands of `and` (`every`) or of `or`."""

    every: bool
    operands: tuple["Syntax", ...]


Syntax = Name | Quantifier | Negated | Joined


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """Why a text is no condition: a finding whose place is `start` up to `end` of the text."""

    code: str
    message: str
    start: int
    end: int
    help: str


def _grammar() -> pp.ParserElement:
    """`or` over `and` over `not` over operands; `-` where nothing else can follow: errors are early."""
    word_and, word_or = (pp.Regex(rf"(?i:{word}){_WORD_END}").suppress() for word in ("and", "or"))
    word_not = pp.Regex(rf"(?i:not){_WORD_END}")
    quantifier = pp.Regex(rf"(?i:(?P<quantity>1|any|all)\s+of)\s+(?P<pattern>{_NAME})")
    name = pp.Regex(rf"(?!(?i:and|or|not){_WORD_END}){_NAME}")
    expression = pp.Forward()
    closing = pp.Suppress(")").set_name("')'")
    operand = quantifier.add_parse_action(_quantifier) | name.add_parse_action(_name)
    operand = (operand | pp.Suppress("(") - expression - closing).set_name(_OPERAND)
    negated = (word_not[...] + operand).add_parse_action(_negated)
    conjunction = (negated + (word_and - negated)[...]).add_parse_action(_joined(every=True))
    expression <<= (conjunction + (word_or - conjunction)[...]).add_parse_action(_joined(every=False))
    return (expression - pp.StringEnd().set_name("'and', 'or' or the end")).parse_with_tabs()


def _name(_text: str, start: int, tokens: pp.ParseResults) -> Name:
    return Name(tokens[0], start, start + len(tokens[0]))


def _quantifier(_text: str, start: int, tokens: pp.ParseResults) -> Quantifier:
    every = tokens["quantity"].lower() == "all"
    return Quantifier(every, tokens["pattern"], start, start + len(tokens[0]))


def _negated(tokens: pp.ParseResults) -> Syntax:
    operand: Syntax = tokens[-1]
    for _ in tokens[:-1]:
        operand = Negated(operand)
    return operand


def _joined(*, every: bool) -> Callable[[pp.ParseResults], Syntax]:
    def join(tokens: pp.ParseResults) -> Syntax:
        operands: tuple[Syntax, ...] = tuple(tokens)
        return operands[0] if len(operands) == 1 else Joined(every, operands)

    return join


_GRAMMAR = _grammar()


@functools.lru_cache(maxsize=4096)
def syntax(text: str, named: Named = "detection") -> Syntax | SyntaxProblem:
    """What a condition's text says, or why it says nothing; `named` is what its names stand for."""
    if problem := _refused(text, named):
        return problem
    try:
        tree: Syntax = _GRAMMAR.parse_string(text)[0]
    except pp.ParseBaseException as error:
        return _unexpected(text, error, named)
    return tree


def _refused(text: str, named: Named) -> SyntaxProblem | None:
    """What is not worth parsing: too long, too deep, or an aggregation."""
    of_rules = named == "rule"
    if len(text) > MAX_CHARACTERS:
        message = f"the condition has {len(text):,} characters, at most {MAX_CHARACTERS:,} are read"
        remedy = _SPLIT if of_rules else "give the detections a common prefix: '1 of prefix_*'"
        return SyntaxProblem("FA024", message, 0, 1, remedy)
    if (bar := text.find("|")) >= 0 and not of_rules:
        message = "aggregations ('| count() …', '| near …') are no longer part of Sigma conditions"
        return SyntaxProblem(
            "FA023", message, bar, bar + 1, "write a correlation rule: 'correlation: {type: …}'"
        )
    if nots := _TOO_MANY_NOTS.search(text):
        return SyntaxProblem("FA024", "'not' over and over", nots.start(), nots.end(), "two of them are none")
    if (index := _too_deep(text)) is not None:
        message = f"more than {MAX_PARENTHESES} parentheses are open"
        remedy = _SPLIT if of_rules else "split the condition into detections"
        return SyntaxProblem("FA024", message, index, index + 1, remedy)
    return None


def _too_deep(text: str) -> int | None:
    """Where one parenthesis too many is opened."""
    depth = 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth > MAX_PARENTHESES:
            return index
    return None


def _unexpected(text: str, error: pp.ParseBaseException, named: Named) -> SyntaxProblem:
    found = _TOKEN.search(text, error.loc)
    start, end = found.span() if found else (len(text.rstrip()), len(text.rstrip()))
    word = found[0] if found else ""
    expected = error.msg.removeprefix("Expected ")
    remedy = _remedy(text, word, expected, named)
    if expected == _OPERAND:
        expected = f"the name of a {named}"
    message = f"expected {expected}, found {quoted(word) if word else 'the end of the condition'}"
    return SyntaxProblem("FA020", message, start, end, remedy)


def _remedy(text: str, word: str, expected: str, named: Named) -> str:
    of_rules = named == "rule"
    remedies = (
        (not text.strip(), _FIRST_NAMES[named]),
        (text.strip() == "()", f"name a {named} between the parentheses"),
        (word == ")" and expected == _OPERAND, "put a name before ')'; 'and', 'or' and 'not' need one"),
        (word == ")", "there is no '(' for it; remove it"),
        (not word and expected == _OPERAND, "put a name behind the last 'and', 'or', 'not' or '('"),
        (expected == "')'", "close the parenthesis, or write 'and' or 'or' before the next name"),
        (
            word.lower() == "of" and not of_rules,
            "only '1', 'any' and 'all' stand before 'of'; a name, a glob or 'them' behind it",
        ),
        (not _TOKEN_IS_WORD.fullmatch(word), _VOCABULARY[named]),
        (expected == _OPERAND, "'and' and 'or' stand between two operands, 'not' before one"),
    )
    return next(
        (remedy for applies, remedy in remedies if applies), f"write 'and' or 'or' before {quoted(word)}"
    )


def parse_condition(text: str, names: Sequence[str], place: Place, found: Collector) -> Condition | None:
    """The condition over a rule's detections `names`; None if anything is wrong, which `found` then says.

    Every undefined name and empty glob is reported, not just the first.
    """
    tree = syntax(text)
    if isinstance(tree, SyntaxProblem):
        found.error(tree.code, tree.message, place(tree.start, tree.end), help=tree.help)
        return None
    return _Resolver(names, place, found).resolve(tree)


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Ties the words of one condition to the detections of its rule."""

    names: Sequence[str]
    place: Place
    found: Collector

    def resolve(self, tree: Syntax, *, negated: bool = False) -> Condition | None:
        if isinstance(tree, Name):
            return self._identifier(tree, negated=negated)
        if isinstance(tree, Quantifier):
            return self._quantified(tree)
        if isinstance(tree, Negated):
            operand = self.resolve(tree.operand, negated=True)
            return Not(operand=operand) if operand else None
        operands = [self.resolve(operand) for operand in tree.operands]
        known = tuple(operand for operand in operands if operand)
        if len(known) < len(operands):
            return None
        return And(operands=known) if tree.every else Or(operands=known)

    def _identifier(self, name: Name, *, negated: bool) -> Identifier | None:
        where = self.place(name.start, name.end)
        if name.name in self.names:
            return Identifier(name=name.name, location=where)
        if "*" in name.name:
            message = f"{quoted(name.name)} needs '1 of' or 'all of' before it"
            remedy = f"write {quoted('1 of ' + name.name)} or {quoted('all of ' + name.name)}"
            self.found.error("FA020", message, where, help=remedy)
        else:
            remedy = self._meant(name.name, negated=negated)
            message = f"{quoted(name.name)} is not defined"
            self.found.error("FA021", message, where, label=self._what_there_is(), help=remedy)
        return None

    def _meant(self, name: str, *, negated: bool) -> str:
        if name.lower() == "them":
            return "write '1 of them' or 'all of them'"
        family = [other for other in self.names if other.startswith(f"{name}_")]
        if family:
            return f"write {quoted(family[0])}, or '{'not ' if negated else ''}1 of {name}_*'"
        close = nearest_of(name, self.names)
        if close:
            return f"did you mean {quoted(close)}?"
        return "add a detection of this name, or correct it"

    def _quantified(self, quantifier: Quantifier) -> Quantified | None:
        where = self.place(quantifier.start, quantifier.end)
        pattern = quantifier.pattern
        names = selected(pattern, self.names)
        if names:
            return Quantified(every=quantifier.every, pattern=pattern, names=names, location=where)
        hidden = selected(f"_{pattern}", self.names) or selected(
            pattern, [n.removeprefix("_") for n in self.names]
        )
        message = f"no detection is called {quoted(pattern)}"
        remedy = "name the detections so that they begin with what stands before the '*'"
        if pattern.lower() == "them":
            message = f"{quoted(pattern)} selects nothing"
            quantity = "all" if quantifier.every else "1"
            remedy = (
                f"it leaves out names that begin with '_': write '{quantity} of _*', or name one otherwise"
            )
        elif hidden:
            remedy = "names that begin with '_' are left out unless the glob begins with '_' too"
        self.found.error(
            "FA022",
            message,
            where,
            label=self._what_there_is(),
            help=remedy,
        )
        return None

    def _what_there_is(self) -> str:
        return f"the detection has {listed(self.names, limit=5)}" if self.names else "there is no detection"


def names_in(condition: Condition) -> frozenset[str]:
    """The detections that a condition depends on."""
    match condition:
        case Identifier(name=name):
            return frozenset({name})
        case Quantified(names=names):
            return frozenset(names)
        case Not(operand=operand):
            return names_in(operand)
        case And(operands=operands) | Or(operands=operands):
            return frozenset().union(*map(names_in, operands))


def selected(pattern: str, names: Sequence[str]) -> tuple[str, ...]:
    """The detections that `pattern` (a name, a glob, or `them`) means, in the order of `names`."""
    if pattern.lower() == "them":
        pattern = "*"
    hidden_too = pattern.startswith("_")
    pieces = pattern.split("*")
    return tuple(
        name for name in names if (hidden_too or not name.startswith("_")) and _glob_matches(pieces, name)
    )


def _glob_matches(pieces: Sequence[str], name: str) -> bool:
    """Whether `name` is `pieces` with anything between them; the leftmost fit of each is as good as any."""
    if len(pieces) == 1:
        return name == pieces[0]
    first, *middle, last = pieces
    if not name.startswith(first) or not name.endswith(last) or len(name) < len(first) + len(last):
        return False
    position, limit = len(first), len(name) - len(last)
    for piece in middle:
        index = name.find(piece, position, limit)
        if index < 0:
            return False
        position = index + len(piece)
    return True


def spelled_condition(condition: Condition) -> str:
    """A text that `parse_condition` reads as `condition`."""
    if isinstance(condition, Identifier):
        return condition.name
    if isinstance(condition, Quantified):
        return f"{'all' if condition.every else '1'} of {condition.pattern}"
    if isinstance(condition, Not):
        return f"not {_operand(condition.operand)}"
    word = " and " if isinstance(condition, And) else " or "
    return word.join(map(_operand, condition.operands))


def _operand(condition: Condition) -> str:
    spelled = spelled_condition(condition)
    return f"({spelled})" if isinstance(condition, (And, Or)) else spelled
