"""The configuration: what is read, and that nothing in it is passed over in silence."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from fileaudit_engine.config import Config, load_config, parse_config
from fileaudit_engine.diagnostics import UnusableInput
from fileaudit_engine.resources import schemas_dir

SCHEMA = json.loads((schemas_dir() / "config.schema.json").read_text())
HOME = Path("/etc/fileaudit/config.yml")

RIGHT = {
    "": Config(),
    "# nothing\n": Config(),
    "{}": Config(),
    "rules: rules/": Config(rules=(Path("/etc/fileaudit/rules"),)),
    "rules: [a.yml, /b]": Config(rules=(Path("/etc/fileaudit/a.yml"), Path("/b"))),
    "rules: []": Config(),
    "store: {}": Config(),
    "store: {path: x.db}": Config(store_path=Path("/etc/fileaudit/x.db")),
}
WRONG = {
    "ruls: a": ["1:1 unknown key 'ruls'"],
    "store: {pth: a}": ["1:9 unknown key 'store.pth'"],
    "routes: []\nsinks: {}\nsuppress: {}\nstore: {retention: 90d}": [
        "1:1 'routes' is not supported in this version",
        "2:1 'sinks' is not supported in this version",
        "3:1 'suppress' is not supported in this version",
        "4:9 'store.retention' is not supported in this version",
    ],
    "rules: 5": ["1:8 'rules' must be a path"],
    "rules: [a, {b: c}]": ["1:12 'rules' must be a path"],
    'rules: ""': ["1:8 'rules' must be a path"],
    "store: x.db": ["1:8 'store' must be a map"],
    "- a": ["1:1 the configuration must be a map"],
}


def complaints(text: str) -> list[str]:
    with pytest.raises(UnusableInput) as raised:
        parse_config(text.encode(), HOME)
    return [f"{d.location.line}:{d.location.column} {d.message}" for d in raised.value.diagnostics]


@pytest.mark.parametrize("text", RIGHT)
def test_what_a_file_says_is_taken(text: str) -> None:
    assert parse_config(text.encode(), HOME) == RIGHT[text]


@pytest.mark.parametrize("text", WRONG)
def test_every_mistake_is_told_with_its_place(text: str) -> None:
    assert complaints(text) == WRONG[text]


@pytest.mark.parametrize("text", [*RIGHT, *WRONG])
def test_the_schema_that_editors_use_agrees(text: str) -> None:
    valid = jsonschema.Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text))
    assert valid == (text in RIGHT)


@pytest.mark.parametrize("text", ["rules: a\nrules: b", "rules: [", "rules: a\n---\nrules: b", "rules: \x00"])
def test_what_is_no_single_clean_document_is_refused(text: str) -> None:
    assert complaints(text)


def test_no_file_means_the_defaults() -> None:
    assert load_config(None) == Config()


def test_a_file_that_cannot_be_read_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="cannot be read: No such file"):
        load_config(tmp_path / "missing.yml")


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text("rules: mine")
    assert load_config(tmp_path / "c.yml").rules == (tmp_path / "mine",)
