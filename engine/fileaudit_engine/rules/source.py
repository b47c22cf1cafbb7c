"""YAML documents with places, and everything that can be wrong with a YAML file.

PyYAML's C parser delivers events; this module makes nodes of them (`nodes`) and refuses what other loaders
take without a word: a key that stands twice, an alias that unfolds into millions of nodes, nesting without
end, tags that make objects, characters that no editor shows. A line that begins with `---` ends a document
whatever stands before it, so each document is parsed on its own: a broken one does not hide its neighbours.

Rule files are read by a process that runs as root, and may have been written by somebody else: every bound
below is there so that a file costs time in proportion to its size and never more.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from fileaudit_engine.diagnostics import Collector, Diagnostic, Location, SourceText
from fileaudit_engine.rules.compose import Composer, DocumentUnusableError, Unfolded
from fileaudit_engine.rules.nodes import Node, ScalarNode
from fileaudit_engine.rules.syntax_errors import syntax_error

MAX_FILE_BYTES = 4 * 1024 * 1024
"""The largest rule file; the whole SigmaHQ collection for Linux is smaller."""

MAX_DOCUMENTS = 20_000
"""Documents of one file; each costs its own start of the YAML parser."""

_LONGEST_DIRECTIVE = 100
_DIRECTIVE = re.compile(r"(?:\A|(?<=[\n\r]))%[^\n\r]*[\n\r]+\Z")
_BOUNDARY = re.compile(r"(?:\A|(?<=[\n\r]))---(?=\s|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a stream.

    Attributes:
        root: What could be read; None where the YAML is broken.
        diagnostics: What is wrong with it as YAML.
    """

    root: Node | None
    diagnostics: tuple[Diagnostic, ...]


def decode(file: str, raw: bytes) -> tuple[SourceText | None, tuple[Diagnostic, ...]]:
    """The text of a rule file, or why it has none: too large, not UTF-8, characters that YAML forbids.

    An invalid byte spoils the file, since nobody can say what was meant; the text is there all the same, with
    the byte replaced, so that the place can be shown.
    """
    found = Collector()
    if len(raw) > MAX_FILE_BYTES:
        _too_large(found, file)
        return None, tuple(found.diagnostics)
    source = SourceText(file=file, text=raw.decode("utf-8", "replace").removeprefix("\ufeff"))
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        start = len(raw[: error.start].decode("utf-8").removeprefix("\ufeff"))
        found.error(
            "FA003",
            f"byte 0x{raw[error.start]:02x} is not UTF-8",
            source.location(start, start + 1),
            help="save the file as UTF-8; a byte of a file name is written as a `re` pattern, \\xNN",
        )
    return source, tuple(found.diagnostics)


def _too_large(found: Collector, file: str) -> None:
    found.error(
        "FA002",
        f"the file has more than {MAX_FILE_BYTES:,} bytes",
        Location(file=file),
        help="split it into several files",
    )


def read_documents(source: SourceText) -> Iterator[Document]:
    """Every document of `source`, in order; an empty one is left out."""
    bounds = [0, *itertools.islice(_boundaries(source.text), MAX_DOCUMENTS), len(source.text)]
    unfolded = Unfolded()
    for start, end in itertools.pairwise(bounds[: MAX_DOCUMENTS + 1]):
        yield from _chunk(source, start, end, unfolded)
    if len(bounds) > MAX_DOCUMENTS + 1:
        found = Collector()
        message = f"the file has more than {MAX_DOCUMENTS:,} documents"
        found.error(
            "FA002", message, source.location(bounds[MAX_DOCUMENTS]), help="split it into several files"
        )
        yield Document(root=None, diagnostics=tuple(found.diagnostics))


def _boundaries(text: str) -> Iterator[int]:
    """Where documents begin; a `---` that only ends directives (`%YAML 1.2`) begins none."""
    if "---" not in text:
        return  # most files; the expression looks at every character
    for found in _BOUNDARY.finditer(text):
        if found.start() and not _DIRECTIVE.search(
            text, max(0, found.start() - _LONGEST_DIRECTIVE), found.start()
        ):
            yield found.start()


def _chunk(source: SourceText, start: int, end: int, unfolded: Unfolded) -> Iterator[Document]:
    """The documents of a part of the stream: one, or more where a line of dots ends one."""
    composer = Composer(source, start, end, unfolded)
    while True:
        composer.found = found = Collector()
        root: Node | None = None
        try:
            composer.forbidden_characters()
            root = composer.document()
        except yaml.YAMLError as error:
            found.diagnostics.append(syntax_error(source, start, error))
        except DocumentUnusableError:
            pass
        if found.diagnostics or (root is not None and not _is_empty(root)):
            yield Document(root=root, diagnostics=tuple(found.diagnostics))
        if root is None:
            return


def _is_empty(root: Node) -> bool:
    return isinstance(root, ScalarNode) and root.value is None
