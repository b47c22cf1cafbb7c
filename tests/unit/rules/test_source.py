import subprocess
import sys

import pytest
from tests.unit.rules.examples import documents

from fileaudit_engine.diagnostics import Diagnostic
from fileaudit_engine.rules.nodes import MAX_DEPTH
from fileaudit_engine.rules.source import MAX_FILE_BYTES, decode, read_documents


def problems(raw: bytes | str) -> list[Diagnostic]:
    """What is wrong with a file as YAML."""
    source, found = decode("t", raw.encode() if isinstance(raw, str) else raw)
    if source is None or found:
        return list(found)
    return [d for document in read_documents(source) for d in document.diagnostics]


def problem(raw: bytes | str) -> Diagnostic:
    (found,) = problems(raw)
    return found


def test_documents_of_one_stream_are_read_in_order() -> None:
    assert documents("a: 1\n---\nb: 2\n...\n---\nc: 3\n") == [{"a": 1}, {"b": 2}, {"c": 3}]


def test_empty_documents_are_left_out() -> None:
    assert documents("---\n---\n# nothing\n---\na: 1\n---\n") == [{"a": 1}]


def test_a_directive_belongs_to_the_document_that_follows_it() -> None:
    assert documents("%YAML 1.2\n---\na: 1\n") == [{"a": 1}]


def test_a_broken_document_does_not_hide_its_neighbours() -> None:
    text = "a: 1\n---\nb: [1\n---\nc: 'x\n---\nd: 4\n"
    assert documents(text) == [{"a": 1}, {"d": 4}]
    assert [d.location.line for d in problems(text)] == [3, 5]


def test_a_document_marker_inside_a_quote_ends_the_document_all_the_same() -> None:
    assert documents("a: 'x\n---\nb: 1\n") == [{"b": 1}]


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert documents("\ufeffa: 1\n") == [{"a": 1}]


def test_crlf_lines_count_as_lines() -> None:
    assert str(problem("a: 1\r\nb: 2\r\nb: 3\r\n").location) == "t:3:1"


def test_a_key_that_stands_twice_is_an_error_with_both_places() -> None:
    found = problem("a: 1\nb: 2\na: 3\n")
    assert (found.code, str(found.location), found.label) == ("FA005", "t:3:1", "first on line 1")


def test_keys_that_are_spelled_differently_may_still_be_one() -> None:
    assert problem("1: a\n'1': b\n").code == "FA005"


def test_a_list_as_a_key_is_an_error() -> None:
    assert problem("[a, b]: c\n").code == "FA008"


@pytest.mark.parametrize(
    "text", ["a: !!python/object:os.system x", "a: !mine x", "!!set {a, b}", "a: !!int x"]
)
def test_tags_that_make_objects_are_errors(text: str) -> None:
    assert problem(text).code == "FA009"


def test_standard_tags_mean_what_they_say() -> None:
    assert documents("a: !!str 1\nb: !!int 0x10\nc: !!float 1\nd: !!map {}\ne: !!seq []\n") == [
        {"a": "1", "b": 16, "c": 1, "d": {}, "e": []}
    ]


def test_an_alias_stands_for_its_anchor() -> None:
    assert documents("a: &x [1, 2]\nb: *x\n") == [{"a": [1, 2], "b": [1, 2]}]


def test_an_alias_without_anchor_is_an_error() -> None:
    assert problem("a: *x\n").code == "FA006"


def test_an_alias_of_what_holds_it_is_an_error() -> None:
    assert problem("a: &x [*x]\n").code == "FA006"


def test_merged_maps_fill_in_what_is_not_there() -> None:
    text = "one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\nall: {<<: [*one, *two], c: 3}\n"
    assert documents(text)[0]["all"] == {"c": 3, "a": 1, "b": 1}  # type: ignore[call-overload,index]  # a map


