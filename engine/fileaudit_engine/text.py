r"""Names as the kernel has them, and the two ways to show them.

A file name is bytes. In memory it is a `str` decoded as UTF-8 with `surrogateescape`, so that every byte
survives. Nothing else in the engine may decode or print one; three pairs of functions do it:

* `from_kernel` / `to_kernel`: bytes to the string in memory, and back, without loss.
* `to_document` / `from_document`: for JSON. A byte that is no UTF-8 becomes `\xNN`; a backslash in the
  name that would read as such an escape becomes `\x5c`. Reversible for every name.
* `printable`: for terminals and logs, one way only. Control characters, line and paragraph separators,
  bidirectional overrides and other invisible characters (blank letters and variation selectors among them)
  are escaped too: what is printed can neither move the cursor nor pretend to be another line or name.
"""

import re
import unicodedata

_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})")
_NEEDS_ESCAPE = re.compile(r"[\ud800-\udfff]|\\(?=x[0-9a-fA-F]{2})")
_OF_NO_BYTE = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
_PLAIN = re.compile(r"[\x20-\x5b\x5d-\x7e]*")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK = frozenset(
    map(
        chr,
        (
            0x034F,  # combining grapheme joiner
            *(0x115F, 0x1160, 0x3164, 0xFFA0),  # Hangul fillers
            *(0x17B4, 0x17B5),  # Khmer inherent vowels
            *range(0x180B, 0x1810),  # Mongolian variation selectors and vowel separator
            0x2800,  # the Braille pattern without a dot
            *range(0xFE00, 0xFE10),  # variation selectors
            *range(0xE0100, 0xE01F0),  # variation selectors supplement
        ),
    )
)
"""Letters, marks and symbols, by their category, that leave no ink: Unicode's default ignorable ones."""


def from_kernel(raw: bytes) -> str:
    """The string in memory for the bytes of a name."""
    return raw.decode("utf-8", "surrogateescape")


def to_kernel(name: str) -> bytes:
    """The bytes of a name; the inverse of `from_kernel`.

    A lone surrogate that no byte produced (JSON can carry one) is written as its three UTF-8-like bytes.
    """
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _OF_NO_BYTE.sub(_as_bytes, name).encode("utf-8", "surrogateescape")


def to_document(name: str) -> str:
    r"""The name for a JSON document, valid Unicode, reversible.

    A lone surrogate that no byte produced comes back as the three bytes that `to_kernel` makes of it.
    """
    return _NEEDS_ESCAPE.sub(_escape_byte, name) if not name.isascii() or "\\x" in name else name


def from_document(text: str) -> str:
    """The string in memory for what `to_document` wrote."""
    if "\\x" not in text:
        return text
    raw = _ESCAPE.sub(lambda m: _character(int(m[1], 16)), text)
    return from_kernel(to_kernel(raw))


def printable(name: str) -> str:
    r"""The name for a terminal or a log line: nothing in it acts, every character can be seen."""
    if _PLAIN.fullmatch(name):
        return name
    return "".join(map(_shown, name))


def _escape_byte(match: re.Match[str]) -> str:
    character = match[0]
    raw = b"\\" if character == "\\" else to_kernel(character)
    return "".join(f"\\x{byte:02x}" for byte in raw)


def _as_bytes(match: re.Match[str]) -> str:
    """A surrogate as the string in memory for its three UTF-8-like bytes."""
    return from_kernel(match[0].encode("utf-8", "surrogatepass"))


def _character(byte: int) -> str:
    return chr(byte) if byte < 0x80 else chr(0xDC00 + byte)


def _shown(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if unicodedata.category(character) not in _INVISIBLE and character not in _BLANK:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class _Folding(dict[int, int]):
    """Code point -> its simple case folding, learned on demand."""

    def __missing__(self, code: int) -> int:
        character = chr(code)
        for folded in (character.casefold(), character.lower()):
            if len(folded) == 1:
                self[code] = ord(folded)
                return self[code]
        self[code] = code
        return code


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Unicode simple case folding: two texts are equal regardless of case if their foldings are.

    Simple means one character for one: lengths and positions stay as they are, and `ß` is not `ss`. Only two
    characters outside ASCII fold into it: U+017F (long s) to `s` and U+212A (Kelvin sign) to `k`; the kernel
    filter, which folds ASCII only, has to know them (`compiler/classifier.py`).
    """
    return text.lower() if text.isascii() else text.translate(_FOLDING)


def counted(number: int, noun: str) -> str:
    """A number of things in words: `1 rule`, `1,204 rules`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
