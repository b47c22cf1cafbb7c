"""Where Lucene's lower case and the folding of rules part."""

import sys

from fileaudit_engine.compiler.hunt.conditions import Column, Glob, Texts
from fileaudit_engine.compiler.hunt.oddities import as_indexed, folded
from fileaudit_engine.text import fold

COLUMN = Column(name="x.caseless")
CHARACTERS = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]


def odd_letters(text: str) -> set[str]:
    """The letters that a hunt for a text finds whatever stands around them."""
    found = set()
    for oddity in folded(COLUMN, [text]):
        assert isinstance(oddity.documents, Texts)
        (form,) = oddity.documents.forms
        assert isinstance(form, Glob)
        found.add(str(form.pattern[1]))
    return found


def test_each_letter_is_indexed_as_its_folding_or_known_to_be_odd() -> None:
    known: dict[str, set[str]] = {}
    for character in CHARACTERS:
        indexed, looked_for = as_indexed(character), as_indexed(fold(character))
        if indexed != looked_for:
            known.setdefault(looked_for, odd_letters(looked_for))
            assert indexed in known[looked_for]


def test_two_letters_are_indexed_alike_only_if_they_fold_alike_but_for_the_dotted_i() -> None:
    by_index: dict[str, set[str]] = {}
    for character in CHARACTERS:
        by_index.setdefault(as_indexed(character), set()).add(fold(character))
    assert [found for found in by_index.values() if len(found) > 1] == [{"i", "\u0130"}]
