"""Folding of case: one character for one, and the same answer as Unicode's simple case folding.

RE2 is the oracle: its case-insensitive matching is simple case folding with tables of its own. What Unicode
has added since version 3.2 is left out of that comparison: the two may know different versions.
"""

import sys
import unicodedata
from collections import defaultdict

import pytest
import re2

from fileaudit_engine.text import fold

EVERY_CHARACTER = tuple(map(chr, range(sys.maxunicode + 1)))
EQUAL_SINCE_15_1 = frozenset("\u0390\u1fd3\u03b0\u1fe3\ufb05\ufb06")
"""Three pairs of which both characters are old, but not their folding."""


def test_every_character_folds_to_exactly_one() -> None:
    assert [c for c in EVERY_CHARACTER if len(fold(c)) != 1] == []


def test_what_is_folded_stays_as_it_is_when_folded_again() -> None:
    assert [c for c in EVERY_CHARACTER if fold(fold(c)) != fold(c)] == []


def test_a_text_folds_character_by_character() -> None:
    for start in range(0, len(EVERY_CHARACTER), 4096):
        text = "".join(EVERY_CHARACTER[start : start + 4096])
        assert fold(text) == "".join(map(fold, text))


def test_only_the_long_s_and_the_kelvin_sign_fold_into_ascii() -> None:
    assert {c for c in EVERY_CHARACTER if not c.isascii() and fold(c).isascii()} == {"\u017f", "\u212a"}


def test_no_character_of_ascii_folds_out_of_it() -> None:
    assert {fold(chr(code)) for code in range(128)} == {chr(code).lower() for code in range(128)}


def test_the_bytes_of_a_name_that_are_no_text_stay_as_they_are() -> None:
    surrogates = [chr(code) for code in range(0xD800, 0xE000)]
    assert [fold(c) for c in surrogates] == surrogates


def test_upper_and_lower_case_fold_alike_where_they_are_one_character_each() -> None:
    differing = {c for c in EVERY_CHARACTER if len(c.upper()) == 1 and fold(c) != fold(c.upper())}
    assert differing == {
        "\u0131"
    }  # the dotless i: its capital is the I of ASCII, but Unicode keeps them apart


@pytest.mark.parametrize(
    ("one", "other"),
    [("ß", "ss"), ("\u0130", "i"), ("\ufb01", "fi"), ("e\u0301", "é"), ("\u0131", "i")],
)
def test_what_only_full_folding_or_normalization_makes_equal_stays_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_it_is_the_simple_case_folding_that_re2_matches_by() -> None:
    cased = [c for c in EVERY_CHARACTER if _is_old(c) and (c.lower(), c.upper(), c.casefold()) != (c, c, c)]
    folded = defaultdict(set)
    for character in cased:
        folded[fold(character)].add(character)
    text = "".join(cased)
    for character in cased:
        orbit = set(re2.findall(f"(?i){re2.escape(character)}", text))
        assert folded[fold(character)] == orbit, f"U+{ord(character):04X}"


def _is_old(character: str) -> bool:
    in_3_2 = unicodedata.ucd_3_2_0.category(character) not in {"Cn", "Cs"}
    return in_3_2 and character not in EQUAL_SINCE_15_1
