"""What holds of every export of Kibana, and which fields one names.

The checks know nothing of how our objects are made: they take lines of an export, those of others as well.
They go by what Kibana itself wrote (the sample data of Kibana 9, dashboards of integrations) and by what its
import does with it: a name that no reference has becomes a panel that says so.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, NamedTuple

from tests.unit.tools.kql_reader import Filter

Json = dict[str, Any]
WIDTH = 48
RECORDS = "___records___"
IN_TEXT = {"panelsJSON", "optionsJSON", "searchSourceJSON", "ignoreParentSettingsJSON"} | {
    *("fields", "fieldAttrs", "fieldFormatMap", "runtimeFieldMap", "sourceFilters", "typeMeta", "visState"),
    "uiStateJSON",
}
"""What is JSON inside of a text in exports."""
REQUIRED = {
    "index-pattern": {"title", "timeFieldName", "fields", "fieldFormatMap"},
    "search": {"title", "description", "columns", "sort", "kibanaSavedObjectMeta"},
    "dashboard": {"title", "description", "kibanaSavedObjectMeta", "optionsJSON", "panelsJSON"}
    | {"timeRestore", "version"},
}
ACCESSORS = {"columnId", "forAccessor", "metricAccessor", "maxAccessor", "secondaryMetricAccessor"} | {
    *(
        "breakdownByAccessor",
        "xAccessor",
        "splitAccessor",
        "accessor",
        "accessors",
        "primaryGroups",
        "metrics",
    ),
}
"""Members of a visualization that name columns."""
SHAPES = {"lnsXY", "lnsMetric", "lnsLegacyMetric", "lnsPie", "lnsDatatable", "lnsHeatmap", "lnsGauge"}


class Use(NamedTuple):
    """That something names a field.

    Attributes:
        field: The field.
        need: What for: `terms`, `date_histogram`, `sum`, `column`, `filter`, …
        place: Where, for messages.
    """

    field: str
    need: str
    place: str


def objects_in(export: str) -> list[Json]:
    """The objects of an export, with what is JSON in texts read; its last line may be a summary."""
    found = [json.loads(line) for line in export.splitlines() if line.strip()]
    return [opened(one) for one in found if "type" in one]


def opened(value: Any) -> Any:
    """The same with every text that holds JSON read."""
    if isinstance(value, dict):
        return {
            key: opened(json.loads(member) if key in IN_TEXT and isinstance(member, str) else member)
            for key, member in value.items()
        }
    return [opened(member) for member in value] if isinstance(value, list) else value


def faults(objects: list[Json]) -> list[str]:
    """Whatever is wrong with an export, in words."""
    found = [*_closure(objects)]
    for one in objects:
        where = f"{one['type']} {one['id']}"
        found += (f"{where}: {fault}" for fault in _faults_of(one))
    return found


def _faults_of(one: Json) -> Iterator[str]:
    missing = REQUIRED.get(one["type"], set()) - set(one["attributes"])
    yield from (f"has no {name}" for name in sorted(missing))
    names = Counter((reference["name"], reference["type"]) for reference in one["references"])
    named = set(_named(one))
    yield from (f"no reference is called {name}" for name in sorted(named - {name for name, _ in names}))
    if one["type"] == "dashboard":
        yield from _layout(one["attributes"]["panelsJSON"])
    for place, chart in charts(one):
        yield from (f"{place}: {fault}" for fault in _chart_faults(chart))


def unused_references(one: Json) -> set[str]:
    """References that nothing in the object asks for."""
    return {reference["name"] for reference in one["references"]} - set(_named(one))


def _closure(objects: list[Json]) -> Iterator[str]:
    """Every reference leads to an object of the export."""
    ids = Counter((one["type"], one["id"]) for one in objects)
    yield from (f"{type} {id} is there {times} times" for (type, id), times in ids.items() if times > 1)  # noqa: A001
    for one in objects:
        for reference in one["references"]:
            if (reference["type"], reference["id"]) not in ids:
                yield f"{one['id']}: {reference['name']} leads to {reference['type']} {reference['id']}"


def _named(one: Json) -> Iterator[str]:
    """The names of references that an object goes by."""
    members = _members(one["attributes"].get("kibanaSavedObjectMeta", {}))
    yield from (member for key, member in members if key == "indexRefName")
    for panel in _panels(one):
        index, name = panel["panelIndex"], panel.get("panelRefName")
        if name:
            yield f"{index}:{name}"
        for layer in _layers(_chart_of(panel)):
            yield f"{index}:indexpattern-datasource-layer-{layer}"
    for control in _controls(one):
        yield f"controlGroup_{control}:optionsListDataView"


def _panels(one: Json) -> list[Json]:
    return one["attributes"].get("panelsJSON", []) if one["type"] == "dashboard" else []


def _controls(one: Json) -> Json:
    controls: Json = one["attributes"].get("controlGroupInput", {}).get("panelsJSON", {})
    return controls


def _chart_of(panel: Json) -> Json:
    chart: Json = panel.get("embeddableConfig", {}).get("attributes", {})
    return chart if panel.get("type") == "lens" else {}


def _layers(chart: Json) -> Json:
    layers: Json = chart.get("state", {}).get("datasourceStates", {}).get("formBased", {}).get("layers", {})
    return layers


def charts(one: Json) -> Iterator[tuple[str, Json]]:
    """The Lens charts that an object holds, each with a word on where."""
    for panel in _panels(one):
        if chart := _chart_of(panel):
            yield f"panel {panel['panelIndex']}", chart


def _layout(panels: list[Json]) -> Iterator[str]:
    indexes = Counter(panel["panelIndex"] for panel in panels)
    yield from (f"two panels are {index}" for index, times in indexes.items() if times > 1)
    for panel in panels:
        grid = panel["gridData"]
        if grid["i"] != panel["panelIndex"]:
            yield f"panel {panel['panelIndex']} lies on the grid as {grid['i']}"
        if min(grid["x"], grid["y"]) < 0 or min(grid["w"], grid["h"]) < 1 or grid["x"] + grid["w"] > WIDTH:
            yield f"panel {grid['i']} is not on the grid"
    for one, other in combinations([panel["gridData"] for panel in panels], 2):
        if _overlap(one, other, "x", "w") and _overlap(one, other, "y", "h"):
            yield f"panels {one['i']} and {other['i']} overlap"


def _overlap(one: Json, other: Json, start: str, length: str) -> bool:
    return bool(one[start] < other[start] + other[length] and other[start] < one[start] + one[length])


def _chart_faults(chart: Json) -> Iterator[str]:
    state, layers = chart["state"], _layers(chart)
    if chart["visualizationType"] not in SHAPES:
        yield f"nothing draws {chart['visualizationType']}"
    held = {reference["name"] for reference in chart.get("references", [])}
    yield from (
        f"layer {layer} has no data view"
        for layer in layers
        if held and f"indexpattern-datasource-layer-{layer}" not in held
    )
    columns = {key for layer in layers.values() for key in layer["columns"]}
    named, drawn = _accessors(state["visualization"])
    yield from (f"{name} is no column" for name in sorted(named - columns))
    yield from (f"{name} is no layer" for name in sorted(drawn - set(layers)))
    for layer in layers.values():
        yield from _layer_faults(layer)


def _layer_faults(layer: Json) -> Iterator[str]:
    columns, order = layer["columns"], layer["columnOrder"]
    if sorted(columns) != sorted(order):
        yield f"columns {sorted(columns)} in the order {order}"
        return
    buckets = [columns[key]["isBucketed"] for key in order]
    if buckets != sorted(buckets, reverse=True):
        yield f"a bucket follows a metric in {order}"
    for column in columns.values():
        ordered = column.get("params", {}).get("orderBy", {})
        if ordered.get("type") == "column":
            by = columns.get(ordered["columnId"])
            if by is None or by["isBucketed"]:
                yield f"{column['label']} is ordered by {ordered['columnId']}"


def _accessors(shape: Any) -> tuple[set[str], set[str]]:
    """The columns and the layers that a visualization names."""
    columns: set[str] = set()
    layers: set[str] = set()
    for key, member in _members(shape):
        if key in ACCESSORS:
            named = member if isinstance(member, list) else [member]
            columns |= {name for name in named if isinstance(name, str)}
        elif key == "layerId":
            layers.add(member)
    return columns, layers


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object, however deep."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield key, member
            yield from _members(member)
    elif isinstance(value, list):
        for member in value:
            yield from _members(member)


def uses(one: Json) -> Iterator[Use]:
    """Every field that an object names, and what for."""
    attributes, where = one["attributes"], str(one["id"])
    yield from (Use(field, "column", where) for field in attributes.get("columns", []))
    yield from (Use(field, "column", where) for field, _ in attributes.get("sort", []))
    if "timeFieldName" in attributes:
        yield Use(attributes["timeFieldName"], "date_histogram", where)
    for part in ("fieldAttrs", "fieldFormatMap"):
        yield from (Use(field, "column", f"{where} {part}") for field in attributes.get(part, {}))
    yield from (
        Use(control["explicitInput"]["fieldName"], "terms", where) for control in _controls(one).values()
    )
    for place, chart in charts(one):
        for layer in _layers(chart).values():
            for column in layer["columns"].values():
                if column.get("sourceField", RECORDS) != RECORDS:
                    yield Use(column["sourceField"], column["operationType"], f"{where} {place}")
                if "sortField" in column.get("params", {}):
                    yield Use(column["params"]["sortField"], "date_histogram", f"{where} {place}")
    for place, text in queries(one):
        yield from (
            Use(field, "filter" if sign == ":" else "number", place) for field, sign in Filter(text).fields
        )


def queries(one: Json) -> Iterator[tuple[str, str]]:
    """Every filter in KQL that an object holds, each with a word on where."""
    yield from _queries(one["attributes"], str(one["id"]))


def _queries(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        if value.get("language") == "kuery" and isinstance(value.get("query"), str):
            yield where, value["query"]
        for key, member in value.items():
            yield from _queries(member, f"{where} {key}" if key == "panelIndex" else where)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from _queries(member, f"{where}[{number}]")
