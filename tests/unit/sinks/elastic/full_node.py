"""A double of a full Elasticsearch on loopback: it keeps templates as a real one does.

The real nodes of the tests lack the modules of a full one. What only those have is tested by the requests
that come here: this one takes every type of field, has lifecycle policies, and gives back what it was given
the way that nodes do, settings nested and numbers as texts.
"""

import gzip
import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from typing_extensions import Self

Answer = tuple[int, Any]

KINDS = {
    "_component_template": ("component_templates", "component_template"),
    "_index_template": ("index_templates", "index_template"),
}


def failure(status: int, kind: str, reason: str) -> Answer:
    """An error as nodes tell it."""
    return status, {"error": {"type": kind, "reason": reason, "root_cause": []}, "status": status}


class FullNode:
    """The node; a context that serves it.

    Attributes:
        kept: What was put, by path.
        requests: Method and path of everything that was asked, in order.
        lacks: Types of fields, and `lifecycle`, that it does not take.
        answers: What it says instead, by the beginning of `METHOD /path`.
        streams: Data streams by name, with their indices.
        indices: Indices that are none of a data stream.
        marks: What the mappings of an index say of the templates that it was made of.
        others: Further index templates, as the node lists them.
    """

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.requests: list[str] = []
        self.lacks: set[str] = set()
        self.answers: dict[str, Answer] = {}
        self.streams: dict[str, list[str]] = {}
        self.indices: list[str] = []
        self.marks: dict[str, dict[str, str]] = {}
        self.others: list[dict[str, Any]] = []
        self.version = "9.2.0"
        self.product = "Elasticsearch"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def puts(self) -> list[str]:
        """What was put, in order."""
        return [one.removeprefix("PUT ") for one in self.requests if one.startswith("PUT ")]

    @property
    def changes(self) -> list[str]:
        """Everything that was asked and may change something."""
        looks = ("GET ", "POST /_index_template/_simulate", "POST /logs-fileaudit.alert-default/_search")
        return [one for one in self.requests if not one.startswith(looks)]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, path: str, body: Any) -> Answer:
        """What it says to a request."""
        asked = f"{method} {path}"
        self.requests.append(asked)
        for beginning, answer in self.answers.items():
            if asked.startswith(beginning):
                return answer
        bare = path.partition("?")[0]
        for beginning, say in self._sayings().items():
            if f"{method} {bare}".startswith(beginning):
                return say(bare, body)
        return 400, {"error": f"no handler found for uri [{path}] and method [{method}]"}

    def _sayings(self) -> Mapping[str, Callable[[str, Any], Answer]]:
        return {
            "POST /_index_template/_simulate": self._simulate,
            "GET /_index_template/": self._get,
            "GET /_index_template": self._list,
            "GET /_component_template/": self._get,
            "GET /_ilm/policy/": self._get_policy,
            "PUT /_": self._put,
            "GET /_resolve/index/": self._resolve,
            "GET /logs-fileaudit.*/_mapping": self._mapping,
            "GET /logs-fileaudit.*/_stats": self._stats,
            "POST /logs-fileaudit.alert-default/_search": self._search,
            "POST /logs-fileaudit.": self._roll,
            "GET /": lambda _path, _body: (200, {"version": {"number": self.version}}),
        }

    def _simulate(self, _path: str, body: Any) -> Answer:
        inside = body["template"]
        lacking = self.lacks & {*_types(inside.get("mappings", {})), *_settings_of(inside)}
        if lacking:
            reason = f"the mapper type [{lacking.pop()}] does not exist"
            error = {"type": "illegal_argument_exception", "reason": "after composition is invalid"}
            cause = {"type": "mapper_parsing_exception", "reason": reason}
            return 400, {"error": error | {"caused_by": cause}, "status": 400}
        return 200, {"template": inside, "overlapping": []}

    def _put(self, path: str, body: Any) -> Answer:
        self.kept[path] = as_kept(body)
        return 200, {"acknowledged": True}

    def _get(self, path: str, _body: Any) -> Answer:
        _, kind, name = path.split("/")
        many, one = KINDS[kind]
        if path not in self.kept:
            return failure(404, "resource_not_found_exception", f"{name} not found")
        return 200, {many: [{"name": name, one: self.kept[path]}]}

    def _get_policy(self, path: str, _body: Any) -> Answer:
        if "lifecycle" in self.lacks:
            return 400, {"error": f"no handler found for uri [{path}] and method [GET]"}
        if path not in self.kept:
            return failure(404, "resource_not_found_exception", "Lifecycle policy not found")
        return 200, {path.rpartition("/")[2]: {"version": 1, "modified_date": "2026", **self.kept[path]}}

    def _list(self, _path: str, _body: Any) -> Answer:
        own = [
            {"name": path.rpartition("/")[2], "index_template": body}
            for path, body in self.kept.items()
            if path.startswith("/_index_template/")
        ]
        return 200, {"index_templates": [*own, *self.others]}

    def _resolve(self, _path: str, _body: Any) -> Answer:
        streams = [{"name": name, "backing_indices": backing} for name, backing in self.streams.items()]
        indices: list[Any] = [{"name": name, "attributes": ["open"]} for name in self.indices]
        backing = [one for indices_of in self.streams.values() for one in indices_of]
        indices += [{"name": one, "data_stream": "its"} for one in backing]
        return 200, {"indices": indices, "aliases": [], "data_streams": streams}

    def _mapping(self, _path: str, _body: Any) -> Answer:
        return 200, {index: {"mappings": {"_meta": marks}} for index, marks in self.marks.items()}

    def _stats(self, _path: str, _body: Any) -> Answer:
        one = {"primaries": {"docs": {"count": 5}}, "total": {"store": {"size_in_bytes": 2_048}}}
        return 200, {"indices": {index: one for backing in self.streams.values() for index in backing}}

    def _search(self, _path: str, _body: Any) -> Answer:
        return 200, {"hits": {"total": {"value": 0}, "hits": []}}

    def _roll(self, path: str, _body: Any) -> Answer:
        name = path.split("/")[1]
        self.streams[name].append(f".ds-{name}-{len(self.streams[name]) + 1:06}")
        return 200, {"acknowledged": True, "rolled_over": True, "new_index": self.streams[name][-1]}


