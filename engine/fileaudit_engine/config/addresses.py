"""Addresses of other hosts: where records are sent must be beyond doubt.

    https://es.example.org:9200      tls://siem:6514      tcp://[2001:db8::7]:601      local:///dev/log

An address is taken apart by this module alone, strictly: what two readers could understand in two ways (an
address of IPv6 without brackets, `127.1`, a name with a space in it) is refused. So is a password in an
address, which would stand in every message about it.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

PLAIN: Final = re.compile(r"[A-Za-z0-9:/\[\]._-]{0,200}")
"""An address that holds no password, whatever else is wrong with it: it may be shown."""

_WHOLE: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\\]*)(.*)", re.DOTALL)
_AUTHORITY: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]*))?")
_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_MOST_CHARACTERS: Final = 253
"""Of a name, by the rules of DNS."""
_MOST_PORT: Final = 65_535
_ZONE: Final = re.compile(r"[A-Za-z0-9_.-]{1,15}")
"""The name of an interface, behind an address that is valid on one link only."""


class Unclear(ValueError):
    """An address that is none; says what is wrong with it, and what to write."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address, taken apart.

    Attributes:
        scheme: In lower case.
        host: A name in lower case, or an address, that of IPv6 without brackets; empty where none is given.
        port: None where none is given.
        rest: What stands behind: a path, or what would be a query.
    """

    scheme: str
    host: str
    port: int | None
    rest: str

    @property
    def is_loopback(self) -> bool:
        """Whether it cannot leave this host."""
        if self.host.rstrip(".") == "localhost":  # names below it are asked of DNS on many hosts
            return True
        number = _number_of(self.host)
        return number is not None and number.is_loopback

    @property
    def netloc(self) -> str:
        """Host and port as URLs have them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def address_of(text: str, example: str) -> Address:
    """The address that a text is.

    Args:
        text: It.
        example: How such an address may be written.

    Raises:
        Unclear: It is none. Nothing of what may be a password is in it.
    """
    whole = _WHOLE.fullmatch(text)
    if whole is None:
        raise Unclear("is no address", f"write it as {example}")
    scheme, authority, rest = whole.groups()
    if "@" in authority or "@" in rest:
        raise Unclear("has a user or a password in it", "give these by keys and files of their own")
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        remedy = "write an address of IPv6 in brackets, as [2001:db8::7]:6514"
        raise Unclear("has no host and port that can be told apart", remedy)
    host, port = found.groups()
    return Address(scheme=scheme.lower(), host=_host_of(host), port=_port_of(port), rest=rest)


def is_host(text: str) -> bool:
    """Whether a text is the name or the address of a host, that of IPv6 without brackets."""
    try:
        return bool(_host_of(f"[{text}]" if ":" in text else text))
    except Unclear:
        return False


def _host_of(text: str) -> str:
    if text.startswith("["):
        return _inside_brackets(text[1:-1])
    name = text.lower()
    labels = name.removesuffix(".").split(".")
    if name and not (len(name) <= _MOST_CHARACTERS and all(map(_LABEL.fullmatch, labels))):
        remedy = "names have letters, digits, '-' and '.'; one with others is written as DNS has it (xn--…)"
        raise Unclear("has no name of a host in it", remedy)
    if labels[-1].isdecimal() and _number_of(name) is None:
        raise Unclear("has no address of IPv4 in it", "write all four numbers, as 192.0.2.7")
    return name


def _inside_brackets(text: str) -> str:
    address, percent, zone = text.partition("%")
    number = _number_of(address)
    if number is None or number.version != 6 or (percent and not _ZONE.fullmatch(zone)):
        raise Unclear("has no address of IPv6 in its brackets", "write it as [2001:db8::7]:6514")
    return f"{number}{percent}{zone}"


def _number_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _port_of(text: str | None) -> int | None:
    if text is None:
        return None
    port = int(text) if text and len(text) <= len(str(_MOST_PORT)) else 0
    if not 1 <= port <= _MOST_PORT:
        raise Unclear("has no port from 1 to 65535 behind its ':'", "write it as host:port")
    return port
