"""What is imported into Kibana: whole, as Kibana writes it, and about fields that documents have."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.tools.kibana_documents import documents
from tests.unit.tools.kibana_export import (
    Json,
    charts,
    faults,
    objects_in,
    queries,
    unused_references,
    uses,
)
from tests.unit.tools.kql_reader import Document, Filter, values_at
from tools.generate_schemas import FOLDER
from tools.kibana import bundle
from tools.kibana.documents import KNOWN, Kind, known
from tools.kibana.kql import at_least, every, is_, like, no, some
from tools.kibana.lens import different, largest, top, total
from tools.kibana.saved import PREFIX

from fileaudit_engine.resources import schemas_dir

EXPORT = bundle.rendered()
OBJECTS = objects_in(EXPORT)
SEARCHES = [one for one in OBJECTS if one["type"] == "search"]
DASHBOARDS = [one for one in OBJECTS if one["type"] == "dashboard"]
WORDS, NUMBERS = {"keyword", "constant_keyword", "wildcard"}, {"long", "double", "integer", "float"}
TYPES = {
    "terms": WORDS,
    "unique_count": WORDS,
    "last_value": WORDS,
    "date_histogram": {"date"},
    "sum": NUMBERS,
    "max": NUMBERS | {"date"},
    "number": NUMBERS,
}
"""What an operation can be done with."""
TAKEN = {
    "index-pattern": {"title", "name", "type", "typeMeta", "timeFieldName", "fields", "fieldAttrs"}
    | {"fieldFormatMap", "sourceFilters", "runtimeFieldMap", "allowNoIndex"},
    "search": {"title", "description", "columns", "sort", "grid", "rowHeight", "rowsPerPage", "hideChart"}
    | {"breakdownField", "kibanaSavedObjectMeta", "isTextBasedQuery", "usesAdHocDataView", "timeRestore"}
    | {"timeRange", "refreshInterval", "viewMode", "hideAggregatedPreview", "hits", "version"},
    "dashboard": {"title", "description", "kibanaSavedObjectMeta", "timeRestore", "timeFrom", "timeTo"}
    | {"refreshInterval", "controlGroupInput", "panelsJSON", "optionsJSON", "hits", "version"},
}
"""What Kibana 8.9 takes, and refuses others beside it; by the schemas in its source."""
CONTROLS = {"panelsJSON", "controlStyle", "chainingSystem", "ignoreParentSettingsJSON"}


def named(one: Any) -> str:
    return str(one["id"] if isinstance(one, dict) else one)


def mapped(properties: Json, place: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a mapping, by their dotted names, with their types."""
    for key, value in properties.items():
        if "properties" in value:
            yield from mapped(value["properties"], f"{place}{key}.")
        else:
            yield f"{place}{key}", value["type"]


def types_in(template: str) -> dict[str, str]:
    body = json.loads((schemas_dir() / "elasticsearch" / f"{template}.json").read_text())
    return dict(mapped(body["template"]["mappings"]["properties"]))


MAPPINGS = {
    "bare": types_in("fileaudit@mappings"),
    "full": types_in("fileaudit@mappings") | types_in("fileaudit@enhanced"),
}


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    return documents(tmp_path_factory.mktemp("kibana"))


def test_the_file_is_what_the_generator_gives() -> None:
    content = (FOLDER / bundle.FILE).read_text(encoding="utf-8")
    assert content == EXPORT, "run python -m tools.generate_schemas"


def test_nothing_is_wrong_with_the_export() -> None:
    assert faults(OBJECTS) == []


@pytest.mark.parametrize("one", OBJECTS, ids=named)
def test_the_oldest_kibana_takes_every_attribute(one: Json) -> None:
    assert set(one["attributes"]) <= TAKEN[one["type"]]
    assert set(one["attributes"].get("controlGroupInput", {})) <= CONTROLS


@pytest.mark.parametrize("one", OBJECTS, ids=named)
def test_every_reference_is_asked_for(one: Json) -> None:
    assert unused_references(one) == set()


def test_what_an_object_needs_stands_before_it() -> None:
    seen: set[tuple[str, str]] = set()
    for one in OBJECTS:
        assert {(reference["type"], reference["id"]) for reference in one["references"]} <= seen
        seen.add((one["type"], one["id"]))


def test_ids_and_titles_are_words_that_say_whose_they_are() -> None:
    assert all(one["id"].startswith(PREFIX) for one in OBJECTS)
    titles = [one["attributes"].get("name") or one["attributes"]["title"] for one in OBJECTS]
    assert len(set(titles)) == len(titles)
    assert all(title.startswith(("[File audit] ", "File audit: ")) for title in titles)


def test_links_between_dashboards_lead_to_dashboards_and_hold_in_every_space() -> None:
    ids = {one["id"] for one in DASHBOARDS}
    for one in DASHBOARDS:
        links = one["attributes"]["panelsJSON"][0]["embeddableConfig"]["savedVis"]["params"]["markdown"]
        led = {part.partition(")")[0] for part in links.split("](#/view/")[1:]}
        assert led == ids - {one["id"]}


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("one", OBJECTS, ids=named)
def test_every_field_is_mapped_as_what_it_is_used_for_needs(one: Json, mapping: str) -> None:
    types = MAPPINGS[mapping]
    wrong = [
        use for use in uses(one) if types.get(use.field, "") not in TYPES.get(use.need, {*types.values()})
    ]
    assert wrong == []