def _types(mappings: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    for mapping in mappings.get("properties", {}).values():
        found |= {mapping["type"]} if "type" in mapping else _types(mapping)
    return found


def _settings_of(inside: Mapping[str, Any]) -> set[str]:
    return {"lifecycle"} if "index.lifecycle.name" in inside.get("settings", {}) else set()


def as_kept(body: Any) -> Any:
    """As a node gives it back: settings in one another and as texts, defaults spelled out."""
    kept = json.loads(json.dumps(body))
    template = kept.get("template", {})
    if "settings" in template:
        nested: dict[str, Any] = {}
        for name, value in template["settings"].items():
            *outer, key = name.split(".")
            node = nested
            for step in outer:
                node = node.setdefault(step, {})
            node[key] = value if isinstance(value, list) else json.dumps(value).strip('"')
        template["settings"] = nested
    if "data_stream" in kept:
        kept["data_stream"] = {"hidden": False, "allow_custom_routing": False}
    return kept


def _handler(node: FullNode) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        """An answer in one piece: the second of two waits for an acknowledgement of the first."""

        def _serve(self) -> None:
            length = int(self.headers.get("content-length", 0))
            raw = self.rfile.read(length)
            raw = gzip.decompress(raw) if self.headers.get("content-encoding") == "gzip" else raw
            status, body = node.answer(self.command, self.path, json.loads(raw) if raw else None)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.send_header("x-elastic-product", node.product)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815 - as the library calls them

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    return Handler
