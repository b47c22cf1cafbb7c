"""The index templates in the repository: as generated, with everything that documents hold, and harmless."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.tools.every_document import documents
from tools.generate_schemas import FOLDER, files
from tools.schemas.elasticsearch import COPIES, WILDCARDS, bodies, leaves, mappings
from tools.schemas.elasticsearch_members import CLOSED, LONGEST_TEXT, MEMBERS

from fileaudit_engine.detect.engine_record import Action
from fileaudit_engine.events.fields import BY_NAME, FIELDS, KEYWORD_IN_DOCUMENT, FieldType
from fileaudit_engine.events.model import Operation

GOLDEN = Path(__file__).parents[2] / "golden" / "documents"
ELASTICSEARCH = FOLDER / "elasticsearch"
MOST_FIELDS = 1_000
"""Of an index, unless somebody allows more; objects and subfields count."""
TERM_BYTES = 32_766
"""Lucene's longest term."""


def places(value: object, place: str = "") -> Iterator[str]:
    """Every place of a document that holds something other than an object, and each closed object."""
    if place in CLOSED:
        yield place
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from places(inner, f"{place}.{key}" if place else key)
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for one in value:
            yield from places(one, place)
    else:
        yield place


def fields(properties: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object, field and subfield of a mapping, as a node counts them."""
    for key, mapping in properties.items():
        here = f"{place}.{key}" if place else key
        yield here, mapping
        yield from fields(mapping.get("properties", {}), here)
        yield from fields(mapping.get("fields", {}), here)


CORE = dict(fields(mappings()["template"]["mappings"]["properties"]))
ENHANCED = dict(fields(bodies()["fileaudit@enhanced"]["template"]["mappings"]["properties"]))


@pytest.mark.parametrize("path", [path for path in files() if path.parent == ELASTICSEARCH], ids=str)
def test_a_template_is_as_generated(path: Path) -> None:
    assert path.read_text() == files()[path], "run python -m tools.generate_schemas"


def test_the_folder_holds_nothing_else() -> None:
    assert {path.stem for path in ELASTICSEARCH.iterdir()} == set(bodies())


def test_documents_of_every_kind_are_looked_at(tmp_path: Path) -> None:
    seen = {one.get("event", {}).get("action") for one in documents(tmp_path)}
    assert seen >= {action.value for action in Action} | {operation.value for operation in Operation}


def test_every_member_of_every_document_is_mapped_or_closed_on_purpose(tmp_path: Path) -> None:
    golden = [json.loads(path.read_text()) for path in GOLDEN.glob("*.json")]
    seen = {place for document in (*documents(tmp_path), *golden) for place in places(document)}
    assert seen - leaves().keys() == set()
    assert seen >= {"fileaudit.retention.not_had.sink", "fileaudit.losses.unwatched.from", *CLOSED}


def test_a_member_that_no_document_has_is_not_mapped(tmp_path: Path) -> None:
    seen = {place for document in documents(tmp_path) for place in places(document)}
    assert MEMBERS.keys() - seen == set()


def test_every_field_of_the_table_is_mapped_by_its_type() -> None:
    types = {
        FieldType.KEYWORD: "keyword",
        FieldType.PATH: "keyword",
        FieldType.PATHS: "keyword",
        FieldType.INTEGER: "long",
        FieldType.BOOLEAN: "boolean",
        FieldType.DATE: "date",
    }
    keywords = KEYWORD_IN_DOCUMENT | {"FileMode", "NewMode", "PathState", "Device"}
    wrong = {
        field.name: CORE[field.ecs]["type"]
        for field in FIELDS
        if CORE[field.ecs]["type"] != ("keyword" if field.name in keywords else types[field.type])
    }
    assert wrong == {}


@pytest.mark.parametrize("given", [CORE, ENHANCED], ids=["core", "enhanced"])
def test_what_rules_compare_without_case_is_there_without_case(given: Mapping[str, Any]) -> None:
    for field in FIELDS:
        if field.folded and field.ecs in given:
            assert given[f"{field.ecs}.caseless"]["normalizer"] == "lowercase"


def test_ids_are_compared_as_numbers_too() -> None:
    for name in (*KEYWORD_IN_DOCUMENT, "Device"):
        assert CORE[f"{BY_NAME[name].ecs}.number"] == {"type": "long"}


def test_no_text_is_longer_than_a_term_whatever_its_characters() -> None:
    keywords = {place: mapping for place, mapping in CORE.items() if mapping.get("type") == "keyword"}
    assert {mapping.get("ignore_above") for mapping in keywords.values()} == {LONGEST_TEXT}
    assert LONGEST_TEXT * len("\uffff".encode()) <= TERM_BYTES


def test_keys_from_outside_are_not_looked_into() -> None:
    assert {place for place, mapping in CORE.items() if mapping.get("enabled") is False} == set(CLOSED)
    assert mappings()["template"]["mappings"]["dynamic"] is False


def test_an_index_stays_far_below_the_number_of_fields_that_it_may_have() -> None:
    assert len(CORE) < MOST_FIELDS / 2


def test_a_field_that_only_a_full_node_has_is_one_of_the_core_with_all_that_belongs_to_it() -> None:
    for place, mapping in ENHANCED.items():
        core = CORE[place]
        assert mapping.get("fields", {}) == core.get("fields", {})
        assert mapping.get("copy_to") == core.get("copy_to")
    assert {BY_NAME[name].ecs for name in WILDCARDS} <= ENHANCED.keys()


def test_what_is_gathered_from_other_fields_has_somewhere_to_go() -> None:
    for place, target in COPIES.items():
        assert CORE[place]["copy_to"] == [target]
        assert CORE[target]["type"] == "keyword"


def test_nothing_is_deleted_unless_somebody_says_so() -> None:
    assert list(bodies()["fileaudit"]["policy"]["phases"]) == ["hot"]
