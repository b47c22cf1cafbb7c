"""The modifiers that may follow a field name, each one an entry of one table.

    CommandLine|windash|contains|all: [...]
                ───┬─── ───┬──── ─┬─
           transforms   compares  links

A **transformation** makes a list of values of one value; they run in the order of the document. At most one
**comparison** says how a value is held against the field; without one, it is the whole of it. A **part** is
compared instead of the field's value, a **reference** instead of the rule's. **Links and flags** change how
values are joined or text is compared. A **sub-modifier** only has a meaning right behind the modifier that it
belongs to. What a chain of them amounts to, and what is wrong with it, is said in `chains`.

Every entry says what it leaves the kernel's classifier to test (`KernelGives`). One that did not say could
make the kernel drop what a rule matches, so it cannot be registered.
"""

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from fileaudit_engine.events.fields import FieldType
from fileaudit_engine.rules import encodings
from fileaudit_engine.rules.calendar import Part
from fileaudit_engine.rules.values import Pattern, anywhere, at_end, at_start, unchanged

Transform = Callable[[Pattern], tuple[Pattern, ...]]
"""What one value becomes, never nothing; raises `UnusableValue`."""


class Role(enum.Enum):
    """What a modifier acts on."""

    PLACEHOLDER = "replaces placeholders in the value"
    TRANSFORM = "transforms the value"
    COMPARE = "compares"
    REFERENCE = "takes the value from another field"
    PART = "takes a part of the field's date"
    FLAG = "changes how values are joined or text is compared"
    SUB = "belongs to the modifier before it"


class Stage(enum.IntEnum):
    """What a transformation works on; each stage at most once, and in this order."""

    SPELLING = 1
    CHARACTERS = 2
    BYTES = 3


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


