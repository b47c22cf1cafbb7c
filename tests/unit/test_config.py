"""The configuration: what is read, and that nothing in it is passed over in silence."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from fileaudit_engine.config import LIMITS, Config, load_config, parse_config
from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.detect.suppress import Suppress
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
    "suppress: {by: [rule.uuid, process.executable, file.path], for: 10m}": Config(
        suppress=Suppress(by=("rule.uuid", "process.executable", "file.path"), for_ns=600_000_000_000)
    ),
    "suppress: {for: 1ms, by: fileaudit.extra.my.field}": Config(
        suppress=Suppress(by=("fileaudit.extra.my.field",), for_ns=1_000_000)
    ),
    "suppress: {by: [rule.id], for: 2w}": Config(
        suppress=Suppress(by=("rule.id",), for_ns=14 * 86_400_000_000_000)
    ),
    "correlation: {}": Config(),
    "correlation: {lateness: 0s}": Config(limits=Limits(lateness_ns=0)),
    "correlation: {lateness: 1500us, groups: 1, events: 2, entries: 3, listed: 4, held: 0}": Config(
        limits=Limits(lateness_ns=1_500_000, groups=1, events=2, entries=3, listed=4, held=0)
    ),
}
WRONG = {
    "ruls: a": ["1:1 unknown key 'ruls'"],
    "store: {pth: a}": ["1:9 unknown key 'store.pth'"],
    "routes: []\nsinks: {}\nstore: {retention: 90d}": [
        "1:1 'routes' is not supported in this version",
        "2:1 'sinks' is not supported in this version",
        "3:9 'store.retention' is not supported in this version",
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
    "suppress:\n  by: [rule.id]": ["2:3 'suppress' needs 'for'"],
    "suppress: {}": ["1:11 'suppress' needs 'by'", "1:11 'suppress' needs 'for'"],
    "suppress: 10m": ["1:11 'suppress' must be a map"],
    "suppress: {by: [], for: 10m}": [
        "1:16 'suppress.by' must be a place in alerts such as file.path, or a list of them"
    ],
    "suppress: {by: [rule.id, 5], for: 10m}": [
        "1:26 'suppress.by' must be a place in alerts such as file.path, or a list of them"
    ],
    "suppress: {by: {a: b}, for: 10m}": [
        "1:16 'suppress.by' must be a place in alerts such as file.path, or a list of them"
    ],
    "suppress: {by: [file.path, rule.id, file.path], for: 10m}": ["1:37 'file.path' is there twice"],
    "suppress:\n  by:\n    - rule.uuid\n    - Image\n  for: 10m": ["4:7 no alert has 'Image'"],
    "suppress: {by: [file], for: 10m}": ["1:17 no alert has 'file'"],
    'suppress: {by: ["file.path\\n"], for: 10m}': ["1:17 no alert has 'file.path\n'"],
    "suppress: {by: event.id, for: 10m}": [
        "1:16 no two alerts have the same 'event.id': nothing would be folded"
    ],
    "suppress: {by: rule.id, for: 10}": ["1:30 'suppress.for' must be a length of time such as 200ms or 10m"],
    "suppress: {by: rule.id, for: 10 m}": [
        "1:30 'suppress.for' must be a length of time such as 200ms or 10m"
    ],
    "suppress: {by: rule.id, for: 1.5h}": [
        "1:30 'suppress.for' must be a length of time such as 200ms or 10m"
    ],
    "suppress: {by: rule.id, for: 10m, fro: 5m}": ["1:35 unknown key 'suppress.fro'"],
    "correlation: 5": ["1:14 'correlation' must be a map"],
    "correlation: {group: 5}": ["1:15 unknown key 'correlation.group'"],
    "correlation: {lateness: 5, groups: x, events: true, entries: 0.5, listed: [1]}": [
        "1:25 'correlation.lateness' must be a length of time such as 200ms or 10m",
        "1:36 'correlation.groups' must be a whole number",
        "1:47 'correlation.events' must be a whole number",
        "1:62 'correlation.entries' must be a whole number",
        "1:75 'correlation.listed' must be a whole number",
    ],
    "correlation: {groups: 0, events: 1000001, held: -1}": [
        "1:23 'correlation.groups' must be between 1 and 10,000,000",
        "1:34 'correlation.events' must be between 1 and 1,000,000",
        "1:49 'correlation.held' must be between 0 and 1,000,000",
    ],
    "- a": ["1:1 the configuration must be a map"],
}


OUT_OF_BOUNDS = {
    "suppress: {by: rule.id, for: 0s}": "1:30 'suppress.for' must be between 1ms and 30d",
    "suppress: {by: rule.id, for: 999us}": "1:30 'suppress.for' must be between 1ms and 30d",
    "suppress: {by: rule.id, for: 31d}": "1:30 'suppress.for' must be between 1ms and 30d",
    "suppress: {by: rule.id, for: 999999999999w}": "1:30 'suppress.for' must be between 1ms and 30d",
    "correlation: {lateness: 601s}": "1:25 'correlation.lateness' must be between 0s and 10m",
}
"""What the schema cannot know."""


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


@pytest.mark.parametrize("text", OUT_OF_BOUNDS)
def test_a_length_of_time_that_is_out_of_bounds_is_told_with_the_bounds_and_why(text: str) -> None:
    with pytest.raises(UnusableInput) as raised:
        parse_config(text.encode(), HOME)
    (found,) = raised.value.diagnostics
    assert f"{found.location.line}:{found.location.column} {found.message}" == OUT_OF_BOUNDS[text]
    assert found.help


def test_a_line_feed_behind_a_length_of_time_is_none_of_it() -> None:
    assert complaints('suppress: {by: rule.id, for: "10m\\n"}') == [
        "1:30 'suppress.for' must be a length of time such as 200ms or 10m"
    ]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("Image", "did you mean 'process.executable'?"),
        ("file.paht", "did you mean 'file.path'?"),
        ("rule", "did you mean 'rule.id'?"),
        ("x" * 10_000, "write it as in alerts: file.path, process.executable"),
        ("fileaudit.auditd.a0", "did you mean"),
    ],
)
def test_a_place_that_no_alert_has_is_told_with_the_nearest(name: str, remedy: str) -> None:
    with pytest.raises(UnusableInput) as raised:
        parse_config(f"suppress: {{by: [{name}], for: 10m}}".encode(), HOME)
    (found,) = raised.value.diagnostics
    assert found.code == "FA085"
    assert len(found.message) < 100
    assert found.help.startswith(remedy)


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_says_what_it_costs(name: str) -> None:
    with pytest.raises(UnusableInput) as raised:
        parse_config(f"correlation: {{{name}: -1}}".encode(), HOME)
    assert raised.value.diagnostics[0].help == LIMITS[name][2]


def test_every_limit_can_be_set() -> None:
    assert {"lateness_ns", *LIMITS} == {*Limits.__struct_fields__}


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
