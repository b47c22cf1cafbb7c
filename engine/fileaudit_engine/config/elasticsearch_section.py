"""`sinks.elasticsearch`: where it is, who we are there, and how we know that it is it."""

import re
from collections.abc import Mapping
from typing import Any, Final

from fileaudit_engine.config.addresses import PLAIN, Address, Unclear, address_of
from fileaudit_engine.config.reading import Bounds, Reading, items_of
from fileaudit_engine.config.secret_keys import OWN_FILE, secret_of
from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.rules.nodes import Node, ScalarNode
from fileaudit_engine.sinks.settings import Begin, ElasticSettings

NAME: Final = "sinks.elasticsearch"
KEYS: Final = (
    *("hosts", "namespace", "api_key_file", "api_key_env", "username", "password_file", "password_env"),
    *("ca_file", "ca_fingerprint", "timeout", "max_bulk", "from"),
)
SECRETS: Final[Mapping[str, str]] = {
    "api_key": OWN_FILE.format("api_key_file: /etc/fileaudit/es.key"),
    "password": OWN_FILE.format("password_file: /etc/fileaudit/es.pass"),
}

NAMESPACE: Final = re.compile(r"[a-z0-9_][a-z0-9_.]{0,99}")
"""Elasticsearch refuses upper case, '-' and more than 100 bytes; what else it takes, other tools do not."""
FINGERPRINT: Final = re.compile(r"[0-9A-Fa-f]{64}|(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}")
"""A SHA-256, as Elasticsearch prints it at its first start, or as openssl does."""
USERNAME: Final = re.compile(r"[^:\x00-\x1f\x7f]{1,507}")
"""Elasticsearch allows 507 characters; a colon would end the name on the wire."""
TIMEOUTS: Final = Bounds(
    least=UNITS_NS["s"],
    most=30 * UNITS_NS["s"],
    shown=("1s", "30s"),
    reason="an answer that takes longer is not waited for: the request is made again",
)
BULKS: Final = Bounds(
    least=64 << 10, most=100 << 20, shown=("64KiB", "100MiB"), reason="Elasticsearch takes 100MiB at most"
)

_EXAMPLE: Final = "https://es:9200"
_A_HOST: Final = f"a URL such as {_EXAMPLE}, or a list of them"
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")


def elasticsearch_of(reading: Reading, node: Node) -> ElasticSettings | None:
    """The section; None if it does not say where, which is noted."""
    found = reading.members(NAME, node, KEYS, secrets=SECRETS)
    reading.needed(NAME, node, {"hosts": "hosts: [https://es:9200]"})
    addresses = _hosts(reading, found["hosts"]) if "hosts" in found else []
    said = _credentials(reading, found) | _trust(reading, found) | _rest(reading, found)
    _check_credentials(reading, found)
    _check_trust(reading, found, addresses)
    hosts = tuple(f"{one.scheme}://{one.netloc}{one.rest.rstrip('/')}" for one in addresses)
    return ElasticSettings(hosts=hosts, **said) if hosts else None


def _hosts(reading: Reading, node: Node) -> list[Address]:
    items = items_of(node)
    if not items:
        reading.wrong(node, f"{NAME}.hosts", _A_HOST)
    addresses: dict[Address, None] = {}
    for item in items:
        address = _host(reading, item)
        if address in addresses:
            reading.problems.error("FA083", "this host is there twice", item.location, help="remove one")
        elif address is not None:
            addresses[address] = None
    if len({address.scheme for address in addresses}) > 1:
        message = f"'{NAME}.hosts' are of http and of https"
        reading.contradiction(node, message, "write those of one cluster, which speaks one of them")
    return list(addresses)


def _host(reading: Reading, node: Node) -> Address | None:
    """A URL that can be used; None, and noted, if it is none."""
    name = f"{NAME}.hosts"
    text = node.value if isinstance(node, ScalarNode) else None
    if not isinstance(text, str):
        reading.hide(node)
        reading.wrong(node, name, _A_HOST)
        return None
    try:
        address = address_of(text, _EXAMPLE)
        _refuse(address)
    except Unclear as error:
        if not PLAIN.fullmatch(text):
            reading.hide(node)
        reading.problems.error(
            "FA083", f"a host of '{name}' {error.problem}", node.location, help=error.remedy
        )
        return None
    return address


