r"""What user space looks for before it looks at a rule: the rule's witnesses.

A rule can only match an event in which certain texts stand. Of the detection

    selection: {Image|endswith: [/vi, /nano], TargetFilename|startswith: /etc/}
    filter:    {User: root}
    condition: selection and not filter

two groups of literals are necessary, `{Image: …/vi, …/nano}` and `{TargetFilename: /etc/…}`: an event has
one of each group, or the rule does not match it. So only one group needs to be looked for at all, the one
that the fewest events have: the **witness**. Everything else (the other groups, the negation, regular
expressions, numbers) is checked on the few events that have it.

    Test           a run of literal text of its pattern          {/etc/…}
                   or, of an expression, so many characters      {100 characters}
    A and B        the groups of A, and those of B
    A or B         one group: the best of A with the best of B; none if one of them has none
    not A          nothing

A top-level `or` makes **alternatives**, each with groups of its own. The law is that of the kernel's clauses
(`constraint`): if the rule matches, some alternative has a literal of every one of its groups in the event.
Adding a literal to a group is always sound, as is leaving a group out; whatever this module does not know
gives no group.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.ir import All, AnyOf, Matches, Negation, Pattern, Predicate, Searches, Test
from fileaudit_engine.compiler.required import required
from fileaudit_engine.events.fields import WHOLE_EVENT, Field
from fileaudit_engine.text import fold

ALTERNATIVES: Final = 16
"""Past this many alternatives of a rule they are one again, with the group that they have in common."""

LITERAL_CHARACTERS: Final = 32
"""Of a longer literal only so much is looked for: it tells events apart just as well."""

LEAST_LENGTH: Final = 24
"""A shorter text says nothing; and no number has so many digits, which are not looked through."""

_NUMERIC: Final = frozenset("0123456789-")
_ANCHOR_CHARACTERS: Final = 2
"""An anchor tells about as much as so many characters: a text has one beginning and one end."""

_COMMON_BEGINNINGS: Final = frozenset(
    f"/{name}/"
    for name in (
        *("bin", "boot", "dev", "etc", "home", "lib", "mnt", "opt", "proc", "root", "run", "sbin", "srv"),
        *("sys", "tmp", "usr", "var", "usr/bin", "usr/lib", "usr/local", "usr/sbin", "usr/share"),
        *("var/lib", "var/log", "var/tmp", "var/run", "var/cache", "dev/shm"),
    )
)
_COMMON_ENDINGS: Final = frozenset(
    (
        *("/bash", "/cat", "/curl", "/dash", "/java", "/node", "/perl", "/python", "/python3", "/sh"),
        *("/sudo", "/systemd", "/vim", "/zsh", ".bak", ".cfg", ".conf", ".html", ".ini", ".js", ".json"),
        *(".lock", ".log", ".md", ".php", ".py", ".sh", ".so", ".sock", ".tmp", ".txt", ".xml", ".yml"),
    )
)
_COMMON_DENSITY: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A text that stands in a field, compared without regard to case.

    Attributes:
        field: Where; `WHOLE_EVENT` for anywhere in the event.
        text: Folded, not empty.
        starts: Whether the field (or a member of its list) begins with it.
        ends: Whether it ends with it.
    """

    field: Field
    text: str
    starts: bool
    ends: bool

    @property
    def density(self) -> float:
        """A guess at the share of events that have it, 0 to 1; only its order means something."""
        if self.field.values:
            return 1 / len(self.field.values)
        if self.starts and self.text in _COMMON_BEGINNINGS:
            return _COMMON_DENSITY
        if self.ends and self.text in _COMMON_ENDINGS:
            return _COMMON_DENSITY
        length = len(self.text) + _ANCHOR_CHARACTERS * (self.starts + self.ends)
        return 2.0 ** (1 - length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """A field is at least so long: all that is certain of `[^/]{100,}`.

    Attributes:
        field: Which; `WHOLE_EVENT` for any field of the event.
        characters: How long, in characters; a list is as long as all its members.
    """

    field: Field
    characters: int

    @property
    def density(self) -> float:
        """A guess as that of literals: of texts that are so long."""
        return float(2.0 ** (-self.characters / 16))


Group = frozenset[Literal | Length]
"""Signs of which an event that matches has at least one; never empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One way in which a rule can match: it takes a literal of every group.

    Attributes:
        groups: From the rarest to the densest; the first is the witness. With none, any event will do.
    """

    groups: tuple[Group, ...]

    @property
    def witness(self) -> Group | None:
        """The group to look for; None if every event (of the log source) must be looked at.

        A field with few values, such as the operation, tells next to nothing and is no witness.
        """
        first = self.groups[0] if self.groups else None
        return None if first is None or _has_few_values(first) else first


def alternatives(predicate: Predicate) -> tuple[Alternative, ...]:
    """The alternatives of a simplified predicate; none if it can never be true."""
    return tuple(
        Alternative(groups=tuple(sorted(dict.fromkeys(groups), key=_rank)))
        for groups in _split(predicate)
        if groups is not None
    )


def density(group: Group) -> float:
    """A guess at the share of events that have a literal of the group."""
    return sum(literal.density for literal in group)


def _rank(group: Group) -> tuple[bool, float]:
    """Sorts groups by what is gained by looking for them: rare ones first, fields with few values last."""
    return _has_few_values(group), density(group)


def _has_few_values(group: Group) -> bool:
    return any(literal.field.values for literal in group)


_Groups = list[Group] | None
"""Groups that are necessary; None for what is never true."""


def _split(predicate: Predicate) -> Iterable[_Groups]:
    """The groups of each alternative: those of a top-level `or`, each with what stands beside it."""
    operands = predicate.operands if isinstance(predicate, All) else (predicate,)
    choices = [operand for operand in operands if isinstance(operand, AnyOf) and _splits(operand)]
    if not choices:
        return (_groups(predicate),)
    choice = max(choices, key=lambda operand: len(operand.operands))
    beside = _groups(All(operands=tuple(operand for operand in operands if operand is not choice)))
    return (_joined((_groups(operand), beside)) for operand in choice.operands)


def _splits(choice: AnyOf) -> bool:
    """Whether an `or` joins more than values: a list of values is one group."""
    return len(choice.operands) <= ALTERNATIVES and any(isinstance(m, All) for m in choice.operands)


def _groups(predicate: Predicate) -> _Groups:
    match predicate:
        case Test():
            group = _of_test(predicate)
            return [] if group is None else [group]
        case Negation():
            return []
        case All(operands=operands):
            return _joined(map(_groups, operands))
        case AnyOf(operands=operands):
            return _common(operands)
        case _ as never:
            assert_never(never)


def _joined(parts: Iterable[_Groups]) -> _Groups:
    """The groups of a conjunction."""
    known = list(parts)
    if any(part is None for part in known):
        return None
    return list(itertools.chain.from_iterable(part or () for part in known))


def _common(operands: Sequence[Predicate]) -> _Groups:
    """The group of a disjunction: of each operand the rarest."""
    parts = [part for part in map(_groups, operands) if part is not None]
    if not parts:
        return None
    if not all(parts):
        return []
    return [Group().union(*(min(part, key=_rank) for part in parts))]


def _of_test(test: Test) -> Group | None:
    if not test.field.folded:
        return None
    match test.check:
        case Matches(pattern=pattern):
            found = [_cut(literal) for literal in _runs(test.field, pattern)]
            usable = [literal for literal in found if _is_usable(literal)]
            return Group({min(usable, key=lambda literal: literal.density)}) if usable else None
        case Searches(expression=expression):
            return _of_expression(test.field, expression)
        case _:
            return None


def _runs(field: Field, pattern: Pattern) -> Iterable[Literal]:
    """Every run of literal text."""
    last = len(pattern) - 1
    for index, part in enumerate(pattern):
        if isinstance(part, str):
            yield Literal(field=field, text=fold(part), starts=index == 0, ends=index == last)


def _of_expression(field: Field, expression: str) -> Group | None:
    needed = required(expression)
    found = [_cut(Literal(field=field, text=fold(text), starts=False, ends=False)) for text in needed.texts]
    if found and all(map(_is_usable, found)):
        return Group(found)
    if needed.characters < LEAST_LENGTH:
        return None
    return Group({Length(field=field, characters=needed.characters)})


def _is_usable(literal: Literal) -> bool:
    """A single character somewhere costs more than it spares, and numbers are not scanned for keywords."""
    if literal.field is WHOLE_EVENT and _NUMERIC.issuperset(literal.text):
        return False
    return literal.density < 1


def _cut(literal: Literal) -> Literal:
    """The literal, or as much of it as is looked for."""
    if len(literal.text) <= LITERAL_CHARACTERS:
        return literal
    if literal.ends and not literal.starts:
        text = literal.text[-LITERAL_CHARACTERS:]
        return Literal(field=literal.field, text=text, starts=False, ends=True)
    text = literal.text[:LITERAL_CHARACTERS]
    return Literal(field=literal.field, text=text, starts=literal.starts, ends=False)
