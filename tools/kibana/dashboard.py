"""A dashboard: panels in rows on a grid, controls above them, and links to the other dashboards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tools.kibana.documents import Kind, known
from tools.kibana.lens import Chart
from tools.kibana.saved import PREFIX, Json, Reference, SavedObject, compact, search_source

WIDTH: Final = 48
"""Columns of Kibana's grid."""
PANEL_VERSION: Final = "8.9.0"
PAGES: Final = {"alerts": "Alerts", "activity": "Hosts and users", "engine": "Engine health"}
"""The dashboards: the last part of the id, and what links to it say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel.

    Attributes:
        title: What stands above it; empty: nothing.
        width: Columns of the grid.
        shows: A chart, the text of a note (Markdown), or a saved search.
    """

    title: str
    width: int
    shows: Chart | SavedObject | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels side by side; `height` in lines of the grid."""

    height: int
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A list to choose values of a field from."""

    field: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a dashboard is made of.

    Attributes:
        name: One of `PAGES`.
        description: What it answers, in a sentence.
        kql: A filter for all panels.
        since: How far it looks back when it is opened, as Kibana writes it.
        controls: What stands above the panels.
        view: Where the controls find their values.
        rows: The panels, from above.
    """

    name: str
    description: str
    kql: str
    since: str
    controls: Sequence[Control]
    view: SavedObject
    rows: Sequence[Row]


def dashboard_id(name: str) -> str:
    """The id of a dashboard."""
    return f"{PREFIX}dashboard-{name}"


def dashboard(page: Page) -> SavedObject:
    """The saved object of a page."""
    panels: list[Json] = []
    references: list[Reference] = []
    top = 0
    for row in (_links(page.name), *page.rows):
        left = 0
        for panel in row.panels:
            grid = {"x": left, "y": top, "w": panel.width, "h": row.height, "i": f"p{len(panels)}"}
            state, needs = _panel(panel, grid)
            panels.append(state)
            references += needs
            left += panel.width
        if left != WIDTH:
            raise ValueError(f"{page.name}: a row of panels is {left} columns wide")
        top += row.height
    return SavedObject(
        type="dashboard",
        id=dashboard_id(page.name),
        attributes=_attributes(page, panels),
        references=(*references, *_control_references(page)),
    )


def _attributes(page: Page, panels: Sequence[Json]) -> Json:
    return {
        "controlGroupInput": _controls(page.controls),
        "description": page.description,
        "kibanaSavedObjectMeta": search_source(page.kql),
        "optionsJSON": compact(
            {
                "useMargins": True,
                "syncColors": True,
                "syncCursor": True,
                "syncTooltips": False,
                "hidePanelTitles": False,
            }
        ),
        "panelsJSON": compact(panels),
        "refreshInterval": {"pause": True, "value": 60_000},
        "timeFrom": page.since,
        "timeRestore": True,
        "timeTo": "now",
        "title": f"[File audit] {PAGES[page.name]}",
        "version": 1,
    }


def _links(here: str) -> Row:
    """The other dashboards; the links are relative, so that they hold in every space."""
    words = [
        f"**{title}**" if name == here else f"[{title}](#/view/{dashboard_id(name)})"
        for name, title in PAGES.items()
    ]
    return Row(height=3, panels=(Panel(title="", width=WIDTH, shows=" · ".join(words)),))


def _panel(panel: Panel, grid: Json) -> tuple[Json, list[Reference]]:
    index = grid["i"]
    head = {"version": PANEL_VERSION, "gridData": grid, "panelIndex": index}
    shows = panel.shows
    titled = {"title": panel.title} if panel.title else {}
    hidden = {"hidePanelTitles": not panel.title, "enhancements": {}}
    if isinstance(shows, Chart):
        state = {**head, "type": "lens", "embeddableConfig": {"attributes": shows.attributes(), **hidden}}
        needs = [
            Reference(name=f"{index}:{one.name}", type=one.type, id=one.id) for one in shows.references()
        ]
        return {**state, **titled}, needs
    if isinstance(shows, SavedObject):
        name = f"panel_{index}"
        state = {**head, "type": shows.type, "embeddableConfig": hidden, "panelRefName": name}
        return {**state, **titled}, [Reference(name=f"{index}:{name}", type=shows.type, id=shows.id)]
    note = {"savedVis": _note(shows), **hidden}
    return {**head, "type": "visualization", "embeddableConfig": note, **titled}, []


def _note(text: str) -> Json:
    return {
        "title": "",
        "description": "",
        "type": "markdown",
        "params": {"fontSize": 12, "openLinksInNewTab": False, "markdown": text},
        "uiState": {},
        "data": {"aggs": [], "searchSource": {"query": {"query": "", "language": "kuery"}, "filter": []}},
    }


def _controls(controls: Sequence[Control]) -> Json:
    shown = {
        _control_id(control): {
            "order": order,
            "width": "medium",
            "grow": True,
            "type": "optionsListControl",
            "explicitInput": {
                "id": _control_id(control),
                "fieldName": known(control.field, Kind.WORD),
                "title": control.title,
                "selectedOptions": [],
                "enhancements": {},
            },
        }
        for order, control in enumerate(controls)
    }
    ignored = dict.fromkeys(("ignoreFilters", "ignoreQuery", "ignoreTimerange", "ignoreValidations"), False)
    return {
        "controlStyle": "oneLine",
        "chainingSystem": "HIERARCHICAL",
        "panelsJSON": compact(shown),
        "ignoreParentSettingsJSON": compact(ignored),
    }


def _control_id(control: Control) -> str:
    return f"by-{control.field.replace('.', '-')}"


def _control_references(page: Page) -> list[Reference]:
    names = [f"controlGroup_{_control_id(control)}:optionsListDataView" for control in page.controls]
    return [Reference(name=name, type=page.view.type, id=page.view.id) for name in names]
