"""Values of a document, made into what `FileEvent` holds.

A document comes from anywhere: typed by hand in YAML, written by this engine, exported from Kibana (where
every value may be a list of one). Each function takes what JSON or YAML gave and returns the value, or
raises `WrongValue` with what was expected; the reader adds field and place.
"""

import difflib
import enum
import re
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from fileaudit_engine.events.fields import OCTAL_IN_DOCUMENT, Field, FieldType
from fileaudit_engine.events.flags import ERRNO_NUMBERS
from fileaudit_engine.events.model import AccessMode, Operation, Outcome, PathState
from fileaudit_engine.events.times import LAST_NS, parse_rfc3339
from fileaudit_engine.text import from_document, from_kernel, to_kernel

Coerce = Callable[[object], object]


class WrongValue(ValueError):
    """A value that the field cannot have; the message says what was expected."""


_E = TypeVar("_E", bound=enum.Enum)
_DIGITS = re.compile(r"-?[0-9]{1,20}")
_OCTAL = re.compile(r"(?:0o)?([0-7]{1,7})")
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
"""What a register of the kernel can hold, signed or unsigned."""
_LARGEST_ID = 2**32 - 1
_IDS: Final = frozenset(
    {"ProcessId", "ThreadId", "ParentProcessId", "UserId", "GroupId", "EffectiveUserId", "EffectiveGroupId"}
    | {"LoginUserId", "SessionId", "Errno", "FileOwnerId", "FileGroupId", "NewOwnerId", "NewGroupId"}
)
"""Numbers of 32 bits that are never negative."""
_SHOWN_CHARACTERS = 40
"""How much of a wrong value an error repeats."""


def coercion(field: Field) -> Coerce:
    """What makes a document's value into the field's."""
    if field.name in _SPECIAL:
        return _SPECIAL[field.name]
    if field.name in _IDS:
        return _id
    if field.name in OCTAL_IN_DOCUMENT:
        return _mode
    return _BY_TYPE[field.type]


def text(value: object) -> str:
    """A name, its escapes undone; a number is taken for its digits."""
    if not isinstance(value, str):
        value = single(value)
    if isinstance(value, str):
        found = from_document(value)
        return found if found.isascii() else from_kernel(to_kernel(found))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise WrongValue(f"expected text, found {shown(value)}")


def texts(value: object) -> tuple[str, ...]:
    """A list of names; a single one stands for a list of one."""
    return tuple(text(member) for member in value) if isinstance(value, list | tuple) else (text(value),)


def integer(value: object) -> int:
    """A whole number, or the text of one."""
    return _within(value, _SMALLEST, _LARGEST)


def _within(value: object, smallest: int, largest: int) -> int:
    value = single(value)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongValue(f"expected a whole number, found {shown(value)}")
    if not smallest <= value <= largest:
        raise WrongValue(f"expected a number from {smallest} to {largest}, found {shown(value)}")
    return value


def _id(value: object) -> int:
    return _within(value, 0, _LARGEST_ID)


def boolean(value: object) -> bool:
    """A truth value, or the word for it."""
    value = single(value)
    if value in ("true", "false"):
        return value == "true"
    if isinstance(value, bool):
        return value
    raise WrongValue(f"expected true or false, found {shown(value)}")


def _mode(value: object) -> int:
    """Octal digits as documents have them, or a number."""
    value = single(value)
    if isinstance(value, str):
        found = _OCTAL.fullmatch(value)
        if found is None:
            raise WrongValue(f"expected octal digits such as 0644, found {shown(value)}")
        return int(found[1], 8)
    return _id(value)


def _errno(value: object) -> int:
    """A number, or its name."""
    value = single(value)
    if isinstance(value, str) and value in ERRNO_NUMBERS:
        return ERRNO_NUMBERS[value]
    return _id(value)


def _path_state(value: object) -> PathState:
    """The bits, or the words for them."""
    if isinstance(value, list | tuple) and all(isinstance(word, str) for word in value):
        state = PathState.RESOLVED
        for word in value:
            state = PathState(state | _path_state(word))
        return state
    value = single(value)
    if isinstance(value, str):
        words: dict[str, PathState] = {
            flag.name.lower(): flag for flag in (PathState.RESOLVED, *PathState) if flag.name
        }
        return words[one_of(words, value)]
    return PathState(_within(value, 0, sum(PathState)))


def _enumeration(kind: type[_E]) -> Coerce:
    members = {str(member.value): member for member in kind}

    def coerce(value: object) -> object:
        value = single(value)
        if not isinstance(value, str):
            raise WrongValue(f"expected one of {', '.join(members)}, found {shown(value)}")
        return members[one_of(members, value)]

    return coerce


def one_of(words: Iterable[str], value: str) -> str:
    """`value` if it is one of the words; else the error names the nearest, or all."""
    known = tuple(words)
    if value in known:
        return value
    close = difflib.get_close_matches(value.lower(), known, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"expected one of {', '.join(known)}"
    raise WrongValue(f"{shown(value)} is not known; {hint}")


def time_ns(value: object) -> int:
    """`@timestamp`: RFC 3339."""
    value = single(value)
    if not isinstance(value, str):
        raise WrongValue(f"expected an RFC 3339 time, found {shown(value)}")
    try:
        return parse_rfc3339(value)
    except ValueError as error:
        raise WrongValue(f"{shown(value)} is {error}") from error


def ts_ns(value: object) -> int:
    """`ts_ns`: nanoseconds since the Unix epoch."""
    return _within(value, 0, LAST_NS)


def single(value: object) -> object:
    """The member of a list of one, as Kibana exports values; anything else as it is."""
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value


def shown(value: object) -> str:
    """A value for an error message: short, and named by its kind where it has no short form."""
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= _SHOWN_CHARACTERS else f"'{value[:_SHOWN_CHARACTERS]}…'"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**_SHOWN_CHARACTERS:
        return "a number that is far too large"  # turning it into digits may itself take too long
    if isinstance(value, int | float):
        return str(value)
    return _KINDS.get(type(value)) or f"a {type(value).__name__}"


_KINDS: Final = {list: "a list", tuple: "a list", dict: "an object", type(None): "null"}

_BY_TYPE: Final[dict[FieldType, Coerce]] = {
    FieldType.KEYWORD: text,
    FieldType.PATH: text,
    FieldType.PATHS: texts,
    FieldType.INTEGER: integer,
    FieldType.BOOLEAN: boolean,
    FieldType.DATE: time_ns,
}

_SPECIAL: Final[dict[str, Coerce]] = {
    "Operation": _enumeration(Operation),
    "AccessMode": _enumeration(AccessMode),
    "Outcome": _enumeration(Outcome),
    "PathState": _path_state,
    "Errno": _errno,
}
