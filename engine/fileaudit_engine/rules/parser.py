"""Rule files in, rules out: the one place where the rules room touches the disk.

Each document is looked at by what it is (a detection rule, a correlation, a filter), by the table `KINDS`.
A document with an error is left out and reported; all others live. Files are read in sorted order, so that
the same folder gives the same rules, keys and reports on every machine. At the end, filters are applied, and
correlations tied to what they refer to.
"""

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Final, TypeVar

from fileaudit_engine.diagnostics import (
    Collector,
    Diagnostic,
    Location,
    SourceText,
    TooManyFindingsError,
    UnusableInput,
    error_at,
    has_errors,
    in_order,
)
from fileaudit_engine.rules.ast import Correlation, Detecting, Document, Filter, Rule
from fileaudit_engine.rules.budget import Budget
from fileaudit_engine.rules.context import Context
from fileaudit_engine.rules.correlating import tie_correlations
from fileaudit_engine.rules.correlation import SECTION, Draft, read_correlation
from fileaudit_engine.rules.document import read_rule
from fileaudit_engine.rules.filtering import apply_filters
from fileaudit_engine.rules.filters import read_filter
from fileaudit_engine.rules.lint import MOST_UNCOLLECTED, lint
from fileaudit_engine.rules.names import folded_name, names_of
from fileaudit_engine.rules.nodes import MapNode, ScalarNode, text_of
from fileaudit_engine.rules.options import DEFAULTS, RuleOptions
from fileaudit_engine.rules.sigma1 import refused_collection
from fileaudit_engine.rules.source import MAX_FILE_BYTES, decode, read_documents
from fileaudit_engine.rules.source import Document as Written
from fileaudit_engine.rules.wording import quoted
from fileaudit_engine.text import to_kernel

MAX_FINDINGS: Final = 200
"""Errors in one file, past which the rest of it is not read: a file with more is no rule file. Of warnings as
many are shown; however many there are, they cost no rule."""

MAX_CORRELATIONS: Final = 1_000
"""Correlations of one pack: each keeps windows of its own, and a match may have to look at all of them."""

_LEAST_BYTES: Final = 64 << 10
"""What a file is read to at least, whatever its size is said to be: files of /proc say 0."""

_SUFFIXES: Final = frozenset({".yml", ".yaml"})


