"""Rule files that nobody would write, and what must be true of reading them.

Three ways to make one, from the wildest to the most cunning: any bytes; a rule that is right with some of it
torn out, doubled, swapped for a piece that means something to YAML or Sigma, or with a bit turned over; and
a document built by YAML's grammar from the words of the language with values at the edge of what they may be.

`survives` is the law: whatever the bytes are, reading them ends, in bounded time and memory, with rules and
findings and never with an exception; every finding has a code and a place inside the file and can be shown;
and what was accepted can be compiled and run.
"""

import contextlib
import functools
import itertools
import json
import random
import re
import resource
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from hypothesis import strategies as st
from tests.conformance import suite
from tests.unit.events.examples import HOSTILE, SHADOW

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.alert import record_of
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.diagnostics import Diagnostic, SourceText, has_errors, render
from fileaudit_engine.events.batch import EventBatch
from fileaudit_engine.events.fields import FIELDS
from fileaudit_engine.events.model import FileEvent, Operation, Process
from fileaudit_engine.resources import rules_dir
from fileaudit_engine.rules.modifiers import MODIFIERS
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import LoadedRules, load_rules, parse_text
from fileaudit_engine.text import from_kernel

HANG_S = 30
"""After so long one file is taken to hang. It is no measure of speed: reading one takes milliseconds."""

MEMORY_BYTES = 1 << 30
"""Address space that reading a file of some kilobytes may add before it counts as running away."""

_CODE = re.compile(r"FA[0-9]{3}")
_WORD = re.compile(rb"[\w*/.-]+")

OPTIONS = (
    RuleOptions(),
    RuleOptions(allow_unknown_fields=True),
    RuleOptions(
        allow_unknown_fields=True,
        placeholders={"a": ("x", "*", ""), "b": ("\\*", "?" * 50), "Administrators": ("root",)},
        timezone="Europe/Berlin",
    ),
)

EVENTS = (
    SHADOW,
    FileEvent(ts_ns=0, operation=Operation.UNLINK, process=Process(pid=1)),
    FileEvent(
        ts_ns=1,
        operation=Operation.OPEN,
        process=Process(pid=2, executable=HOSTILE, args=(HOSTILE, "", "-a /b"), name="\0"),
        path=HOSTILE + "a" * 5_000,
        extra={"EventTime": "2026-02-30", "SourceIp": "::ffff:10.0.0.1%x", "a": {"b": [1, None, "x", 1e300]}},
    ),
)


# --- the law -----------------------------------------------------------------------------------------------


class HangError(Exception):
    """Reading one file took longer than anything of its size may take."""