def test_merged_keys_come_in_the_order_of_the_document() -> None:
    names = [f"key_{number}" for number in range(40)]  # in the order of their hashes they would come shuffled
    text = f"base: &base {{{', '.join(f'{name}: 1' for name in names)}}}\nall: {{last: 1, <<: *base}}\n"
    assert list(documents(text)[0]["all"]) == ["last", *names]  # type: ignore[arg-type,call-overload,index]  # a map


def test_a_quoted_merge_key_is_a_key() -> None:
    assert documents("a: {'<<': {b: 1}}") == [{"a": {"<<": {"b": 1}}}]


def test_a_merge_of_something_else_is_an_error() -> None:
    assert problem("a: {<<: text}\n").code == "FA006"


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert problem("\n".join(lines)).code == "FA007"


def test_a_chain_of_aliases_is_as_deep_as_what_it_stands_for() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH + 2))]
    assert problem("\n".join(lines)).code == "FA007"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_without_end_is_refused(opening: str) -> None:
    assert problem(opening * 100_000).code == "FA007"


def test_nesting_within_the_bound_is_read() -> None:
    assert problems("[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)) == []


def test_a_file_that_is_too_large_is_not_looked_at() -> None:
    assert problem(b"#" * (MAX_FILE_BYTES + 1)).code == "FA002"


def test_a_byte_that_is_not_utf8_has_a_line_and_a_column() -> None:
    found = problem(b"a: 1\nb: \xc3\xa9x\xff\n")
    assert (found.code, str(found.location)) == ("FA003", "t:2:6")
    assert "0xff" in found.message


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff"])
def test_a_character_that_acts_or_hides_has_a_line_and_a_column(character: str) -> None:
    found = problem(f"a: 1\nb: x{character}y\n")
    assert (found.code, str(found.location)) == ("FA003", "t:2:5")


def test_a_forbidden_character_spoils_its_own_document_only() -> None:
    assert documents("a: \x07\n---\nb: 1\n") == [{"b": 1}]


def test_a_tab_cannot_indent() -> None:
    found = problem("a:\n\tb: 1\n")
    assert (found.code, str(found.location), found.message) == ("FA004", "t:2:1", "a tab cannot indent")


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("a: */x\n", "t:1:4", "wildcard"),
        ("a: b: c\n", "t:1:5", "single quotes"),
        ("a: 'x\nb: 1\n", "t:1:4", "close"),
        ("a: [x\nb: 1\n", "t:1:4", "']'"),
        ("a: {x\nb: 1\n", "t:1:4", "'}'"),
        ('a: "\\q"\n', "t:1:5", "single quotes"),
        ("a: @x\n", "t:1:4", "single quotes"),
        ("a: 1\nb\n", "t:2:1", "key: value"),
        ("a: 1\n  b: 2\n", "t:2:4", "indentation"),
        ("a:\n  b: 1\n c: 2\n", "t:3:2", "indentation"),
    ],
)
def test_a_slip_has_its_place_and_a_remedy(text: str, place: str, remedy: str) -> None:
    found = problem(text)
    assert (found.code, str(found.location)) == ("FA004", place)
    assert remedy in found.help


def test_without_libyaml_the_same_is_found() -> None:
    program = """
import sys
if sys.argv[1] == "pure":
    sys.modules["yaml._yaml"] = sys.modules["yaml.cyaml"] = None
from fileaudit_engine.rules.nodes import plain
from fileaudit_engine.rules import compose
from fileaudit_engine.rules.source import decode, read_documents
source, _ = decode("t", b"a: &x {b: 1, c: [0o7, 'y']}\\nd: *x\\na: 2\\n---\\ne: [\\n---\\nf: |\\n  g\\n")
for document in read_documents(source):
    print(document.root and plain(document.root), [(d.code, str(d.location)) for d in document.diagnostics])
print(compose._Parser.__name__, file=sys.stderr)
"""
    runs = [
        subprocess.run([sys.executable, "-c", program, kind], capture_output=True, text=True, check=True)
        for kind in ("c", "pure")
    ]
    assert runs[0].stdout == runs[1].stdout
    assert runs[1].stderr.strip() == "_Parser"
