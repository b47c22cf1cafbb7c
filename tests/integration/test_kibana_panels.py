"""Kibana's panels and searches, asked of a real Elasticsearch as Kibana would ask.

Kibana itself cannot be had here. What it does with a chart can: each bucket and each number becomes an
aggregation over a mapped field. So every chart is asked of a node that has our templates and documents of
every kind, and must come back with something in each column; every search must find what its filter means.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from tests.unit.tools.kibana_documents import documents
from tests.unit.tools.kibana_export import Json, charts, objects_in, queries
from tests.unit.tools.kql_reader import Document, Filter
from tests.unit.tools.test_kibana_security import Row
from tools.elastic.node import Node
from tools.kibana import bundle

from fileaudit_engine.cli.main import main
from fileaudit_engine.sinks.elastic.bulk import Item, Maker

NAMESPACE: Final = "kibana"
OBJECTS: Final = objects_in(bundle.rendered())
VIEWS: Final = {one["id"]: one["attributes"]["title"] for one in OBJECTS if one["type"] == "index-pattern"}
SEARCHES: Final = [one for one in OBJECTS if one["type"] == "search"]
CHARTS: Final = [
    (one, place, chart) for one in OBJECTS if one["type"] == "dashboard" for place, chart in charts(one)
]
METRICS: Final = {"sum": "sum", "max": "max", "unique_count": "cardinality"}
SENT: Final = "2026-11-28T10:00:00.000000000Z"


@pytest.fixture(scope="module")
def board(elastic: Node, tmp_path_factory: pytest.TempPathFactory) -> tuple[Node, list[Document]]:
    """A node with our templates and documents of every kind, and these documents."""
    folder = tmp_path_factory.mktemp("kibana")
    config = folder / "config.yml"
    config.write_text(json.dumps({"sinks": {"elasticsearch": {"hosts": [elastic.url]}}}))
    assert main(["elastic", "install", "--config", str(config)]) == 0
    sent = unlike(documents(folder))
    elastic.ask("POST", "/_bulk?refresh=true&require_data_stream=true", bulk(sent))
    found = elastic.ask("GET", f"/logs-fileaudit.*-{NAMESPACE}/_count")
    assert found["count"] == len(sent)
    return elastic, sent


def unlike(found: list[Document]) -> list[Document]:
    """Each record once: golden ones are of the same events as others."""
    return list({document["event"]["id"]: document for document in found}.values())


def bulk(sent: list[Document]) -> bytes:
    maker, lines = Maker(NAMESPACE), []
    for number, document in enumerate(sent, 1):
        item = maker.item(Row(json.dumps(document).encode(), document["event"]["id"], number), SENT)
        assert isinstance(item, Item)
        lines += [item.action, item.document]
    return b"\n".join([*lines, b""])


def pattern_of(view: str) -> str:
    """The indices of a view, those of this test alone."""
    return f"{VIEWS[view].removesuffix('*').removesuffix('-')}*-{NAMESPACE}"


def view_of(references: list[Json]) -> str:
    (view,) = {one["id"] for one in references if one["type"] == "index-pattern"}
    return str(view)


def filters_of(dashboard: Json, chart: Json) -> list[Json]:
    source = dashboard["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"]
    return [Filter(one["query"]).query for one in (source["query"], chart["state"]["query"])]


def bucket(column: Json) -> Json:
    """A column that divides, as an aggregation."""
    field, params = column["sourceField"], column["params"]
    if column["operationType"] == "date_histogram":
        return {"date_histogram": {"field": field, "calendar_interval": "1d", "min_doc_count": 1}}
    missing = {"missing": "__missing__"} if params["missingBucket"] else {}
    return {"terms": {"field": field, "size": params["size"], **missing}}


def metric(column: Json) -> Json:
    """A column that counts, within its filter."""
    field, operation = column["sourceField"], column["operationType"]
    within = {"filter": Filter(column.get("filter", {"query": ""})["query"]).query}
    if operation == "count":
        return within
    if operation == "last_value":
        newest = {"size": 1, "sort": [{column["params"]["sortField"]: "desc"}], "docvalue_fields": [field]}
        return {**within, "aggs": {"value": {"top_hits": newest}}}
    return {**within, "aggs": {"value": {METRICS[operation]: {"field": field}}}}


def aggregations(layer: Json) -> Json:
    """All columns of a chart: the numbers within the innermost bucket."""
    columns = [(key, layer["columns"][key]) for key in layer["columnOrder"]]
    asked = {f"={key}": metric(column) for key, column in columns if not column["isBucketed"]}
    for key, column in reversed([one for one in columns if one[1]["isBucketed"]]):
        asked = {key: {**bucket(column), "aggs": asked}}
    return asked


def numbers(answer: Json) -> Iterator[tuple[str, Any]]:
    """Every number of an answer by its column; None where there is nothing."""
    for key, value in answer.items():
        if key.startswith("="):
            yield key[1:], _number(value)
        elif isinstance(value, dict):
            for one in value.get("buckets", ()):
                yield from numbers(one)


def _number(value: Json) -> Any:
    found = value.get("value", {"value": value["doc_count"]})
    if "hits" in found:
        return found["hits"]["hits"] or None
    return found["value"] or None


@pytest.mark.parametrize(
    ("dashboard", "place", "chart"), CHARTS, ids=[f"{one['id']} {place}" for one, place, _ in CHARTS]
)
def test_a_panel_has_something_in_each_column(
    dashboard: Json, place: str, chart: Json, board: tuple[Node, list[Document]]
) -> None:
    node, _ = board
    (layer,) = chart["state"]["datasourceStates"]["formBased"]["layers"].values()
    query = {"bool": {"filter": filters_of(dashboard, chart)}}
    body = {"size": 0, "query": query, "aggs": aggregations(layer)}
    answer = node.ask("POST", f"/{pattern_of(view_of(chart['references']))}/_search", body)
    assert answer["_shards"]["failed"] == 0, place
    seen = {key for key, value in numbers(answer["aggregations"]) if value is not None}
    assert seen == {key for key, column in layer["columns"].items() if not column["isBucketed"]}


@pytest.mark.parametrize("search", SEARCHES, ids=[one["id"] for one in SEARCHES])
def test_a_search_finds_what_its_filter_means(search: Json, board: tuple[Node, list[Document]]) -> None:
    node, sent = board
    ((_, kql),) = queries(search)
    view = view_of(search["references"])
    body = {
        "size": len(sent),
        "query": Filter(kql).query,
        "fields": search["attributes"]["columns"],
        "sort": [{field: order} for field, order in search["attributes"]["sort"]],
    }
    found = node.ask("POST", f"/{pattern_of(view)}/_search", body)["hits"]["hits"]
    meant = {document["event"]["id"] for document in sent if Filter(kql).holds(document)}
    assert {one["_id"] for one in found} == meant
    assert set().union(*(one["fields"] for one in found)) == set(body["fields"])


def test_a_control_offers_the_values_of_its_field(board: tuple[Node, list[Document]]) -> None:
    node, _ = board
    for one in OBJECTS:
        for control in one["attributes"].get("controlGroupInput", {"panelsJSON": {}})["panelsJSON"].values():
            field = control["explicitInput"]["fieldName"]
            body = {"size": 0, "aggs": {"values": {"terms": {"field": field}}}}
            answer = node.ask("POST", f"/logs-fileaudit.*-{NAMESPACE}/_search", body)
            assert answer["aggregations"]["values"]["buckets"], field
