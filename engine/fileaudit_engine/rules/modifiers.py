"""The modifiers that may follow a field name, each one an entry of one table.

    CommandLine|windash|contains|all: [...]
                ───┬─── ───┬──── ─┬─
           transforms   compares  links

A **transformation** makes a list of values of one value; they run in the order of the document. At most one
**comparison** says how a value is held against the field; without one, it is the whole of it. **Links and
flags** change how values are joined or text is compared. A **sub-modifier** only has a meaning right behind
the modifier that it belongs to.

Every entry says what it leaves the kernel's classifier to test (`KernelGives`). One that did not say could
make the kernel drop what a rule matches, so it cannot be registered.
"""

import enum
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from fileaudit_engine.diagnostics import InternalError
from fileaudit_engine.rules.values import Pattern, anywhere, at_end, at_start, parse_pattern
from fileaudit_engine.rules.wording import nearest_of, quoted

Transform = Callable[[Pattern], tuple[Pattern, ...]]
"""What one value becomes; never nothing."""

Kind = Literal["plain", "contains", "startswith", "endswith", "re"]
"""The comparisons."""


class Role(enum.Enum):
    """What a modifier acts on."""

    TRANSFORM = "transforms the value"
    COMPARE = "compares"
    FLAG = "changes how values are joined or text is compared"
    SUB = "belongs to the modifier before it"


class ValueType(enum.Enum):
    """The types of value that a modifier takes."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "truth value"
    NULL = "null"


class KernelGives(enum.Enum):
    """What remains of a value's literal text for the kernel to test."""

    UNCHANGED = enum.auto()
    """The modifier neither adds to what the kernel can test nor takes from it."""
    PREFIX = enum.auto()
    """The field begins with it."""
    SUFFIX = enum.auto()
    """The field ends with it."""
    INFIX = enum.auto()
    """The field holds it somewhere."""
    NOTHING = enum.auto()
    """The kernel cannot test it: the field counts as unconstrained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modifier:
    """One entry.

    Attributes:
        name: As rules write it.
        role: What it acts on.
        takes: The types of value that it can be given.
        kernel: What it leaves the kernel to test; there is no default, on purpose.
        meaning: One line for the editor and the reference.
        transform: For transformations.
        pattern: For comparisons of text: the pattern that the whole field must have.
        after: For sub-modifiers: what it belongs to.
        excludes: Names that it cannot stand with, each with the reason.
    """

    name: str
    role: Role
    takes: frozenset[ValueType]
    kernel: KernelGives
    meaning: str
    transform: Transform | None = None
    pattern: Callable[[Pattern], Pattern] | None = None
    after: str = ""
    excludes: Mapping[str, str]


_ANYTHING = frozenset(ValueType)
_TEXTUAL = frozenset({ValueType.TEXT, ValueType.NUMBER})


def _comparison(
    name: Kind, kernel: KernelGives, meaning: str, pattern: Callable[[Pattern], Pattern]
) -> Modifier:
    return Modifier(
        name=name,
        role=Role.COMPARE,
        takes=_TEXTUAL,
        kernel=kernel,
        meaning=meaning,
        pattern=pattern,
        excludes={},
    )


def _expression_flag(name: str, meaning: str) -> Modifier:
    return Modifier(
        name=name,
        role=Role.SUB,
        takes=frozenset({ValueType.TEXT}),
        kernel=KernelGives.UNCHANGED,
        meaning=meaning,
        after="re",
        excludes={},
    )


def registered(*entries: Modifier) -> Mapping[str, Modifier]:
    """The table of `entries` by name.

    Raises:
        AssertionError: An entry is incomplete, or two have one name: the table itself is wrong.
    """
    for entry in entries:
        if entry.kernel not in set(KernelGives):
            raise AssertionError(f"the modifier {entry.name} does not say what it gives the kernel")
        if (entry.role is Role.TRANSFORM) != (entry.transform is not None):
            raise AssertionError(f"the modifier {entry.name} has a role that its functions do not fit")
        if (entry.role is Role.SUB) != bool(entry.after):
            raise AssertionError(f"the sub-modifier {entry.name} does not say what it belongs to")
    table = {entry.name: entry for entry in entries}
    if len(table) < len(entries):
        raise AssertionError("two modifiers have the same name")
    return table


MODIFIERS: Final = registered(
    _comparison("contains", KernelGives.INFIX, "The value stands anywhere in the field.", anywhere),
    _comparison("startswith", KernelGives.PREFIX, "The field begins with the value.", at_start),
    _comparison("endswith", KernelGives.SUFFIX, "The field ends with the value.", at_end),
    Modifier(
        name="re",
        role=Role.COMPARE,
        takes=frozenset({ValueType.TEXT}),
        kernel=KernelGives.NOTHING,
        meaning="The value is a regular expression (RE2), found anywhere in the field, case-sensitive.",
        excludes={"cased": "a regular expression is case-sensitive unless '|re|i' is written"},
    ),
    _expression_flag("i", "The expression is compared without regard to case."),
    _expression_flag("m", "^ and $ also match at the beginning and end of each line."),
    _expression_flag("s", "The dot also matches a newline."),
    Modifier(
        name="all",
        role=Role.FLAG,
        takes=_ANYTHING,
        kernel=KernelGives.UNCHANGED,
        meaning="All values of the list must match, not just one.",
        excludes={},
    ),
    Modifier(
        name="cased",
        role=Role.FLAG,
        takes=_TEXTUAL,
        kernel=KernelGives.UNCHANGED,
        meaning="Upper and lower case differ.",
        excludes={},
    ),
)
"""Every modifier that this version runs. The kernel compares without regard to case, so `cased` leaves it
everything: it may pass too much, never too little."""

NOT_YET: Final = frozenset(
    {
        *("exists", "neq", "windash", "cidr", "expand", "fieldref", "path", "under"),
        *("base64", "base64offset", "utf16", "utf16le", "utf16be", "wide"),
        *("lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year"),
    }
)
"""Names that Sigma 2.1 or our design gives a meaning, and that this version cannot run."""


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
        cased: Whether upper and lower case differ; regular expressions go by `re_flags` instead.
        re_flags: A subset of "ims", in that order.
        transforms: What happens to a text before it is compared, in order.
        takes: The types of value that every modifier of the chain takes.
        kernel: What the comparison leaves the kernel; `UNCHANGED` for the whole value.
    """

    kind: Kind
    all: bool
    cased: bool
    re_flags: str
    transforms: tuple[Transform, ...]
    takes: frozenset[ValueType]
    kernel: KernelGives

    def patterns(self, text: str) -> tuple[Pattern, ...]:
        """The patterns of which the field must have one (with `all`, every one); not for `re`."""
        values: tuple[Pattern, ...] = (parse_pattern(text),)
        for transform in self.transforms:
            values = tuple(result for value in values for result in transform(value))
        shape = MODIFIERS[self.kind].pattern if self.kind != "plain" else None
        return tuple(map(shape, values)) if shape else values


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
    kind: Kind = next((_as_kind(entry.name) for entry in entries if entry.role is Role.COMPARE), "plain")
    return ResolvedModifiers(
        kind=kind,
        all="all" in names,
        cased="cased" in names,
        re_flags="".join(flag for flag in "ims" if flag in names),
        transforms=tuple(entry.transform for entry in entries if entry.transform),
        takes=_ANYTHING.intersection(*(entry.takes for entry in entries)),
        kernel=_kernel_gives(entries),
    )