_Called = TypeVar("_Called", Rule, Correlation)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRules:
    """What stands in the rule files.

    Attributes:
        rules: The usable ones, by file, in the order of their documents; keys, ids and names are unique. The
            filters that name them are applied.
        filters: The usable ones, in the same order.
        correlations: The usable ones, in the same order; whatever they refer to is usable and stands in
            `rules` or here. Their keys, ids and names are unique together with those of the rules.
        diagnostics: Everything that is wrong or doubtful, sorted by place.
        sources: The text of each file that was read, by its name, for showing diagnostics.
    """

    rules: tuple[Rule, ...]
    filters: tuple[Filter, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, SourceText]


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of document.

    Attributes:
        key: The attribute that only this type has.
        read: Makes what it is of a document, or notes why not.
    """

    key: str
    read: Callable[[MapNode, Context], Detecting | Draft | None]


KINDS: Final[tuple[Kind, ...]] = (
    Kind("correlation", read_correlation),
    Kind("filter", read_filter),
    Kind("detection", read_rule),
)
"""The first whose key a document has is its type; without any, it is the last."""


def load_rules(paths: Sequence[Path | str], options: RuleOptions = DEFAULTS) -> LoadedRules:
    """The rules of files and of folders, which are walked for `*.yml` and `*.yaml` (test cases left out).

    Raises:
        UnusableInput: Some path does not exist.
    """
    _all_exist(paths)
    pack = _Pack(options=options)
    for file in _rule_files(paths, pack.found):
        pack.add_file(file)
    return pack.loaded()


def parse_text(text: str, file: str = "<text>", options: RuleOptions = DEFAULTS) -> LoadedRules:
    """The rules of a text, as if it stood in `file`."""
    pack = _Pack(options=options)
    pack.add_bytes(file, to_kernel(text))
    return pack.loaded()


@dataclass(slots=True)
class _Pack:
    """Rules as they come in.

    Attributes:
        options: See `Context`.
        found: What was found, in all files.
        rules: The usable ones, no filter applied.
        filters: The usable ones.
        drafts: The usable correlations, what they refer to not looked up.
        unusable: Folded names, ids and titles of the documents that are not usable.
        full: Whether a correlation was refused because there are too many.
        sources: Every file that was read.
        taken: The places of ids and names: `("id", "…")` and `("name", "…")`.
    """

    options: RuleOptions
    found: Collector = field(default_factory=Collector)
    rules: list[Rule] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    unusable: set[str] = field(default_factory=set)
    full: bool = False
    sources: dict[str, SourceText] = field(default_factory=dict)
    taken: dict[tuple[str, str], Location] = field(default_factory=dict)

    def add_file(self, file: str) -> None:
        """Read a file, or note why it cannot be read."""
        raw = _read(file, self.found)
        if raw is not None:
            self.add_bytes(file, raw)

    def add_bytes(self, file: str, raw: bytes) -> None:
        """Take all documents of a file's content."""
        source, problems = decode(file, raw)
        self.found.diagnostics += problems
        if source is None:
            return
        self.sources[file] = source
        context = Context(
            found=Collector(limit=MAX_FINDINGS),
            budget=Budget(),
            options=self.options,
        )
        try:
            for document in read_documents(source) if not problems else ():
                self._add_document(document, context)
        except TooManyFindingsError:
            message = f"more than {MAX_FINDINGS} errors; the rest of the file was not read"
            self.found.error("FA002", message, Location(file=file), help="is this a rule file?")
        self.found.diagnostics += context.found.diagnostics
        if context.found.uncollected:
            more = context.found.uncollected
            least = "at least " if more >= MOST_UNCOLLECTED else ""
            message = f"{least}{more:,} more warnings about what this file says are neither shown nor counted"
            self.found.warning("FA002", message, Location(file=file), help="mend those that are shown first")

    def _add_document(self, document: Written, context: Context) -> None:
        found = context.found
        found.extend(document.diagnostics)
        if document.root is None:
            return
        if not isinstance(document.root, MapNode):
            message = "a rule is a map of attributes"
            found.error("FA010", message, document.root.location, help="begin it with 'title: …'")
            return
        root = document.root
        kind = next((kind for kind in KINDS if kind.key in root.keys), KINDS[-1])
        refused = refused_collection(root, found) or self._is_one_too_many(kind, root, found)
        read = None if refused else kind.read(root, context)
        unique = [self._is_unique(root, name, found) for name in ("id", "name")]
        if read is None or not all(unique) or has_errors(document.diagnostics):
            names = [text_of(root, attribute) for attribute in ("name", "id", "title")]
            names[0] = names[0] or PurePath(root.source.file).stem  # what its key would have been
            self.unusable |= {folded_name(name) for name in names if name}
            return
        if isinstance(read, Draft):
            self.drafts.append(read)
        elif isinstance(read, Rule):
            self.rules.append(read)
        else:
            self.filters.append(read)
        lint(read.correlation if isinstance(read, Draft) else read, root, found)

    def _is_one_too_many(self, kind: Kind, root: MapNode, found: Collector) -> bool:
        if kind.key != SECTION or len(self.drafts) < MAX_CORRELATIONS:
            return False
        if not self.full:
            message = (
                f"more than {MAX_CORRELATIONS:,} correlations; this one and those behind it are not read"
            )
            found.error("FA024", message, root.location, help="load fewer of them at once")
        self.full = True
        return True

    def _is_unique(self, root: MapNode, attribute: str, found: Collector) -> bool:
        node = root.values.get(attribute)
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            return True
        value = node.value.lower() if attribute == "id" else node.value
        first = self.taken.setdefault((attribute, value), node.location)
        if first == node.location:
            return True
        found.error(
            "FA017",
            f"the {attribute} {quoted(node.value)} is taken",
            node.location,
            label=f"first at {first}",
            help=f"give each rule its own {attribute}",
        )
        return False

    def loaded(self) -> LoadedRules:
        """All that came in: the filters applied, the correlations tied to what they refer to."""
        keys = _unique_keys([*self.rules, *(draft.correlation for draft in self.drafts)])
        rules = [_called(rule, key) for rule, key in zip(self.rules, keys, strict=False)]
        drafts = [
            replace(draft, correlation=_called(draft.correlation, key))
            for draft, key in zip(self.drafts, keys, strict=True)
        ]
        correlations = tie_correlations(drafts, rules, self.unusable, self.options, self.found)
        names = frozenset(name for draft in drafts for name in names_of(draft.correlation))
        return LoadedRules(
            rules=self._filtered(rules, names),
            filters=tuple(self.filters),
            correlations=correlations,
            diagnostics=tuple(in_order(self.found.diagnostics)),
            sources=self.sources,
        )

    def _filtered(self, rules: Sequence[Rule], correlations: frozenset[str]) -> tuple[Rule, ...]:
        found = Collector(limit=MAX_FINDINGS)
        try:
            filtered = apply_filters(rules, self.filters, self.unusable, found, correlations=correlations)
        except TooManyFindingsError:
            filtered = tuple(rules)
            message = f"more than {MAX_FINDINGS} errors in filters; none is applied"
            found.diagnostics.append(error_at("FA042", message, self.filters[0].location))
        self.found.diagnostics += found.diagnostics
        return filtered