ANY_FIELD: Final = frozenset(FieldType)


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
        stage: For transformations: what it works on.
        pattern: For comparisons of text: the pattern that the whole field must have.
        after: For sub-modifiers: what it belongs to.
        fields: The types of field that it can stand behind.
        keyword: Whether it can stand without a field, where the whole event is searched.
        excludes: Names that it cannot stand with, each with the reason.
    """

    name: str
    role: Role
    takes: frozenset[ValueType]
    kernel: KernelGives
    meaning: str
    transform: Transform | None = None
    stage: Stage | None = None
    pattern: Callable[[Pattern], Pattern] | None = None
    after: str = ""
    fields: frozenset[FieldType] = ANY_FIELD
    keyword: bool = True
    excludes: Mapping[str, str] = field(default_factory=dict)


ANYTHING: Final = frozenset(ValueType)
_TEXTUAL: Final = frozenset({ValueType.TEXT, ValueType.NUMBER})
_TEXT: Final = frozenset({ValueType.TEXT})
_NUMBER: Final = frozenset({ValueType.NUMBER})

PARTS: Final = tuple(part.value for part in Part)
_ENCODERS: Final = ("wide", "utf16le", "utf16be", "utf16", "base64", "base64offset")
_TEXT_COMPARISONS: Final = ("contains", "startswith", "endswith", "re", "cidr", "path", "under")
_TRANSFORMS: Final = ("windash", *_ENCODERS)
_ORDERS: Final = {"lt": "gte", "lte": "gt", "gt": "lte", "gte": "lt"}
"""The comparisons of numbers, each with its opposite."""


def _against(names: Iterable[str], reason: str) -> Mapping[str, str]:
    return dict.fromkeys(names, reason)


def _comparison(
    name: str, kernel: KernelGives, meaning: str, pattern: Callable[[Pattern], Pattern], *, keyword: bool
) -> Modifier:
    return Modifier(
        name=name,
        role=Role.COMPARE,
        takes=_TEXTUAL,
        kernel=kernel,
        meaning=meaning,
        pattern=pattern,
        keyword=keyword,
    )


def _of_paths(
    name: str,
    kernel: KernelGives,
    meaning: str,
    takes: frozenset[ValueType],
    pattern: Callable[[Pattern], Pattern] | None,
) -> Modifier:
    return Modifier(
        name=name,
        role=Role.COMPARE,
        takes=takes,
        kernel=kernel,
        meaning=meaning,
        pattern=pattern,
        fields=frozenset({FieldType.PATH}),
        keyword=False,
        excludes=_against(_TRANSFORMS, "a path is compared as it is, not in another encoding"),
    )


def _expression_flag(name: str, meaning: str) -> Modifier:
    return Modifier(
        name=name, role=Role.SUB, takes=_TEXT, kernel=KernelGives.UNCHANGED, meaning=meaning, after="re"
    )


def _encoder(name: str, stage: Stage, meaning: str, transform: Transform) -> Modifier:
    return Modifier(
        name=name,
        role=Role.TRANSFORM,
        takes=_TEXTUAL,
        kernel=KernelGives.UNCHANGED,
        meaning=meaning,
        transform=transform,
        stage=stage,
    )


def _order(name: str, meaning: str) -> Modifier:
    return Modifier(
        name=name,
        role=Role.COMPARE,
        takes=_NUMBER,
        kernel=KernelGives.NOTHING,
        meaning=meaning,
        keyword=False,
        excludes={
            **_against(
                ("expand", *_TRANSFORMS, "fieldref"), f"'{name}' compares numbers, and takes one as it is"
            ),
            "cased": "a number has no upper and lower case",
            "neq": f"write '{_ORDERS[name]}', and think of events without the field",
        },
    )


def _part(part: Part) -> Modifier:
    first, last = part.range
    reason = (
        f"'{part.value}' makes a number of the field: compare it with lt, lte, gt or gte, or for equality"
    )
    return Modifier(
        name=part.value,
        role=Role.PART,
        takes=_NUMBER,
        kernel=KernelGives.NOTHING,
        meaning=f"The {part.value} of the field's date is the value, {first} to {last}.",
        fields=frozenset({FieldType.DATE}),
        keyword=False,
        excludes=_against(
            (*_TEXT_COMPARISONS, "cased", "fieldref", "expand", *_TRANSFORMS),
            reason,
        ),
    )


def registered(*entries: Modifier) -> Mapping[str, Modifier]:
    """The table of `entries` by name.

    Raises:
        AssertionError: An entry is incomplete, or two have one name: the table itself is wrong.
    """
    for entry in entries:
        if entry.kernel not in set(KernelGives):
            raise AssertionError(f"the modifier {entry.name} does not say what it gives the kernel")
        transforms = entry.role is Role.TRANSFORM
        if transforms != (entry.transform is not None) or transforms != (entry.stage is not None):
            raise AssertionError(f"the modifier {entry.name} has a role that its functions do not fit")
        if (entry.role is Role.SUB) != bool(entry.after):
            raise AssertionError(f"the sub-modifier {entry.name} does not say what it belongs to")
    table = {entry.name: entry for entry in entries}
    if len(table) < len(entries):
        raise AssertionError("two modifiers have the same name")
    return table


MODIFIERS: Final = registered(
    _comparison(
        "contains", KernelGives.INFIX, "The value stands anywhere in the field.", anywhere, keyword=True
    ),
    _comparison(
        "startswith", KernelGives.PREFIX, "The field begins with the value.", at_start, keyword=False
    ),
    _comparison("endswith", KernelGives.SUFFIX, "The field ends with the value.", at_end, keyword=False),
    Modifier(
        name="re",
        role=Role.COMPARE,
        takes=_TEXT,
        kernel=KernelGives.NOTHING,
        meaning="The value is a regular expression (RE2), found anywhere in the field, case-sensitive.",
        excludes={
            "cased": "a regular expression is case-sensitive unless '|re|i' is written",
            **_against(_TRANSFORMS, "an expression is no text to be encoded: write it for the encoded text"),
        },
    ),
    _expression_flag("i", "The expression is compared without regard to case."),
    _expression_flag("m", "^ and $ also match at the beginning and end of each line."),
    _expression_flag("s", "The dot also matches a newline."),
    Modifier(
        name="all",
        role=Role.FLAG,
        takes=ANYTHING,
        kernel=KernelGives.UNCHANGED,
        meaning="All values of the list must match, not just one.",
    ),
    Modifier(
        name="cased",
        role=Role.FLAG,
        takes=_TEXTUAL,
        kernel=KernelGives.UNCHANGED,
        meaning="Upper and lower case differ.",
    ),
    Modifier(
        name="exists",
        role=Role.COMPARE,
        takes=frozenset({ValueType.BOOLEAN}),
        kernel=KernelGives.NOTHING,
        meaning="Whether the event has the field at all: true or false. A null is absence, "
        "except of a field that the engine does not know.",
        keyword=False,
        excludes=_against(
            (*_TEXT_COMPARISONS, *_ORDERS, *PARTS, *_TRANSFORMS, "fieldref", "expand", "all", "cased", "neq"),
            "'exists' asks whether the field is there, not what it holds: write it alone, with true or false",
        ),
    ),
    Modifier(
        name="neq",
        role=Role.FLAG,
        takes=ANYTHING,
        kernel=KernelGives.NOTHING,
        meaning="The field is none of the values; also true where the event does not have it.",
        excludes={"all": "'neq' already means none of the values: leave 'all' out"},
    ),
    Modifier(
        name="expand",
        role=Role.PLACEHOLDER,
        takes=_TEXTUAL,
        kernel=KernelGives.UNCHANGED,
        meaning="%name% stands for the values that the configuration gives it under `placeholders`.",
    ),
    _encoder(
        "windash",
        Stage.SPELLING,
        "A dash that introduces an option may be a hyphen, a slash or any of three longer dashes.",
        encodings.windash,
    ),
    _encoder("wide", Stage.CHARACTERS, "The value in UTF-16, low byte first.", encodings.utf16le),
    _encoder("utf16le", Stage.CHARACTERS, "The value in UTF-16, low byte first.", encodings.utf16le),
    _encoder("utf16be", Stage.CHARACTERS, "The value in UTF-16, high byte first.", encodings.utf16be),
    _encoder(
        "utf16",
        Stage.CHARACTERS,
        "The value in UTF-16 with its byte-order mark, low byte first.",
        encodings.utf16,
    ),
    _encoder("base64", Stage.BYTES, "The value in Base64, encoded alone.", encodings.base64),
    _encoder(
        "base64offset",
        Stage.BYTES,
        "The value in Base64, wherever it stands in the text that was encoded; goes with `contains`.",
        encodings.base64offset,
    ),
    Modifier(
        name="cidr",
        role=Role.COMPARE,
        takes=_TEXT,
        kernel=KernelGives.NOTHING,
        meaning="The field is an IP address of the network, such as 10.0.0.0/8 or 2001:db8::/32.",
        keyword=False,
        excludes={
            "cased": "an address has no upper and lower case",
            **_against(_TRANSFORMS, "a network is compared as it is, not in another encoding"),
        },
    ),
    _order("lt", "The field is a number less than the value."),
    _order("lte", "The field is a number less than the value, or equal to it."),
    _order("gt", "The field is a number greater than the value."),
    _order("gte", "The field is a number greater than the value, or equal to it."),
    Modifier(
        name="fieldref",
        role=Role.REFERENCE,
        takes=_TEXT,
        kernel=KernelGives.NOTHING,
        meaning="The value names another field, whose value is compared.",
        keyword=False,
        excludes=_against(
            ("re", "cidr", "path", "under", "expand", *_TRANSFORMS),
            "the value names a field: 'fieldref' goes with contains, startswith, endswith, cased, neq, all",
        ),
    ),
    *map(_part, Part),
    _of_paths(
        "path",
        KernelGives.UNCHANGED,
        "A path in which * and ? stop at a slash and ** does not. Not part of Sigma.",
        _TEXTUAL,
        unchanged,
    ),
    _of_paths(
        "under",
        KernelGives.PREFIX,
        "The directory itself, or anything below it. Not part of Sigma.",
        _TEXT,
        None,
    ),
)
"""Every modifier. The kernel compares without regard to case, so `cased` leaves it everything: it may pass
too much, never too little."""
