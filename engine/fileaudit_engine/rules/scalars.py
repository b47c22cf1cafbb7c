"""What an unquoted YAML scalar means: the core schema of YAML 1.2, not the guesses of YAML 1.1.

    true  True  TRUE          a truth value            yes  on  y         text
    null  Null  ~  (nothing)  null                     2024-01-02         text
    12  -7  0o17  0x1f        a whole number           0755  12:30:45     text
    1.5  1e3  .inf            a number                 1_000              text

One thing differs from the letter of the specification: a decimal number that begins with a superfluous zero
stays text. `0755` is 493 to one reader and 755 to another; whoever writes it means what it looks like.
"""

import re

from fileaudit_engine.rules.ast import Scalar

_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_MAY_BE_SPECIAL = frozenset("0123456789+-.~nNtTfF")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 100
"""Characters; no number in an event has more than 20, and converting a longer one costs quadratic time."""


def core_scalar(text: str) -> Scalar:
    """The value of a plain (unquoted, untagged) scalar."""
    if text and text[0] not in _MAY_BE_SPECIAL:
        return text
    if text in _WORDS:
        return _WORDS[text]
    return _number(text)


def _number(text: str) -> Scalar:
    if len(text) > _LONGEST_NUMBER:
        return text
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    return float(text) if _FLOAT.fullmatch(text) else text
