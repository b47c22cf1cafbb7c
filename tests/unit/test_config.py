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
    "placeholders: {}": Config(),
    "placeholders: {admins: [alice, 'b*'], uid: 0, hex: 0x1F}": Config(
        placeholders={"admins": ("alice", "b*"), "uid": ("0",), "hex": ("0x1F",)}
    ),
    "timezone: Europe/Berlin": Config(timezone="Europe/Berlin"),
    "timezone: UTC": Config(),
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
    "placeholders: [a]": ["1:15 'placeholders' must be a map"],
    "placeholders: {a: []}": ["1:19 'placeholders.a' must be a text or a number, or a list of them"],
    "placeholders: {a: {b: c}}": ["1:19 'placeholders.a' must be a text or a number, or a list of them"],
    "placeholders: {a: [x, true]}": ["1:23 'placeholders.a' must be a text or a number, or a list of them"],
    "placeholders: {a: }": ["1:19 'placeholders.a' must be a text or a number, or a list of them"],
    "placeholders: {'%a%': b}": ["1:16 '%a%' cannot be the name of a placeholder"],
    "timezone: 5": ["1:11 'timezone' must be the name of a time zone, such as Europe/Berlin"],
    "timezone: ''": ["1:11 'timezone' must be the name of a time zone, such as Europe/Berlin"],
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


@pytest.mark.parametrize(
    ("zone", "remedy"),
    [
        ("Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("europe/berlin", "did you mean 'Europe/Berlin'?"),
        ("../../etc/passwd", "write it as UTC, Europe/Berlin or America/New_York"),
        ("Europe", "did you mean"),
        ("x" * 10_000, "write it as"),
        ("'a\\0b'", ""),
    ],
)
def test_a_time_zone_that_the_host_does_not_know_is_told_with_the_nearest(zone: str, remedy: str) -> None:
    with pytest.raises(UnusableInput) as raised:
        parse_config(f"timezone: {zone}".encode(), HOME)
    (found,) = raised.value.diagnostics
    assert (found.code, found.location.line) == ("FA084", 1)
    assert found.help.startswith(remedy)
