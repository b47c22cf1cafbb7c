"""Regular expressions, checked by the engine that will run them.

RE2 takes time in proportion to the text whatever the pattern, which is why a hostile file name cannot stall
the engine. It pays for that with constructs that it does not have. Its complaint names the construct; this
module finds it in the pattern and says how to do without.
"""

import functools
from dataclasses import dataclass

import re2

MAX_CHARACTERS = 8_192
"""The longest pattern; RE2 refuses most that are longer, after having spent memory on them."""

_MAX_PROGRAM_BYTES = 1 << 20
"""RE2's bound on a compiled pattern, an eighth of its default: one such as \\p{L}{1,100} would take 80 ms."""

_REMEDIES = (
    (
        ("(?=", "(?!", "(?<"),
        "RE2 has no look-around: write a second detection and join it with 'and' or 'and not'",
    ),
    (("\\1", "\\2", "\\3", "\\k"), "RE2 has no back-references: write out what is repeated"),
    (("\\Z",), "write '\\z' for the end of the text"),
    (("invalid escape",), "write '\\\\' for a backslash"),
    (("*+", "++", "?+", "}+"), "RE2 has no possessive quantifiers: leave the second '+' out"),
    (("repetition size",), "at most 1000 repetitions, nested ones multiplied"),
    (
        ("bad repetition", "no argument for repetition"),
        "a quantifier follows what it repeats; '\\*' is an asterisk",
    ),
    (("missing )", "unexpected )"), "every '(' needs its ')'; '\\(' is a parenthesis"),
    (("missing ]",), "every '[' needs its ']'; '\\[' is a bracket"),
    (("character class range",), "write the smaller character first, or '\\-' for a hyphen"),
    (("(?", "named capture"), "RE2 has (?:…), (?i:…) and (?P<name>…) only"),
    (("too large",), "make it smaller: fewer counted repetitions, or several values"),
)
_GENERAL_REMEDY = "the syntax is that of https://github.com/google/re2/wiki/Syntax"


@dataclass(frozen=True, slots=True)
class ExpressionProblem:
    """Why RE2 cannot run a pattern.

    Attributes:
        message: What RE2 says.
        start: Index of the offending part in the pattern.
        end: Index behind it.
        help: How to do without.
    """

    message: str
    start: int
    end: int
    help: str


def _options() -> "re2.Options":
    options = re2.Options()
    options.max_mem = _MAX_PROGRAM_BYTES
    options.log_errors = False  # RE2 would write to standard error
    return options


_OPTIONS = _options()


@functools.lru_cache(maxsize=4096)
def expression_problem(pattern: str, flags: str) -> ExpressionProblem | None:
    """Why `pattern` cannot be run with `flags` (a subset of "ims"); None if it can."""
    if len(pattern) > MAX_CHARACTERS:
        message = f"the expression has {len(pattern):,} characters, at most {MAX_CHARACTERS:,} are read"
        return ExpressionProblem(message, 0, 1, "split it into several values")
    try:
        re2.compile(f"(?{flags}){pattern}" if flags else pattern, _OPTIONS)
    except re2.error as error:
        return _problem(pattern, _complaint(error))
    except (
        UnicodeEncodeError
    ) as error:  # half a character, or a byte that is none: text.py keeps them as such
        message = "the expression holds a character that is not Unicode"
        return ExpressionProblem(message, error.start, error.end, "write '.' for a byte that is no character")
    return None


def _complaint(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _problem(pattern: str, complaint: str) -> ExpressionProblem:
    reason, _, construct = complaint.partition(": ")
    start = pattern.find(construct) if construct else -1
    start, end = (start, start + len(construct)) if start >= 0 else (0, len(pattern))
    named = reason if start == 0 and end == len(pattern) else complaint
    return ExpressionProblem(
        f"RE2 cannot run this expression: {named}", start, end, _remedy(complaint, reason)
    )


def _remedy(complaint: str, reason: str) -> str:
    said = complaint if len(complaint) < len(reason) + 16 else reason
    return next(
        (remedy for signs, remedy in _REMEDIES if any(sign in said for sign in signs)), _GENERAL_REMEDY
    )
