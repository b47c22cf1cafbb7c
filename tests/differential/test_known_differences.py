"""Where pySigma and this engine read a rule differently, on purpose.

Each row is proven: both sides say what the row says, and it is not the same. A row that no longer differs
fails, and goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import yaml
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from tests.differential.pysigma_reader import VERSION, Reading, read
from tests.differential.test_pysigma import ours, seen, truths

from fileaudit_engine.diagnostics import Severity

HEAD = "title: A rule\nname: a_rule\nlogsource: {product: linux, category: file_access}\ndetection:\n"
REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A row.

    Attributes:
        rule: The detections on lines of their own; the condition is `selection` if there is none.
        event: What the two readings are asked about.
        we: What we say: whether the rule matches, or the code of our refusal.
        they: What pySigma says: whether its tree matches, or that it refuses.
        why: Why we differ.
        filter: A filter document that goes with the rule.
        versions: Of pySigma, in which it is so.
    """

    rule: str
    event: Mapping[str, object]
    we: bool | str
    they: bool | str
    why: str
    filter: str = ""
    versions: frozenset[int] = frozenset({1, 2})

    @property
    def text(self) -> str:
        """The rule in full."""
        lines = self.rule.split("\n")
        if not any(line.startswith("condition") for line in lines):
            lines.append("condition: selection")
        return HEAD + "".join(f"  {line}\n" for line in lines)


DIFFERENCES: Mapping[str, Difference] = {
    "null in a list": Difference(
        rule="selection: {CommandLine: ['', null]}",
        event={},
        we="FA033",
        they=True,
        why="The specification: null cannot be part of a list of field values.",
    ),
    "an empty list": Difference(
        rule="selection: {CommandLine: []}",
        event={},
        we="FA035",
        they=True,
        why="pySigma takes it for null; whoever left the list empty meant something else.",
    ),
    "an empty keyword": Difference(
        rule="selection: ['']",
        event={"CommandLine": "x"},
        we="FA036",
        they=True,
        why="It stands in every event; such a rule is a slip.",
    ),
    "host bits in a network": Difference(
        rule="selection: {SourceIp|cidr: 10.1.2.3/8}",
        event={"SourceIp": "10.9.9.9"},
        we=True,
        they=REFUSED,
        why="What is meant is beyond doubt, and a warning says it.",
    ),
    "an address of version 4 in the form of version 6": Difference(
        rule="selection: {SourceIp|cidr: 10.0.0.0/8}",
        event={"SourceIp": "::ffff:10.1.2.3"},
        we=True,
        they=False,
        why="Sockets of both versions show a host so; the plain reading of addresses keeps the two apart.",
    ),
    "a long dash under windash": Difference(
        rule="selection: {CommandLine|windash: '\u2013f'}",
        event={"CommandLine": "-f"},
        we=True,
        they=False,
        why="The specification lists five characters; pySigma looks for two of them in the value.",
    ),
    "more than three dashes under windash": Difference(
        rule="selection: {CommandLine|windash: '-a -b -c -d'}",
        event={"CommandLine": "/a -b /c -d"},
        we=True,
        they=REFUSED,
        why="The specification has no bound. Ours is on the forms, 1,024, and they cost no query here.",
        versions=frozenset({2}),
    ),
    "a letter outside ASCII under wide": Difference(
        rule="selection: {CommandLine|wide|base64: \u00e9}",
        event={"CommandLine": "6QA="},
        we=True,
        they=REFUSED,
        why="pySigma keeps encoded bytes in a text, which has to be UTF-8; here bytes survive.",
    ),
    "the byte order mark of utf16": Difference(
        rule="selection: {CommandLine|utf16|contains: a}",
        event={"CommandLine": "\udcff\udcfea\0"},
        we=True,
        they=False,
        why="The specification: FF FE. pySigma puts the character U+FEFF, which is EF BB BF in UTF-8.",
    ),
    "the modifier utf16le": Difference(
        rule="selection: {CommandLine|utf16le|base64: cmd}",
        event={"CommandLine": "YwBtAGQA"},
        we=True,
        they=REFUSED,
        why="The specification has it, pySigma knows its other name only.",
    ),
    "an escaped percent sign": Difference(
        rule="selection: {CommandLine|expand: '\\%x%Tools%'}",
        event={"CommandLine": "%xcurl"},
        we=True,
        they=False,
        why="The specification: a backslash escapes it. pySigma takes %x% for a placeholder.",
        versions=frozenset({2}),
    ),
    "contains over a regular expression": Difference(
        rule="selection: {CommandLine|re|contains: 'a+'}",
        event={"CommandLine": "xaax"},
        we="FA032",
        they=True,
        why="An expression is found anywhere as it is; two comparisons of one value contradict each other.",
    ),
    "all and neq": Difference(
        rule="selection: {CommandLine|contains|all|neq: [a, b]}",
        event={"CommandLine": "a"},
        we="FA032",
        they=True,
        why="NOT of all or all of NOT: the order says it in pySigma, and the specification does not.",
    ),
    "neq of a comparison": Difference(
        rule="selection: {UserId|lt|neq: 5}",
        event={"UserId": 7},
        we="FA032",
        they=True,
        why="gte says the same, but for absent fields, where it would be a surprise.",
    ),
    "a number under contains": Difference(
        rule="selection: {CommandLine|contains: 4444}",
        event={"CommandLine": "nc -lp 4444"},
        we=True,
        they=REFUSED,
        why="Rules leave out the quotes; the digits as they are written are meant.",
    ),
    "startswith of a keyword": Difference(
        rule="selection: {'|startswith': abc}",
        event={"CommandLine": "abc x"},
        we="FA032",
        they=True,
        why="A keyword is searched everywhere; a beginning needs a field that begins.",
    ),
    "an operator in capitals": Difference(
        rule="a: {User: x}\nb: {User: y}\ncondition: a OR b",
        event={"User": "y"},
        we=True,
        they=REFUSED,
        why="Rules are found that write it so, and it can mean nothing else.",
    ),
    "a name that begins with an operator": Difference(
        rule="not_x: {User: x}\ncondition: not_x",
        event={"User": "x"},
        we=True,
        they=REFUSED,
        why="Words end where words end; pySigma 1 reads 'not _x'.",
        versions=frozenset({1}),
    ),
    "a hyphen in a pattern": Difference(
        rule="sel-a: {User: x}\ncondition: 1 of sel-*",
        event={"User": "x"},
        we=True,
        they=REFUSED,
        why="pySigma takes hyphens in names but not in patterns of names.",
    ),
    "a dollar before a last newline": Difference(
        rule="selection: {CommandLine|re: 'x$'}",
        event={"CommandLine": "x\n"},
        we=False,
        they=True,
        why="In RE2 a dollar is the end of the text; in Perl's syntax also the place before a last newline.",
    ),
    "octal digits": Difference(
        rule="selection: {Zone: 0755}",
        event={"Zone": "0755"},
        we=True,
        they=False,
        why="pySigma's YAML is of version 1.1, where this is 493; whoever writes it means these characters.",
    ),
    "words for truth": Difference(
        rule="selection: {Zone: [yes, no]}",
        event={"Zone": "no"},
        we=True,
        they=False,
        why="As above: YAML 1.1 takes them for truth values.",
    ),
    "a date as a value": Difference(
        rule="selection: {Zone: 2026-11-24}",
        event={"Zone": "2026-11-24"},
        we=True,
        they=REFUSED,
        why="As above: YAML 1.1 makes a date of it.",
    ),
    "two modifiers of our own": Difference(
        rule="selection: {TargetFilename|path: '/home/*/x', Image|under: /usr}",
        event={"TargetFilename": "/home/a/x", "Image": "/usr/bin/x"},
        we=True,
        they=REFUSED,
        why="Sigma has no word for a component of a path; a plain tool must refuse ours, not misread it.",
    ),
    "a base64offset of nothing": Difference(
        rule="selection: {CommandLine|base64offset|contains: ''}",
        event={"CommandLine": "anything"},
        we="FA035",
        they=True,
        why="Nothing of such a value is sure to stand in the encoded text: the pattern matches every text.",
    ),
    "a placeholder that nobody defined": Difference(
        rule="selection: {CommandLine|expand: '%Nobody%'}",
        event={},
        we="FA038",
        they=False,
        why="The specification: a tool that cannot resolve it must refuse. pySigma leaves it to a pipeline.",
    ),
    "a filter whose condition is its selection": Difference(
        rule="selection: {TargetFilename: /x}",
        filter="rules: [a_rule]\nselection: {User: root}\ncondition: selection",
        event={"TargetFilename": "/x", "User": "root"},
        we=False,
        they=True,
        why="The specification's example is written so, to suppress; pySigma keeps what matches.",
    ),
}  # fmt: skip


