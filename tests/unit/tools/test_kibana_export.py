"""The checks of exports: what they are for, they find."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.tools.kibana_export import Json, Use, faults, objects_in, uses
from tests.unit.tools.kql_reader import Filter, NotKql
from tools.kibana import bundle

EXPORT = bundle.rendered()
Change = Callable[["Dashboard"], object]


class Dashboard:
    """The dashboard of alerts, for breaking it."""

    def __init__(self, page: Json) -> None:
        self.page = page
        self.panels: list[Json] = page["attributes"]["panelsJSON"]
        self.metric: Json = self.panels[1]["embeddableConfig"]["attributes"]
        self.shape: Json = self.metric["state"]["visualization"]

    def layer(self, title: str = "") -> Json:
        """What the first panel with this title counts; without one, the first that counts anything."""
        found = next(one for one in self.panels[1:] if one.get("title", "") == title)
        state = found["embeddableConfig"]["attributes"]["state"]
        layer: Json = next(iter(state["datasourceStates"]["formBased"]["layers"].values()))
        return layer

    def order_of(self, column: str) -> Json:
        """What a column of the table of rules is ordered by."""
        order: Json = self.layer(RULES)["columns"][column]["params"]["orderBy"]
        return order


RULES = "Rules that alerted"


def broken(change: Change) -> list[str]:
    """What is wrong with the export after a change of the dashboard of alerts."""
    objects = objects_in(EXPORT)
    change(Dashboard(next(one for one in objects if one["id"] == "fileaudit-dashboard-alerts")))
    return faults(objects)


def test_without_a_change_nothing_is_broken() -> None:
    assert broken(lambda _: None) == []


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("overlap", lambda one: one.panels[2]["gridData"].update(x=6)),
        ("is not on the grid", lambda one: one.panels[-1]["gridData"].update(x=1)),
        ("lies on the grid as", lambda one: one.panels[1]["gridData"].update(i="elsewhere")),
        ("two panels are", lambda one: one.panels[1].update(panelIndex="p2")),
        ("no reference is called", lambda one: one.page["references"].pop()),
        ("leads to", lambda one: one.page["references"][0].update(id="nowhere")),
        ("has no timeRestore", lambda one: one.page["attributes"].pop("timeRestore")),
        ("in the order", lambda one: one.layer()["columnOrder"].pop()),
        ("a bucket follows", lambda one: one.layer(RULES)["columnOrder"].reverse()),
        ("is ordered by", lambda one: one.order_of("rule").update(columnId="level")),
        ("is no column", lambda one: one.shape.update(metricAccessor="gone")),
        ("is no layer", lambda one: one.shape.update(layerId="gone")),
        ("nothing draws", lambda one: one.metric.update(visualizationType="lnsCake")),
        ("has no data view", lambda one: one.metric["references"][0].update(name="x")),
    ],
)  # fmt: skip
def test_a_broken_object_is_found_to_be_broken(fault: str, change: Change) -> None:
    assert any(fault in one for one in broken(change))


def test_an_object_that_is_there_twice_is_found() -> None:
    objects = objects_in(EXPORT)
    assert faults([*objects, objects[0]]) == ["index-pattern fileaudit-data-view is there 2 times"]


@pytest.mark.parametrize("text", ["a:", "a: (b or", ": b", "a: b)", 'a: "b', "a b", "a: and", "a: b c"])
def test_what_is_no_kql_is_refused(text: str) -> None:
    with pytest.raises(NotKql):
        Filter(text)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ('user.name: "root"', True),
        ("user.name: ro*", True),
        ("user.name: (x or r*t)", True),
        ("user.name: roo", False),
        ("NOT user.name: *", False),
        ("event.severity >= 73 and event.type: change", True),
        ("event.severity > 73 or event.type: (access OR info)", False),
        ("file.path: *", False),
    ],
)
def test_kql_is_true_of_what_it_says(text: str, holds: bool) -> None:  # noqa: FBT001 - what is expected
    document = {"user": {"name": "root"}, "event": {"severity": 73, "type": ["creation", "change"]}}
    assert Filter(text).holds(document) == holds


def test_uses_are_of_columns_controls_charts_and_filters() -> None:
    page = next(one for one in objects_in(EXPORT) if one["id"] == "fileaudit-dashboard-alerts")
    found: list[Use] = list(uses(page))
    wanted: set[tuple[str, Any]] = {("host.name", "terms"), ("@timestamp", "date_histogram")}
    wanted |= {("event.kind", "filter"), ("event.severity", "max"), ("tags", "terms")}
    assert wanted <= {(use.field, use.need) for use in found}