@contextlib.contextmanager
def watched(memory_bytes: int = MEMORY_BYTES) -> Iterator[None]:
    """A hang, or memory without end, is an exception inside the block."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + memory_bytes, before[1]))
    handler = signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(HANG_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)


def _hangs(_signal: int, _frame: FrameType | None) -> None:
    raise HangError(f"not done after {HANG_S} seconds")


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    return pages * resource.getpagesize()


def survives(raw: bytes, options: RuleOptions, file: Path) -> LoadedRules:
    """Read `raw` as a file and as a text, show what was found, compile and run what was accepted."""
    file.write_bytes(raw)
    with watched():
        loaded = load_rules([file], options)
        _read_alike(loaded, parse_text(from_kernel(raw), str(file), options))
        _can_be_shown(loaded.diagnostics, loaded.sources)
        _can_be_run(loaded)
    return loaded


def _read_alike(from_file: LoadedRules, from_text: LoadedRules) -> None:
    assert from_file.diagnostics == from_text.diagnostics
    assert from_file.rules == from_text.rules


def _can_be_shown(diagnostics: Sequence[Diagnostic], sources: Mapping[str, SourceText]) -> None:
    for found in diagnostics:
        assert _CODE.fullmatch(found.code)
        assert found.message
        where, source = found.location, sources.get(found.location.file)
        if source is not None and where.line:
            line = source.line(where.line)
            assert line is not None, found
            assert 1 <= where.column <= where.end_column <= len(line) + 2, found
    shown = render(diagnostics, sources)
    assert all(line.isprintable() for line in shown.split("\n"))


def _can_be_run(loaded: LoadedRules) -> None:
    compiled = compile_rules(loaded.rules)
    assert not has_errors(compiled.diagnostics)
    _can_be_shown(compiled.diagnostics, loaded.sources)
    detector = Detector(compiled.user, compiled.kernel)
    for finding in detector.findings(EventBatch(events=EVENTS)):
        json.dumps(record_of(finding, host="h").document).encode()


# --- raw and torn files ------------------------------------------------------------------------------------

PIECES: tuple[bytes, ...] = tuple(
    piece.encode("utf-8", "surrogatepass")
    for piece in (
        *("---\n", "...\n", "- ", "? ", ": ", ", ", "[", "]", "{", "}", "&a ", "*a", "<<: *a\n", "!!str "),
        *("!!int ", "!!binary ", "!x ", "%YAML 1.1\n", "%TAG ! x\n", "|\n", ">-\n", "|9\n", "#", "'", '"'),
        *("\\", "\t", "\r", "\n", "\n  ", "\n      ", "\u0085", "\u2028", "\ufeff", "\0", "\x1b[2J", "\x7f"),
        *("\ud800", "😀", "\u017f", "\u0130", "null", "~", "true", ".inf", "-.nan", "1e999", "0x" + "f" * 40),
        *(
            "9" * 400,
            "1_0",
            "0o9",
            "1:2:3",
            "=",
            "-0.0",
            "title",
            "id",
            "logsource",
            "detection",
            "condition",
        ),
        *(
            "filter",
            "correlation",
            "rules",
            "related",
            "tags",
            "selection",
            "1 of ",
            "all of ",
            "them",
            "not ",
        ),
        *(" and ", " or ", "(", ")", "sel*", "_x", "*", "|contains", "|re", "|i", "|all", "|neq", "|cidr"),
        *("|windash", "|base64offset", "|wide", "|utf16", "|expand", "|fieldref", "|exists", "|lt", "|hour"),
        *("|path", "|under", "|cased", "|", "||", "|" * 30, "a*" * 60 + "b", "?" * 300, "(a+)+$", "(" * 40),
        *(
            "[a-",
            "(?=x)",
            "\\1",
            "x{1000}{1000}",
            "%a%%b%",
            "%x",
            "\\%a%",
            "-a -b -c -d -e -f",
            "10.0.0.0/33",
        ),
        *("::/0", "fe80::1%eth0/64", "\\\\\\*", "/" * 200, "**", "2026-02-30", "@timestamp", "UtcTime"),
        *("Arguments", "UserId", "TargetFilename", "x" * 3_000, "é" * 500),
    )
)
"""What means something to YAML, to Sigma or to a regular expression, and what tries its bounds."""


@functools.cache
def good_files() -> tuple[bytes, ...]:
    """Every shipped rule, and every rule of the conformance suite (some of which are refused on purpose)."""
    shipped = [path.read_bytes() for path in sorted(Path(rules_dir()).rglob("*.yml"))]
    cases = [case.text.encode() for case in suite.all_cases()]
    return (*shipped, *dict.fromkeys(cases))


@st.composite
def torn_files(draw: st.DrawFn) -> bytes:
    """A file that was right, after one to four accidents."""
    raw = draw(st.sampled_from(good_files()))
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 4)))):
        raw = _ACCIDENTS[draw(st.integers(0, len(_ACCIDENTS) - 1))](draw, raw)
    return raw[:50_000]


def _span(draw: st.DrawFn, raw: bytes, longest: int) -> tuple[int, int]:
    start = draw(st.integers(0, len(raw)))
    return start, min(len(raw), start + draw(st.integers(0, longest)))


def _insert(draw: st.DrawFn, raw: bytes) -> bytes:
    start, end = _span(draw, raw, 12)
    return raw[:start] + draw(st.sampled_from(PIECES)) + raw[end:]


def _flip(draw: st.DrawFn, raw: bytes) -> bytes:
    if not raw:
        return raw
    at, bit = draw(st.integers(0, len(raw) - 1)), draw(st.integers(0, 7))
    return raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]


def _double(draw: st.DrawFn, raw: bytes) -> bytes:
    start, end = _span(draw, raw, 200)
    return raw[:end] + raw[start:end] * draw(st.integers(1, 4)) + raw[end:]


def _cut(draw: st.DrawFn, raw: bytes) -> bytes:
    start, end = _span(draw, raw, 200)
    return raw[:start] + raw[end:]


def _splice(draw: st.DrawFn, raw: bytes) -> bytes:
    other = draw(st.sampled_from(good_files()))
    start, end = _span(draw, other, 300)
    at = draw(st.integers(0, len(raw)))
    return raw[:at] + other[start:end] + raw[at:]


def _swap_word(draw: st.DrawFn, raw: bytes) -> bytes:
    """A word of the file becomes a piece: keys, values and modifiers are hit rather than what is between."""
    words = list(itertools.islice(_WORD.finditer(raw), 400))
    if not words:
        return raw
    word = draw(st.sampled_from(words))
    return raw[: word.start()] + draw(st.sampled_from(PIECES)) + raw[word.end() :]


def _swap_words(draw: st.DrawFn, raw: bytes) -> bytes:
    """A word of the file becomes a word of another: it stays YAML, and most likely means something."""
    mine, other = _WORD.findall(raw)[:400], _WORD.findall(draw(st.sampled_from(good_files())))[:400]
    if not mine or not other:
        return raw
    return raw.replace(draw(st.sampled_from(mine)), draw(st.sampled_from(other)), 1)


_ACCIDENTS = (_insert, _flip, _double, _cut, _splice, _swap_word, _swap_word, *(_swap_words,) * 5)


# --- built documents ---------------------------------------------------------------------------------------

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
        kind = self._one_of(("detection",) * 8 + ("filter", "filter", "correlation"))
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


files = st.one_of(
    torn_files(), torn_files(), built_files(), built_files(), built_files(), st.binary(max_size=300)
)
"""Any file."""
