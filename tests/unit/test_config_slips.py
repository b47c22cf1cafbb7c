"""Every key of the configuration of sinks and routes, written wrong in every way."""

import contextlib
import json
import re
import string
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fileaudit_engine.config import parse_config
from fileaudit_engine.diagnostics import UnusableInput
from fileaudit_engine.resources import schemas_dir

SCHEMA = jsonschema.Draft202012Validator(json.loads((schemas_dir() / "config.schema.json").read_text()))
HOME = Path("/etc/fileaudit/config.yml")
REPEATABLE = settings(derandomize=True, database=None, deadline=None)


def refusal(text: str) -> UnusableInput:
    with pytest.raises(UnusableInput) as raised:
        parse_config(text.encode(), HOME)
    return raised.value


def is_valid(text: str) -> bool:
    return SCHEMA.is_valid(yaml.safe_load(text))


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
