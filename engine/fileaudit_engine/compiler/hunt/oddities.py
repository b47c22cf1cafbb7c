r"""Texts that stand in the index otherwise than rules see them.

* A column without case holds Lucene's lower case, rules compare foldings. They differ in a few letters: the
  long s folds to s, but is its own lower case; the Turkish İ has the lower case i, but folds to itself.
* Names are escaped (`text.to_document`): a byte that is no UTF-8 is four characters there, `\xff`.
* Texts of more than 10,922 characters are not indexed; the document says so in `_ignored`.
* A hunt spells no control characters, so some sets are wider by those.

Where one of these could make a hunt miss something, the hunt finds every document that has such a text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.compiler.hunt.conditions import Column, Condition, Expression, Glob, Texts, Whole
from fileaudit_engine.compiler.hunt.expression import ANYTHING, Characters, Sequence, spans_of
from fileaudit_engine.compiler.ir import Wildcard

IGNORED: Final = Column(name="_ignored", many=True)
LONGEST_TEXT: Final = 10_922
"""Characters of a text that is indexed, in UTF-16 units: the templates' `ignore_above`."""

SEPARATOR: Final = "\u241e"
"""What ES|QL joins several values with: the picture of the character that was made for it, which is seen."""

# ruff: noqa: RUF001 - that these letters look like others is what this is about
_SAME_FOLDING: Final = {
    "s": "ſ",
    "σ": "ς",
    "μ": "µ",
    "ι": "\u0345\u1fbe",
    "β": "ϐ",
    "θ": "ϑ",
    "φ": "ϕ",
    "π": "ϖ",
    "κ": "ϰ",
    "ρ": "ϱ",
    "ε": "ϵ",
    "ṡ": "ẛ",
    "в": "\u1c80",
    "д": "\u1c81",
    "о": "\u1c82",
    "с": "\u1c83",
    "т": "\u1c84\u1c85",
    "ъ": "\u1c86",
    "ѣ": "\u1c87",
    "ꙋ": "\u1c88",
}
"""Lower case of a folded letter -> other lower cases of letters that fold to the same."""
_ALL_ODD: Final = "".join(_SAME_FOLDING.values())
_DOTTED: Final = "\u0130"


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """Documents that the index shows otherwise than rules see them.

    Attributes:
        documents: What finds them.
        words: What is odd about them.
    """

    documents: Condition
    words: str


def as_indexed(text: str) -> str:
    """A text in the lower case that a column without case holds, of a text that is one of a document."""
    return "".join("i" if character == _DOTTED else _lower(character) for character in text)


def _lower(character: str) -> str:
    lowered = character.lower()
    return lowered if len(lowered) == 1 else character


def too_long(column: Column) -> Oddity:
    """The column's text is not indexed."""
    found = Texts(column=IGNORED, forms=(Whole(column.name),))
    return Oddity(documents=found, words=f"more than {LONGEST_TEXT:,} characters")


def too_large(column: Column) -> Oddity:
    """The column's number is not indexed."""
    found = Texts(column=IGNORED, forms=(Whole(column.name),))
    return Oddity(documents=found, words="a number of 2^63 or more")


def escaped(column: Column) -> Oddity:
    r"""The column's text holds an escape, or what looks like one."""
    found = Texts(column=column, forms=(Glob((Wildcard.ANY, "\\x", Wildcard.ANY)),))
    return Oddity(documents=found, words="\\x (bytes that are no UTF-8)")


def controls(column: Column) -> Oddity:
    """The column's text holds a control character."""
    characters = Characters(((0, 0x1F),))
    found = Texts(column=column, forms=(Expression(Sequence((ANYTHING, characters, ANYTHING))),))
    return Oddity(documents=found, words="control characters")


def folded(column: Column, texts: Iterable[str]) -> tuple[Oddity, ...]:
    """The column without case holds a letter that folds to one of the texts', but has another lower case."""
    odd = "".join(sorted({c for text in texts for c in _SAME_FOLDING.keys() & set(text)}))
    return tuple(_with_letter(column, letter) for c in odd for letter in _SAME_FOLDING[c])


def any_folded(column: Column) -> Oddity:
    """The same for texts that are not known."""
    letters = Characters(spans_of((ord(letter), ord(letter)) for letter in _ALL_ODD))
    found = Texts(column=column, forms=(Expression(Sequence((ANYTHING, letters, ANYTHING))),))
    return Oddity(documents=found, words="letters with two lower cases, such as ſ and ς")


def joined_by(column: Column) -> Oddity:
    """Some value of the column holds what ES|QL joins values with."""
    return _with_letter(column, SEPARATOR)


def dotted(column: Column) -> Oddity:
    """The column, here with case, holds the letter that has the lower case of another one."""
    return _with_letter(column, _DOTTED)


def _with_letter(column: Column, letter: str) -> Oddity:
    found = Texts(column=column, forms=(Glob((Wildcard.ANY, letter, Wildcard.ANY)),))
    return Oddity(documents=found, words=f"the character {letter}")
