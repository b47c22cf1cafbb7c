"""Rule files by YAML's grammar, from the words of the language and values at the edge of what they may be."""

import random
from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from fileaudit_engine.events.fields import FIELDS
from fileaudit_engine.rules.modifiers import MODIFIERS

_TEXT_CHAINS = (
    *("", "", "|contains", "|startswith", "|endswith", "|cased", "|contains|all", "|neq", "|contains|neq"),
    *("|windash", "|windash|contains|all", "|base64", "|base64offset|contains", "|wide", "|utf16|base64"),
    *("|utf16be|base64offset|contains|cased", "|expand", "|expand|contains", "|expand|windash|base64"),
)
_CHAINS: Mapping[str, Sequence[str]] = {
    "text": _TEXT_CHAINS,
    "expression": ("|re", "|re|i", "|re|m|s", "|re|neq", "|re|all"),
    "number": ("", "|lt", "|gte", "|neq", "|contains"),
    "network": ("|cidr", "|cidr|neq"),
    "field": ("|fieldref", "|fieldref|startswith", "|fieldref|neq", "|fieldref|contains|cased"),
    "truth": ("|exists", ""),
    "null": ("",),
    "path": ("|path", "|under", "|path|cased", "|under|neq"),
    "hour": ("|hour", "|minute|lt", "|day|neq", "|week", "|month|gte", "|year"),
}
"""Chains of modifiers that stand together, by the kind of value that they take."""

_FIELDS: Mapping[str, Sequence[str]] = {
    "path": ("TargetFilename", "Image", "AskedFilename"),
    "hour": ("UtcTime", "@timestamp", "EventTime"),
    "network": ("SourceIp", "Hostname"),
    "number": ("UserId", "Inode", "ProcessId", "Size"),
}
_ANY_FIELD = (*(field.name for field in FIELDS), "", "Zone", "file.path")
_FRAGMENTS = (
    *(
        "etc",
        "/",
        "/etc/",
        "*",
        "?",
        "\\",
        "\\*",
        "\\\\*",
        "-a",
        " -",
        "/b",
        "\u2014x",
        "%a%",
        "%b%",
        "\\%",
        "%",
    ),
    *(
        "\u017f",
        "\u0130",
        "\u212a",
        "\u00df",
        "\U0001f600",
        "\u00e9",
        "\ufb01",
        "\n",
        "\r",
        "\t",
        "\0",
        "\x1b[",
    ),
    *("'", '"', "a" * 90, "*a" * 40, "?" * 40, "**", "/**/", "null", "1", ""),
)
_EXPRESSIONS = (
    *(
        "a+",
        "(a+)+$",
        "^.{0,9}x",
        "[^/]+$",
        "\\d{3}",
        "(?i)x",
        "a|b|",
        "\\pL",
        ".*.*.*.*x",
        "x{100}",
        "(?P<n>a)",
    ),
    *(
        "(((((((a)))))))",
        "[[:alpha:]]",
        "\\x{10FFFF}",
        "",
        "\\C",
        "a{1000}",
        "(a{1000}){1000}",
        "\u00e9+",
        "^$",
    ),
)
_NETWORKS = (
    "10.0.0.0/8",
    "10.1.2.3/8",
    "::/0",
    "2001:DB8::/32",
    "fe80::1/64",
    "1.2.3.4",
    "::ffff:1.2.3.4/100",
)
_VALUES: Mapping[str, Sequence[str]] = {
    "expression": _EXPRESSIONS,
    "network": _NETWORKS,
    "field": _ANY_FIELD[:-3],
    "path": ("/", "/etc", "/etc/", "/home/a/.ssh"),
    "number": ("0", "7", "-1", "1.5", "1e3", "0x1f", str(2**70), "9007199254740993"),
    "truth": ("true", "false"),
    "null": ("null", "~", ""),
    "hour": ("1", "5", "12"),
}
_QUOTED = frozenset({"expression", "network", "field", "path"})
_NAMES = ("selection", "sel_a", "sel_b", "_x", "not_x", "all", "filter", "keywords")
_ODD_NAMES = ("1", "them", "a.b", "*", "", "and", "of", "condition")
_GLOBS = ("them", "sel_*", "sel*", "*", "*e*", "_*", "selection")
_SOURCES = (
    "{product: linux, category: file_access}",
    "{product: linux, category: process_creation}",
    "{product: linux, category: file_event}",
    "{product: linux}",
    "{product: linux, service: auditd}",
)
_ATTRIBUTES = (
    *(
        "level: informational",
        "level: high",
        "status: deprecated",
        "name: x",
        "taxonomy: sigma",
        "date: 2026-11-24",
    ),
    *(
        "tags: [attack.t1003.008, tlp.red]",
        "id: 929A690E-bef0-4204-a928-ef5e620d6fcc",
        "fields: [User, Nope]",
    ),
    *("scope: [server]", "related: [{id: 08fbc97d-0a2f-491c-ae21-8ffcfd3174e9, type: derived}]"),
    "custom: {a: [1, {b: null}]}",
)
_TYPES = (
    *("event_count", "value_count", "temporal", "temporal_ordered"),
    *("value_sum", "value_avg", "value_median", "value_percentile"),
)
_RULES = ("a", "b", "c-1")
_CORRELATIONS = ("k1", "k2", "k3")
_PLAIN_RULE = (
    "title: Rule {name}\nname: {name}\nlogsource: {{product: linux}}\n"
    "detection: {{selection: {{Outcome: [success, failure]}}, condition: selection}}\n"
)
_GROUPING = ("User", "UserId", "file.path", "Operation", "Inode", "ProcessId", "who")
_ODD_THRESHOLDS = ("0.5", "-1", "1e3", "1000001", ".nan", "-.inf", "1e-99999", "9" * 60)
_ODDITY = 0.03
"""How often a part is not what belongs there: so seldom that most rules get as far as being run."""


