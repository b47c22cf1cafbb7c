import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.diagnostics import (
    Collector,
    Diagnostic,
    Location,
    Severity,
    SourceText,
    TooManyFindingsError,
    UnusableInput,
    has_errors,
    in_order,
    render,
    summary,
)


def finding(
    line: int = 0,
    column: int = 0,
    end: int = 0,
    *,
    file: str = "r.yml",
    severity: Severity = Severity.ERROR,
    **texts: str,
) -> Diagnostic:
    return Diagnostic(
        code=texts.get("code", "FA021"),
        severity=severity,
        message=texts.get("message", "it is wrong"),
        location=Location(file=file, line=line, column=column, end_column=end),
        label=texts.get("label", ""),
        help=texts.get("help", ""),
    )


def shown(diagnostic: Diagnostic, text: str, *, color: bool = False) -> list[str]:
    sources = {"r.yml": SourceText(file="r.yml", text=text)}
    return render([diagnostic], sources, color=color).split("\n")


def test_a_finding_has_a_place_a_caret_and_a_remedy() -> None:
    diagnostic = finding(
        2, 14, 20, message="'filter' is not defined", label="there is 'filter_x'", help="write 'filter_x'"
    )
    assert shown(diagnostic, "a: 1\n  condition: filter\n") == [
        "r.yml:2:14: error[FA021]: 'filter' is not defined",
        "  │",
        "2 │   condition: filter",
        "  │              ^^^^^^ there is 'filter_x'",
        "  = help: write 'filter_x'",
    ]


def test_the_gutter_is_as_wide_as_the_number() -> None:
    lines = shown(finding(100, 1, 2, help="mend it"), "\n" * 99 + "x\n")
    assert lines[1:] == ["    │", "100 │ x", "    │ ^", "    = help: mend it"]


def test_a_finding_of_a_whole_file_has_no_line() -> None:
    assert shown(finding(label="very", help="mend it"), "x") == [
        "r.yml: error[FA021]: it is wrong",
        "   = note: very",
        "   = help: mend it",
    ]


def test_a_finding_in_an_unknown_text_has_a_place_all_the_same() -> None:
    assert render([finding(7, 3, 4)], {}) == "r.yml:7:3: error[FA021]: it is wrong"


def test_a_point_is_marked_by_one_caret() -> None:
    assert shown(finding(1, 4, 4), "abc")[-1] == "  │    ^"


def test_a_span_is_cut_at_the_end_of_its_line() -> None:
    assert shown(finding(1, 2, 99), "abc")[-1] == "  │  ^^"


@pytest.mark.parametrize(
    ("before", "columns"),
    [
        ("\t", 4),
        ("日本", 4),
        ("e\u0301", 1),
        ("\x1b", 4),
        ("\udcff", 4),
        ("\u202e", 6),
        ("\u00a0", 6),
        ("\u3164", 6),
        ("\ufe0f", 6),
        ("\\", 1),
        ("é", 1),
    ],
)
def test_the_caret_stands_under_its_character_whatever_is_before_it(before: str, columns: int) -> None:
    caret = shown(finding(1, len(before) + 1, len(before) + 2), f"{before}X")[-1]
    assert caret == f"  │ {' ' * columns}^"


def test_a_very_long_line_is_shown_around_the_caret() -> None:
    _, _, line, caret = shown(finding(1, 5_001, 5_004), "x" * 5_000 + "bad" + "y" * 5_000)
    assert len(line) < 200
    assert line.startswith("1 │ …xxx")
    assert line.endswith("yyy…")
    assert line[caret.index("^") : caret.rindex("^") + 1] == "bad"


def test_the_beginning_of_a_long_line_is_not_cut() -> None:
    line = shown(finding(1, 1, 4), "bad" + "y" * 5_000)[2]
    assert line.startswith("1 │ bady")
    assert line.endswith("y…")


def test_only_color_brings_escape_sequences() -> None:
    diagnostic = finding(1, 1, 2, label="here", help="mend it")
    plain, colored = (shown(diagnostic, "x", color=color) for color in (False, True))
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in colored] == plain
    assert all("\x1b" in line for line in colored)


def test_errors_and_warnings_differ_in_color() -> None:
    lines = [shown(finding(severity=severity), "", color=True)[0] for severity in Severity]
    assert len({re.findall(r"\x1b\[[0-9;]*m", line)[2] for line in lines}) == len(Severity)


