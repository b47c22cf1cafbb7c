"""The sinks of the configuration: addresses beyond doubt, secrets out of sight, no half of a whole."""

import contextlib
import json
import re
import string
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fileaudit_engine.config import parse_config
from fileaudit_engine.config.addresses import Unclear, address_of
from fileaudit_engine.config.masking import masked
from fileaudit_engine.diagnostics import SourceText, UnusableInput, render
from fileaudit_engine.resources import schemas_dir
from fileaudit_engine.sinks.secrets import Secret
from fileaudit_engine.sinks.settings import Begin, ElasticSettings, SyslogFormat, SyslogSettings, Transport

SCHEMA = jsonschema.Draft202012Validator(json.loads((schemas_dir() / "config.schema.json").read_text()))
HOME = Path("/etc/fileaudit/config.yml")
REPEATABLE = settings(derandomize=True, database=None, deadline=None)
PRINT = "ab" * 32
COLONS = ":".join(["AB"] * 32)
SECRET = "hunter2-Zq7"

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


def shown(text: str) -> str:
    found = refusal(text)
    return render(found.diagnostics, found.sources)


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
    "host", ["10.0.0.1", "localhost.example", "es", "[fe80::1]", "0.0.0.0", "[::]", "1.1.1.1"]
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


# --- secrets ------------------------------------------------------------------------------------------------

DOUBTFUL = [
    f"elastic:{SECRET}@es:9200",
    f"https:/elastic:{SECRET}@es:9200",
    f"https://elastic:{SECRET[:3]} {SECRET}@es:9200",
    f"https://elastic:{'x' * 500}{SECRET}@es:9200",
    f"https://es:9200/?apikey={SECRET}",
    f"https://es:9200/#{SECRET}",
]
LEAKS = [
    f"sinks: {{elasticsearch: {{hosts: https://es:9200, api_key: {SECRET}}}}}",
    f"sinks:\n  elasticsearch:\n    hosts: https://es:9200\n    password: '{SECRET}'\n",
    f'sinks:\n  elasticsearch:\n    hosts: https://es:9200\n    "api_key" : "{SECRET}"\n',
    f"sinks: {{elasticsearch: {{hosts: 'https://elastic:{SECRET}@es:9200'}}}}",
    f"sinks: {{elasticsearch: {{hosts: 'https://elastic:{SECRET}@x@es:9200/'}}}}",
    f"sinks: {{syslog: {{address: 'tls://u:{SECRET}@siem'}}}}",
    f"sinks: {{syslog: {{address: tls://siem, key: {SECRET}}}}}",
    f"sinks: {{elasticsearch: {{hosts: https://es:9200, api_key_env: {SECRET}}}}}",
    f"sinks: {{elasticsearch: {{hosts: https://es:9200, passwd: {SECRET}}}}}",
    f"sinks: {{elasticsearch: {{hosts: https://es:9200, es-api_token: {SECRET}}}}}",
    f"sinks:\n  elasticsearch: {{hosts: 5}}\n  password: {SECRET}: {SECRET}\n",
    f"sinks: {{password: {SECRET}",
    *(f"sinks: {{elasticsearch: {{hosts: ['{host}']}}}}" for host in DOUBTFUL),
    *(f"sinks: {{syslog: {{address: '{host}'}}}}" for host in DOUBTFUL),
    f"sinks: {{elasticsearch: {{hosts: https://es:9200, username: 'elastic:{SECRET}', password_env: P}}}}",
    f"sinks: {{elasticsearch: {{hosts: https://es:9200, basic: [elastic, {SECRET}]}}}}",
    f"sinks: {{elasticsearch: {{hosts: https://es:9200, headers: {{{SECRET}: 'ApiKey {SECRET}'}}}}}}",
    f"sinks: {{elasticsearch: {{hosts: https://es:9200, kennwort: {SECRET}, nmespace: a}}}}",
    f"sinks: {{elasticsearch: [{SECRET}]}}",
    f"sinks: {{elasticsearch: {{hosts: {{url: 'https://es:9200', is: {SECRET}}}}}}}",
    f"sinks: {{syslog: {{address: [{SECRET}]}}}}",
    f"sinks: {SECRET}",
    f"sink: {{elasticsearch: {{kennwort: {SECRET}}}}}",
    f"sinks:\n  elasticsearch:\n    kennwort: |\n      a\n      {SECRET}\n    hosts: 5\n",
    f'sinks:\n  elasticsearch:\n    api_key: # the key\n      "{SECRET}\n',
    f'sinks:\n  elasticsearch:\n    kennwort: "a\n      {SECRET}\n',
    f'sinks:\n  elasticsearch:\n    kennwort: "a\n\n      {SECRET}: b\n  \n',
    f"sinks:\n  elasticsearch:\n    kennwort: *{SECRET}\n",
    f"sinks:\n  elasticsearch:\n    kennwort: !{SECRET} a\n",
    f"sinks: {{elasticsearch: {{{SECRET}: 1, {SECRET}: 2}}}}",
    f"sinks:\n  elasticsearch: {{kennwort: {SECRET}: {SECRET}}}\nrules: [",
    f"rules: a\nsinks:\n  elasticsearch: {{kennwort: '{SECRET}\n",
    f"sinks: {{elasticsearch: {{password:\n  {SECRET}, hosts: 5}}}}",
    f"password: |\n  {SECRET}\nsinks: 5",
    f"password: {SECRET}\npassword: {SECRET}\n",
]


