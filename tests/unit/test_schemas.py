"""The schemas in the repository: as generated, valid, and of use to an editor."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from referencing import Registry, Resource
from tools.generate_attack import attack_of
from tools.generate_schemas import SCHEMAS, main, rendered, target
from tools.schemas.parts import WIDTH
from tools.schemas.parts import rendered as laid_out

from fileaudit_engine.diagnostics import has_errors
from fileaudit_engine.events.fields import FIELDS
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.rules.schema import schema_of

ROOT = Path(__file__).parents[2]
REGISTRY: Registry[Any] = Registry().with_resources(
    (f"{name}.schema.json", Resource.from_contents(json.loads(target(name).read_text()))) for name in SCHEMAS
)
HEAD = "title: x\nlogsource: {product: linux, category: file_access}\n"
CORRELATION = "title: x\ncorrelation:\n  rules: [a, b]\n  timespan: 5m\n"
CORRELATED = "".join(
    f"---\ntitle: Rule {name}\nname: {name}\nlogsource: {{product: linux}}\n"
    f"detection: {{s: {{User: {name}}}, condition: s}}\n"
    for name in "ab"
)


def is_valid(name: str, text: str) -> bool:
    schema = json.loads(target(name).read_text())
    return jsonschema.Draft202012Validator(schema, registry=REGISTRY).is_valid(yaml.safe_load(text))


def rule(detection: str) -> str:
    return f"{HEAD}detection:\n  selection: {detection}\n  condition: selection\n"


@pytest.mark.parametrize(("argument", "status"), [("--help", 0), ("--hepl", 2)])
def test_who_asks_for_help_gets_no_files(argument: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    monkeypatch.setattr(Path, "write_text", lambda path, *_, **__: written.append(path))
    monkeypatch.setattr(sys, "argv", ["generate_schemas", argument])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert (stopped.value.code, written) == (status, [])


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_file_is_what_the_tables_give(name: str) -> None:
    assert target(name).read_text(encoding="utf-8") == rendered(name), "run python -m tools.generate_schemas"


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name]())


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_editor_can_explain_every_attribute(name: str) -> None:
    schema = SCHEMAS[name]()
    assert schema["title"]
    assert schema["description"]
    assert [key for key, value in explained(schema) if not value.get("description")] == []


def explained(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The attributes of the document, and those one level below."""
    for key, value in schema.get("properties", {}).items():
        yield key, value
        yield from value.get("properties", {}).items()


@pytest.mark.parametrize("text", ["rule", "filter", "correlation"])
def test_patterns_say_what_to_write(text: str) -> None:
    schemas = [value for value in walked(SCHEMAS[text]()) if "pattern" in value]
    assert all("patternErrorMessage" in value for value in schemas)


def walked(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if not isinstance(value.get("properties"), dict) or "type" in value:
            yield value
        for inner in value.values():
            yield from walked(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walked(inner)


@pytest.mark.parametrize("file", sorted((ROOT / "rules").rglob("*.yml")), ids=lambda file: file.stem)
def test_the_shipped_rules_fit_their_schema(file: Path) -> None:
    text = re.sub(r"(?m)^(date|modified): (\S+)$", r"\1: '\2'", file.read_text())
    for document in text.split("\n---\n"):
        kind = next((kind for kind in ("correlation", "filter") if f"\n{kind}:" in document), "rule")
        assert is_valid(kind, document)


@pytest.mark.parametrize(
    "detection",
    [
        "{TargetFilename: /etc/shadow}",
        "{TargetFilename|startswith: [/etc/, /root/]}",
        "{TargetFilename|under: /etc}",
        "{file.path|endswith|cased: .key}",
        "{CommandLine|windash|contains|all: [' -x ', y]}",
        "{CommandLine|re|i|m: ^x}",
        "{UserId|gte: 1000}",
        "{User|exists: false}",
        "{User: null}",
        "[{User: root}, {User: alice}]",
        "[word, 5]",
        "{'|all': [word, other]}",
    ],
)
def test_what_the_engine_takes_is_not_underlined(detection: str) -> None:
    assert parse_text(rule(detection)).rules
    assert is_valid("rule", rule(detection))


@pytest.mark.parametrize(
    "detection",
    [
        "{TargetFilenam: /etc/shadow}",
        "{TargetFilename|startwith: /etc/}",
        "{TargetFilename|contains|al: /etc/}",
        "{UserId|under: 5}",
        "{TargetFilename|hour: 5}",
        "{UserId|gt: many}",
        "{User|exists: maybe}",
        "{User: {a: b}}",
        "{User: []}",
        "{}",
        "[]",
    ],
)
def test_what_the_engine_refuses_is_underlined(detection: str) -> None:
    assert not parse_text(rule(detection)).rules
    assert not is_valid("rule", rule(detection))


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: str(field.name))
def test_every_name_of_a_field_is_completed_and_explained(field: Any) -> None:
    keys = schema_of("rule")["$defs"]["fields"]["properties"]
    names = (field.name, field.ecs, *field.aliases)
    assert all(field.meaning in keys[name]["description"] for name in names)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("rules: any\n  a: {User: x}\n  condition: not a", True),
        ("rules: [a, b]\n  a: {User|startswith: x}\n  condition: not a", True),
        ("rules: []\n  a: {User: x}\n  condition: not a", False),
        ("rules: any\n  a: {Usr: x}\n  condition: not a", False),
        ("rules: any\n  a: {User: x}\n  condition: [not a]", False),
        ("a: {User: x}\n  condition: not a", False),
    ],
)
def test_filters_are_completed_as_rules_are(text: str, valid: bool) -> None:  # noqa: FBT001 - a column
    assert is_valid("filter", f"{HEAD}filter:\n  {text}\n") == valid


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("type: event_count\n  group-by: [User]\n  condition: {gte: 10}", True),
        ("type: event_count\n  group-by: [User]\n  condition: {gt: 10, lte: 20}", True),
        ("type: event_count\n  group-by: [User]", False),
        ("type: event_count\n  group-by: [User]\n  condition: a and b", False),
        ("type: event_count\n  condition: {gte: 10}", False),
        ("type: value_count\n  group-by: [User]\n  condition: {gte: 10, field: Image}", True),
        ("type: value_count\n  group-by: [User]\n  condition: {gte: 10, field: [Image, User]}", True),
        ("type: value_sum\n  group-by: [User]\n  condition: {gte: 10}", False),
        ("type: value_avg\n  group-by: [User]\n  condition: {gt: 1.5, field: Bytes}", True),
        (
            "type: value_percentile\n  group-by: [User]\n  condition: {lte: 1, field: Bytes, percentile: 99}",
            True,
        ),
        (
            "type: value_percentile\n  group-by: [User]\n  condition: {lt: 1, field: Bytes, percentile: 101}",
            False,
        ),
        ("type: value_median\n  group-by: [User]\n  condition: {neq: 1, field: Bytes}", True),
        ("type: temporal\n  group-by: [User]", True),
        ("type: temporal\n  group-by: [User]\n  condition: a and not b", True),
        ("type: temporal_ordered\n  group-by: [who]\n  aliases: {who: {a: User, b: FileOwner}}", True),
        ("type: temporal_ordered\n  group-by: [who]\n  aliases: {who: User}", False),
        ("type: temporal\n  group-by: [User]\n  generate: true", True),
        ("type: temporal\n  group-by: []\n  condition: a or b", True),
        ("type: temporal_ordered\n  group-by: [User]\n  condition: a and b", True),
        ("type: temporal\n  group-by: [User]\n  condition: {gte: 2}", True),
        ("type: near\n  group-by: [User]", False),
        ("type: temporal\n  group-by: [User]\n  timeframe: 5m", False),
    ],
)
def test_correlations_of_every_type_are_known(text: str, valid: bool) -> None:  # noqa: FBT001 - a column
    assert is_valid("correlation", f"{CORRELATION}  {text}\n") == valid
    loaded = parse_text(f"{CORRELATION}  {text}\n{CORRELATED}")
    assert (has_errors(loaded.diagnostics), len(loaded.correlations)) == (not valid, int(valid))


