"""Whatever stands in a rule file, the answer is rules and diagnostics, never an exception."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.rules.examples import HEAD, rule_text

from fileaudit_engine.diagnostics import Diagnostic, render
from fileaudit_engine.rules.parser import LoadedRules, parse_text
from fileaudit_engine.rules.source import decode, read_documents

GOOD = rule_text(r"{TargetFilename|startswith: ['/etc/*', '\\x'], CommandLine|re: 'a.*b', UserId: 0}")
PIECES = [
    *("title: ", "detection:\n", "  selection:\n", "    User|contains: ", "  condition: ", "---\n", "...\n"),
    *(
        "- ",
        "[",
        "]",
        "{",
        "}",
        ": ",
        ", ",
        "&a ",
        "*a",
        "<<: ",
        "!!str ",
        "!x ",
        "'",
        '"',
        "|\n",
        ">\n",
        "#",
        "%",
    ),
    *(
        "\n",
        "\n  ",
        "\t",
        "\r",
        "\\",
        "*",
        "?",
        "\0",
        "\x1b",
        "\ud800",
        "\ufeff",
        "\u2028",
        "null",
        "1e999",
        "0x",
    ),
    *("selection", "not ", "1 of ", "(", ")", "|", "re: '(?='", "x" * 70, "é", "😀"),
]
soup = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def reported(loaded: LoadedRules) -> list[Diagnostic]:
    """The findings, after they have been shown, each of them with a place inside its file."""
    shown = render(loaded.diagnostics, loaded.sources, color=False)
    assert all(line.isprintable() for line in shown.split("\n"))
    for diagnostic in loaded.diagnostics:
        where, source = diagnostic.location, loaded.sources.get(diagnostic.location.file)
        line = source.line(where.line) if source else None
        assert line is None or 1 <= where.column <= where.end_column <= len(line) + 2
    return list(loaded.diagnostics)


@given(soup)
def test_any_yaml_is_a_rule_or_a_finding(text: str) -> None:
    reported(parse_text(text))


@given(st.binary(max_size=200))
def test_any_bytes_are_documents_or_findings(raw: bytes) -> None:
    source, found = decode("t", raw)
    if source and not found:
        list(read_documents(source))


@given(st.text())
def test_any_text_as_a_rule_is_reported(text: str) -> None:
    reported(parse_text(text))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(GOOD)), st.integers(0, 12), soup)
def test_a_good_rule_with_a_piece_replaced_is_a_rule_or_a_finding(at: int, length: int, piece: str) -> None:
    reported(parse_text(GOOD[:at] + piece + GOOD[at + length :]))


@given(
    st.recursive(
        st.one_of(st.text(max_size=5), st.integers(), st.none()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=10,
    )
)
def test_any_data_in_the_place_of_a_detection_is_reported(data: object) -> None:
    text = f"{HEAD}detection: {json.dumps({'selection': data, 'condition': 'selection'})}\n"
    reported(parse_text(text))