def _unique_keys(documents: Sequence[Document]) -> Iterator[str]:
    """The keys of documents: those without a name get a number behind the file's stem where it is taken."""
    taken = {one.name for one in documents if one.name}
    numbers: Counter[str] = Counter()
    for one in documents:
        key = one.key
        while not one.name and key in taken:
            numbers[one.key] += 1
            key = f"{one.key}-{numbers[one.key] + 1}"
        taken.add(key)
        yield key


def _called(one: _Called, key: str) -> _Called:
    return one if one.key == key else replace(one, key=key)


def _all_exist(paths: Sequence[Path | str]) -> None:
    found = Collector()
    for path in paths:
        if not os.path.lexists(path):
            found.error(
                "FA001",
                "there is no such file or folder",
                Location(file=os.fspath(path)),
                help="check the path",
            )
    if found.diagnostics:
        raise UnusableInput(found.diagnostics)


def _rule_files(paths: Sequence[Path | str], found: Collector) -> Iterator[str]:
    """Every rule file once, whatever links lead to it; folders in sorted order, hidden entries left out."""
    seen: set[tuple[int, int]] = set()
    waiting = [Path(path) for path in reversed(paths)]
    given = set(waiting)
    while waiting:
        path = waiting.pop()
        try:
            status = path.stat()
            entries = _entries(path) if stat.S_ISDIR(status.st_mode) else None
        except OSError as error:
            _unreadable(str(path), error, found)
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        waiting += entries or []
        if entries is None and (path in given or path.suffix in _SUFFIXES) and not _is_test(path):
            yield str(path)


def _entries(folder: Path) -> list[Path]:
    """What is to be looked at in a folder, the first at the end."""
    return sorted((path for path in folder.iterdir() if not path.name.startswith(".")), reverse=True)


def _is_test(path: Path) -> bool:
    return path.suffix in _SUFFIXES and path.stem.endswith(".test")


def _read(file: str, found: Collector) -> bytes | None:
    """The file's bytes, at most one more than are taken; a pipe or a device is not waited for."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode):
                # Little more than there is: room for the largest file would be made and given back each time.
                return stream.read(min(max(status.st_size, _LEAST_BYTES), MAX_FILE_BYTES) + 1)
    except OSError as error:
        _unreadable(file, error, found)
        return None
    found.error("FA001", "this is no regular file", Location(file=file), help="copy its content into one")
    return None


def _unreadable(path: str, error: OSError, found: Collector) -> None:
    found.error(
        "FA001",
        f"cannot be read: {error.strerror}",
        Location(file=path),
        help="make it readable for the user who runs this, or remove it",
    )