def documents(difference: Difference) -> str:
    """The rule, and the filter if there is one."""
    if not difference.filter:
        return difference.text
    lines = "".join(f"  {line}\n" for line in difference.filter.split("\n"))
    head = "title: A filter\nlogsource: {product: linux, category: file_access}\nfilter:\n"
    return f"{difference.text}---\n{head}{lines}"


def we_say(difference: Difference) -> bool | str:
    """Our answer."""
    loaded = ours(documents(difference))
    errors = {found.code for found in loaded.diagnostics if found.severity is Severity.ERROR}
    if errors:
        (code,) = errors
        return code
    return truths(loaded, [difference.event])[0]


def they_say(difference: Difference) -> bool | str:
    """The answer of pySigma's reading."""
    event = seen(difference.event)
    try:
        if difference.filter:
            return _filtered(difference).matches(event)
        return read(difference.text, {"Tools": ("curl",), "x": ("y",), "Nobody": ()}).matches(event)
    except (SigmaError, yaml.YAMLError):
        return REFUSED


def _filtered(difference: Difference) -> Reading:
    rules = SigmaCollection.from_yaml(documents(difference))
    (rule,) = (each for each in rules.rules if hasattr(each, "detection"))
    return Reading(trees=[each.parsed for each in rule.detection.parsed_condition], placeholders={})


@pytest.mark.parametrize("name", [name for name, row in DIFFERENCES.items() if VERSION in row.versions])
def test_the_difference_is_there_and_is_what_the_table_says(name: str) -> None:
    difference = DIFFERENCES[name]
    assert difference.we != difference.they
    assert (we_say(difference), they_say(difference)) == (difference.we, difference.they)


def test_every_difference_has_its_reason() -> None:
    assert all(len(difference.why) > 20 for difference in DIFFERENCES.values())
