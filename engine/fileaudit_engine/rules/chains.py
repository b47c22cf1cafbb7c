"""Chains of modifiers: which are legal, why others are not, and what a legal one amounts to.

A chain is illegal because of one name (unknown, or far from what it belongs to) or because of two: each pair
has its reason, most of them in the registry, the general ones here.

    contains|lt       a value is compared in one way
    base64|wide       write 'wide|base64': modifiers run in their order
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from fileaudit_engine.diagnostics import InternalError
from fileaudit_engine.events.fields import FieldType
from fileaudit_engine.rules.calendar import Part
from fileaudit_engine.rules.modifiers import (
    ANY_FIELD,
    ANYTHING,
    MODIFIERS,
    PARTS,
    KernelGives,
    Modifier,
    Role,
    Stage,
    Transform,
    ValueType,
)
from fileaudit_engine.rules.values import Pattern, anywhere, parse_path, parse_pattern, unchanged
from fileaudit_engine.rules.wording import nearest_of, quoted

Kind = Literal[
    "plain",
    "contains",
    "startswith",
    "endswith",
    "re",
    "cidr",
    "path",
    "under",
    "exists",
    "lt",
    "lte",
    "gt",
    "gte",
]
"""The comparisons."""

_KINDS: Final[dict[str, Kind]] = {kind: kind for kind in get_args(Kind)}

NUMERIC: Final = frozenset({"lt", "lte", "gt", "gte"})
"""The comparisons of numbers."""

MAX_CHAIN: Final = 16
"""Modifiers behind one field name; a legal chain has fewer, and checking one takes quadratic time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifierProblem:
    """Why a chain of modifiers cannot be used.

    Attributes:
        code: The diagnostic's.
        index: Which of the names to point at.
        message: What is wrong.
        help: What to do.
    """

    code: str
    index: int
    message: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedModifiers:
    """What a legal chain of modifiers amounts to.

    Attributes:
        kind: How values are compared with the field.
        all: Whether every value must match.
        negated: Whether no value may match.
        cased: Whether upper and lower case differ; regular expressions go by `re_flags` instead.
        expands: Whether placeholders are replaced.
        reference: Whether the value names a field.
        part: The part of the field's date that is compared, if one is.
        re_flags: A subset of "ims", in that order.
        transforms: What happens to a text before it is compared, in order.
        takes: The types of value that every modifier of the chain takes.
        fields: The types of field that every modifier of the chain can stand behind.
        kernel: What the comparison leaves the kernel; `UNCHANGED` for the whole value.
    """

    kind: Kind
    all: bool
    negated: bool
    cased: bool
    expands: bool
    reference: bool
    part: Part | None
    re_flags: str
    transforms: tuple[Transform, ...]
    takes: frozenset[ValueType]
    fields: frozenset[FieldType]
    kernel: KernelGives

    @property
    def whole(self) -> bool:
        """Whether the rule's value, as it is written, is held against the whole of the field's."""
        changed = self.reference or self.expands or self.transforms or self.part
        return self.kind == "plain" and not changed

    @property
    def numeric(self) -> bool:
        """Whether a number of the rule is compared as a number, not as the text that was written."""
        text = self.cased or self.transforms or self.kind not in {"plain", *NUMERIC}
        return self.part is not None or not text

    def patterns(self, text: str, *, keyword: bool = False) -> tuple[Pattern, ...]:
        """The patterns of which the field (for a keyword, some text of the event) must have one.

        For comparisons of texts only.

        Raises:
            UnusableValue: A modifier can make nothing of it.
        """
        values: tuple[Pattern, ...] = (parse_path(text) if self.kind == "path" else parse_pattern(text),)
        for transform in self.transforms:
            values = tuple(result for value in values for result in transform(value))
        compared = MODIFIERS[self.kind].pattern if self.kind != "plain" else unchanged
        if compared is None:
            raise InternalError(f"'{self.kind}' compares no texts")
        return tuple(dict.fromkeys(map(anywhere if keyword else compared, values)))


def resolve(names: Sequence[str]) -> ResolvedModifiers:
    """What `names` amount to; they are those of a parsed rule, hence legal.

    Raises:
        InternalError: `problems` has something to say about them.
    """
    return _resolve(tuple(names))


@functools.lru_cache(maxsize=1024)
def _resolve(names: tuple[str, ...]) -> ResolvedModifiers:
    if found := problems(names):
        raise InternalError(found[0].message)
    entries = [MODIFIERS[name] for name in names]
    return ResolvedModifiers(
        kind=next((_KINDS[entry.name] for entry in entries if entry.role is Role.COMPARE), "plain"),
        all="all" in names,
        negated="neq" in names,
        cased="cased" in names,
        expands="expand" in names,
        reference="fieldref" in names,
        part=next((Part(name) for name in names if name in PARTS), None),
        re_flags="".join(flag for flag in "ims" if flag in names),
        transforms=tuple(entry.transform for entry in entries if entry.transform),
        takes=ANYTHING.intersection(*(entry.takes for entry in entries)),
        fields=ANY_FIELD.intersection(*(entry.fields for entry in entries)),
        kernel=_kernel_gives(entries),
    )


