"""Lens: what a chart shows, as the state that Kibana's editor would have written.

A chart has columns, of which the first ones put documents into buckets and the others count or add up what is
in each; and a visualization, which says where the columns go. Columns are made here by functions that know
which type of field they need: a sum over a name cannot be written down.

    Chart(columns=(over_time(), count(kql=level("high"))), shape=bars("time", "count"), …)

The charts are kept inside of the dashboard that shows them (by value): they are of no use without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from tools.kibana.documents import Kind, known
from tools.kibana.kql import there
from tools.kibana.saved import Json, Reference, SavedObject, query
from tools.kibana.views import EVERYTHING, TIME

RECORDS: Final = "___records___"
"""What Lens calls the documents themselves, where a count needs a field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a chart.

    Attributes:
        key: Its id within the chart.
        state: What it shows.
    """

    key: str
    state: Json

    @property
    def bucket(self) -> bool:
        """Whether it divides the documents."""
        return bool(self.state["isBucketed"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A visualization: its type, and where the columns go."""

    type: str
    state: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What a panel shows.

    Attributes:
        name: The id of its layer; no other chart of the dashboard has it.
        kql: Which documents it is about.
        columns: The buckets first.
        shape: How.
        view: The data view that it looks at.
    """

    name: str
    columns: Sequence[Column]
    shape: Shape
    kql: str = ""
    view: SavedObject = field(default=EVERYTHING)

    def references(self) -> tuple[Reference, ...]:
        """What it needs: the data view of its layer."""
        name = f"indexpattern-datasource-layer-{self.name}"
        return (Reference(name=name, type=self.view.type, id=self.view.id),)

    def attributes(self) -> Json:
        """What Kibana keeps of it."""
        return {
            "title": "",
            "description": "",
            "visualizationType": self.shape.type,
            "type": "lens",
            "references": [one.json() for one in self.references()],
            "state": {
                "visualization": {**self.shape.state, **self._placed()},
                "query": query(self.kql),
                "filters": [],
                "datasourceStates": {"formBased": {"layers": {self.name: self._layer()}}},
                "internalReferences": [],
                "adHocDataViews": {},
            },
        }

    def _placed(self) -> Json:
        """The shape's layers with this chart's in it."""
        place = {"layerId": self.name, "layerType": "data"}
        layers = self.shape.state.get("layers")
        return place if layers is None else {"layers": [{**layer, **place} for layer in layers]}

    def _layer(self) -> Json:
        return {
            "columns": {column.key: column.state for column in self.columns},
            "columnOrder": [column.key for column in self.columns],
            "incompleteColumns": {},
        }


class _Sort(NamedTuple):
    """What a column holds, in Lens' words."""

    type: str
    scale: str


_NUMBERS: Final = _Sort("number", "ratio")
_MOMENTS: Final = _Sort("date", "ratio")
_WORDS: Final = _Sort("string", "ratio")
_STRETCHES: Final = _Sort("date", "interval")
_VALUES: Final = _Sort("string", "ordinal")
_BUCKETS: Final = (_STRETCHES, _VALUES)


def _column(key: str, label: str, sort: _Sort, kql: str = "", **operation: object) -> Column:
    state = {
        "customLabel": True,
        "dataType": sort.type,
        "isBucketed": sort in _BUCKETS,
        "label": label,
        "scale": sort.scale,
        **operation,
    }
    return Column(key=key, state={**state, "filter": query(kql)} if kql else state)


def over_time(key: str = "time") -> Column:
    """A bucket for each stretch of time; how long it is follows from the time that is looked at."""
    return _column(
        key,
        "Time",
        _STRETCHES,
        operationType="date_histogram",
        sourceField=known(TIME, Kind.MOMENT),
        params={"interval": "auto", "includeEmptyRows": True, "dropPartials": False},
    )


def top(key: str, source: str, label: str, *, size: int = 10, by: str = "count") -> Column:
    """A bucket for each of the values that come up most; documents without the field are left out.

    Args:
        key: The column's id.
        source: The field.
        label: What people see.
        size: How many.
        by: The column that says what is most.
    """
    return _terms(key, source, label, {"size": size, **_by(by)}, rest=False)


def among(key: str, source: str, label: str, *, size: int = 3, by: str = "count") -> Column:
    """As `top`, with buckets for all other values and for documents without the field.

    For a column behind another one: who did something is listed even where nobody knows who had logged in.
    """
    return _terms(key, source, label, {"size": size, **_by(by)}, rest=True)


def _by(column: str) -> Json:
    return {"orderBy": {"type": "column", "columnId": column}, "orderDirection": "desc"}


