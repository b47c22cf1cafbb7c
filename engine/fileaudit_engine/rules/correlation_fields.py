"""The fields that a correlation reads from the matches of each of its rules.

A name in `group-by` (and under `field`) is an alias, or that of a field. An alias says of each rule which
field it stands for; of a rule that it does not mention, it is the name of a field like any other. In the
matches of another correlation there are besides the names that this one groups by.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.diagnostics import Collector, Location
from fileaudit_engine.events.document import is_derived
from fileaudit_engine.events.fields import BY_NAME, FieldType
from fileaudit_engine.rules.ast import Correlation, CorrelationType, Document, Rule
from fileaudit_engine.rules.correlation import Draft
from fileaudit_engine.rules.lint.never_there import words_of
from fileaudit_engine.rules.log_source import source_of
from fileaudit_engine.rules.nodes import key_at
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.unknown_field import remedy
from fileaudit_engine.rules.wording import quoted

_MOST_GUESSES: Final = 3
"""Unknown fields of one correlation that are compared with all known ones, for the nearest."""

_COMPUTING: Final = frozenset(
    {CorrelationType.VALUE_SUM, CorrelationType.VALUE_AVG, CorrelationType.VALUE_MEDIAN}
)


def check_fields(
    draft: Draft,
    tied: Correlation,
    sources: Mapping[str, Document],
    options: RuleOptions,
    found: Collector,
) -> bool:
    """Whether all fields are known; what is doubtful about them is warned of.

    Args:
        draft: Knows the places.
        tied: The same correlation, with its sources.
        sources: What it refers to, by key.
        options: Whether fields that nobody knows are taken.
        found: Where findings go.
    """
    checking = _Checking(draft=draft, tied=tied, sources=sources, options=options, found=found)
    return checking.run()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """A field that is read from the matches of some source.

    Attributes:
        name: Of the field.
        source: What it is read from.
        counted: Whether it is one of those whose values are counted or computed with.
        path: Where it is named: the keys and indexes that lead there.
    """

    name: str
    source: Document
    counted: bool
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checking:
    """One correlation's fields; the attributes are the arguments of `check_fields`."""

    draft: Draft
    tied: Correlation
    sources: Mapping[str, Document]
    options: RuleOptions
    found: Collector

    def run(self) -> bool:
        """See `check_fields`."""
        self._unused_aliases()
        reported: set[tuple[str | int, ...]] = set()
        unknown = 0
        for use in self._uses():
            if use.path in reported:
                continue
            if not self._is_known(use):
                unknown += 1
                self._report(use, guess=unknown <= _MOST_GUESSES)
                reported.add(use.path)
            elif self._is_doubtful(use):
                reported.add(use.path)
        return not unknown

    def _report(self, use: _Use, *, guess: bool) -> None:
        where = self._place(use)
        if use.name in self.tied.aliases and use.path[0] != "aliases":
            message = f"the alias {quoted(use.name)} says nothing of {quoted(use.source.key)}"
            helping = f"add the name of a field: '{use.source.key}: User', or whatever it is"
            self.found.error("FA040", message, where, help=helping)
            return
        helping = remedy(use.name) if guess else "write the name of a field"
        self.found.error("FA040", f"unknown field {quoted(use.name)}", where, help=helping)

    def _place(self, use: _Use) -> Location:
        return self.draft.place(*use.path)

    def _unused_aliases(self) -> None:
        used = {*self.tied.group_by, *self.tied.value_fields}
        for alias in self.tied.aliases:
            if alias not in used:
                self.found.warning(
                    "FA050",
                    f"the alias {quoted(alias)} is never used",
                    key_at(self.draft.section, ["aliases"], alias),
                    help="add it to 'group-by', or remove it",
                )

    def _uses(self) -> Iterator[_Use]:
        """Every field of every source, with the place that names it."""
        one = self.tied
        named: list[tuple[str, bool, tuple[str | int, ...]]] = [
            *((name, False, ("group-by", index)) for index, name in enumerate(one.group_by)),
            *((name, True, ("condition", "field", index)) for index, name in enumerate(one.value_fields)),
        ]
        for name, counted, path in named:
            fields = one.aliases.get(name, {})
            for key, source in self.sources.items():
                if key not in fields:
                    yield _Use(name=name, source=source, counted=counted, path=path)
        for alias, written in self.draft.correlation.aliases.items():
            counted = alias in one.value_fields
            for (key, name), as_written in zip(one.aliases[alias].items(), written, strict=True):
                path = ("aliases", alias, as_written)
                yield _Use(name=name, source=self.sources[key], counted=counted, path=path)

    def _is_known(self, use: _Use) -> bool:
        if use.name in BY_NAME or (self.options.allow_unknown_fields and use.name):
            return True
        return isinstance(use.source, Correlation) and use.name in use.source.group_by

    def _is_doubtful(self, use: _Use) -> bool:
        """Warn of a field that never has a value, or none that can be computed with."""
        before = len(self.found.diagnostics)
        row = BY_NAME.get(use.name)
        if row is None and is_derived(use.name):
            message = f"no event keeps {quoted(use.name)}, which documents have for their readers' sake"
            self.found.warning("FA046", message, self._place(use), help="name the fields that it is made of")
        elif row is not None and row.operations is not None and isinstance(use.source, Rule):
            source = source_of(use.source.logsource)
            if row.operations.isdisjoint(source.operations):
                whose = f"{source.value}, as {quoted(use.source.key)} has it,"
                message = f"no event of {whose} has the field {quoted(use.name)}"
                helping = f"only {words_of(row.operations)} has it"
                self.found.warning("FA046", message, self._place(use), help=helping)
        if row is not None and use.counted and self._computes and row.type is not FieldType.INTEGER:
            message = f"{quoted(use.name)} is no number that could be computed with"
            self.found.warning("FA046", message, self._place(use), help="name a field that holds numbers")
        return len(self.found.diagnostics) > before

    @property
    def _computes(self) -> bool:
        return self.tied.type in _COMPUTING or self.tied.percentile is not None