def built_files() -> st.SearchStrategy[bytes]:
    """One to three documents by the grammar.

    A file is made of one number: drawn choice by choice, it would take longer to make than to read. What
    fails is short enough to be understood without being shrunk.
    """
    return st.integers(0, 2**64).map(lambda number: _Builder(random.Random(number)).file())


class _Builder:
    """Writes a rule file, mostly right."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._one_of = chance.choice

    def file(self) -> bytes:
        """One to three documents."""
        documents = [self._document() for _ in range(self._one_of((1, 1, 1, 2, 3)))]
        return self._one_of(("---\n", "---\n", "...\n---\n")).join(documents).encode("utf-8", "surrogatepass")

    def _odd(self) -> bool:
        return self._chance.random() < _ODDITY

    def _document(self) -> str:
        kind = self._one_of(("detection",) * 8 + ("filter", "filter", "correlation", "correlation"))
        if kind == "correlation" and not self._odd():
            return self._correlations()
        names = self._chance.sample(_NAMES, self._one_of((1, 1, 2, 3)))
        if self._odd():
            names.append(self._one_of((*_ODD_NAMES, names[0])))
        lines = [f"title: {self._one_of(('A rule', 'Another', 'A third'))}\n"]
        lines += [f"{each}\n" for each in self._chance.sample(_ATTRIBUTES, self._one_of((0, 0, 1, 2)))]
        lines.append(f"logsource: {self._one_of(_SOURCES) if not self._odd() else self._scalar()}\n")
        lines.append(f"{kind}:\n")
        if kind == "filter":
            lines.append(f"  rules: {self._one_of(('any', '[A rule]', '[x]', '[Another, A rule]'))}\n")
        lines += [f"  {self._text(name)}: {self._mark()}{self._detection()}\n" for name in names]
        lines.append(f"  condition: {self._conditions(names)}\n")
        return "".join(self._chance.sample(lines[:2], 2) + lines[2:])

    def _correlations(self) -> str:
        """Some rules that match, and some correlations over these and each other."""
        names = self._chance.sample(_RULES, self._one_of((1, 2, 3)))
        known = list(names)
        documents = [_PLAIN_RULE.format(name=name) for name in names]
        for name in self._chance.sample(_CORRELATIONS, self._one_of((1, 1, 2, 3))):
            documents.append(self._correlation(name, known))
            known.append(name)
        self._chance.shuffle(documents)
        return "---\n".join(documents)

    def _correlation(self, name: str, known: Sequence[str]) -> str:
        kind = self._one_of(_TYPES)
        names = _ODD_NAMES if self._odd() else known
        rules = self._chance.sample(names, self._chance.randint(1, min(3, len(names))))
        grouping = self._chance.sample(self._or_odd(_GROUPING, "Zone", ""), self._one_of((0, 1, 2)))
        parts = {
            "type": kind,
            "rules": f"[{', '.join(map(self._text, rules))}]",
            "group-by": f"[{', '.join(grouping)}]",
            "timespan": self._one_of(self._or_odd(("1s", "90m", "2w", "365d"), "366d", "5y", "0s", "1")),
            "condition": self._correlated(kind, rules),
        }
        if "who" in grouping or self._odd():
            fields = (f"{self._text(rule)}: {self._one_of(_GROUPING[:-1])}" for rule in rules)
            parts["aliases"] = f"{{who: {{{', '.join(fields)}}}}}"
        lines = [
            f"{part}: {self._scalar() if self._odd() else text}"
            for part, text in parts.items()
            if not self._odd()
        ]
        extra = "".join(f"{line}\n" for line in ("suspected: true", "generate: false") if self._odd())
        return f"title: {name}\nname: {name}\n{extra}correlation: {{{', '.join(lines)}}}\n"

    def _or_odd(self, usual: Sequence[str], *odd: str) -> Sequence[str]:
        return odd if self._odd() else usual

    def _correlated(self, kind: str, rules: Sequence[str]) -> str:
        """A condition over numbers or over names."""
        if kind.startswith("temporal") and self._chance.random() < 0.8:
            return self._text(self._names(rules, self._one_of((0, 1, 2, 3)), ordered=kind != "temporal"))
        words = self._chance.sample(("gt", "gte", "lt", "lte", "eq", "neq"), self._one_of((1, 1, 1, 2)))
        numbers = [
            f"{word}: {self._one_of(self._or_odd(('1', '2', '3'), *_ODD_THRESHOLDS))}" for word in words
        ]
        if kind.startswith("value") is not self._odd():
            numbers.append(f"field: {self._one_of(_GROUPING[:-1])}")
        if kind == "value_percentile" and self._chance.random() < 0.5:
            numbers.append(f"percentile: {self._one_of(self._or_odd(('50', '99.9', '0'), *_ODD_THRESHOLDS))}")
        return f"{{{', '.join(numbers)}}}"

    def _names(self, rules: Sequence[str], depth: int, *, ordered: bool) -> str:
        if not depth:
            return self._one_of(self._or_odd(rules, "nobody", "1 of a*", "(", "not"))
        left, right = (self._names(rules, depth - one, ordered=ordered) for one in (1, 1))
        joined = ("{} and {}", "{} or {}", "({}) and ({})", *(() if ordered else ("{} and not ({})",) * 3))
        template: str = self._one_of(joined)
        return template.format(left, right)

    def _mark(self) -> str:
        return (
            self._one_of(("&a ", "&b ", "*a #", "!!map ", "!!seq ", "!!str ", "!<x> ")) if self._odd() else ""
        )

    def _detection(self) -> str:
        match self._chance.randrange(8):
            case 0:
                return f"[{self._map()}, {self._map()}]"
            case 1:
                return f"[{self._text(self._words())}, {self._scalar()}]"
            case 2:
                return f"[{self._text(self._words())}, {self._map()}]"
            case 3 if self._odd():
                return self._scalar()
            case _:
                return self._map()

    def _map(self) -> str:
        return "{" + ", ".join(self._item() for _ in range(self._one_of((1, 1, 2, 3)))) + "}"

    def _item(self) -> str:
        kind = self._one_of(("text",) * 6 + tuple(_CHAINS))
        chain = self._one_of(_CHAINS[self._one_of(tuple(_CHAINS)) if self._odd() else kind])
        if self._odd():
            chain += "|" + self._one_of((*MODIFIERS, "", "nonsense"))
        field = self._one_of(_FIELDS.get(kind, _ANY_FIELD))
        count = self._one_of((1, 1, 2, 3, 12)) if kind not in {"null", "truth"} else 1
        values = [self._scalar() if self._odd() else self._value(kind) for _ in range(count)]
        value = values[0] if count == 1 else f"[{', '.join(values)}]"
        return f"{self._text(field + chain)}: {self._mark()}{value}"

    def _value(self, kind: str) -> str:
        choices = _VALUES.get(kind)
        if choices is None:
            return self._text(self._words())
        chosen = self._one_of(choices)
        return self._text(chosen) if kind in _QUOTED else chosen

    def _words(self) -> str:
        return "".join(self._one_of(_FRAGMENTS) for _ in range(self._one_of((1, 2, 3, 6))))

    def _conditions(self, names: Sequence[str]) -> str:
        if self._chance.random() < 0.1:
            return f"[{self._text(self._condition(names, 3))}, {self._text(self._condition(names, 1))}]"
        return self._text(self._condition(names, self._one_of((0, 1, 2, 4))))

    def _condition(self, names: Sequence[str], depth: int) -> str:
        if not depth:
            if self._odd():
                return self._one_of(
                    (*_ODD_NAMES, "1 of nothing*", "2 of them", "(", ") and", "x | count() > 1")
                )
            quantified = f"{self._one_of(('1', 'all', 'any'))} of {self._one_of(_GLOBS[:2])}"
            return quantified if self._chance.random() < 0.1 else self._one_of(names)
        left, right = self._condition(names, depth - 1), self._condition(names, depth // 2)
        return self._one_of(
            ("{} and {}", "{} or {}", "({}) and not {}", "not {} or {}", "not ({} AND ({}))")
        ).format(left, right)

    def _scalar(self) -> str:
        plain = (
            "null",
            "true",
            "0",
            "24",
            "1.5",
            ".inf",
            "1e400",
            "9" * 400,
            "[]",
            "{}",
            "{a: b}",
            "[[x]]",
            "*a",
            "-",
        )
        return self._one_of(plain) if self._chance.random() < 0.6 else self._text(self._words())

    def _text(self, text: str) -> str:
        """In single or in double quotes, where it can be; now and then without."""
        if self._odd():
            return text.replace("\n", " ")
        if text.isprintable() and self._chance.random() < 0.5:
            return "'" + text.replace("'", "''") + "'"
        return '"' + "".join(map(_in_double_quotes, text)) + '"'


def _in_double_quotes(character: str) -> str:
    if character in {'"', "\\"}:
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
