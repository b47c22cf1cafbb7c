"""Everything for Kibana as one file: what its export would have written, and its import takes.

    python -m tools.generate_schemas        writes schemas/kibana/fileaudit.ndjson

One object a line: data views, searches, dashboards, so that whatever an object needs stands before it.
"""

from pathlib import Path
from typing import Final

from tools.kibana import page_activity, page_alerts, page_engine
from tools.kibana.dashboard import dashboard
from tools.kibana.saved import SavedObject
from tools.kibana.searches import SEARCHES
from tools.kibana.views import VIEWS

FILE: Final = Path("kibana") / "fileaudit.ndjson"
"""Below `schemas/`."""
PAGES: Final = (page_alerts.PAGE, page_activity.PAGE, page_engine.PAGE)


def objects() -> tuple[SavedObject, ...]:
    """All saved objects."""
    return (*VIEWS, *SEARCHES, *map(dashboard, PAGES))


def rendered() -> str:
    """The file's content."""
    return "".join(f"{one.line()}\n" for one in objects())
