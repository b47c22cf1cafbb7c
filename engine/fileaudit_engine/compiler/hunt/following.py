"""Computed fields that documents do not carry: what follows from other columns, or is bounded by them."""

from collections.abc import Callable, Mapping
from typing import Final

from fileaudit_engine.compiler.hunt.columns import MODE, OPERATION, columns_of, one_of
from fileaudit_engine.compiler.hunt.conditions import (
    NEVER,
    Column,
    Condition,
    Expression,
    Not,
    Texts,
    Whole,
    both,
    either,
    negated,
)
from fileaudit_engine.compiler.hunt.expression import Characters, Node, Repeat, Sequence, literal
from fileaudit_engine.compiler.hunt.few_values import holder
from fileaudit_engine.compiler.hunt.numbers import absent, digits, octal
from fileaudit_engine.compiler.hunt.re2 import lucene_of
from fileaudit_engine.compiler.hunt.said import Said, exactly, no_more_than, nothing
from fileaudit_engine.compiler.hunt.texts import TextColumns, matches, searches
from fileaudit_engine.compiler.ir import Check, IsNull, Matches, Operator, Searches, Wildcard
from fileaudit_engine.events.computed import FILE_TYPES
from fileaudit_engine.events.fields import BY_NAME, Field
from fileaudit_engine.events.model import Operation

_TYPE: Final = Column(name="file.type")
_NEW_MODE: Final = Column(name="fileaudit.new_mode")
_DEVICE: Final = Column(name="file.device")
_IN_DOCUMENT: Final = frozenset({"file", "dir", "symlink"})
"""The types of files that documents say."""
_ARGUMENTS: Final = frozenset(f"a{index}" for index in range(8))
_DIGIT: Final = Characters(((0x30, 0x37),))
_PERMISSION_DIGITS: Final = 4


def guarded(field: Field, found: Said) -> Said:
    """The same for a field that only events of some operations have, whatever their documents hold."""
    guard = one_of(
        OPERATION, [operation.value for operation in Operation if operation in (field.operations or ())]
    )
    if found.gap:
        return found
    inverted = isinstance(found.at_most, Not)
    condition = either((negated(guard), found.at_most)) if inverted else both((guard, found.at_most))
    return exactly(condition, missed=found.missed, taken=found.taken)


def _file_type(_: Field, check: Check) -> Said:
    types = {word: _of_type(bits, word) for bits, word in FILE_TYPES.items()}
    if isinstance(check, IsNull):
        return exactly(negated(either(types.values())))
    holds = holder(check)
    if holds is None:
        return exactly(NEVER)
    return exactly(either(condition for word, condition in types.items() if holds(word)))


def _of_type(bits: int, word: str) -> Condition:
    if word in _IN_DOCUMENT:
        return Texts(column=_TYPE, forms=(Whole(word),))
    high, low = divmod(bits >> 12, 8)
    before = "[0-7]*[1357]" if high else "([0-7]*[0246])?"
    node = lucene_of(f"^{before}{low}[0-7]{{4}}$", "", folded=False)
    return Texts(column=MODE, forms=(Expression(node),))


def _permissions(field: Field, check: Check) -> Said:
    """The last four digits of a mode."""
    column = MODE if field.name == "Permissions" else _NEW_MODE
    if isinstance(check, IsNull):
        found = exactly(absent(column))
    elif not isinstance(check, Matches):
        found = nothing("documents have the whole mode, not the permissions alone")
    else:
        before = Repeat(_DIGIT, 0, None)
        nodes = [Sequence((before, node)) for node in _of_four_digits(check)]
        found = exactly(either(Texts(column=column, forms=(Expression(node),)) for node in nodes))
    return found if column is MODE else guarded(field, found)


def _of_four_digits(check: Matches) -> list[Node]:
    """The pattern for texts of four digits: each way to share what is left among its wildcards."""
    ways: list[tuple[list[Node], int]] = [([], 0)]
    for part in check.pattern:
        if isinstance(part, str):
            ways = [([*nodes, literal(part)], length + len(part)) for nodes, length in ways]
        elif part in {Wildcard.ONE, Wildcard.SEGMENT_ONE}:
            ways = [([*nodes, _DIGIT], length + 1) for nodes, length in ways]
        else:
            ways = [
                ([*nodes, *[_DIGIT] * more], length + more)
                for nodes, length in ways
                for more in range(_PERMISSION_DIGITS + 1 - length)
            ]
    return [Sequence(tuple(nodes)) for nodes, length in ways if length == _PERMISSION_DIGITS]


def _grandparent(_: Field, check: Check) -> Said:
    if not isinstance(check, Matches | Searches):
        return nothing("documents do not say which of the ancestors is the grandparent")
    found = _compared(_columns_of_ancestors(), check)
    return no_more_than(found.at_most, "any ancestor counts, not only the grandparent", missed=found.missed)


def _columns_of_ancestors() -> TextColumns:
    columns = columns_of(BY_NAME["AncestorImages"])
    assert columns is not None  # noqa: S101 - the templates gather them
    return TextColumns(exact=columns.exact, caseless=columns.caseless)


def _argument(field: Field, check: Check) -> Said:
    columns = columns_of(BY_NAME["Arguments"])
    if columns is None or not isinstance(check, Matches | Searches):
        return nothing("documents do not say which argument is which")
    found = _compared(columns, check)
    guard = one_of(OPERATION, [Operation.EXEC.value])
    return no_more_than(
        both((guard, found.at_most)), f"any argument counts, not only '{field.name}'", missed=found.missed
    )


def _compared(columns: TextColumns, check: Matches | Searches) -> Said:
    return matches(columns, check) if isinstance(check, Matches) else searches(columns, check)


def _device(_: Field, check: Check) -> Said:
    """Major and minor number in hexadecimal."""
    match check:
        case IsNull():
            return exactly(absent(_DEVICE))
        case Matches(pattern=(str(text),)):
            numbers = _hexadecimal(text)
            return exactly(NEVER if numbers is None else digits(_DEVICE, numbers[0] << 20 | numbers[1]))
        case _:
            return nothing("documents have the device as one number")


def _hexadecimal(text: str) -> tuple[int, int] | None:
    major, _, minor = text.partition(":")
    try:
        numbers = int(major, 16), int(minor, 16)
    except ValueError:
        return None
    return numbers if f"{numbers[0]:02x}:{numbers[1]:02x}" == text else None


def _octal_mode(_: Field, check: Check) -> Said:
    """A mode as auditd writes it: octal digits behind a zero."""
    match check:
        case IsNull():
            return exactly(absent(MODE))
        case Matches(pattern=(str(text),)):
            try:
                mode = int(text, 8)
            except ValueError:
                return exactly(NEVER)
            return exactly(octal(MODE, Operator.EQ, mode) if f"0{mode:o}" == text else NEVER)
        case _:
            return nothing("documents have other digits of the mode: write 'FileMode' or 'Permissions'")


def _argument_count(_: Field, __: Check) -> Said:
    return nothing("documents do not count the arguments")


FOLLOWING: Final[Mapping[str, Callable[[Field, Check], Said]]] = {
    "FileType": _file_type,
    "Permissions": _permissions,
    "NewPermissions": _permissions,
    "GrandParentImage": _grandparent,
    "ArgumentCount": _argument_count,
    "dev": _device,
    "mode": _octal_mode,
    **dict.fromkeys(_ARGUMENTS, _argument),
}
"""Field -> what can be said of a check of it."""