@pytest.mark.parametrize("text", LEAKS)
def test_a_secret_that_stands_in_the_configuration_is_not_repeated(text: str) -> None:
    assert SECRET not in shown(text)
    assert SECRET not in str(refusal(text))


@pytest.mark.parametrize("key", ["api_key", "password"])
def test_who_writes_a_secret_into_the_configuration_is_told_where_it_belongs(key: str) -> None:
    (found,) = refusal(f"sinks: {{elasticsearch: {{hosts: https://es:9200, {key}: {SECRET}}}}}").diagnostics
    assert found.code == "FA087"
    assert found.message == f"'{ES}.{key}' is a secret, and does not stand in a configuration"
    assert f"'{key}_file: /etc/fileaudit/es." in found.help


@pytest.mark.parametrize("key", ["api_key_file", "password_file"])
def test_a_key_that_stands_where_its_file_belongs_is_told_and_not_shown(key: str) -> None:
    api_key = "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw=="
    text = f"sinks: {{elasticsearch: {{hosts: https://es:9200, username: a, {key}: {api_key}}}}}"
    told = refusal(text).diagnostics
    assert [one.code for one in told if "looks like the secret itself" in one.message] == ["FA087"]
    assert api_key not in shown(text)


@pytest.mark.parametrize("path", ["es.key", "/a" * 40, "./" + "a" * 60, "keys/" + "a" * 60 + ".key"])
def test_a_path_is_no_key(path: str) -> None:
    text = f"sinks: {{elasticsearch: {{hosts: https://es:9200, api_key_file: {path}}}}}"
    assert parse_config(text.encode(), HOME).elasticsearch is not None


@pytest.mark.parametrize("host", ["es:9200", "http://es:9200", "https://2001:db8::1:9200", "https://es"])
def test_an_address_that_holds_no_password_is_shown(host: str) -> None:
    assert host in shown(f"sinks: {{elasticsearch: {{hosts: ['{host}']}}}}")


def test_where_yaml_cannot_be_read_known_keys_are_shown_and_no_value_of_sinks() -> None:
    text = "rules: a\nsinks:\n  elasticsearch:\n    username: 'a\n"
    assert "4 │     username: ··" in shown(text)
    assert "1 │ rules: [a" in shown("rules: [a\nsinks: {}\n")


def test_masking_takes_no_time_whatever_stands_there() -> None:
    for text in ("{sinks:" * 100_000, "sinks:\n" * 100_000, "://a@" * 100_000, "key: a\n" * 100_000):
        source = SourceText(file="x", text=text)
        assert len(masked(source, [(0, 9)] * 1_000, is_yaml=False).text) == len(text)


def test_a_hidden_secret_moves_no_caret() -> None:
    text = f"sinks: {{elasticsearch: {{hosts: 5, api_key: {SECRET}}}}}"
    lines = shown(text).splitlines()
    caret = next(line for line in lines if "^" in line)
    excerpt = lines[lines.index(caret) - 1]
    assert excerpt[caret.index("^") :].startswith("·, api_key: ·")