def _kernel_gives(entries: Iterable[Modifier]) -> KernelGives:
    """The comparison's declaration, unless any modifier takes everything away."""
    declared = {entry.kernel for entry in entries} - {KernelGives.UNCHANGED}
    if KernelGives.NOTHING in declared or len(declared) > 1:
        return KernelGives.NOTHING
    return next(iter(declared), KernelGives.UNCHANGED)


def problems(names: Sequence[str], *, keyword: bool = False) -> tuple[ModifierProblem, ...]:
    """Everything that is wrong with a chain, in its order; nothing if it can be resolved.

    Args:
        names: The modifiers as written.
        keyword: Whether there is no field before them.
    """
    if len(names) > MAX_CHAIN:
        message = f"{len(names)} modifiers behind one field, at most {MAX_CHAIN} are read"
        return (ModifierProblem(code="FA032", index=MAX_CHAIN, message=message, help="remove some"),)
    if all(name in MODIFIERS for name in names):
        return _remembered(tuple(names), keyword=keyword)
    return _problems(names, keyword=keyword)


def _problems(names: Sequence[str], *, keyword: bool) -> tuple[ModifierProblem, ...]:
    found = [problem for index, name in enumerate(names) if (problem := _unknown(index, name))]
    known = [(index, MODIFIERS[name]) for index, name in enumerate(names) if name in MODIFIERS]
    for position, (index, entry) in enumerate(known):
        before = [other for _, other in known[:position]]
        of_entry = (
            _misplaced(index, entry, names),
            _clash(index, entry, before),
            _without_field(index, entry) if keyword else None,
        )
        found += [problem for problem in of_entry if problem]
    return tuple(sorted(found, key=lambda problem: problem.index))


_remembered: Final = functools.lru_cache(maxsize=4096)(_problems)
"""For chains of known names: thousands of rules have the same few, and no long text is kept."""


def _unknown(index: int, name: str) -> ModifierProblem | None:
    if name in MODIFIERS:
        return None
    close = nearest_of(name, MODIFIERS)
    remedy = f"did you mean {quoted(close)}?" if close else f"the modifiers are {', '.join(MODIFIERS)}"
    shown = f"unknown modifier {quoted(name)}" if name else "a modifier is missing after '|'"
    return ModifierProblem(code="FA030", index=index, message=shown, help=remedy)


def _misplaced(index: int, entry: Modifier, names: Sequence[str]) -> ModifierProblem | None:
    """A sub-modifier that does not follow what it belongs to."""
    if entry.role is not Role.SUB:
        return None
    siblings = {other.name for other in MODIFIERS.values() if other.after == entry.after}
    leader = next((name for name in reversed(names[:index]) if name not in siblings), "")
    if leader == entry.after:
        return None
    return ModifierProblem(
        code="FA032",
        index=index,
        message=f"'{entry.name}' belongs to '{entry.after}' and cannot stand here",
        help=f"write it right behind: '|{entry.after}|{entry.name}'",
    )


def _without_field(index: int, entry: Modifier) -> ModifierProblem | None:
    """A modifier that says nothing about a whole event."""
    if entry.keyword:
        return None
    return ModifierProblem(
        code="FA032",
        index=index,
        message=f"'{entry.name}' needs a field: a keyword is searched in the whole event",
        help=f"name the field, such as 'CommandLine|{entry.name}'",
    )


def _clash(index: int, entry: Modifier, before: Sequence[Modifier]) -> ModifierProblem | None:
    """A modifier that cannot stand with one before it, or not behind it."""
    for other in before:
        together = _reason_against(other, entry)
        reason = together or _reason_against_order(other, entry)
        if reason:
            where = "together" if together else "in this order"
            return ModifierProblem(
                code="FA032",
                index=index,
                message=f"'{other.name}' and '{entry.name}' cannot stand {where}",
                help=reason,
            )
    return None


def _reason_against(one: Modifier, other: Modifier) -> str:
    if one.name == other.name:
        return "write it once"
    if stated := one.excludes.get(other.name) or other.excludes.get(one.name):
        return stated
    if one.role is other.role is Role.COMPARE:
        return f"keep '{one.name}' or '{other.name}': a value is compared in one way"
    if one.role is other.role is Role.PART:
        return f"keep '{one.name}' here, and write '{other.name}' into a line of its own"
    if one.role is other.role is Role.TRANSFORM and one.stage is other.stage:
        return f"keep '{one.name}' or '{other.name}': a value is encoded once"
    return ""


def _reason_against_order(one: Modifier, other: Modifier) -> str:
    """Why `other` cannot stand behind `one`, though it can stand before it."""
    return f"write '{other.name}|{one.name}': {why}" if (why := _must_lead(other, one)) else ""


def _must_lead(late: Modifier, early: Modifier) -> str:
    """Why `late`, which stands behind `early`, would have to stand before it."""
    if late.role is Role.PLACEHOLDER and early.role is Role.TRANSFORM:
        return "a placeholder is replaced before anything is made of the value"
    if late.role is Role.PART and early.role is Role.COMPARE:
        return "first the part, then how it is compared"
    if late.stage is None or (late.stage is Stage.SPELLING and early.role is not Role.TRANSFORM):
        return ""
    if early.role is Role.COMPARE:
        return "a value is encoded before it is compared"
    if early.stage is not None and late.stage < early.stage:
        return "modifiers run in their order"
    return ""
