"""A secret that stands in the configuration all the same: told of, and not repeated."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from fileaudit_engine.config import parse_config
from fileaudit_engine.config.masking import masked
from fileaudit_engine.diagnostics import SourceText, UnusableInput, render
from fileaudit_engine.resources import schemas_dir

SCHEMA = jsonschema.Draft202012Validator(json.loads((schemas_dir() / "config.schema.json").read_text()))
HOME = Path("/etc/fileaudit/config.yml")
SECRET = "hunter2-Zq7"
ES = "sinks.elasticsearch"


def refusal(text: str) -> UnusableInput:
    with pytest.raises(UnusableInput) as raised:
        parse_config(text.encode(), HOME)
    return raised.value


def shown(text: str) -> str:
    found = refusal(text)
    return render(found.diagnostics, found.sources)


def is_valid(text: str) -> bool:
    return SCHEMA.is_valid(yaml.safe_load(text))


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
    assert excerpt[caret.index("^") :].startswith("5, api_key: ·")


def test_a_hidden_secret_takes_no_line_with_it() -> None:
    text = f"sinks:\r  password: {SECRET}\rrules: 5\r"
    assert "\n3 │ rules: 5\n" in shown(text)
    assert SECRET not in shown(text)


def test_only_what_may_be_a_secret_is_hidden() -> None:
    assert "api_key_file: a, nmespace: ·" in shown(
        "sinks: {elasticsearch: {hosts: https://es:9200, api_key_file: a, nmespace: x}}"
    )


@pytest.mark.parametrize("value", ["true", "false", "null", "~", "1", "443"])
def test_a_value_that_can_be_no_secret_is_shown(value: str) -> None:
    assert f"verify: {value}}}" in shown(
        f"sinks: {{elasticsearch: {{hosts: https://es:9200, verify: {value}}}}}"
    )
    assert f"hosts: [{value}]" in shown(f"sinks: {{elasticsearch: {{hosts: [{value}]}}}}")
    assert f"password: {value}" not in shown(f"sinks: {{elasticsearch: {{hosts: a, password: {value}}}}}")


@pytest.mark.parametrize("name", ["elasticsearch", "hosts", "syslog"])
def test_a_key_that_there_is_is_named_where_it_stands_twice(name: str) -> None:
    (told,) = refusal(f"sinks: {{{name}: a, {name}: a}}").diagnostics
    assert told.message == f"the key '{name}' stands twice in this map"