def _terms(key: str, source: str, label: str, params: Json, *, rest: bool) -> Column:
    source = known(source, Kind.WORD)
    params = {**params, "otherBucket": rest, "missingBucket": rest, "parentFormat": {"id": "terms"}}
    return _column(key, label, _VALUES, operationType="terms", sourceField=source, params=params)


def count(key: str = "count", label: str = "Records", *, kql: str = "") -> Column:
    """How many documents there are, or how many of those that the filter takes."""
    params = {"emptyAsNull": False}
    return _column(key, label, _NUMBERS, kql, operationType="count", sourceField=RECORDS, params=params)


def different(key: str, source: str, label: str) -> Column:
    """How many different values there are, about."""
    source, params = known(source, Kind.WORD), {"emptyAsNull": False}
    return _column(key, label, _NUMBERS, operationType="unique_count", sourceField=source, params=params)


def total(key: str, source: str, label: str, *, kql: str = "") -> Column:
    """The sum; as the data view shows the field."""
    source, params = known(source, Kind.NUMBER), {"emptyAsNull": True}
    return _column(key, label, _NUMBERS, kql, operationType="sum", sourceField=source, params=params)


def largest(key: str, source: str, label: str) -> Column:
    """The largest number; as the data view shows the field."""
    source, params = known(source, Kind.NUMBER), {"emptyAsNull": True}
    return _column(key, label, _NUMBERS, operationType="max", sourceField=source, params=params)


def newest(key: str = "newest", label: str = "Last", *, kql: str = "") -> Column:
    """When the newest of them happened."""
    source, params = known(TIME, Kind.MOMENT), {"emptyAsNull": True}
    return _column(key, label, _MOMENTS, kql, operationType="max", sourceField=source, params=params)


def latest(key: str, source: str, label: str) -> Column:
    """What the newest of the documents says that say anything of it."""
    source = known(source, Kind.WORD)
    params = {"sortField": known(TIME, Kind.MOMENT), "showArrayValues": False}
    return _column(
        key, label, _WORDS, there(source), operationType="last_value", sourceField=source, params=params
    )


def number(column: str = "count", *, color: str = "") -> Shape:
    """One large number."""
    state: Json = {"metricAccessor": column}
    return Shape(type="lnsMetric", state={**state, "color": color} if color else state)


def table(columns: Sequence[str], *, page: int = 10) -> Shape:
    """A table with these columns from left to right."""
    state = {
        "columns": [{"columnId": column, "isTransposed": False} for column in columns],
        "paging": {"enabled": True, "size": page},
        "rowHeight": "single",
        "rowHeightLines": 1,
    }
    return Shape(type="lnsDatatable", state=state)


def ring(group: str, size: str = "count") -> Shape:
    """A ring with a part for each bucket."""
    layer = {
        "primaryGroups": [group],
        "metrics": [size],
        "categoryDisplay": "default",
        "legendDisplay": "show",
        "nestedLegend": False,
        "numberDisplay": "value",
    }
    return Shape(type="lnsPie", state={"shape": "donut", "layers": [layer]})


def ranking(group: str, size: str = "count") -> Shape:
    """A bar to the right for each bucket."""
    return _axes("bar_horizontal", group, [size], legend=False)


def bars(time: str, *heights: str, split: str = "", colors: Mapping[str, str] = {}) -> Shape:
    """Bars over time, on top of each other: one part a column, or one a bucket of `split`."""
    return _axes("bar_stacked", time, heights, split=split, colors=colors)


def lines(time: str, *heights: str, split: str = "") -> Shape:
    """Lines over time."""
    return _axes("line", time, heights, split=split)


def _axes(  # noqa: PLR0913 - what charts with axes differ in
    series: str,
    across: str,
    heights: Sequence[str],
    *,
    split: str = "",
    colors: Mapping[str, str] = {},
    legend: bool = True,
) -> Shape:
    layer: dict[str, Any] = {
        "accessors": list(heights),
        "seriesType": series,
        "xAccessor": across,
        "yConfig": [{"forAccessor": column, "color": color} for column, color in colors.items()],
    }
    if split:
        layer["splitAccessor"] = split
    state = {
        "legend": {"isVisible": legend, "position": "right"},
        "valueLabels": "hide",
        "fittingFunction": "None" if series != "line" else "Linear",
        "axisTitlesVisibilitySettings": {"x": False, "yLeft": False, "yRight": False},
        "gridlinesVisibilitySettings": {"x": False, "yLeft": True, "yRight": False},
        "tickLabelsVisibilitySettings": {"x": True, "yLeft": True, "yRight": True},
        "yLeftExtent": {"mode": "full"},
        "yRightExtent": {"mode": "full"},
        "preferredSeriesType": series,
        "layers": [layer],
    }
    return Shape(type="lnsXY", state=state)
