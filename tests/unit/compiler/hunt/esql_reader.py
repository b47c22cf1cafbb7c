"""A strict reader of the part of ES|QL that hunts are written in, and what it makes of a document.

It knows nothing of how hunts are written: strings with their five escapes, three truth values, comparisons
with several values that are no truth value, `LIKE` and `RLIKE` of the whole text. What it does not know is an
error.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

Row = Mapping[str, list[Any]]
"""Column -> its values: none, one or several."""
Evaluate = Callable[[Row], Any]

_TOKEN: Final = re.compile(
    r"""(?P<space>[ \n]+)
      | "(?P<text>(?:[^"\\\n\r]|\\[tnr"\\])*)"
      | (?P<number>-?[0-9]+)
      | (?P<word>[A-Za-z_@][A-Za-z0-9_.@]*)
      | (?P<symbol>==|<=|>=|<|>|\(|\)|,|\+)""",
    re.VERBOSE,
)
_UNESCAPED: Final = {"t": "\t", "n": "\n", "r": "\r", '"': '"', "\\": "\\"}
_RESERVED: Final = frozenset(
    {"and", "asc", "by", "desc", "false", "first", "in", "is", "last", "like", "not", "null", "nulls", "on"}
    | {"or", "rlike", "true", "where", "with"}
)
"""Words of the language, in any case: no name, and no part of one."""
_SPECIAL_OUTSIDE: Final = re.compile(r'(?<!\\)(?:\\\\)*[#@&<>~"]')
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": lambda a, b: bool(a == b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}
_UNITS: Final[dict[str, Callable[[datetime], int]]] = {
    "minute_of_hour": lambda moment: moment.minute,
    "hour_of_day": lambda moment: moment.hour,
    "day_of_month": lambda moment: moment.day,
    "month_of_year": lambda moment: moment.month,
    "year": lambda moment: moment.year,
}


def where(text: str) -> Callable[[Row], bool]:
    """A function that tells whether a row passes the condition."""
    reader = _Reader(tokens(text))
    found = reader.choice()
    if reader.left():
        raise SyntaxError(f"not read: {reader.left()[:5]}")
    return lambda row: found(row) is True


def tokens(text: str) -> list[tuple[str, str]]:
    """Kind and text of each token; strings without their escapes."""
    found, at = [], 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise SyntaxError(f"no token: {text[at : at + 20]!r}")
        kind = str(token.lastgroup)
        if kind != "space":
            found.append((kind, _unescaped(token[kind]) if kind == "text" else token[kind]))
        at = token.end()
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda escape: _UNESCAPED[escape[1]], text)


@dataclass
class _Reader:
    tokens: list[tuple[str, str]]
    at: int = 0
    functions: dict[str, Callable[..., Any]] = field(default_factory=lambda: dict(_FUNCTIONS))

    def left(self) -> list[tuple[str, str]]:
        return self.tokens[self.at :]

    def taken(self, *words: str) -> bool:
        wanted = list(words)
        if [text for kind, text in self.tokens[self.at : self.at + len(wanted)] if kind != "text"] != wanted:
            return False
        self.at += len(wanted)
        return True

    def expect(self, word: str) -> None:
        if not self.taken(word):
            raise SyntaxError(f"expected {word} before {self.left()[:3]}")

    def choice(self) -> Evaluate:
        parts = [self.conjunction()]
        while self.taken("OR"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else lambda row: _or([part(row) for part in parts])

    def conjunction(self) -> Evaluate:
        parts = [self.negation()]
        while self.taken("AND"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else lambda row: _and([part(row) for part in parts])

    def negation(self) -> Evaluate:
        if not self.taken("NOT"):
            return self.comparison()
        inner = self.negation()
        return lambda row: None if (found := inner(row)) is None else not found

    def comparison(self) -> Evaluate:  # noqa: PLR0911 - one return a form
        if self.taken("("):
            inner = self.choice()
            self.expect(")")
            return inner
        left = self.value()
        if self.taken("IS", "NOT", "NULL"):
            return lambda row: left(row) != []
        if self.taken("IS", "NULL"):
            return lambda row: left(row) == []
        if self.taken("IN"):
            self.expect("(")
            right = self.arguments()
            return lambda row: _each(left(row), lambda v: any([v] == other(row) for other in right))
        for word, made in (("LIKE", _like), ("RLIKE", _rlike)):
            if self.taken(word):
                return _matching(left, made(self.text()))
        for symbol, holds in _COMPARE.items():
            if self.taken(symbol):
                other = self.value()
                return lambda row: _each(left(row), lambda v: _each(other(row), lambda w: holds(v, w)))  # noqa: B023
        return lambda row: _each(left(row), lambda v: v)

    def text(self) -> str:
        kind, text = self.tokens[self.at]
        if kind != "text":
            raise SyntaxError(f"expected a string, found {text}")
        self.at += 1
        return text

    def value(self) -> Evaluate:
        found = self.one_value()
        while self.taken("+"):
            found = _sum(found, self.one_value())
        return found

    def one_value(self) -> Evaluate:
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "text":
            return lambda _: [text]
        if kind == "number":
            return lambda _: [int(text)]
        if kind != "word":
            raise SyntaxError(f"expected a value, found {text}")
        if text in {"true", "false"}:
            return lambda _: [text == "true"]
        if self.taken("("):
            function, arguments = self.functions[text], self.arguments()
            return lambda row: function(*(argument(row) for argument in arguments))
        name = checked_name(text)
        return lambda row: row.get(name, [])

    def arguments(self) -> list[Evaluate]:
        found = [self.value()]
        while self.taken(","):
            found.append(self.value())
        self.expect(")")
        return found


def checked_name(text: str) -> str:
    """The name of a column, if it may be one."""
    if _RESERVED & set(text.lower().split(".")):
        raise SyntaxError(f"a word of the language: {text}")
    return text


def _sum(one: Evaluate, other: Evaluate) -> Evaluate:
    return lambda row: [a + b for a, b in zip(one(row), other(row), strict=True)]


def _matching(left: Evaluate, expression: re.Pattern[str]) -> Evaluate:
    return lambda row: _each(left(row), lambda v: expression.fullmatch(v) is not None)


def _or(parts: list[bool | None]) -> bool | None:
    return True if True in parts else None if None in parts else False


def _and(parts: list[bool | None]) -> bool | None:
    return False if False in parts else None if None in parts else True


def _each(values: list[Any], check: Callable[[Any], Any]) -> Any:
    """What a check makes of one value; of none or several it is null, as a warning says there."""
    return check(values[0]) if len(values) == 1 else None


def _like(pattern: str) -> re.Pattern[str]:
    def one(token: re.Match[str]) -> str:
        if token[0] == "\\":
            raise SyntaxError("an escape of nothing special")
        return {"*": ".*", "?": "."}.get(token[0]) or re.escape(token[0][-1])

    return re.compile(re.sub(r"\\[*?\\]|.", one, pattern, flags=re.DOTALL), re.DOTALL)


def _rlike(expression: str) -> re.Pattern[str]:
    """Lucene's expression; in the part that hunts use, Python's means the same."""
    if _SPECIAL_OUTSIDE.search(re.sub(r"\[(?:\\.|[^\]\\])*\]", "", expression)):
        raise SyntaxError(f"special to Lucene: {expression}")
    return re.compile(expression, re.DOTALL)


def _mv_concat(values: list[Any], by: list[Any]) -> list[Any]:
    return [by[0].join(values)] if values else []


def _concat(*parts: list[Any]) -> list[Any]:
    return ["".join(part[0] for part in parts)] if all(len(part) == 1 for part in parts) else []


def _of_two(check: Callable[[str, str], object]) -> Callable[[list[Any], list[Any]], list[Any]]:
    return lambda a, b: [check(a[0], b[0])] if len(a) == len(b) == 1 else []


def _to_ip(values: list[Any]) -> list[Any]:
    try:
        found = ipaddress.ip_address(values[0]) if len(values) == 1 else None
    except ValueError:
        return []
    mapped = getattr(found, "ipv4_mapped", None)
    return [mapped or found] if found else []


def _date_extract(unit: list[Any], moment: list[Any]) -> list[Any]:
    return [_UNITS[unit[0]](datetime.fromisoformat(moment[0]))] if len(moment) == 1 else []


_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "MV_CONCAT": _mv_concat,
    "CONCAT": _concat,
    "STARTS_WITH": _of_two(str.startswith),
    "ENDS_WITH": _of_two(str.endswith),
    "LOCATE": _of_two(lambda text, part: text.find(part) + 1),
    "TO_IP": _to_ip,
    "CIDR_MATCH": lambda values, wanted: [values[0] in ipaddress.ip_network(wanted[0])] if values else [],
    "DATE_EXTRACT": _date_extract,
}
