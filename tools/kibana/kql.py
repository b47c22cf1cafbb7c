"""Filters in KQL, Kibana's query language, put together so that every field in them is known.

every(is_("event.kind", "alert"), at_least("event.severity", 73))
  -> event.kind: "alert" and event.severity >= 73
"""

import re
from typing import Final

from tools.kibana.documents import Kind, known

_SPECIAL: Final = re.compile(r'[\\():<>"{}]')
"""What means something to KQL outside of quotes; the asterisk is left to be one."""
_LITERAL: Final = re.compile(r'[\\"]')
_CLOSED: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\([^()"]*\)')
"""What and, or and not outside of it do not reach into."""


def is_(field: str, *values: str) -> str:
    """The field is one of these values, whole and as written."""
    known(field, Kind.WORD)
    quoted = ['"' + _LITERAL.sub(r"\\\g<0>", value) + '"' for value in values]
    return f"{field}: {quoted[0]}" if len(quoted) == 1 else f"{field}: ({' or '.join(quoted)})"


def like(field: str, *patterns: str) -> str:
    """The field is like one of these; an asterisk stands for any text."""
    known(field, Kind.WORD)
    if any(" " in pattern for pattern in patterns):
        raise ValueError("a blank ends a pattern")
    escaped = [_SPECIAL.sub(r"\\\g<0>", pattern) for pattern in patterns]
    return f"{field}: {escaped[0]}" if len(escaped) == 1 else f"{field}: ({' or '.join(escaped)})"


def there(field: str) -> str:
    """The document has the field."""
    return f"{known(field)}: *"


def at_least(field: str, number: int) -> str:
    """The number is this or more."""
    return f"{known(field, Kind.NUMBER)} >= {number}"


def every(*terms: str) -> str:
    """All of these."""
    return " and ".join(f"({term})" if _joined(term, " or ") else term for term in terms)


def some(*terms: str) -> str:
    """At least one of these."""
    return " or ".join(f"({term})" if _joined(term, " and ") else term for term in terms)


def no(term: str) -> str:
    """Not this."""
    return f"not ({term})" if _joined(term, " and ") or _joined(term, " or ") else f"not {term}"


def _joined(term: str, word: str) -> bool:
    """Whether terms are joined by this word, outside of parentheses."""
    before = None
    while before != term:
        before, term = term, _CLOSED.sub("", term)
    return word in term
