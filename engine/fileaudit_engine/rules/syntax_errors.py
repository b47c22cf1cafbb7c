"""What the YAML parser complains about, in the words of somebody who writes rules.

libyaml says where it stumbled and what it had hoped for. Behind nearly all of its complaints in a rule file
stands one of a few slips: a tab, a wildcard or a colon without quotes, a quote that is never closed, a line
that is indented by one too many. This table maps the complaint back to the slip.
"""

import yaml

from fileaudit_engine.diagnostics import Diagnostic, SourceText, error_at
from fileaudit_engine.rules.nodes import MAX_DEPTH

_QUOTE = "put the value in single quotes"

_SLIPS: tuple[tuple[str, str, str], ...] = (
    ("cannot start any token", "this character cannot begin a value", _QUOTE),
    (
        "while scanning an alias",
        "an unquoted '*' begins an alias",
        "put a value with a wildcard in single quotes",
    ),
    ("while scanning an anchor", "an unquoted '&' begins an anchor", _QUOTE),
    ("while scanning a tag", "an unquoted '!' begins a tag", _QUOTE),
    ("undefined tag handle", "an unquoted '!' begins a tag", _QUOTE),
    ("mapping values are not allowed", "a ':' in an unquoted value", f"{_QUOTE}, or correct the indentation"),
    ("could not find expected ':'", "a key without ':'", "write 'key: value', or put the text in quotes"),
    (
        "unknown escape character",
        "this escape means nothing in double quotes",
        "use single quotes: no escapes there",
    ),
    ("hexdecimal number", "an escape without its hexadecimal digits", "use single quotes: no escapes there"),
    (
        "while scanning a quoted scalar",
        "the quote is never closed",
        "close it; in single quotes ' is written ''",
    ),
    (
        "block mapping",
        "this line does not belong to the map before it",
        "give it the indentation of its neighbours",
    ),
    ("block collection", "this line does not belong to the list before it", "indent all '-' of a list alike"),
    ("block sequence entries", "a list cannot begin here", "begin it on its own line"),
    ("block scalar", "the header of a text block is '|' or '>'", "begin the text on the next line"),
    ("flow sequence", "the list is not closed", "put ',' between values and ']' at the end"),
    ("flow mapping", "the map is not closed", "put ',' between entries and '}' at the end"),
    ("duplicate anchor", "the anchor is defined twice", "give each its own name"),
    ("directive", "a directive has no place in a rule file", "remove the line that begins with '%'"),
    (
        "<document start>",
        "this is neither a key nor a value",
        "put a text of several words in quotes, or indent it",
    ),
)
_TOO_DEEP = "exceeded maximum nesting depth"
_UNENDED = (
    *("end of stream", "document indicator", "could not find expected ':'", "expected ',' or"),
    *("scanning an alias", "scanning an anchor", "scanning a tag"),
)
_UNKNOWN_SLIP = (
    "the YAML cannot be read here",
    "check quotes, colons and indentation of this and the previous line",
)


def syntax_error(source: SourceText, base: int, error: yaml.YAMLError) -> Diagnostic:
    """The diagnostic for a complaint about the part of `source` that begins at index `base`."""
    index = min(base + _index(error), len(source.text))
    complaint = _complaint(error)
    message, remedy = _slip(complaint)
    if source.text[index : index + 1] == "\t":
        message, remedy = "a tab cannot indent", "indent with spaces"
    place = source.location(index, index + 1)
    if _TOO_DEEP in complaint:  # said by libyaml 0.2.6; before it, the composer counted alone
        return error_at("FA007", f"nested more than {MAX_DEPTH} levels deep", place, help="flatten it")
    return error_at("FA004", message, place, label=complaint, help=remedy)


def _index(error: yaml.YAMLError) -> int:
    """Where to point: at what was begun and never ended rather than at where the parser lost patience."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return 0
    unended = any(sign in _complaint(error) for sign in _UNENDED)
    mark = error.context_mark if unended and error.context_mark else error.problem_mark
    return mark.index if mark else 0


def _complaint(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError):
        return f"{error.context or ''} {error.problem or ''}".strip()
    return str(error)


def _slip(complaint: str) -> tuple[str, str]:
    return next(((message, remedy) for sign, message, remedy in _SLIPS if sign in complaint), _UNKNOWN_SLIP)
