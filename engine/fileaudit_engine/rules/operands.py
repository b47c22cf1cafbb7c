"""What a value means to a comparison that does not compare texts: a network, a directory, a part of a date.

The reader asks to find out whether it means anything, the compiler to have it.
"""

import ipaddress
import re
from typing import Final

from fileaudit_engine.rules.calendar import Part
from fileaudit_engine.rules.refusal import UnusableValue
from fileaudit_engine.rules.values import Pattern, Wildcard, has_wildcards, literal_of, parse_pattern
from fileaudit_engine.rules.wording import quoted

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_PATH_PATTERN: Final = 4_096
"""Characters of a pattern for `path`; the kernel takes no longer path, and matching goes by its length."""

_STARRED: Final = re.compile(r"((?:[0-9]{1,3}\.){1,3})\*(?:\.\*)*")
_LONGEST_NETWORK: Final = 100


def network(text: str) -> Network:
    """The network that `text` names; bits of a host in it are cut off.

    Raises:
        UnusableValue: It names none.
    """
    if "*" in text or "?" in text:
        raise UnusableValue("FA033", "a network has no wildcards", _without_wildcards(text))
    found = _network(text, strict=False)
    if found is None:
        raise UnusableValue(
            "FA033",
            f"{quoted(text)} is no network",
            "write an address and the length of its network, such as '10.0.0.0/8' or '2001:db8::/32'",
        )
    return found


def is_exact(text: str) -> bool:
    """Whether a network is written without bits of a host."""
    return _network(text, strict=True) is not None


def _network(text: str, *, strict: bool) -> Network | None:
    if len(text) > _LONGEST_NETWORK or "%" in text:  # a zone is of one machine, not of an address
        return None
    try:
        return ipaddress.ip_network(text, strict=strict)
    except ValueError:
        return None


def _without_wildcards(text: str) -> str:
    """The network that was meant by something like `10.1.*`."""
    starred = _STARRED.fullmatch(text)
    if starred is None:
        return "write an address and the length of its network, such as '10.0.0.0/8'"
    known = starred[1].count(".")
    return f"write '{starred[1]}{'.'.join('0' * (4 - known))}/{8 * known}'"


def subtree(text: str) -> tuple[Pattern, ...]:
    """The patterns of a directory and of all that is below it.

    Raises:
        UnusableValue: `text` is no absolute path, or has wildcards.
    """
    pattern = parse_pattern(text)
    if has_wildcards(pattern):
        raise UnusableValue(
            "FA033",
            "'under' takes one directory, without wildcards",
            "write '|path', such as '/home/*/.ssh/**'",
        )
    directory = literal_of(pattern).rstrip("/")
    if not text.startswith("/"):
        raise UnusableValue(
            "FA033",
            f"{quoted(text)} is no absolute path",
            "begin with '/': whatever is compared is absolute",
        )
    below: Pattern = (f"{directory}/", Wildcard.ANY)
    return ((directory,), below) if directory else (below,)


def date_number(part: Part, number: float) -> int:
    """The number that a part of a date is compared with.

    Raises:
        UnusableValue: The part is never that number.
    """
    first, last = part.range
    if isinstance(number, int) and first <= number <= last:
        return number
    raise UnusableValue(
        "FA037",
        f"{_article(part.value)} {part.value} is a whole number from {first} to {last}",
        "write one of those",
    )


def _article(noun: str) -> str:
    return "an" if noun == Part.HOUR.value else "a"
