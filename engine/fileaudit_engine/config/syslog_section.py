"""`sinks.syslog`: where to, by which way, and what is sent."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fileaudit_engine.config.addresses import PLAIN, Address, Unclear, address_of, is_host
from fileaudit_engine.config.reading import Bounds, Reading
from fileaudit_engine.config.secret_keys import OWN_FILE
from fileaudit_engine.rules.nodes import Node, ScalarNode
from fileaudit_engine.rules.wording import nearest_of
from fileaudit_engine.sinks.settings import Begin, SyslogFormat, SyslogSettings, Transport
from fileaudit_engine.sinks.syslog.words import FACILITIES

NAME: Final = "sinks.syslog"
TLS_KEYS: Final = ("ca_file", "cert_file", "key_file", "server_name")
KEYS: Final = ("address", "facility", "format", "max_frame", *TLS_KEYS, "from")
SECRETS: Final[Mapping[str, str]] = {"key": OWN_FILE.format("key_file: /etc/fileaudit/syslog.key")}
DEFAULT_PORTS: Final[Mapping[Transport, int]] = {Transport.UDP: 514, Transport.TCP: 601, Transport.TLS: 6514}
"""Those of RFC 5426, RFC 6587 (syslog-conn) and RFC 5425."""
FRAMES: Final = Bounds(
    least=480,
    most=65_000,
    shown=("480B", "65000B"),
    reason="every receiver takes 480 bytes, and no datagram has more than 65,507",
)

MOST_OF_SOCKET: Final = 107
"""Bytes of a socket's path: sun_path has 108, the last of which is 0 (unix(7))."""

_EXAMPLES: Final = "udp://siem:514, tcp://siem:601, tls://siem:6514 or local:///dev/log"
_AN_ADDRESS: Final = f"an address such as {_EXAMPLES}"


def syslog_of(reading: Reading, node: Node) -> SyslogSettings | None:
    """The section; None if it does not say where to, which is noted."""
    found = reading.members(NAME, node, KEYS, secrets=SECRETS)
    reading.needed(NAME, node, {"address": "address: tls://siem:6514"})
    where = _where(reading, found["address"]) if "address" in found else None
    said = _said(reading, found)
    if where is not None and where["transport"] is not Transport.TLS:
        _refuse_tls(reading, found)
    if "key_file" in found and "cert_file" not in found:
        message = f"'{NAME}.key_file' is the key to no certificate"
        reading.contradiction(found["key_file"], message, "add 'cert_file: …'")
    return None if where is None else SyslogSettings(**where, **said)


def _where(reading: Reading, node: Node) -> dict[str, Any] | None:
    """The attributes that an address sets; None, and noted, if it is none."""
    text = node.value if isinstance(node, ScalarNode) else None
    if not isinstance(text, str):
        reading.hide(node)
        reading.wrong(node, f"{NAME}.address", _AN_ADDRESS)
        return None
    try:
        address = address_of(text, _EXAMPLES)
        transport = _transport_of(address)
        return _local(address) if transport is Transport.LOCAL else _remote(address, transport)
    except Unclear as error:
        if not PLAIN.fullmatch(text):
            reading.hide(node)
        message = f"'{NAME}.address' {error.problem}"
        reading.problems.error("FA083", message, node.location, help=error.remedy)
        return None


def _transport_of(address: Address) -> Transport:
    try:
        return Transport(address.scheme)
    except ValueError:
        close = nearest_of(address.scheme, [transport.value for transport in Transport])
        remedy = f"did you mean '{close}://'?" if close else f"write it as {_EXAMPLES}"
        raise Unclear("has a way that is not known", remedy) from None


def _local(address: Address) -> dict[str, Any]:
    if address.host or address.port is not None or len(address.rest) < 2 or "\0" in address.rest:
        raise Unclear("does not name a socket", "write its path behind three slashes: local:///dev/log")
    if len(address.rest.encode()) > MOST_OF_SOCKET:
        remedy = f"the kernel takes {MOST_OF_SOCKET} bytes: make a link to the socket"
        raise Unclear("names a socket by too long a path", remedy)
    return {"transport": Transport.LOCAL, "path": Path(address.rest)}


def _remote(address: Address, transport: Transport) -> dict[str, Any]:
    if not address.host:
        raise Unclear("does not name a host", f"write it as {transport.value}://siem:514")
    if address.rest not in {"", "/"}:
        raise Unclear("has something behind host and port", "leave it out: syslog knows no paths")
    port = address.port or DEFAULT_PORTS[transport]
    return {"transport": transport, "host": address.host, "port": port}


def _said(reading: Reading, found: Mapping[str, Node]) -> dict[str, Any]:
    """What the other members say, by the attributes that they set."""
    said: dict[str, Any] = {}
    if "facility" in found:
        said["facility"] = _facility(reading, found["facility"])
    if "format" in found:
        word = reading.choice(f"{NAME}.format", found["format"], [choice.value for choice in SyslogFormat])
        said["format"] = None if word is None else SyslogFormat(word)
    if "max_frame" in found:
        said["max_frame"] = reading.size(f"{NAME}.max_frame", found["max_frame"], FRAMES)
    for key in ("ca_file", "cert_file", "key_file"):
        if key in found:
            said[key] = reading.path(f"{NAME}.{key}", found[key])
    if "server_name" in found:
        said["server_name"] = _server_name(reading, found["server_name"])
    if "from" in found:
        word = reading.choice(f"{NAME}.from", found["from"], [choice.value for choice in Begin])
        said["begin"] = None if word is None else Begin(word)
    return {name: value for name, value in said.items() if value is not None}


def _facility(reading: Reading, node: Node) -> int | None:
    """A facility by its name or its number."""
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(FACILITIES):
        return value
    if isinstance(value, str) and value in FACILITIES:
        return FACILITIES.index(value)
    close = nearest_of(value, FACILITIES) if isinstance(value, str) else None
    remedy = f"did you mean '{close}'?" if close else f"write one of {', '.join(FACILITIES)}"
    reading.wrong(node, f"{NAME}.facility", "a facility such as authpriv, or its number, 0 to 23", remedy)
    return None


def _server_name(reading: Reading, node: Node) -> str | None:
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, str) and is_host(value):
        return value
    remedy = "write it as it stands in the receiver's certificate"
    reading.wrong(node, f"{NAME}.server_name", "the name of a host", remedy)
    return None


def _refuse_tls(reading: Reading, found: Mapping[str, Node]) -> None:
    """Refuse what is about TLS where there is none: who wrote it believes that there is."""
    for key in TLS_KEYS:
        if key in found:
            message = f"'{NAME}.{key}' is for TLS, and the address is not"
            reading.contradiction(found[key], message, f"write tls:// in 'address', or remove '{key}'")
