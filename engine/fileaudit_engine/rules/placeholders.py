r"""`expand`: names between percent signs become the values that the configuration gives them.

    expand: '/home/%admins%/.ssh'     /home/alice/.ssh, /home/bob/.ssh
    expand: '100\%'                   100%           a backslash makes it a percent sign
    (no expand): '%admins%'           %admins%       without the modifier it is just text

What a placeholder stands for is read as a value of the rule would be: its wildcards are wildcards.
"""

import itertools
import math
import re
from collections.abc import Mapping
from typing import Final

from fileaudit_engine.rules.refusal import UnusableValue, bound_forms
from fileaudit_engine.rules.wording import listed, nearest_of, quoted

_TOKEN: Final = re.compile(r"(\\\\)|\\(%)|%([\w.-]+)%")
_LONE_BACKSLASH: Final = re.compile(r"(?<!\\)(?:\\\\)*\\\Z")


def expanded(text: str, values: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The texts that `text` stands for: every combination of what its placeholders stand for.

    Raises:
        UnusableValue: A placeholder has no value (FA038), or the combinations are too many.
    """
    pieces: list[tuple[str, ...]] = []
    position = 0
    for found in _TOKEN.finditer(text):
        pieces.append((text[position : found.start()],))
        pieces.append(_meaning(found, values))
        position = found.end()
    pieces.append((text[position:],))
    longest = sum(max(map(len, choices)) for choices in pieces)
    bound_forms("expand", math.prod(len(choices) for choices in pieces), longest)
    return tuple(dict.fromkeys(map("".join, itertools.product(*pieces))))


def is_changed(text: str) -> bool:
    """Whether `expand` makes anything else of a text: a placeholder stands there, or an escaped percent."""
    return any(found[2] or found[3] for found in _TOKEN.finditer(text))


def _meaning(found: re.Match[str], values: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    backslashes, percent, name = found.groups()
    if not name:
        return (backslashes or percent,)
    if known := values.get(name):
        return tuple(map(_closed, known))
    if name in values:
        message = f"the list of the placeholder {quoted(name)} is empty"
        remedy = "give it a value under 'placeholders:' in the configuration"
        raise UnusableValue("FA038", message, remedy, found.span())
    raise UnusableValue(
        "FA038", f"the placeholder {quoted(name)} has no value", _remedy(name, values), found.span()
    )


def _closed(value: str) -> str:
    """The value, so that a backslash at its end escapes nothing of what follows it."""
    return value + "\\" if _LONE_BACKSLASH.search(value) else value


def _remedy(name: str, values: Mapping[str, tuple[str, ...]]) -> str:
    close = nearest_of(name, values)
    if close and close != name:
        return f"did you mean '%{close}%'?"
    known = f"; it has {listed(values, limit=8)}" if values else ""
    return f"define it under 'placeholders:' in the configuration{known}"
