"""FA055: a value that the field never has, such as `Operation: opne` or `UserId: root`.

Only fields with few values are looked at, and those that are numbers; and only values without wildcards that
are compared as a whole.
"""

import re
from collections.abc import Mapping
from typing import Final

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.events.calls import CALLS
from fileaudit_engine.events.fields import BY_NAME, FIELDS, Field, FieldType
from fileaudit_engine.events.flags import ERRNO_NUMBERS
from fileaudit_engine.events.model import PathState
from fileaudit_engine.rules.ast import Detecting, SigmaValue
from fileaudit_engine.rules.chains import resolve
from fileaudit_engine.rules.lint.walk import items_of
from fileaudit_engine.rules.nodes import MapNode
from fileaudit_engine.rules.scalars import core_scalar
from fileaudit_engine.rules.values import has_wildcards, literal_of, parse_pattern
from fileaudit_engine.rules.wording import listed, nearest_of, quoted
from fileaudit_engine.text import fold

_POSSIBLE: Final = {"Syscall": CALLS, **{field.name: field.values for field in FIELDS if field.values}}
"""All values of a field, by its name."""
_REASONS: Final = {"Syscall": "of all system calls, those on files and the start of programs are seen"}
"""What is said of fields with too many values to list them."""
_FOLDED: Final = {name: frozenset(map(fold, values)) for name, values in _POSSIBLE.items()}

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
"""How the numbers of events are spelled where a text is compared with them."""
_LONGEST: Final = 20
"""Characters of a number that are looked at: no event has a longer one."""
_PADDED: Final = re.compile(r"[-+]?[0-9]{1,20}")
_OCTAL: Final = re.compile(r"[0-7]{3,7}")
_LARGEST_MODES: Final[Mapping[str, int]] = {"FileMode": 0o177777, "NewMode": 0o7777}
"""With the type of the file, and without it."""
_NAMED: Final[Mapping[str, str]] = {
    **{
        field.name: field.name.removesuffix("Id")
        for field in FIELDS
        if field.type is FieldType.INTEGER and field.name.endswith("Id") and field.name[:-2] in BY_NAME
    },
    "ProcessId": "ProcessName",
    "ParentProcessId": "ParentProcessName",
    "Errno": "ErrorName",
    "Result": "ErrorName",
    "OpenFlags": "OpenFlagNames",
    "Device": "dev",
}
"""Fields that are numbers, and those that have the words for them."""
_PERMISSIONS: Final[Mapping[str, str]] = {"FileMode": "Permissions", "NewMode": "NewPermissions"}
"""Numbers that people write in octal digits, and the fields that have those."""


def check(rule: Detecting, root: MapNode, found: Collector) -> None:  # noqa: ARG001 - the form of every check
    """Warn of each value that cannot be."""
    for item in items_of(rule):
        field = BY_NAME.get(item.field or "")
        if field and _is_looked_at(field) and resolve(item.modifiers).whole:
            for value in item.values:
                _check_value(field, value, found)


def _is_looked_at(field: Field) -> bool:
    return field.name in _POSSIBLE or field.type is FieldType.INTEGER


def _check_value(field: Field, value: SigmaValue, found: Collector) -> None:
    if value.value is None or isinstance(value.value, float):
        return
    pattern = parse_pattern(str(value.value))
    written = literal_of(pattern)
    if has_wildcards(pattern):
        return
    if not _may_be(field, written):
        message = f"{field.name} is never {quoted(value.value)}"
    elif field.name in _PERMISSIONS and isinstance(value.value, str) and _OCTAL.fullmatch(written):
        message = f"{field.name} is a number: {quoted(written)} is not read as octal digits"
    else:
        return
    remedy = _REASONS.get(field.name) or _remedy(written, field)
    found.warning("FA055", message, value.location, help=remedy)


def _may_be(field: Field, written: str) -> bool:
    if field.name in _FOLDED:
        return not written or fold(written) in _FOLDED[field.name]
    if not _NUMBER.fullmatch(written):
        return False
    return field.name not in _LARGEST_MODES or int(written[:_LONGEST]) <= _LARGEST_MODES[field.name]


def _remedy(written: str, field: Field) -> str:
    if field.type is FieldType.INTEGER:
        return _number_remedy(written, field)
    close = nearest_of(written, field.values)
    return f"did you mean {quoted(close)}?" if close else f"it can be {listed(field.values, limit=20)}"


def _number_remedy(written: str, field: Field) -> str:
    """What to write in place of a text that no number is spelled like."""
    if not written:
        return "write null if it is to be absent"
    if field.name in _PERMISSIONS:
        return _mode_remedy(written, _PERMISSIONS[field.name])
    number = int(written) if _PADDED.fullmatch(written) else core_scalar(written)
    if isinstance(number, int) and not isinstance(number, bool):
        return f"write {number}"
    return _words_remedy(written.upper(), field)


def _words_remedy(name: str, field: Field) -> str:
    """What to write in place of a word."""
    if field.name == "Errno" and name in ERRNO_NUMBERS:
        return f"write {ERRNO_NUMBERS[name]}, or 'ErrorName: {name}'"
    if field.name == "PathState":
        return _bits_remedy(name)
    words = _NAMED.get(field.name)
    return f"write a number, or compare {words}, which has the words" if words else "write a number"


def _bits_remedy(name: str) -> str:
    if name in PathState.__members__:
        return f"write the number of the bit: {PathState[name].value}"
    bits = ", ".join(f"{bit.name.lower()} {bit.value}" for bit in PathState if bit.name)
    return f"write the sum of its bits: {bits}"


def _mode_remedy(written: str, words: str) -> str:
    """Octal digits are texts here, and stand in a field of their own; the type of the file is not in it."""
    if _OCTAL.fullmatch(written):
        return f"write '{words}: \"{written[-4:].zfill(4)}\"'"
    return f"compare {words}, which has four octal digits"