def test_a_hidden_secret_takes_no_line_with_it() -> None:
    text = f"sinks:\r  password: {SECRET}\rrules: 5\r"
    assert "\n3 │ rules: 5\n" in shown(text)
    assert SECRET not in shown(text)


def test_only_what_may_be_a_secret_is_hidden() -> None:
    assert "api_key_file: a, nmespace: ·" in shown(
        "sinks: {elasticsearch: {hosts: https://es:9200, api_key_file: a, nmespace: x}}"
    )


# --- mutation: every key, written wrong in every way --------------------------------------------------------

WHOLE = """\
sinks:
  elasticsearch:
    hosts: [https://es:9200]
    namespace: default
    username: elastic
    password_file: p
    ca_file: ca.pem
    timeout: 10s
    max_bulk: 1MiB
    from: now
  syslog:
    address: tls://siem:6514
    facility: authpriv
    format: rfc5424
    max_frame: 8KiB
    ca_file: ca.pem
    cert_file: c.pem
    key_file: k.pem
    server_name: siem
    from: start
routes:
  - level: [high, critical]
    kind: alert
    rule: a*
    tag: attack.*
    fields:
      user.name: root
    to: [elasticsearch, syslog]
    continue: false
"""
KEY = re.compile(r"^(\s+-?\s*)([a-z_.]+):(.*)$")
KEYS = [number for number, line in enumerate(WHOLE.splitlines()) if KEY.match(line)]
MEANINGFUL = {(key, "1.5") for key in ("rule", "tag", "user.name")} | {
    *(("to", "[]"), ("user.name", '"\\0"'), ("tag", '"\\0"'), ("rule", '"\\0"')),
}
"""Values that are strange and mean something all the same."""
LEAVES = [number for number, line in enumerate(WHOLE.splitlines()) if re.search(r": \S", line)]


def changed(number: int, new: str) -> str:
    lines = WHOLE.splitlines()
    return "\n".join([*lines[:number], new, *lines[number + 1 :]])


def test_the_whole_is_right() -> None:
    parse_config(WHOLE.encode(), HOME)
    assert is_valid(WHOLE)


@pytest.mark.parametrize("number", KEYS)
def test_a_key_with_a_slip_in_it_is_told_at_its_line(number: int) -> None:
    found = KEY.match(WHOLE.splitlines()[number])
    assert found is not None
    lead, key, rest = found.groups()
    for slip in (key[:-1] + "qx", key.upper(), f"{key}s_"):
        text = changed(number, f"{lead}{slip}:{rest}")
        told = refusal(text).diagnostics
        assert number + 1 in [one.location.line for one in told if one.code in {"FA081", "FA085"}]
        assert not is_valid(text)


@pytest.mark.parametrize("number", LEAVES)
@pytest.mark.parametrize("value", ["", "{a: b}", "[[a]]", '"\\0"', "1.5", "[]"])
def test_a_value_of_another_kind_is_told_at_its_line_or_means_something(number: int, value: str) -> None:
    found = KEY.match(WHOLE.splitlines()[number])
    assert found is not None
    text = changed(number, f"{found[1]}{found[2]}: {value}")
    if (found[2], value) in MEANINGFUL:
        parse_config(text.encode(), HOME)
    else:
        told = refusal(text).diagnostics
        assert number + 1 in [one.location.line for one in told]
        assert all(one.help or "must be" in one.message for one in told)


@pytest.mark.parametrize(
    "key", ["hosts", "namespace", "ca_fingerprint", "username", "api_key_env", "timeout"]
)
@given(text=st.text(alphabet=string.printable, max_size=30))
@REPEATABLE
def test_whatever_stands_for_a_value_nothing_but_a_refusal_comes_of_it(key: str, text: str) -> None:
    rest = "" if key == "hosts" else "hosts: https://es:9200, "
    with contextlib.suppress(UnusableInput):
        parse_config(f"sinks: {{elasticsearch: {{{rest}{key}: {json.dumps(text)}}}}}".encode(), HOME)
