"""The sinks of the configuration: addresses beyond doubt, secrets out of sight, no half of a whole."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fileaudit_engine.config import parse_config
from fileaudit_engine.config.addresses import Unclear, address_of
from fileaudit_engine.diagnostics import UnusableInput
from fileaudit_engine.resources import schemas_dir
from fileaudit_engine.sinks.secrets import Secret
from fileaudit_engine.sinks.settings import Begin, ElasticSettings, SyslogFormat, SyslogSettings, Transport

SCHEMA = jsonschema.Draft202012Validator(json.loads((schemas_dir() / "config.schema.json").read_text()))
HOME = Path("/etc/fileaudit/config.yml")
REPEATABLE = settings(derandomize=True, database=None, deadline=None)
PRINT = "ab" * 32
COLONS = ":".join(["AB"] * 32)

ELASTIC: dict[str, dict[str, Any]] = {
    "hosts: https://es:9200": {"hosts": ("https://es:9200",)},
    "hosts: [https://A.example.:1, 'HTTPS://192.0.2.7:65535/']": {
        "hosts": ("https://a.example.:1", "https://192.0.2.7:65535")
    },
    "hosts: ['https://[2001:DB8:0::7]:9200/proxy/es/']": {"hosts": ("https://[2001:db8::7]:9200/proxy/es",)},
    "hosts: [http://localhost:9200, 'http://127.9.9.9:9200', 'http://[::1]:9200']": {
        "hosts": ("http://localhost:9200", "http://127.9.9.9:9200", "http://[::1]:9200")
    },
    "hosts: https://es:9200, api_key_file: es.key": {"api_key": Secret(file=Path("/etc/fileaudit/es.key"))},
    "hosts: https://es:9200, api_key_env: ES_KEY": {"api_key": Secret(env="ES_KEY")},
    "hosts: https://es:9200, username: elastic, password_file: /run/secrets/es": {
        "username": "elastic",
        "password": Secret(file=Path("/run/secrets/es")),
    },
    'hosts: https://es:9200, username: "ü \'", password_env: _P1': {
        "username": "ü '",
        "password": Secret(env="_P1"),
    },
    "hosts: https://es:9200, ca_file: ca.pem": {"ca_file": Path("/etc/fileaudit/ca.pem")},
    f"hosts: https://es:9200, ca_fingerprint: {PRINT}": {"ca_fingerprint": PRINT},
    f"hosts: https://es:9200, ca_fingerprint: '{COLONS}'": {"ca_fingerprint": PRINT},
    "hosts: https://es:9200, namespace: prod_eu.1, from: start": {
        "namespace": "prod_eu.1",
        "begin": Begin.START,
    },
    "hosts: https://es:9200, timeout: 1500ms, max_bulk: 1MiB": {"timeout_s": 1.5, "max_bulk_bytes": 1 << 20},
}
SYSLOG: dict[str, dict[str, Any]] = {
    "address: udp://siem": {"transport": Transport.UDP, "host": "siem", "port": 514},
    "address: tcp://siem/": {"transport": Transport.TCP, "host": "siem", "port": 601},
    "address: TLS://Siem.Example": {"transport": Transport.TLS, "host": "siem.example", "port": 6514},
    "address: 'tcp://[fe80::1%eth0]:99'": {"transport": Transport.TCP, "host": "fe80::1%eth0", "port": 99},
    "address: local:///dev/log": {"transport": Transport.LOCAL, "path": Path("/dev/log")},
    "address: 'local:///run/a b.sock'": {"transport": Transport.LOCAL, "path": Path("/run/a b.sock")},
    "address: udp://siem:5514, facility: 0, format: cef": {
        "transport": Transport.UDP,
        "host": "siem",
        "port": 5514,
        "facility": 0,
        "format": SyslogFormat.CEF,
    },
    "address: udp://siem, facility: local7, format: leef, max_frame: 480B, from: start": {
        "transport": Transport.UDP,
        "host": "siem",
        "port": 514,
        "facility": 23,
        "format": SyslogFormat.LEEF,
        "max_frame": 480,
        "begin": Begin.START,
    },
    "address: tls://siem, ca_file: ca.pem, cert_file: /c.pem, key_file: k.pem, server_name: siem.example": {
        "transport": Transport.TLS,
        "host": "siem",
        "port": 6514,
        "ca_file": Path("/etc/fileaudit/ca.pem"),
        "cert_file": Path("/c.pem"),
        "key_file": Path("/etc/fileaudit/k.pem"),
        "server_name": "siem.example",
    },
}

ES = "sinks.elasticsearch"
WRONG_ELASTIC = {
    "": [f"'{ES}' needs 'hosts'"],
    "hosts: []": [f"'{ES}.hosts' must be a URL such as https://es:9200, or a list of them"],
    "hosts: [5, {a: b}]": [f"'{ES}.hosts' must be a URL such as https://es:9200, or a list of them"] * 2,
    "hosts: es:9200": [f"a host of '{ES}.hosts' is no address"],
    "hosts: ftp://es:9200": [f"a host of '{ES}.hosts' is no URL"],
    "hosts: 'https://:9200'": [f"a host of '{ES}.hosts' is no URL"],
    "hosts: https://es": [f"a host of '{ES}.hosts' has no port"],
    "hosts: 'https://es:'": [f"a host of '{ES}.hosts' has no port from 1 to 65535 behind its ':'"],
    "hosts: https://u@es:9200": [f"a host of '{ES}.hosts' has a user or a password in it"],
    "hosts: 'https://es:9200/?a=b'": [f"a host of '{ES}.hosts' has more than a path behind its port"],
    "hosts: 'https://es:9200/#a'": [f"a host of '{ES}.hosts' has more than a path behind its port"],
    "hosts: [https://es:9200, 5], nmespace: a": [
        f"'{ES}.hosts' must be a URL such as https://es:9200, or a list of them",
        f"unknown key '{ES}.nmespace'",
    ],
    "hosts: https://es:9200, namespace: Prod": [
        f"'{ES}.namespace' must be the namespace of data streams, such as default"
    ],
    "hosts: https://es:9200, namespace: a-b": [
        f"'{ES}.namespace' must be the namespace of data streams, such as default"
    ],
    f"hosts: https://es:9200, namespace: {'a' * 101}": [
        f"'{ES}.namespace' must be the namespace of data streams, such as default"
    ],
    "hosts: https://es:9200, ca_fingerprint: AB:CD": [
        f"'{ES}.ca_fingerprint' must be the SHA-256 of a certificate: 64 hexadecimal digits"
    ],
    "hosts: https://es:9200, username: 'a:b', password_env: P": [
        f"'{ES}.username' must be the name of a user"
    ],
    "hosts: https://es:9200, api_key_env: es-key": [
        f"'{ES}.api_key_env' must be the name of a variable such as FILEAUDIT_ES_KEY"
    ],
    "hosts: https://es:9200, from: never, timeout: 5, max_bulk: 5": [
        f"'{ES}.from' must be one of start, now",
        f"'{ES}.timeout' must be a length of time such as 200ms or 10m",
        f"'{ES}.max_bulk' must be a size such as 500MB or 10GiB",
    ],
    "hosts: https://es:9200, api_key_file: ''": [f"'{ES}.api_key_file' must be a path"],
}
SY = "sinks.syslog"
EXAMPLES = "udp://siem:514, tcp://siem:601, tls://siem:6514 or local:///dev/log"
WRONG_SYSLOG = {
    "": [f"'{SY}' needs 'address'"],
    "address: 5": [f"'{SY}.address' must be an address such as {EXAMPLES}"],
    "address: siem": [f"'{SY}.address' is no address"],
    "address: tsl://siem": [f"'{SY}.address' has a way that is not known"],
    "address: tls://": [f"'{SY}.address' does not name a host"],
    "address: tls://siem/path": [f"'{SY}.address' has something behind host and port"],
    "address: local://dev/log": [f"'{SY}.address' does not name a socket"],
    "address: 'local:///'": [f"'{SY}.address' does not name a socket"],
    f"address: local:///{'a' * 107}": [f"'{SY}.address' names a socket by too long a path"],
    "address: tls://siem, facility: 24": [
        f"'{SY}.facility' must be a facility such as authpriv, or its number, 0 to 23"
    ],
    "address: tls://siem, facility: true, format: json, max_frame: 8096": [
        f"'{SY}.facility' must be a facility such as authpriv, or its number, 0 to 23",
        f"'{SY}.format' must be one of rfc5424, cef, leef",
        f"'{SY}.max_frame' must be a size such as 500MB or 10GiB",
    ],
    "address: tls://siem, server_name: ''": [f"'{SY}.server_name' must be the name of a host"],
    "address: tls://siem, sever_name: a": [f"unknown key '{SY}.sever_name'"],
}
CONTRADICTIONS = {
    "elasticsearch: {hosts: https://es:9200, username: a, password_env: P, api_key_env: K}": (
        f"'{ES}.username' and '{ES}.api_key_env' are two ways to sign in"
    ),
    "elasticsearch: {hosts: https://es:9200, username: a}": f"'{ES}.username' needs a password",
    "elasticsearch: {hosts: https://es:9200, password_env: P}": f"'{ES}.password_env' is nobody's password",
    "elasticsearch: {hosts: https://es:9200, api_key_env: P, api_key_file: p}": (
        f"'{ES}.api_key_file' and '{ES}.api_key_env' are two places of one secret"
    ),
    "elasticsearch: {hosts: [https://es:9200, 'http://[::1]:9200']}": (
        f"'{ES}.hosts' are of http and of https"
    ),
    f"elasticsearch: {{hosts: https://es:9200, ca_file: a, ca_fingerprint: {PRINT}}}": (
        f"'{ES}.ca_file' and '{ES}.ca_fingerprint' are two ways to know the hosts"
    ),
    "elasticsearch: {hosts: http://localhost:9200, ca_file: a}": (
        f"'{ES}.ca_file' is for https, and no host is"
    ),
    "syslog: {address: tcp://siem, ca_file: a}": f"'{SY}.ca_file' is for TLS, and the address is not",
    "syslog: {address: local:///dev/log, server_name: a}": (
        f"'{SY}.server_name' is for TLS, and the address is not"
    ),
    "syslog: {address: tls://siem, key_file: a}": f"'{SY}.key_file' is the key to no certificate",
}
"""What cannot all be meant; the schema cannot know."""


def refusal(text: str) -> UnusableInput:
    with pytest.raises(UnusableInput) as raised:
        parse_config(text.encode(), HOME)
    return raised.value


def messages(text: str) -> list[str]:
    return [found.message for found in refusal(text).diagnostics]


def is_valid(text: str) -> bool:
    return SCHEMA.is_valid(yaml.safe_load(text))


@pytest.mark.parametrize("text", ELASTIC)
def test_what_is_said_of_elasticsearch_is_taken(text: str) -> None:
    whole = f"sinks: {{elasticsearch: {{{text}}}}}"
    assert parse_config(whole.encode(), HOME).elasticsearch == ElasticSettings(
        **{"hosts": ("https://es:9200",)} | ELASTIC[text]
    )
    assert is_valid(whole)


@pytest.mark.parametrize("text", SYSLOG)
def test_what_is_said_of_syslog_is_taken(text: str) -> None:
    whole = f"sinks: {{syslog: {{{text}}}}}"
    assert parse_config(whole.encode(), HOME).syslog == SyslogSettings(**SYSLOG[text])
    assert is_valid(whole)


@pytest.mark.parametrize("text", WRONG_ELASTIC)
def test_every_mistake_about_elasticsearch_is_told(text: str) -> None:
    assert messages(f"sinks: {{elasticsearch: {{{text}}}}}") == WRONG_ELASTIC[text]


@pytest.mark.parametrize("text", WRONG_SYSLOG)
def test_every_mistake_about_syslog_is_told(text: str) -> None:
    assert messages(f"sinks: {{syslog: {{{text}}}}}") == WRONG_SYSLOG[text]


@pytest.mark.parametrize(
    "text",
    [f"sinks: {{elasticsearch: {{{text}}}}}" for text in WRONG_ELASTIC if "https://:" not in text]
    + [
        f"sinks: {{syslog: {{{text}}}}}" for text in WRONG_SYSLOG if "/path" not in text and "aaa" not in text
    ],
)
def test_the_schema_that_editors_use_refuses_it_too(text: str) -> None:
    assert not is_valid(text)


@pytest.mark.parametrize("text", CONTRADICTIONS)
def test_what_cannot_all_be_meant_is_told_with_a_remedy(text: str) -> None:
    (found,) = refusal(f"sinks: {{{text}}}").diagnostics
    assert (found.code, found.message, bool(found.help)) == ("FA086", CONTRADICTIONS[text], True)


@pytest.mark.parametrize("text", [*WRONG_ELASTIC, *WRONG_SYSLOG])
def test_a_mistake_has_a_place_and_a_remedy(text: str) -> None:
    name = "elasticsearch" if text in WRONG_ELASTIC else "syslog"
    for found in refusal(f"sinks:\n  {name}: {{{text}}}").diagnostics:
        assert found.location.line == 2
        assert found.location.column > len(f"  {name}: ")
        if "must be" not in found.message:
            assert found.help


# --- addresses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "localhost.example", "es.localhost", "es", "[fe80::1]", "0.0.0.0", "[::]", "1.1.1.1"]
)
def test_plain_http_does_not_leave_this_host(host: str) -> None:
    assert messages(f"sinks: {{elasticsearch: {{hosts: ['http://{host}:9200']}}}}") == [
        f"a host of '{ES}.hosts' is not encrypted: names of files and credentials could be read on the way"
    ]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "siem:514",
            "tls:siem",
            "tls:/siem",
            "://siem",
            "tls://2001:db8::1:6514",
            "tls://[2001:db8::1",
            "tls://a b",
        ),
        *(
            "tls://siem:0",
            "tls://siem:65536",
            "tls://siem:+5",
            "tls://siem:5_0",
            "tls://siem:٣",
            "tls://127.1",
        ),
        *(
            "tls://1234",
            "tls://256.1.1.1",
            "tls://[127.0.0.1]",
            "tls://[::1%]",
            "tls://[::1%a/b]",
            "tls://-a",
        ),
        *(
            "tls://a..b",
            "tls://sïem",
            "tls://u:p@siem",
            "tls://siem\\@evil",
            "tls://siem\n",
            "tls://sie\0m",
            "tls://*",
        ),
        *(f"tls://{'a' * 64}", f"tls://{'a.' * 130}a", "tls://siem:6514:6514", "tls://.", "tls://[::1]x:5"),
    ],
)
def test_what_could_be_understood_in_two_ways_is_no_address(text: str) -> None:
    with pytest.raises(Unclear) as raised:
        address_of(text, "tls://siem:6514")
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("tls://siem", "siem", None),
        ("tls://es_1.docker:99", "es_1.docker", 99),
        ("tls://[0:0::1]:1", "::1", 1),
        ("tls://xn--sem-0ra.example.", "xn--sem-0ra.example.", None),
        ("tls://1and1.example", "1and1.example", None),
    ],
)
def test_an_address_is_taken_apart(text: str, host: str, port: int | None) -> None:
    found = address_of(text, "")
    assert (found.host, found.port) == (host, port)


@given(st.text(max_size=40) | st.text(alphabet="tlshp:/[]@.%0123abc?#\\", max_size=40).map("tls://".__add__))
@example("tls://[")
@REPEATABLE
def test_whatever_stands_there_is_an_address_or_told(text: str) -> None:
    try:
        found = address_of(text, "tls://siem:6514")
    except Unclear:
        return
    assert "@" not in found.host
    assert found.netloc.isprintable()
    assert " " not in found.netloc
    assert address_of(f"{found.scheme}://{found.netloc}", "") == type(found)(
        scheme=found.scheme, host=found.host, port=found.port, rest=""
    )
