"""What an event would have to look like for a rule to match: the salt in the generated events.

Reads the YAML of any Sigma rule, not only of generated ones, and makes fields that fulfil one way through its
selections. It is a guess that need not succeed: what an exclusion or a modifier unknown here prevents becomes
a near miss, and those are wanted as well. `NEW` in a value stands for a text that is new each time.
"""

import random
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

if sys.version_info >= (3, 11):
    from re import _parser as sre_parse
else:
    import sre_parse

NEW: Final = "\0"
"""Where a value may hold anything; replaced by the generator of events."""

_OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "file_event": ("create", "write", "rename", "mkdir"),
    "file_access": ("open", "open", "read", "write"),
    "file_delete": ("unlink", "rmdir"),
    "file_rename": ("rename",),
    "file_change": ("chmod", "chown", "utimes"),
    "process_creation": ("exec",),
}
"""By category of the log source."""
_SALTED: Final = frozenset(
    {
        *("TargetFilename", "Image", "CommandLine", "CurrentDirectory", "User"),
        *("ParentImage", "ParentCommandLine"),
    }
)
"""Fields that may be anything. What is done, and what follows from it, must go with the rest of the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Fields that a rule asks for.

    Attributes:
        operation: What is done, of the rule's log source.
        values: Text by field, with `NEW` wherever anything may stand.
    """

    operation: str
    values: Mapping[str, str] = field(default_factory=dict)


def hits(text: str, rng: random.Random, *, ways: int = 4) -> list[Hit]:
    """Up to `ways` different guesses for the rules of a YAML text."""
    documents = (document for document in yaml.safe_load_all(text) if isinstance(document, dict))
    return [hit for document in documents for _ in range(ways) if (hit := _hit(document, rng)).values]


def _hit(document: Mapping[str, Any], rng: random.Random) -> Hit:
    detection = document.get("detection") or {}
    names = [name for name in detection if name != "condition" and not name.startswith("filter")]
    if "1 of selection" in str(detection.get("condition")) and names:
        names = [rng.choice(names)]
    values: dict[str, str] = {}
    for name in names:
        values |= _wanted(detection[name], rng)
    operations = _OPERATIONS.get(str((document.get("logsource") or {}).get("category")), ("open",))
    return Hit(operation=rng.choice(operations), values=values)


def _wanted(selection: object, rng: random.Random) -> dict[str, str]:
    """Fields for one selection: all members of a map, one of a list."""
    if isinstance(selection, list):
        return _wanted(rng.choice(selection), rng) if selection else {}
    if not isinstance(selection, dict):
        return {"CommandLine": f"{NEW} {selection} {NEW}"}
    found: dict[str, str] = {}
    for key, value in selection.items():
        name, *modifiers = str(key).split("|")
        text = _text(value, modifiers, rng)
        if name in _SALTED and text:
            found[name] = _merged(found.get(name), text)
    return found


def _merged(one: str | None, other: str) -> str:
    """Two requirements on one field: what begins first, what is anchored at its end last."""
    if one is None:
        return other
    return one + other if other.startswith(NEW) or not one.startswith(NEW) else other + one


def _text(value: object, modifiers: Sequence[str], rng: random.Random) -> str:
    if isinstance(value, list) and "all" in modifiers:
        return "".join(_one(item, modifiers, rng) for item in value)
    if isinstance(value, list):
        return _one(rng.choice(value), modifiers, rng) if value else ""
    return _one(value, modifiers, rng)


def _one(value: object, modifiers: Sequence[str], rng: random.Random) -> str:
    if value is None:
        return ""
    if "re" in modifiers:
        return _of_expression(str(value), rng)
    text = str(value).replace("*", NEW).replace("?", "x").replace("\\", "")
    if "contains" in modifiers:
        return f"{NEW}{text}{NEW}"
    if "startswith" in modifiers:
        return f"{text}{NEW}"
    return f"{NEW}{text}" if "endswith" in modifiers else text


def _of_expression(pattern: str, rng: random.Random) -> str:
    try:
        parsed: Any = sre_parse.parse(pattern)
    except re.error:
        return ""
    text = _of_parts(parsed, rng)
    return f"{'' if pattern.startswith('^') else NEW}{text}{'' if pattern.endswith('$') else NEW}"


def _of_parts(parts: Iterable[tuple[object, Any]], rng: random.Random) -> str:
    """A text that the parts of a parsed expression match, for the constructs that rules use."""
    return "".join(_of_part(str(kind), argument, rng) for kind, argument in parts)


def _of_part(kind: str, argument: Any, rng: random.Random) -> str:  # noqa: ANN401 - the parser's tree is untyped
    text = "x"
    match kind:
        case "LITERAL":
            text = chr(argument)
        case "IN":
            text = _of_class(*argument[0])
        case "MAX_REPEAT" | "MIN_REPEAT":
            text = _of_parts(argument[2], rng) * max(argument[0], 1)
        case "SUBPATTERN":
            text = _of_parts(argument[3], rng)
        case "BRANCH":
            text = _of_parts(rng.choice(argument[1]), rng)
        case "AT":
            text = ""
    return text


def _of_class(kind: object, argument: Any) -> str:  # noqa: ANN401 - the parser's tree is untyped
    """The first character of a class; a digit where it is a named one."""
    match str(kind):
        case "LITERAL":
            return chr(argument)
        case "RANGE":
            return chr(argument[0])
        case _:
            return "7"