@pytest.mark.parametrize(("condition", "valid"), [("a and b", True), ("{gte: 1}", False)])
def test_a_condition_over_names_may_stand_for_the_list_of_rules(condition: str, valid: bool) -> None:  # noqa: FBT001 - a column
    text = f"{CORRELATION}  type: temporal\n  group-by: []\n  condition: {condition}\n"
    assert is_valid("correlation", text.replace("  rules: [a, b]\n", "")) == valid


@pytest.mark.parametrize(
    ("timespan", "valid"), [("1s", True), ("52w", True), ("0s", False), ("5 m", False), ("1M", False)]
)
def test_a_timespan_is_a_number_and_a_letter(timespan: str, valid: bool) -> None:  # noqa: FBT001 - a column
    text = f"{CORRELATION}  type: temporal\n  group-by: []\n"
    assert is_valid("correlation", text.replace("5m", timespan)) == valid


def test_what_fits_on_a_line_stands_on_one() -> None:
    assert laid_out({"a": [1, 2], "b": {}}) == '{"a": [1, 2], "b": {}}'
    long = laid_out({"a": ["x" * 50, "y" * 50, {"z": []}]})
    assert json.loads(long) == {"a": ["x" * 50, "y" * 50, {"z": []}]}
    assert max(map(len, long.splitlines())) < WIDTH


def test_a_bundle_becomes_what_tags_name() -> None:
    def pattern(number: str, **more: Any) -> dict[str, Any]:
        reference = {"source_name": "mitre-attack", "external_id": number}
        own = {"type": "attack-pattern", "id": number, "name": f"{number}'s name"}
        return {**own, "external_references": [reference], **more}

    def revoked(old: str, new: str) -> dict[str, Any]:
        own = {"type": "relationship", "relationship_type": "revoked-by"}
        return {**own, "source_ref": old, "target_ref": new}

    tactic = {
        **pattern("TA0006", type="x-mitre-tactic", name="Credential Access"),
        "x_mitre_shortname": "credential-access",
    }
    objects = [
        {"type": "x-mitre-collection", "x_mitre_version": "19.2", "modified": "2026-08-05T21:33:58Z"},
        tactic,
        pattern("T1"),
        pattern("T2", revoked=True),
        pattern("T3", revoked=True),
        pattern("T4", x_mitre_deprecated=True),
        revoked("T3", "T2"),
        revoked("T2", "T1"),
    ]
    made = attack_of({"objects": objects})
    assert (made["version"], made["techniques"]) == ("19.2", {"T1": "T1's name"})
    assert made["gone"] == {"T2": "T1", "T3": "T1", "T4": None}
    assert "© 2026 The MITRE Corporation" in str(made["notice"])
    assert set(made["tactics"]) == {"credential-access", "defense-evasion"}  # type: ignore[call-overload] # a dict


def test_what_is_no_bundle_is_refused() -> None:
    with pytest.raises(ValueError, match="no bundle"):
        attack_of({"objects": []})
