"""Rules in the language that both readers share, and events that come close to matching them.

What the readers are known to read differently is left out here and stands in the table of `test_pysigma.py`.
An event is made from what a rule asks for: each of its fields is one of the values that some leaf wants,
with its wildcards filled in, or that value with something changed, or absent.
"""

import json
import random
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from sigma.types import (
    SigmaBool,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaFieldReference,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SpecialChars,
)
from tests.differential.pysigma_reader import VERSION, Reading

PLACEHOLDERS = {"Tools": ("curl", "w?et"), "Dirs": ("/etc/", "/ro*t/")}

_TEXT_FIELDS = ("TargetFilename", "CommandLine", "Image", "User", "Zone", "Names")
_FRAGMENTS = (
    *(
        "a",
        "B",
        "etc",
        "/",
        "*",
        "*",
        "?",
        "\\",
        "\\\\",
        "\\*",
        "\\?",
        "\\\\*",
        "\\\\\\*",
        "\\\\\\\\",
        "x",
        "é",
        "É",
    ),
    *(" ", "-", " -f", " /f", "'", '"', "%", "\n", "\t", ".", "+", "(", "[", "0", "|"),
)
_CHAINS = (
    *("", "", "", "contains", "startswith", "endswith", "cased", "contains|cased", "cased|endswith"),
    *("contains|all", "startswith|all", "all", "neq", "contains|neq", "endswith|neq", "cased|neq"),
)
_ENCODED = (
    *("base64", "base64|contains", "base64offset|contains", "base64offset|contains|all", "base64|neq"),
    *("wide", "wide|base64", "wide|base64offset|contains", "wide|contains", "base64offset|cased"),
    *("utf16be|base64", "utf16be|base64offset|contains|neq"),
    *(("utf16|base64", "utf16|base64offset|contains") if VERSION > 1 else ()),
)
_DASHED = ("windash", "windash|contains", "windash|contains|all", "windash|startswith", "windash|neq")
_EXPRESSIONS = {
    "^a+b$": ("aab", "b", "xab"),
    "[0-9]{2}": ("x12y", "1", "1 2"),
    "et.": ("etc", "et", "et\n"),
    "(a|B)/": ("a/", "xB/y", "b/"),
    r"\.sh$": (".sh", "a.SH", ".shx"),
    r"\\\*": ("a\\*", "*", "\\x"),
}
_NETWORKS = ("10.0.0.0/8", "192.168.128.0/17", "203.0.113.7/32", "2001:db8::/32", "::/0", "fe80::/10")
_NUMBERS = ("0", "1", "10", "1000", "-5", "4294967295", "2.5")
_NAMES = ("selection", "sel_a", "sel_b", "_hidden", "filter-1", *(("not_x", "or_y") if VERSION > 1 else ()))
_MOMENTS = ("2026-11-24T07:30:45Z", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z", "2026-06-07T12:05:09Z")


class Rules:
    """Writes rules, one after the other."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._one_of = self._chance.choice

    def text(self) -> str:
        """A rule."""
        names = self._chance.sample(_NAMES, self._one_of((1, 1, 2, 3)))
        if all(name.startswith("_") for name in names):
            names.append("selection")
        detections = "".join(f"  {json.dumps(name)}: {self._detection()}\n" for name in names)
        return (
            "title: A rule\nlogsource: {product: linux, category: file_access}\ndetection:\n"
            f"{detections}  condition: {self._conditions(names)}\n"
        )

    def _detection(self) -> str:
        match self._chance.randrange(8):
            case 0:
                return f"[{self._map()}, {self._map()}]"
            case 1:
                return self._list([self._word() for _ in range(self._one_of((1, 2)))])
            case 2:
                return f"{{'|all': {self._list([self._word(), self._word()])}}}"
            case _:
                return self._map()

    def _map(self) -> str:
        items = dict(self._item() for _ in range(self._one_of((1, 1, 2, 3))))
        return "{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in items.items()) + "}"

    def _item(self) -> tuple[str, str]:
        makers = (
            *(self._of_text,) * 6,
            self._of_encoding,
            self._of_dashes,
            self._of_number,
            self._of_network,
        )
        others = (
            self._of_expression,
            self._of_reference,
            self._of_time,
            self._of_presence,
            self._of_expansion,
        )
        return self._one_of((*makers, *others))()

    def _of_text(self) -> tuple[str, str]:
        chain = self._one_of(_CHAINS)
        several = 2 if "all" in chain else self._one_of((1, 1, 2, 3))
        return self._key(_TEXT_FIELDS, chain), self._list([self._text() for _ in range(several)])

    def _of_encoding(self) -> tuple[str, str]:
        chain = self._one_of(_ENCODED)
        words = [self._word() for _ in range(2 if "all" in chain else 1)]
        return self._key(("CommandLine", "Zone"), chain), self._list(words)

    def _of_dashes(self) -> tuple[str, str]:
        chain = self._one_of(_DASHED)
        texts = [
            self._one_of(("-f", "x -a", "/b -c", "a-b", "x/y -z*")) for _ in range(2 if "all" in chain else 1)
        ]
        return self._key(("CommandLine", "Names"), chain), self._list(texts)

    def _of_number(self) -> tuple[str, str]:
        chain = self._one_of(("", "", "lt", "lte", "gt", "gte", "neq"))
        numbers = self._chance.sample(_NUMBERS, 1 if chain else self._one_of((1, 2)))
        return self._key(("UserId", "Inode", "Zone"), chain), f"[{', '.join(numbers)}]"

    def _of_network(self) -> tuple[str, str]:
        networks = self._chance.sample(_NETWORKS, self._one_of((1, 2)))
        return self._key(("SourceIp",), self._one_of(("cidr", "cidr|neq"))), self._list(networks)

    def _of_expression(self) -> tuple[str, str]:
        chain = self._one_of(("re", "re|i", "re|s", "re|m", "re|i|s", "re|neq"))
        expressions = self._chance.sample(tuple(_EXPRESSIONS), self._one_of((1, 2)))
        return self._key(_TEXT_FIELDS, chain), self._list(expressions)

    def _of_reference(self) -> tuple[str, str]:
        chain = self._one_of(("fieldref", "fieldref|startswith", "fieldref|endswith", "fieldref|contains"))
        chain += self._one_of(("", "", "|neq"))
        if self._chance.random() < 0.2:
            return self._key(("UserId",), "fieldref"), "EffectiveUserId"
        return self._key(("TargetFilename", "CommandLine"), chain), self._one_of(("Image", "User"))

    def _of_time(self) -> tuple[str, str]:
        part, value = self._one_of(
            (("hour", 7), ("minute", 59), ("day", 24), ("month", 12), ("year", 2026), ("week", 53))
        )
        return f"UtcTime|{part}{self._one_of(('', '|lt', '|gte', '|neq'))}", str(value)

    def _of_presence(self) -> tuple[str, str]:
        field = self._one_of(_TEXT_FIELDS)
        return self._one_of(
            (
                (f"{field}|exists", "true"),
                (f"{field}|exists", "false"),
                (field, "null"),
                (field, "''"),
                ("Flag", "true"),
                ("Flag", "false"),
            )
        )

    def _of_expansion(self) -> tuple[str, str]:
        value = self._one_of(("%Tools%", "%Dirs%shadow", "x %Tools% %Dirs%", "%x", "%%"))
        return self._key(_TEXT_FIELDS, self._one_of(("expand", "expand|contains", "expand|neq"))), json.dumps(
            value
        )

    def _key(self, fields: Sequence[str], chain: str) -> str:
        field = self._one_of(fields)
        return f"{field}|{chain}" if chain else field

    def _list(self, texts: Sequence[str]) -> str:
        written = [json.dumps(text, ensure_ascii=False) for text in texts]
        return written[0] if len(written) == 1 and self._chance.random() < 0.5 else f"[{', '.join(written)}]"

    def _text(self) -> str:
        return "".join(self._one_of(_FRAGMENTS) for _ in range(self._one_of((1, 2, 3, 4))))

    def _word(self) -> str:
        return self._one_of(("etc", "foobar", "cmd", "ping", "Shadow1", "aB3 -x"))

    def _conditions(self, names: Sequence[str]) -> str:
        if self._chance.random() < 0.15:
            return self._list([self._condition(names, 1), self._condition(names, 0)])
        return json.dumps(self._condition(names, self._one_of((0, 1, 2, 3))))

    def _condition(self, names: Sequence[str], depth: int) -> str:
        if not depth:
            return self._one_of(names) if self._chance.random() < 0.75 else self._quantified(names)
        left, right = self._condition(names, depth - 1), self._condition(names, depth // 2)
        shape = self._one_of(("{} and {}", "{} or {}", "not {} and {}", "{} and not ({})", "({}) or not {}"))
        return shape.format(left, right)

    def _quantified(self, names: Sequence[str]) -> str:
        globs = ["them"] + [
            glob for glob, start in (("sel*", "sel"), ("sel_*", "sel_")) if _some(names, start)
        ]
        return f"{self._one_of(('1', 'all', 'any'))} of {self._one_of(globs)}"


def _some(names: Sequence[str], start: str) -> bool:
    return any(name.startswith(start) for name in names)


class Events:
    """Makes events for a rule."""

    def __init__(self, reading: Reading, seed: int) -> None:
        self._chance = random.Random(seed)
        self._wanted: dict[str, list[object]] = {}
        for field, value in reading.leaves():
            self._wanted.setdefault(field or "CommandLine", []).append(value)

    def some(self, count: int) -> Iterator[dict[str, object]]:
        """Events as flat maps."""
        for _ in range(count):
            event: dict[str, object] = {}
            for field, wanted in sorted(self._wanted.items()):
                self._add(event, field, wanted)
            yield {name: value for name, value in event.items() if value is not None}

    def _add(self, event: dict[str, object], field: str, wanted: Sequence[object]) -> None:
        if self._chance.random() < 0.12:
            return
        value = self._value(event, field, self._chance.choice(wanted))
        if field in {"UserId", "Inode", "EffectiveUserId"}:
            fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32
            event[field] = value if fits else 7
        elif field == "UtcTime":
            event[field] = self._chance.choice(_MOMENTS)
        elif field == "Names":
            event[field] = ["x", str(value), self._chance.choice(("-f", "y"))]
        else:
            event[field] = value if field in {"Flag", "Zone"} else str(value)

    def _value(  # noqa: PLR0911 - one a type
        self, event: dict[str, object], field: str, wanted: object
    ) -> Any:
        match wanted:
            case SigmaString():
                return self._changed(self._filled(wanted))
            case SigmaRegularExpression():
                return self._chance.choice(_EXPRESSIONS.get(str(wanted.regexp), ("",)))
            case SigmaCIDRExpression():
                return self._address(wanted.network)
            case SigmaFieldReference():
                other = event.setdefault(wanted.field, 7 if field == "UserId" else "aB")
                return (
                    other if field == "UserId" else self._changed(f"{other}{self._chance.choice(('', 'x'))}")
                )
            case SigmaCompareExpression():
                return self._around(wanted.number.number)
            case SigmaNumber():
                return self._around(wanted.number)
            case SigmaBool():
                return self._chance.choice((True, False, "TRUE", "false", 1))
            case _:
                return self._chance.choice(("", "x"))

    def _around(self, number: float) -> Any:
        near = int(number) + self._chance.choice((-1, 0, 0, 1))
        return self._chance.choice((near, near, str(near), str(number)))

    def _address(self, network: IPv4Network | IPv6Network) -> str:
        first, last = int(network[0]), int(network[-1])
        number = self._chance.choice((first, last, self._chance.randint(first, last), last + 1, first - 1))
        limit = 2**network.max_prefixlen
        return str(network.network_address.__class__(number % limit))

    def _filled(self, wanted: SigmaString) -> str:
        fillings = {
            SpecialChars.WILDCARD_MULTI: ("", "", "x", "/a\n", "étc"),
            SpecialChars.WILDCARD_SINGLE: ("x", "/", "\n", "é", ""),
        }
        return "".join(
            part if isinstance(part, str) else self._chance.choice(fillings[part])
            for part in wanted.s
            if isinstance(part, (str, SpecialChars))
        )

    def _changed(self, text: str) -> str:  # noqa: PLR0911 - one an accident
        match self._chance.randrange(10):
            case 0:
                return text.upper() if len(text.upper()) == len(text) else text
            case 1:
                return text.swapcase() if len(text.swapcase()) == len(text) else text
            case 2:
                return f"x{text}"
            case 3:
                return f"{text}x"
            case 4 if text:
                at = self._chance.randrange(len(text))
                return text[:at] + text[at + 1 :]
            case 5:
                return text.replace("-", "/").replace("*", "x")
            case _:
                return text
