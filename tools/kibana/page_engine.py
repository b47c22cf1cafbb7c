"""Engine health: whether anybody is watching, what was missed, and whether records arrive."""

from typing import Final

from tools.kibana import filters, searches
from tools.kibana.dashboard import Control, Page, Panel, Row
from tools.kibana.lens import (
    Chart,
    among,
    bars,
    count,
    different,
    largest,
    latest,
    lines,
    newest,
    number,
    over_time,
    table,
    top,
    total,
)
from tools.kibana.views import EVERYTHING

_RED: Final = "#bd271e"
_LAG: Final = "fileaudit.engine.lag_seconds"
_UNWATCHED: Final = "fileaudit.engine.previous.unwatched_seconds"

_NUMBERS: Final = Row(
    height=6,
    panels=(
        Panel(
            title="",
            width=12,
            shows=Chart(
                name="heard-of",
                columns=(different("hosts", "host.name", "Hosts heard of"),),
                shape=number("hosts"),
            ),
        ),
        Panel(
            title="",
            width=12,
            shows=Chart(
                name="trouble-count",
                columns=(count(label="Times of trouble"),),
                shape=number(color=_RED),
                kql=filters.TROUBLE,
            ),
        ),
        Panel(
            title="",
            width=12,
            shows=Chart(
                name="loss-count",
                columns=(count(label="Reports of lost events"),),
                shape=number(color=_RED),
                kql=filters.LOSSES,
            ),
        ),
        Panel(
            title="",
            width=12,
            shows=Chart(
                name="longest-lag",
                columns=(largest("lag", _LAG, "Longest delay of delivery"),),
                shape=number("lag"),
                kql=filters.DELIVERIES,
            ),
        ),
    ),
)
_HOSTS: Final = Row(
    height=14,
    panels=(
        Panel(
            title="Hosts, and when each was heard of last",
            width=28,
            shows=Chart(
                name="hosts",
                columns=(
                    top("host", "host.name", "Host", size=200),
                    latest("version", "fileaudit.engine.version", "Version"),
                    count(),
                    newest("newest", "Last record"),
                    newest("started", "Last start", kql=filters.STARTS),
                    newest("stopped", "Last stop", kql=filters.STOPS),
                ),
                shape=table(("host", "version", "newest", "started", "stopped", "count")),
            ),
        ),
        Panel(
            title="Starts and stops",
            width=20,
            shows=Chart(
                name="life",
                columns=(
                    over_time(),
                    count("starts", "starts", kql=filters.STARTS),
                    count("stops", "stops", kql=filters.STOPS),
                ),
                shape=bars("time", "starts", "stops", colors={"starts": "#54b399", "stops": "#d36086"}),
            ),
        ),
    ),
)
_GAPS: Final = Row(
    height=13,
    panels=(
        Panel(
            title="Times in which nobody watched, before a start",
            width=24,
            shows=Chart(
                name="gaps",
                columns=(
                    top("host", "host.name", "Host", size=50, by="unwatched"),
                    among("how", "fileaudit.engine.previous.how", "The engine before was", by="unwatched"),
                    count(label="Starts"),
                    total("unwatched", _UNWATCHED, "Unwatched"),
                    newest(),
                ),
                shape=table(("host", "how", "count", "unwatched", "newest")),
                kql=filters.UNCLEAN,
            ),
        ),
        Panel(
            title="Events lost, and alerts of such times",
            width=24,
            shows=Chart(
                name="losses",
                columns=(
                    top("host", "host.name", "Host", size=50),
                    count("count", "Reports of losses", kql=filters.LOSSES),
                    count("doubtful", "Alerts that may miss something", kql=filters.MISSING),
                    total("lost", "fileaudit.losses.total", "Events missing in them"),
                ),
                shape=table(("host", "count", "doubtful", "lost")),
                kql=filters.DOUBTFUL,
            ),
        ),
    ),
)
_DELIVERY: Final = Row(
    height=12,
    panels=(
        Panel(
            title="Delay of delivery by receiver",
            width=24,
            shows=Chart(
                name="lag",
                columns=(
                    top("sink", "fileaudit.engine.sink", "Receiver", size=5, by="lag"),
                    over_time(),
                    largest("lag", _LAG, "Delay"),
                ),
                shape=lines("time", "lag", split="sink"),
                kql=filters.DELIVERIES,
            ),
        ),
        Panel(
            title="Delivered by receiver",
            width=24,
            shows=Chart(
                name="delivered",
                columns=(
                    top("sink", "fileaudit.engine.sink", "Receiver", size=5, by="delivered"),
                    over_time(),
                    total("delivered", "fileaudit.engine.delivered", "Records"),
                ),
                shape=bars("time", "delivered", split="sink"),
                kql=filters.DELIVERIES,
            ),
        ),
    ),
)
_RECEIVERS: Final = Row(
    height=13,
    panels=(
        Panel(
            title="Receivers",
            width=24,
            shows=Chart(
                name="receivers",
                columns=(
                    top("host", "host.name", "Host", size=50, by="behind"),
                    among("sink", "fileaudit.engine.sink", "Receiver", size=5, by="behind"),
                    total("delivered", "fileaudit.engine.delivered", "Delivered"),
                    total("rejected", "fileaudit.engine.rejected", "Rejected"),
                    largest("behind", "fileaudit.engine.behind", "Most behind, records"),
                    largest("lag", _LAG, "Longest delay"),
                ),
                shape=table(("host", "sink", "delivered", "rejected", "behind", "lag")),
                kql=filters.DELIVERIES,
            ),
        ),
        Panel(
            title="Trouble with the store and with receivers",
            width=24,
            shows=Chart(
                name="trouble",
                columns=(
                    top("what", "event.action", "What", size=10),
                    among("host", "host.name", "Host", size=20),
                    among("reason", "fileaudit.engine.reason", "Reason"),
                    count(),
                    newest(),
                ),
                shape=table(("what", "host", "reason", "count", "newest")),
                kql=filters.TROUBLE,
            ),
        ),
    ),
)
_KEPT: Final = Row(
    height=10,
    panels=(
        Panel(
            title="Removed from the store by retention",
            width=48,
            shows=Chart(
                name="retention",
                columns=(
                    top("host", "host.name", "Host", size=50, by="removed"),
                    among("reason", "fileaudit.retention.reason", "Reason", by="removed"),
                    total("removed", "fileaudit.retention.removed", "Records"),
                    newest(),
                ),
                shape=table(("host", "reason", "removed", "newest")),
                kql=filters.RETENTION,
            ),
        ),
    ),
)
_LATEST: Final = Row(
    height=18, panels=(Panel(title="What the engine says of itself", width=48, shows=searches.ENGINE),)
)

PAGE: Final = Page(
    name="engine",
    description="Whether anybody is watching, what was missed, and whether records arrive.",
    kql="",
    since="now-7d",
    controls=(
        Control(field="host.name", title="Host"),
        Control(field="fileaudit.engine.sink", title="Receiver"),
    ),
    view=EVERYTHING,
    rows=(_NUMBERS, _HOSTS, _GAPS, _DELIVERY, _RECEIVERS, _KEPT, _LATEST),
)