@pytest.mark.parametrize("name", KNOWN)
def test_a_field_that_may_be_named_is_mapped_as_it_may_be_used(name: str) -> None:
    fit = {
        Kind.WORD: WORDS,
        Kind.NUMBER: NUMBERS,
        Kind.MOMENT: {"date"},
        Kind.FLAG: {"boolean"},
        Kind.PROSE: {"text", "match_only_text"},
    }[KNOWN[name]]
    assert {MAPPINGS[mapping].get(name) for mapping in MAPPINGS} <= fit


@pytest.mark.parametrize("one", [*SEARCHES, *DASHBOARDS], ids=named)
def test_some_document_has_what_a_panel_is_about(one: Json, sent: list[Document]) -> None:
    absent = {use.field for use in uses(one) if not any(values_at(document, use.field) for document in sent)}
    assert absent == set()


@pytest.mark.parametrize("one", SEARCHES, ids=named)
def test_a_search_finds_something_and_not_everything(one: Json, sent: list[Document]) -> None:
    ((_, kql),) = queries(one)
    found = [Filter(kql).holds(document) for document in sent]
    assert any(found)
    assert not all(found)


def panels() -> list[tuple[str, Json, list[str]]]:
    """Every chart of every dashboard, with the filters that its documents have to pass."""
    return [
        (
            f"{one['id']} {place}",
            chart,
            [
                one["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"]["query"]["query"],
                chart["state"]["query"]["query"],
            ],
        )
        for one in DASHBOARDS
        for place, chart in charts(one)
    ]


@pytest.mark.parametrize(("place", "chart", "filters"), panels(), ids=[place for place, _, _ in panels()])
def test_no_column_of_a_panel_is_always_empty(
    place: str, chart: Json, filters: list[str], sent: list[Document]
) -> None:
    passed = [document for document in sent if all(Filter(kql).holds(document) for kql in filters)]
    for layer in chart["state"]["datasourceStates"]["formBased"]["layers"].values():
        grouped = [
            column["sourceField"]
            for column in layer["columns"].values()
            if column["isBucketed"] and not column["params"].get("missingBucket")
        ]
        rows = [document for document in passed if all(values_at(document, field) for field in grouped)]
        for column in layer["columns"].values():
            kql, field = column.get("filter", {"query": ""})["query"], column["sourceField"]
            counted = [one for one in rows if Filter(kql).holds(one)]
            assert any(field == "___records___" or values_at(one, field) for one in counted), (place, column)


def test_alerts_of_rules_of_correlations_and_of_the_engine_are_all_alerts(sent: list[Document]) -> None:
    ((_, kql),) = queries(next(one for one in SEARCHES if one["id"].endswith("-alerts")))
    datasets = {
        (one["event"]["dataset"], one["rule"]["category"])
        for one in sent
        if Filter(kql).holds(one) and "category" in one["rule"]
    }
    assert ("fileaudit.alert", "correlation") in datasets
    assert any(one["event"]["dataset"] == "fileaudit.engine" for one in sent if Filter(kql).holds(one))


def test_a_field_that_no_document_has_cannot_be_named() -> None:
    with pytest.raises(ValueError, match=r"no document has a field user\.nam"):
        known("user.nam")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: top("x", "event.severity", "X"),
        lambda: total("x", "user.name", "X"),
        lambda: largest("x", "@timestamp", "X"),
        lambda: different("x", "message", "X"),
        lambda: is_("event.severity", "high"),
        lambda: at_least("rule.name", 3),
    ],
)
def test_what_a_field_is_not_made_for_cannot_be_written_down(wrong: Any) -> None:
    with pytest.raises(ValueError, match="is asked for"):
        wrong()


HOSTILE = 'a" or user.name: "\\root) and *('
BLANKLESS = HOSTILE.replace(" ", "-")


@pytest.mark.parametrize(
    ("kql", "value"),
    [
        (is_("user.name", HOSTILE), HOSTILE),
        (is_("user.name", "x", HOSTILE), HOSTILE),
        (like("user.name", BLANKLESS), BLANKLESS),
        (like("user.name", "x", BLANKLESS), BLANKLESS.replace("*", "anything")),
    ],
)
def test_a_value_stays_one_whatever_is_in_it(kql: str, value: str) -> None:
    read = Filter(kql)
    assert read.fields == [("user.name", ":")]
    assert read.holds({"user": {"name": value}})
    assert not read.holds({"user": {"name": "root"}})


def test_a_pattern_with_a_blank_is_refused() -> None:
    with pytest.raises(ValueError, match="a blank ends a pattern"):
        like("user.name", "a b")


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("third", [True, False])
def test_filters_are_put_together_as_they_read(first: bool, second: bool, third: bool) -> None:  # noqa: FBT001 - a table of truth
    terms = [is_("host.name", "a"), is_("user.name", "b"), is_("file.name", "c")]
    document = {
        "host": {"name": "a" if first else ""},
        "user": {"name": "b" if second else ""},
        "file": {"name": "c" if third else ""},
    }

    def holds(kql: str) -> bool:
        return Filter(kql).holds(document)

    assert holds(every(some(*terms[:2]), terms[2])) == ((first or second) and third)
    assert holds(some(every(*terms[:2]), terms[2])) == ((first and second) or third)
    assert holds(no(every(*terms[:2]))) == (not (first and second))
    assert holds(every(no(some(*terms[:2])), terms[2])) == (not (first or second) and third)
    assert holds(no(some(every(*terms[:2]), terms[2]))) == (not ((first and second) or third))
