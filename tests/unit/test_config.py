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
from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.resources import schemas_dir
from fileaudit_engine.runtime.route import Route
from fileaudit_engine.sinks.secrets import Secret
from fileaudit_engine.sinks.settings import (
    Begin,
    Compression,
    ElasticSettings,
    JsonLogSettings,
    Rotation,
    SyslogSettings,
    Transport,
)
from fileaudit_engine.store.settings import StoreSettings

SCHEMA = json.loads((schemas_dir() / "config.schema.json").read_text())
HOME = Path("/etc/fileaudit/config.yml")
SECOND, DAY = UNITS_NS["s"], UNITS_NS["d"]

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
    "store: {retention: 30d, max_size: 20GiB, hard_limit: 40GiB}": Config(
        store=StoreSettings(retention_ns=30 * DAY, max_bytes=20 << 30, hard_bytes=40 << 30)
    ),
    "store: {retention: forever}": Config(store=StoreSettings(retention_ns=None)),
    "store: {max_size: 500MB, hard_limit: 500MB}": Config(
        store=StoreSettings(max_bytes=500_000_000, hard_bytes=500_000_000)
    ),
    "store: {anchors: {}}": Config(),
    "store: {anchors: {file: /srv/anchors.log, every: 1m, to: syslog}}": Config(
        store=StoreSettings(
            anchor_file=Path("/srv/anchors.log"), anchor_every_ns=60 * SECOND, anchor_to=frozenset({"syslog"})
        )
    ),
    "store: {anchors: {to: []}}": Config(store=StoreSettings(anchor_to=frozenset())),
    "sinks: {}": Config(),
    "sinks: {json: {path: log}}": Config(json_log=JsonLogSettings(folder=Path("/etc/fileaudit/log"))),
    "sinks: {json: {path: /l, rotate: hourly, max_size: 64MiB, compress: gzip, retention: forever,"
    " max_total: 1GB, from: start}}": Config(
        json_log=JsonLogSettings(
            folder=Path("/l"),
            rotate=Rotation.HOURLY,
            max_bytes=64 << 20,
            compress=Compression.GZIP,
            retention_ns=None,
            max_total_bytes=10**9,
            begin=Begin.START,
        )
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
    "store:\n  retention: 90\n  max_size: 10\n  hard_limit: 1.5GiB\n  anchors: [a]": [
        "2:14 'store.retention' must be a length of time such as 200ms or 10m",
        "3:13 'store.max_size' must be a size such as 500MB or 10GiB",
        "4:15 'store.hard_limit' must be a size such as 500MB or 10GiB",
        "5:12 'store.anchors' must be a map",
    ],
    "store: {anchors: {file: 5, evry: 1m, every: never, to: [journal, jurnal, 5]}}": [
        "1:25 'store.anchors.file' must be a path",
        "1:28 unknown key 'store.anchors.evry'",
        "1:45 'store.anchors.every' must be a length of time such as 200ms or 10m",
        "1:66 'store.anchors.to' must be one of journal, syslog",
        "1:74 'store.anchors.to' must be one of journal, syslog",
    ],
    "sinks: {json: {}}": ["1:15 'sinks.json' needs 'path'"],
    "sinks: {json: }": ["1:15 'sinks.json' must be a map"],
    "sinks: {jsn: {path: a}}": ["1:9 unknown key 'sinks.jsn'"],
    "sinks: {json: {path: , rotate: dayly, compress: [zstd], max_size: 64 MiB, from: 5, max_total: 1gb}}": [
        "1:22 'sinks.json.path' must be a path",
        "1:32 'sinks.json.rotate' must be one of hourly, daily",
        "1:49 'sinks.json.compress' must be one of zstd, gzip, none",
        "1:67 'sinks.json.max_size' must be a size such as 500MB or 10GiB",
        "1:81 'sinks.json.from' must be one of start, now",
        "1:95 'sinks.json.max_total' must be a size such as 500MB or 10GiB",
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
    "store: {retention: 59m}": "1:20 'store.retention' must be between 1h and 36500d",
    "store: {retention: 36501d}": "1:20 'store.retention' must be between 1h and 36500d",
    "store: {max_size: 1KiB}": "1:19 'store.max_size' must be between 16MiB and 1024TiB",
    "store: {hard_limit: 999999999999TiB}": "1:21 'store.hard_limit' must be between 16MiB and 1024TiB",
    "store: {anchors: {every: 0s}}": "1:26 'store.anchors.every' must be between 1s and 1d",
    "sinks: {json: {path: a, max_size: 1B}}": "1:35 'sinks.json.max_size' must be between 1MiB and 1TiB",
    "sinks: {json: {path: a, retention: 1m}}": "1:36 'sinks.json.retention' must be between 1h and 36500d",
    "correlation: {lateness: 601s}": "1:25 'correlation.lateness' must be between 0s and 10m",
}
"""What the schema cannot know."""


CONTRADICTIONS = {
    "store: {max_size: 2GiB, hard_limit: 1GiB}": "1:37 'store.hard_limit' is below 'store.max_size'",
    "store: {retention: 2h, anchors: {every: 3h}}": (
        "1:20 'store.retention' is shorter than 'store.anchors.every': records would go without an anchor"
    ),
    "store: {path: a.db, anchors: {file: a.db}}": "1:37 'store.anchors.file' is the store itself",
    "sinks: {json: {path: a, max_total: 500MB}}": (
        "1:36 'sinks.json.max_total' is below 'sinks.json.max_size', which is 1,073,741,824 bytes"
    ),
    "sinks: {json: {path: a, max_size: 2MB, max_total: 1MiB}}": (
        "1:51 'sinks.json.max_total' is below 'sinks.json.max_size', which is 2,000,000 bytes"
    ),
}
"""What cannot all be meant; the schema cannot know."""

CONTRACT = """\
rules: [rules/]
store: {path: /var/lib/fileaudit/fileaudit.db, retention: 90d}
routes:
  - {level: [high, critical], to: [elasticsearch, syslog]}
  - {level: [low, medium], to: [elasticsearch]}
suppress: {by: [rule.uuid, process.executable, file.path], for: 10m}
sinks:
  elasticsearch: {hosts: [https://es:9200], api_key_file: /etc/fileaudit/es.key, namespace: default}
  syslog: {address: tls://siem:6514, facility: authpriv, format: rfc5424}
  json: {path: /var/log/fileaudit, rotate: daily}
"""
"""The example of the public contract."""


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


@pytest.mark.parametrize("text", CONTRADICTIONS)
def test_what_cannot_all_be_meant_is_told_at_the_value_with_a_remedy(text: str) -> None:
    with pytest.raises(UnusableInput) as raised:
        parse_config(text.encode(), HOME)
    (found,) = raised.value.diagnostics
    assert f"{found.location.line}:{found.location.column} {found.message}" == CONTRADICTIONS[text]
    assert (found.code, bool(found.help)) == ("FA086", True)


def test_a_size_that_cannot_be_read_contradicts_nothing() -> None:
    text = "sinks: {json: {path: a, max_size: x, max_total: 2MiB}}"
    assert complaints(text) == ["1:35 'sinks.json.max_size' must be a size such as 500MB or 10GiB"]


def test_the_example_of_the_contract_is_taken_whole() -> None:
    assert parse_config(CONTRACT.encode(), HOME) == Config(
        rules=(Path("/etc/fileaudit/rules"),),
        store_path=Path("/var/lib/fileaudit/fileaudit.db"),
        store=StoreSettings(retention_ns=90 * DAY),
        suppress=Suppress(by=("rule.uuid", "process.executable", "file.path"), for_ns=600 * SECOND),
        routes=(
            Route(levels=frozenset({"high", "critical"}), to=("elasticsearch", "syslog")),
            Route(levels=frozenset({"low", "medium"}), to=("elasticsearch",)),
        ),
        elasticsearch=ElasticSettings(
            hosts=("https://es:9200",), api_key=Secret(file=Path("/etc/fileaudit/es.key"))
        ),
        syslog=SyslogSettings(transport=Transport.TLS, host="siem", port=6514, facility=10),
        json_log=JsonLogSettings(folder=Path("/var/log/fileaudit")),
    )


def test_the_example_of_the_contract_is_valid_for_editors() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(yaml.safe_load(CONTRACT))


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("store: {retention: 90}", "write a number and one of ns, us, ms, s, m, h, d, w"),
        ("store: {max_size: 10G}", "write a number and one of B, kB, KB, MB, GB, TB, KiB, MiB, GiB, TiB"),
        ("store: {anchors: {to: jurnal}}", "did you mean 'journal'?"),
        ("sinks: {json: {path: a, rotate: weekly}}", "write one of hourly, daily"),
        ("sinks: {json: {path: a, rotate: dayly}}", "did you mean 'daily'?"),
        ("sinks: {json: {}}", "add 'path: /var/log/fileaudit'"),
        ("sinks: {jsno: {}}", "did you mean 'json'?"),
        ("store: {retentoin: 5d}", "did you mean 'retention'?"),
    ],
)
def test_a_mistake_comes_with_what_to_write_instead(text: str, remedy: str) -> None:
    with pytest.raises(UnusableInput) as raised:
        parse_config(text.encode(), HOME)
    assert [found.help for found in raised.value.diagnostics] == [remedy]


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
