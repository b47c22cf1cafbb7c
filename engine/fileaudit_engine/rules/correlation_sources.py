"""What a correlation refers to: rules and correlations by name, id or title.

A reference that leads nowhere, or to two, costs the correlation: it would be another one without it. What is
meant by the names in its aliases and its condition is found among its rules alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.diagnostics import Collector, Location
from fileaudit_engine.rules.ast import And, Condition, Identifier, Not, Or, Quantified, RuleReference
from fileaudit_engine.rules.correlation import Draft
from fileaudit_engine.rules.correlation_condition import identifiers
from fileaudit_engine.rules.names import RuleNames, folded_name
from fileaudit_engine.rules.nodes import key_at
from fileaudit_engine.rules.wording import listed, nearest_of, quoted

_MOST_GUESSES: Final = 5
"""Wrong names that are compared with all right ones, for the nearest: of 3,000 rules it takes 50 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a correlation refers to, by keys.

    Attributes:
        keys: As `Correlation.sources`.
        aliases: As `Correlation.aliases`.
        condition: As `Correlation.condition`.
    """

    keys: tuple[str, ...]
    aliases: Mapping[str, Mapping[str, str]]
    condition: Condition | None


@dataclass(slots=True, kw_only=True)
class SourceReader:
    """Looks up the references of one correlation after the other.

    Attributes:
        names: All usable rules, and all correlations.
        unusable: Folded names of documents that are there, but broken.
    """

    names: RuleNames
    unusable: Collection[str]
    _guesses: int = field(init=False, default=0)

    def read(self, draft: Draft, found: Collector) -> Sources | None:
        """The sources of a correlation; None if something is wrong with them, which `found` then says."""
        keys = self._keys(draft.correlation.rules, found)
        if keys is None:
            return None
        local = _Local(draft=draft, keys=keys, names=self.names, found=found)
        aliases, condition = local.aliases(), local.condition()
        if aliases is None or (condition is None and draft.correlation.condition is not None):
            return None
        return Sources(keys=keys, aliases=aliases, condition=condition)

    def _keys(self, references: Collection[RuleReference], found: Collector) -> tuple[str, ...] | None:
        first: dict[str, RuleReference] = {}
        wrong = False
        for reference in references:
            key = self.names.key(reference.name)
            if key is None:
                self._unknown(reference, found)
            elif first.setdefault(key, reference) is not reference:
                _twice(first[key], reference, found)
            wrong = wrong or key is None or first[key] is not reference
        return None if wrong else tuple(first)

    def _unknown(self, reference: RuleReference, found: Collector) -> None:
        name, several = reference.name, self.names.keys(reference.name)
        if not several and folded_name(name) in self.unusable:
            message = f"{quoted(name)} is not usable, so this correlation is left out, too"
            found.error("FA019", message, reference.location, help="mend that one first")
            return
        remedy = "write the name, id or title of a rule or a correlation"
        if several or self._guesses < _MOST_GUESSES:
            self._guesses += not several
            remedy = self.names.remedy(name)
        what = f"{len(several)} rules or correlations are" if several else "no rule and no correlation is"
        found.error("FA019", f"{what} called {quoted(name)}", reference.location, help=remedy)


def _twice(first: RuleReference, again: RuleReference, found: Collector) -> None:
    found.error(
        "FA019",
        f"{quoted(again.name)} is the same as {quoted(first.name)}",
        again.location,
        label=f"first at {first.location}",
        help="name each rule once",
    )


@dataclass(slots=True, kw_only=True)
class _Local:
    """Finds what names in one correlation mean among its own rules.

    Attributes:
        draft: The correlation.
        keys: Of its rules, in their order.
        names: All there are.
        found: Where findings go.
    """

    draft: Draft
    keys: tuple[str, ...]
    names: RuleNames
    found: Collector
    _as_written: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Aliases may speak of every rule a hundred times: names are looked up, not searched for."""
        written = (folded_name(reference.name) for reference in self.draft.correlation.rules)
        self._as_written = dict(zip(written, self.keys, strict=True))

    def aliases(self) -> Mapping[str, Mapping[str, str]] | None:
        """The aliases by keys of sources."""
        read: dict[str, dict[str, str]] = {}
        right = True
        for alias, fields in self.draft.correlation.aliases.items():
            known = read[alias] = {}
            for name, meant in fields.items():
                key = self._key(name)
                if key is None:
                    self._not_among(name, key_at(self.draft.section, ["aliases", alias], name))
                elif key in known:
                    self._again(alias, name)
                right = right and key is not None and key not in known
                known[key or ""] = meant
        return read if right else None

    def _again(self, alias: str, name: str) -> None:
        message = f"the alias {quoted(alias)} speaks twice of the same rule"
        where = key_at(self.draft.section, ["aliases", alias], name)
        self.found.error("FA019", message, where, help="remove one of the two")

    def condition(self) -> Condition | None:
        """The condition over keys of sources; rules that it does not name are warned of."""
        written = self.draft.correlation.condition
        if written is None:
            return None
        meant: dict[str, str] = {}
        unknown: dict[str, Location] = {}
        for one in identifiers(written):
            key = self._key(one.name)
            if key is None:
                unknown.setdefault(one.name, one.location)
            else:
                meant[one.name] = key
        for name, where in unknown.items():
            self._not_among(name, where)
        if unknown:
            return None
        self._warn_of_unused(frozenset(meant.values()))
        return _renamed(written, meant)

    def _warn_of_unused(self, used: frozenset[str]) -> None:
        for key, reference in zip(self.keys, self.draft.correlation.rules, strict=True):
            if key not in used:
                self.found.warning(
                    "FA050",
                    f"the condition does not name the rule {quoted(reference.name)}",
                    reference.location,
                    help=f"add it to the condition, such as 'and {key}', or remove it",
                )

    def _key(self, name: str) -> str | None:
        """The source that is called `name`."""
        if (known := self._as_written.get(folded_name(name))) is not None:
            return known
        among = [key for key in self.names.keys(name) if key in self.keys]
        return among[0] if len(among) == 1 else None

    def _not_among(self, name: str, where: Location) -> None:
        written = [reference.name for reference in self.draft.correlation.rules]
        close = nearest_of(name, written)
        self.found.error(
            "FA019",
            f"{quoted(name)} is not among the rules of this correlation",
            where,
            help=f"did you mean {quoted(close)}?" if close else f"the rules are {listed(written, limit=5)}",
        )


def _renamed(condition: Condition, keys: Mapping[str, str]) -> Condition:
    match condition:
        case Identifier(name=name, location=location):
            return Identifier(name=keys[name], location=location)
        case Not(operand=operand):
            return Not(operand=_renamed(operand, keys))
        case And(operands=operands):
            return And(operands=tuple(_renamed(operand, keys) for operand in operands))
        case Or(operands=operands):
            return Or(operands=tuple(_renamed(operand, keys) for operand in operands))
        case Quantified():
            raise AssertionError("conditions of correlations have no quantifiers")
        case _ as never:
            assert_never(never)
