import pytest
from tests.unit.rules.examples import root, scalar

from fileaudit_engine.rules.nodes import at, plain


def place_of(yaml: str, word: str) -> str:
    """What the place of `word`, a part of the value under `k`, marks in the source."""
    node = scalar(yaml)
    start = node.text.index(word)
    where = node.inside(start, start + len(word))
    return yaml.split("\n")[where.line - 1][where.column - 1 : where.end_column - 1]


@pytest.mark.parametrize(
    "yaml",
    [
        "k: first and word",
        "k: 'first and word'",
        'k: "first and word"',
        "k: 'it''s and word'",
        'k: "a\\tb \\u00e9 \\U0001F600 \\x41 \\\\ word"',
        'k: "folded \\\n   word"',
        "k: first\n  and\n\n  word here",
        "k: 'first\n  and\n\n  word here'",
        "k: |\n  first\n  and word\n",
        "k: |2-\n    first\n   and word\n",
        "k: >-\n  first\n\n\n  and\n  word\n",
        "k: ünïcödé wörd word",
        "é: x\nk: word",
    ],
)
def test_a_part_of_a_scalar_is_found_in_every_style(yaml: str) -> None:
    assert place_of(yaml, "word") == "word"


def test_a_part_may_begin_right_after_an_escaped_quote() -> None:
    assert place_of("k: 'it''s word'", "s word") == "s word"


def test_a_part_that_is_not_there_marks_the_whole_scalar() -> None:
    node = scalar("k: 'word'")
    assert node.inside(2, 99) == node.location


def test_a_path_into_the_data_leads_back_to_its_place() -> None:
    node = root("a:\n  - b: 1\n    c: {d: 2}\n")
    assert str(at(node, ["a", 0, "c", "d"])) == "t:3:12"


def test_a_path_to_a_map_or_a_list_leads_to_its_key() -> None:
    node = root("a:\n  - b: 1\n    c: {d: 2}\n")
    assert str(at(node, ["a"])) == "t:1:1"
    assert str(at(node, ["a", 0, "c"])) == "t:3:5"


def test_a_path_that_ends_nowhere_leads_as_far_as_it_goes() -> None:
    assert str(at(root("a: {b: 1}"), ["a", "x", 3])) == "t:1:1"


def test_plain_data_has_the_order_of_the_document() -> None:
    assert list(plain(root("b: 1\na: [x, {c: null}]")).items()) == [("b", 1), ("a", ["x", {"c": None}])]  # type: ignore[union-attr]  # it is a map
