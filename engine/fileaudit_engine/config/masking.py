"""What of a configuration no message shows: secrets that stand in it all the same.

A mistake is shown with its line, and a line may hold what nobody is to read: a password where only its file
belongs, one in an address, one under a key that does not exist. There are dots in its place, as long as it
was, so that carets stand where they stood. Three things are hidden:

* what whoever reads a section refuses and finds doubtful (`Reading.hidden`), by its place in the text;
* what stands behind a key that sounds like a secret, wherever that is;
* where the YAML cannot be read, so that nobody knows what is what, all of `sinks` but keys that are known.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from fileaudit_engine.config import elasticsearch_section, sinks_section, syslog_section
from fileaudit_engine.diagnostics import Diagnostic, SourceText

Span = tuple[int, int]
"""Where something begins in a text, and where it ends."""

_NAMED: Final = re.compile(
    r"""
    (?: key | pass(?:word|wd|phrase|wort)? | pwd | secret | token | bearer | auth(?:orization)? | credentials?
      | _env )
    ["']? [ \t]* : [ \t]* (?: \#[^\r\n]* )? (?: [\r\n]{1,2} [ \t]* )? (?P<value>[^\s\#][^\r\n]*)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SECTION: Final = re.compile(r"""(?:\A|(?<=[\r\n{,])) [ \t]* ["']?sinks?["']? [ \t]* :""", re.VERBOSE)
_NEXT: Final = re.compile(r"[\r\n][A-Za-z\"']|\Z")
"""Where a section ends at the latest: at the next key at the very left."""
_LINE: Final = re.compile(r"""(?P<lead>[ \t{\-]*)(?P<key>["']?[\w-]+["']?[ \t]*:)?(?P<rest>[^\r\n]*)""")
_KNOWN: Final = frozenset(
    {
        *sinks_section.KEYS,
        *sinks_section.JSON_KEYS,
        *(*elasticsearch_section.KEYS, *elasticsearch_section.SECRETS),
        *(*syslog_section.KEYS, *syslog_section.SECRETS),
    }
)
_QUOTING: Final = frozenset({"FA005", "FA006", "FA009"})
"""Codes of mistakes in YAML whose messages repeat a part of the text."""
_QUOTED: Final = re.compile(r"'.*'", re.DOTALL)
_HARMLESS: Final = re.compile(r"(?:true|false|null|yes|no|on|off|~|\d{1,3})?\s*", re.IGNORECASE)
"""Values that are no secret wherever they stand, and that say what is wrong."""
_DOT: Final = "·"


def masked(source: SourceText, hidden: Iterable[Span], *, is_yaml: bool) -> SourceText:
    """The text as messages may show it; everything stands where it stood.

    Args:
        source: The text.
        hidden: What is refused in it, and doubtful.
        is_yaml: Whether it could be read, so that `hidden` is all there is.
    """
    spans = [span for span in hidden if not _HARMLESS.fullmatch(source.text, *span)]
    spans += (found.span("value") for found in _NAMED.finditer(source.text))
    if not is_yaml:
        spans += _values_of_sinks(source.text)
    shown = list(source.text)
    for start, end in spans:
        shown[start:end] = [_DOT if character.strip() else character for character in shown[start:end]]
    return SourceText(file=source.file, text="".join(shown))


def quotes_nothing(diagnostic: Diagnostic, shown: SourceText) -> Diagnostic:
    """A mistake in YAML without the part of the text that it repeats, if that is hidden in what is shown."""
    where = diagnostic.location
    if diagnostic.code not in _QUOTING or not (shown.line(where.line) or "").startswith(
        _DOT, where.column - 1
    ):
        return diagnostic
    message, remedy = (_QUOTED.sub(_unquoted, text) for text in (diagnostic.message, diagnostic.help))
    return replace(diagnostic, message=message, help=remedy)


def _unquoted(found: re.Match[str]) -> str:
    """A key that there is may be named: it is no secret."""
    return found[0] if found[0].strip("'") in _KNOWN else f"'{_DOT}'"


def _values_of_sinks(text: str) -> Iterator[Span]:
    """All that stands in the section, but for keys that are known, where a line begins with one."""
    section = _SECTION.search(text)
    while section is not None:
        position, following = section.end(), _NEXT.search(text, section.end())
        last = following.start() if following else len(text)
        while position < last:
            line = _LINE.match(text, position, last)
            if line is None:
                break
            key = (line["key"] or "").rstrip(": \t").strip("\"'")
            yield (line.start("rest") if key in _KNOWN else line.end("lead")), line.end()
            position = line.end() + 1
        section = _SECTION.search(text, last)
