"""A reader of KQL, for as much of it as filters here use: what they name, and what they are true of.

Written from the language's documentation and not from the module that writes filters, so that each of the
two holds the other to it. Comparisons are as keywords are compared: with regard to case, in whole.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]
Test = Callable[[Document], bool]

TOKEN = re.compile(
    r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign><=|>=|[():<>])|(?P<word>(?:[^\s():<>"\\]|\\.)+))'
)


class NotKql(ValueError):
    """The text is no KQL."""


def values_at(document: Any, name: str) -> list[Any]:
    """What a document has at a dotted place, lists taken apart."""
    found = [document]
    for key in name.split("."):
        found = [one[key] for one in _flat(found) if isinstance(one, Mapping) and key in one]
    return list(_flat(found))


def _flat(values: list[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        else:
            yield value


@dataclass
class Filter:
    """What a filter is about, and whether a document passes it.

    Attributes:
        text: As it stands in the object.
        fields: The fields that it names, each with how: `:` or a comparison.
    """

    text: str
    fields: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tokens = list(_tokens(self.text))
        self._at = 0
        self.holds: Test = self._any() if self._tokens else lambda _: True
        if self._at < len(self._tokens):
            raise NotKql(f"{self._tokens[self._at][1]!r} is one too many in {self.text!r}")

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._next()
        if token[0] == "end":
            raise NotKql(f"{self.text!r} ends in the middle")
        self._at += 1
        return token

    def _is(self, kind: str, text: str) -> bool:
        found, word = self._next()
        if (found, word.lower()) == (kind, text):
            self._at += 1
            return True
        return False

    def _any(self) -> Test:
        parts = [self._all()]
        while self._is("word", "or"):
            parts.append(self._all())
        return lambda document: any(part(document) for part in parts)

    def _all(self) -> Test:
        parts = [self._one()]
        while self._is("word", "and"):
            parts.append(self._one())
        return lambda document: all(part(document) for part in parts)

    def _one(self) -> Test:
        if self._is("word", "not"):
            inner = self._one()
            return lambda document: not inner(document)
        if self._is("sign", "("):
            inner = self._any()
            self._end()
            return inner
        return self._comparison()

    def _end(self) -> None:
        if not self._is("sign", ")"):
            raise NotKql(f"a parenthesis is open in {self.text!r}")

    def _comparison(self) -> Test:
        kind, name = self._take()
        if kind == "sign":
            raise NotKql(f"{name!r} is no field in {self.text!r}")
        name = name.strip('"')
        kind, sign = self._take()
        self.fields.append((name, sign))
        if (kind, sign) == ("sign", ":"):
            test = self._values()
        elif kind == "sign" and sign in {"<", ">", "<=", ">="}:
            limit = float(self._take()[1])
            compare = {"<": float.__lt__, ">": float.__gt__, "<=": float.__le__, ">=": float.__ge__}[sign]
            test = lambda value: compare(float(value), limit)  # noqa: E731 - beside the other one
        else:
            raise NotKql(f"{sign!r} compares nothing in {self.text!r}")
        return lambda document: any(test(value) for value in values_at(document, name))

    def _values(self) -> Callable[[Any], bool]:
        if not self._is("sign", "("):
            return self._value()
        tests = [self._value()]
        while self._is("word", "or"):
            tests.append(self._value())
        self._end()
        return lambda value: any(test(value) for test in tests)

    def _value(self) -> Callable[[Any], bool]:
        kind, text = self._take()
        if kind == "quoted":
            wanted = re.sub(r"\\(.)", r"\1", text[1:-1])
            return lambda value: str(value) == wanted
        if kind != "word" or text.lower() in {"and", "or", "not"}:
            raise NotKql(f"{text!r} is no value in {self.text!r}")
        pieces = re.findall(r"\\.|[^\\]", text)
        pattern = "".join(".*" if piece == "*" else re.escape(piece[-1]) for piece in pieces)
        return lambda value: re.fullmatch(pattern, str(value), re.DOTALL) is not None


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        found = TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise NotKql(f"{text[at:]!r} is no KQL")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()
