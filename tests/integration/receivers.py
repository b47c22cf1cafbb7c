"""What receivers have received, asked of the receivers themselves."""

import json
import re
from typing import Final

from tools.elastic.node import Node
from tools.syslog.servers import Server

from fileaudit_engine.resources import schemas_dir

_ID: Final = re.compile(r'\bid="([^"]+)"')
_PAGE: Final = 10_000
"""What Elasticsearch gives at a time."""
_PARTS: Final = ("fileaudit@settings", "fileaudit@mappings")


def install(node: Node) -> None:
    """The templates, those of which a bare node takes everything."""
    folder = schemas_dir() / "elasticsearch"
    for name in _PARTS:
        node.ask("PUT", f"/_component_template/{name}", json.loads((folder / f"{name}.json").read_text()))
    for name in ("alert", "event"):
        template = json.loads((folder / f"logs-fileaudit.{name}.json").read_text())
        node.ask("PUT", f"/_index_template/logs-fileaudit.{name}", template)


def map_pids(node: Node, namespace: str, kind: str) -> None:
    """Have somebody's own template say of which type the numbers of processes are, in the alerts."""
    properties = {"@timestamp": {"type": "date"}, "process": {"properties": {"pid": {"type": kind}}}}
    template = {
        "index_patterns": [f"logs-fileaudit.alert-{namespace}"],
        "data_stream": {},
        "priority": 500,
        "template": {"mappings": {"dynamic": False, "properties": properties}},
    }
    node.ask("PUT", f"/_index_template/pids-{namespace}", template)


def indexed_ids(node: Node, namespace: str) -> list[str]:
    """Of all that is in the data streams of a namespace, sorted."""
    streams = f"logs-fileaudit.*-{namespace}"
    node.ask("POST", f"/{streams}/_refresh")
    page = node.ask("POST", f"/{streams}/_search?scroll=1m", {"size": _PAGE, "_source": False})
    ids: list[str] = []
    while hits := page["hits"]["hits"]:
        ids += [hit["_id"] for hit in hits]
        page = node.ask("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": page["_scroll_id"]})
    return sorted(ids)


def filed_ids(server: Server) -> list[str]:
    """Of all records in a syslog server's file, in its order."""
    return [_id_of(record.raw) for record in server.records()]


def _id_of(raw: str) -> str:
    found: list[str] = _ID.findall(raw)
    assert len(found) == 1, raw
    return found[0]