@given(st.text(), st.text(), st.text(), st.integers(0, 3), st.integers(0, 200), st.integers(0, 200))
def test_nothing_hostile_reaches_the_terminal(
    text: str, message: str, file: str, line: int, column: int, length: int
) -> None:
    diagnostic = finding(
        line, column, column + length, file=file, message=message, label=message, help=message
    )
    output = render([diagnostic], {file: SourceText(file=file, text=text)})
    assert all(row.isprintable() for row in output.split("\n"))
    assert len(output.split("\n")) <= 5


def test_findings_are_separated_by_an_empty_line() -> None:
    assert render([finding(), finding()], {}).count("\n\n") == 1


def test_nothing_found_is_nothing_to_show() -> None:
    assert render([], {}) == ""


@pytest.mark.parametrize(
    ("severities", "text"),
    [
        ([], "no findings"),
        ([Severity.ERROR], "1 error in 1 file"),
        ([Severity.WARNING, Severity.ERROR, Severity.ERROR], "2 errors, 1 warning in 1 file"),
        ([Severity.NOTE], "1 note in 1 file"),
    ],
)
def test_the_summary_counts_by_severity(severities: list[Severity], text: str) -> None:
    assert summary(finding(severity=severity) for severity in severities) == text


def test_the_summary_counts_files() -> None:
    assert summary([finding(file="a"), finding(file="b"), finding(file="a")]) == "3 errors in 2 files"


def test_findings_are_sorted_by_place_and_shown_once() -> None:
    late, early, other = finding(9, 1, 2), finding(2, 1, 2), finding(1, 1, 2, file="q.yml")
    assert in_order([late, early, other, late]) == [other, early, late]


def test_only_errors_make_input_unusable() -> None:
    assert not has_errors([finding(severity=Severity.WARNING), finding(severity=Severity.NOTE)])
    assert has_errors([finding(severity=Severity.WARNING), finding()])


def test_a_collector_that_is_full_of_errors_says_so() -> None:
    found = Collector(limit=2)
    found.error("FA001", "one", Location(file="a"))
    found.warning("FA050", "between", Location(file="a"))
    found.error("FA001", "two", Location(file="a"))
    with pytest.raises(TooManyFindingsError):
        found.error("FA001", "three", Location(file="a"))
    assert [diagnostic.message for diagnostic in found.diagnostics] == ["one", "between", "two"]


def test_a_collector_that_is_full_of_warnings_counts_the_others_and_still_takes_errors() -> None:
    found = Collector(limit=1)
    for message in ("one", "two", "three"):
        found.warning("FA050", message, Location(file="a"))
    found.error("FA001", "wrong", Location(file="a"))
    assert [diagnostic.message for diagnostic in found.diagnostics] == ["one", "wrong"]
    assert found.uncollected == 2


def test_unusable_input_says_what_and_where() -> None:
    error = UnusableInput([finding(3, 4, 5)])
    assert str(error) == "r.yml:3:4: it is wrong"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_in_an_editor(end: str) -> None:
    source = SourceText(file="f", text=f"one{end}two{end}")
    assert [source.line(number) for number in (0, 1, 2, 3, 4)] == [None, "one", "two", "", None]


def test_other_separators_end_no_line() -> None:
    assert SourceText(file="f", text="a\u2028b\x0cc\x85d").line(1) == "a\u2028b\x0cc\x85d"


@given(st.text(alphabet="ab\r\n", min_size=1), st.data())
def test_every_index_has_a_place_that_leads_back_to_it(text: str, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(text) - 1))
    source = SourceText(file="f", text=text)
    where = source.location(index, index + 1)
    line = source.line(where.line)
    assert line is not None
    if text[index] not in "\r\n":
        assert line[where.column - 1 : where.end_column - 1] == text[index]


def test_a_span_over_several_lines_is_its_first_line() -> None:
    where = SourceText(file="f", text="abc\ndef\nghi").location(5, 10)
    assert (where.line, where.column, where.end_column) == (2, 2, 5)


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_a_span_over_lines_is_cut_behind_the_first_whatever_ends_it(line_break: str) -> None:
    where = SourceText(file="t", text=f"abc{line_break}def").location(1, 7)
    assert (where.line, where.column, where.end_column) == (1, 2, 5)