def _as_kind(name: str) -> Kind:
    match name:
        case "contains" | "startswith" | "endswith" | "re":
            return name
        case _:
            raise InternalError(f"the comparison {name} has no kind")


def _kernel_gives(entries: Iterable[Modifier]) -> KernelGives:
    """The comparison's declaration, unless any modifier takes everything away."""
    declared = {entry.kernel for entry in entries} - {KernelGives.UNCHANGED}
    if KernelGives.NOTHING in declared or len(declared) > 1:
        return KernelGives.NOTHING
    return next(iter(declared), KernelGives.UNCHANGED)


def problems(names: Sequence[str]) -> tuple[ModifierProblem, ...]:
    """Everything that is wrong with a chain, in its order; nothing if it can be resolved."""
    if len(names) > MAX_CHAIN:
        message = f"{len(names)} modifiers behind one field, at most {MAX_CHAIN} are read"
        return (ModifierProblem(code="FA032", index=MAX_CHAIN, message=message, help="remove some"),)
    found = [problem for index, name in enumerate(names) if (problem := _unknown(index, name))]
    known = [(index, MODIFIERS[name]) for index, name in enumerate(names) if name in MODIFIERS]
    for position, (index, entry) in enumerate(known):
        before = [other for _, other in known[:position]]
        found += [
            problem for problem in (_misplaced(index, entry, names), _clash(index, entry, before)) if problem
        ]
    return tuple(sorted(found, key=lambda problem: problem.index))


def _unknown(index: int, name: str) -> ModifierProblem | None:
    if name in MODIFIERS:
        return None
    if name in NOT_YET:
        return ModifierProblem(
            code="FA031",
            index=index,
            message=f"the modifier '{name}' is not supported by this version",
            help=f"this version has {_listed(MODIFIERS)}",
        )
    close = nearest_of(name, [*MODIFIERS, *NOT_YET])
    remedy = f"did you mean {quoted(close)}?" if close else f"the modifiers are {_listed(MODIFIERS)}"
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


def _clash(index: int, entry: Modifier, before: Sequence[Modifier]) -> ModifierProblem | None:
    """A modifier that cannot stand with one before it."""
    for other in before:
        reason = _reason_against(other, entry)
        if reason:
            return ModifierProblem(
                code="FA032",
                index=index,
                message=f"'{other.name}' and '{entry.name}' cannot stand together",
                help=reason,
            )
    return None


def _reason_against(one: Modifier, other: Modifier) -> str:
    if one.name == other.name:
        return "write it once"
    if one.role is other.role is Role.COMPARE:
        return f"keep '{one.name}' or '{other.name}': a value is compared in one way"
    return one.excludes.get(other.name, "") or other.excludes.get(one.name, "")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