def _refuse(address: Address) -> None:
    """Refuse an address that is none of Elasticsearch.

    Raises:
        Unclear: It is one.
    """
    if address.scheme not in {"http", "https"} or not address.host:
        raise Unclear("is no URL", f"write it as {_EXAMPLE}")
    if address.port is None:
        raise Unclear("has no port", "add it: ':9200' is usual, ':443' where a proxy stands in front")
    if "%" in address.host:
        raise Unclear("has an interface in its address", "write an address without '%'")
    if not _PATH.fullmatch(address.rest):
        raise Unclear("has more than a path behind its port", "leave out what begins with '?' or '#'")
    if address.scheme == "http" and not address.is_loopback:
        raise Unclear(
            "is not encrypted: names of files and credentials could be read on the way",
            "write https://; plain http is for this host alone",
        )


def _credentials(reading: Reading, found: Mapping[str, Node]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "api_key": secret_of(reading, NAME, found, "api_key"),
        "password": secret_of(reading, NAME, found, "password"),
    }
    if "username" in found:
        remedy = "write a text without ':', in quotes if it is a number"
        said["username"] = _like(reading, found, "username", USERNAME, "the name of a user", remedy)
    return said


def _trust(reading: Reading, found: Mapping[str, Node]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if "ca_file" in found:
        said["ca_file"] = reading.path(f"{NAME}.ca_file", found["ca_file"])
    if "ca_fingerprint" in found:
        remedy = "write what `openssl x509 -fingerprint -sha256 -noout -in ca.crt` prints, in quotes"
        expected = "the SHA-256 of a certificate: 64 hexadecimal digits"
        text = _like(reading, found, "ca_fingerprint", FINGERPRINT, expected, remedy)
        said["ca_fingerprint"] = None if text is None else text.replace(":", "").lower()
    return said


def _rest(reading: Reading, found: Mapping[str, Node]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if "namespace" in found:
        remedy = "write lower-case letters, digits, '_' and '.', at most 100; Elasticsearch takes no '-'"
        said["namespace"] = _like(
            reading, found, "namespace", NAMESPACE, "the namespace of data streams, such as default", remedy
        )
    if "timeout" in found:
        length_ns = reading.length(f"{NAME}.timeout", found["timeout"], TIMEOUTS)
        said["timeout_s"] = None if length_ns is None else length_ns / UNITS_NS["s"]
    if "max_bulk" in found:
        said["max_bulk_bytes"] = reading.size(f"{NAME}.max_bulk", found["max_bulk"], BULKS)
    if "from" in found:
        word = reading.choice(f"{NAME}.from", found["from"], [choice.value for choice in Begin])
        said["begin"] = None if word is None else Begin(word)
    return {name: value for name, value in said.items() if value is not None}


def _like(  # noqa: PLR0913 - one argument a part of the complaint
    reading: Reading,
    found: Mapping[str, Node],
    key: str,
    pattern: re.Pattern[str],
    expected: str,
    remedy: str,
) -> str | None:
    """A text of a certain form; None, and noted, if it is another."""
    node = found[key]
    text = node.value if isinstance(node, ScalarNode) else None
    if isinstance(text, str) and pattern.fullmatch(text):
        return text
    if key == "username":  # 'user:password', as other tools have it
        reading.hide(node)
    reading.wrong(node, f"{NAME}.{key}", expected, remedy)
    return None


def _check_credentials(reading: Reading, found: Mapping[str, Node]) -> None:
    """Refuse what cannot all be meant, and half of what belongs together."""
    api_key = next((key for key in ("api_key_file", "api_key_env") if key in found), None)
    password = next((key for key in ("password_file", "password_env") if key in found), None)
    if "username" in found and api_key is not None:
        message = f"'{NAME}.username' and '{NAME}.{api_key}' are two ways to sign in"
        reading.contradiction(found["username"], message, "remove one")
    elif "username" in found and password is None:
        message = f"'{NAME}.username' needs a password"
        reading.contradiction(found["username"], message, "add 'password_file: /etc/fileaudit/es.pass'")
    elif password is not None and "username" not in found:
        message = f"'{NAME}.{password}' is nobody's password"
        reading.contradiction(found[password], message, "add 'username: …'")


def _check_trust(reading: Reading, found: Mapping[str, Node], addresses: list[Address]) -> None:
    given = [key for key in ("ca_file", "ca_fingerprint") if key in found]
    if len(given) > 1:
        message = f"'{NAME}.ca_file' and '{NAME}.ca_fingerprint' are two ways to know the hosts"
        reading.contradiction(found["ca_fingerprint"], message, "remove one")
    if given and addresses and all(address.scheme == "http" for address in addresses):
        message = f"'{NAME}.{given[0]}' is for https, and no host is"
        reading.contradiction(found[given[0]], message, "write https:// in 'hosts', or remove it")
