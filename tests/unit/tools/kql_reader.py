"""A reader of KQL, for as much of it as filters here use: what they name, and what they are true of.

Written from the language's documentation and not from the module that writes filters, so that each of the
two holds the other to it. Comparisons are as keywords are compared: with regard to case, in whole.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

Document = Mapping[str, Any]
Test = Callable[[Document], bool]

TOKEN = re.compile(
    r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign><=|>=|[():<>])|(?P<word>(?:[^\s():<>"\\]|\\.)+))'
)


COMPARISONS: Final[dict[str, tuple[str, Callable[[float, float], bool]]]] = {
    "<": ("lt", float.__lt__),
    "<=": ("lte", float.__le__),
    ">": ("gt", float.__gt__),
    ">=": ("gte", float.__ge__),
}


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


class Part(NamedTuple):
    """A part of a filter.

    Attributes:
        holds: Whether a document passes it.
        query: The same for Elasticsearch.
    """

    holds: Test
    query: dict[str, Any]


ALL: Final = Part(lambda _: True, {"match_all": {}})


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
        self.holds, self.query = self._any() if self._tokens else ALL
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

    def _any(self) -> Part:
        parts = [self._all()]
        while self._is("word", "or"):
            parts.append(self._all())
        return _one_of(parts)

    def _all(self) -> Part:
        parts = [self._one()]
        while self._is("word", "and"):
            parts.append(self._one())
        if len(parts) == 1:
            return parts[0]
        query = {"bool": {"filter": [part.query for part in parts]}}
        return Part(lambda document: all(part.holds(document) for part in parts), query)

    def _one(self) -> Part:
        if self._is("word", "not"):
            inner = self._one()
            return Part(lambda document: not inner.holds(document), {"bool": {"must_not": [inner.query]}})
        if self._is("sign", "("):
            inner = self._any()
            self._end()
            return inner
        return self._comparison()

    def _end(self) -> None:
        if not self._is("sign", ")"):
            raise NotKql(f"a parenthesis is open in {self.text!r}")

    def _comparison(self) -> Part:
        kind, name = self._take()
        if kind == "sign":
            raise NotKql(f"{name!r} is no field in {self.text!r}")
        name = name.strip('"')
        kind, sign = self._take()
        self.fields.append((name, sign))
        if (kind, sign) == ("sign", ":"):
            return self._values(name)
        if kind != "sign" or sign not in COMPARISONS:
            raise NotKql(f"{sign!r} compares nothing in {self.text!r}")
        word, compare = COMPARISONS[sign]
        limit = float(self._take()[1])
        query = {"range": {name: {word: limit}}}
        return Part(
            lambda document: any(compare(float(one), limit) for one in values_at(document, name)), query
        )

    def _values(self, name: str) -> Part:
        if not self._is("sign", "("):
            return self._value(name)
        parts = [self._value(name)]
        while self._is("word", "or"):
            parts.append(self._value(name))
        self._end()
        return _one_of(parts)

    def _value(self, name: str) -> Part:
        kind, text = self._take()
        if kind == "quoted":
            wanted = re.sub(r"\\(.)", r"\1", text[1:-1])
            query: dict[str, Any] = {"term": {name: wanted}}
            return Part(lambda document: wanted in map(str, values_at(document, name)), query)
        if kind != "word" or text.lower() in {"and", "or", "not"}:
            raise NotKql(f"{text!r} is no value in {self.text!r}")
        pieces = re.findall(r"\\.|[^\\]", text)
        whole = re.compile(
            "".join(".*" if piece == "*" else re.escape(piece[-1]) for piece in pieces), re.DOTALL
        )
        pattern = "".join(
            "*" if piece == "*" else re.sub(r"[*?\\]", r"\\\g<0>", piece[-1]) for piece in pieces
        )
        query = {"exists": {"field": name}} if text == "*" else {"wildcard": {name: {"value": pattern}}}
        return Part(
            lambda document: any(whole.fullmatch(str(one)) for one in values_at(document, name)), query
        )


def _one_of(parts: list[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    query = {"bool": {"should": [part.query for part in parts], "minimum_should_match": 1}}
    return Part(lambda document: any(part.holds(document) for part in parts), query)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        found = TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise NotKql(f"{text[at:]!r} is no KQL")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()
