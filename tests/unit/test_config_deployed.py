"""The configuration that is shipped: it loads as it stands, and with all of it switched on."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from fileaudit_engine.config import Config, load_config, parse_config
from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.resources import schemas_dir
from fileaudit_engine.sinks.settings import ElasticSettings, JsonLogSettings, SyslogSettings, Transport

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "deploy" / "config.yml"
UNIT = (ROOT / "deploy" / "fileaudit-engine.service").read_text()
SCHEMA = json.loads((schemas_dir() / "config.schema.json").read_text())
ALTERNATIVES = {"api_key_env", "username", "password_file", "password_env", "ca_fingerprint"}
"""Keys that contradict others; the text names them."""


def switched_on() -> str:
    """With what is switched off in it: a # at the very left, and no text behind."""
    return "\n".join(
        line[1:] if line.startswith("#") and not re.match(r"#( \S|$)", line) else line
        for line in SHIPPED.read_text().splitlines()
    )


def config() -> Config:
    return parse_config(switched_on().encode(), SHIPPED)


def keys_in(document: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(document, dict):
        for key, value in document.items():
            yield f"{prefix}{key}"
            yield from keys_in(value, f"{prefix}{key}.")
    elif isinstance(document, list):
        for item in document:
            yield from keys_in(item, prefix)


def keys_of(schema: Any, prefix: str = "") -> Iterator[str]:
    for key, inner in schema.get("properties", {}).items():
        yield f"{prefix}{key}"
        yield from keys_of(inner, f"{prefix}{key}.")
    if "items" in schema:
        yield from keys_of(schema["items"], prefix)


def test_it_loads_as_it_stands() -> None:
    assert load_config(SHIPPED) == Config(
        store_path=Path("/var/lib/fileaudit/fileaudit.db"),
        json_log=JsonLogSettings(folder=Path("/var/log/fileaudit")),
    )


def test_it_loads_with_everything_switched_on() -> None:
    found = config()
    assert found.elasticsearch is not None
    assert found.syslog is not None
    assert found.suppress is not None
    assert len(found.routes) == 6
    jsonschema.Draft202012Validator(SCHEMA).validate(yaml.safe_load(switched_on()))


def test_the_shipped_rules_that_it_names_are_there() -> None:
    shipped = [path for path in config().rules if path.is_relative_to("/opt/fileaudit-engine")]
    assert shipped
    assert [path for path in shipped if not (ROOT / path.relative_to("/opt/fileaudit-engine")).exists()] == []


def test_every_key_is_in_it_and_every_alternative_is_named() -> None:
    missing = set(keys_of(SCHEMA)) - set(keys_in(yaml.safe_load(switched_on())))
    assert {name.rpartition(".")[2] for name in missing} == ALTERNATIVES
    for name in ALTERNATIVES:
        assert f"'{name}: " in SHIPPED.read_text()


def test_what_it_shows_as_defaults_are_the_defaults() -> None:
    found = config()
    assert found.limits == Limits()
    assert found.elasticsearch is not None
    assert found.syslog is not None
    usual = ElasticSettings(hosts=())
    for name in ("namespace", "timeout_s", "max_bulk_bytes", "begin"):
        assert getattr(found.elasticsearch, name) == getattr(usual, name)
    for name in ("facility", "format", "max_frame", "begin"):
        assert getattr(found.syslog, name) == getattr(SyslogSettings(transport=Transport.TLS), name)


def test_the_unit_and_the_configuration_name_the_same_credential() -> None:
    (name,) = re.findall(r"^#LoadCredentialEncrypted=([^:]+):", UNIT, re.MULTILINE)
    place = f"/run/credentials/fileaudit-engine.service/{name}"
    assert place in UNIT
    assert place in SHIPPED.read_text()


def test_the_example_of_the_readme_loads() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (example,) = [text for text in examples if "\nroutes:" in text]
    found = parse_config(example.encode(), Path("/etc/fileaudit/config.yml"))
    assert found.routes
    assert found.elasticsearch is not None
    assert found.syslog is not None


@pytest.mark.parametrize("line", SHIPPED.read_text().splitlines())
def test_every_line_fits_on_a_screen(line: str) -> None:
    assert len(line) <= 120
