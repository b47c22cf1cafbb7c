"""A double of Kibana on loopback: Kibana itself cannot be had here.

It takes imports as Kibana's route and importer do (read in their source): the header against forged requests,
the form and the ending of the file's name, credentials, objects that are there twice or need what is not
there, conflicts with what is there and with what other spaces have by the same id. It keeps what it takes, so
that a second import finds the first. What a real one would never do, it does when it is told to.
"""

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str]
TYPES = {"index-pattern", "search", "dashboard"}
CHECKED = {"index-pattern", "search"}
"""Types of references that an import insists on."""
IMPORT = re.compile(r"(?:/s/(?P<space>[a-z0-9_-]+))?/api/saved_objects/_import")


class Refusal(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Double:
    """What it knows, and how it is to behave.

    Attributes:
        authorization: The header that it wants; empty: none.
        version: As it says.
        level: Of its status.
        base: Its base path.
        spaces: That there are.
        forbidden: Paths that whoever asks may not use.
        fails: Ids of objects that it cannot write, with the reason.
        says: Answers with this instead: status, headers, body; by path.
        held: What it keeps, by space, type and id.
        asked: Method and path of all requests.
    """

    authorization: str = ""
    version: str = "8.19.0"
    level: str = "available"
    base: str = ""
    spaces: set[str] = field(default_factory=lambda: {"default", "blue"})
    forbidden: set[str] = field(default_factory=set)
    fails: dict[str, str] = field(default_factory=dict)
    says: Callable[[str], tuple[int, dict[str, str], bytes] | None] = lambda _: None
    held: dict[str, dict[Key, Json]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> Json:
        """What Kibana says to a request, as JSON; or what it refuses."""
        if self.authorization and headers.get("authorization", "") != self.authorization:
            raise Refusal(401, "Unauthorized")
        plain, _, query = path.removeprefix(self.base).partition("?")
        if not path.startswith(self.base):
            raise Refusal(404, "Not Found")
        if method != "GET" and "kbn-xsrf" not in headers:
            raise Refusal(400, "Request must contain a kbn-xsrf header.")
        if plain in self.forbidden:
            raise Refusal(403, "Unable to bulk_create dashboard,index-pattern,search")
        if (method, plain) == ("GET", "/api/status"):
            return {
                "name": "kibana",
                "uuid": "5b2de169-2785-441b-ae8c-186a1936b17d",
                "version": {"number": self.version, "build_flavor": "traditional"},
                "status": {"overall": {"level": self.level, "summary": "All services are it"}},
            }
        if method == "GET" and plain.startswith("/api/spaces/space/"):
            name = plain.rpartition("/")[2]
            if name not in self.spaces:
                raise Refusal(404, f"Saved object [space/{name}] not found")
            return {"id": name, "name": name, "disabledFeatures": []}
        found = IMPORT.fullmatch(plain)
        if method == "POST" and found:
            file = _file_of(headers.get("content-type", ""), body)
            return self._import(found["space"] or "default", file, overwrite=query == "overwrite=true")
        raise Refusal(404, "Not Found")

    def _import(self, space: str, file: bytes, *, overwrite: bool) -> Json:
        objects = [json.loads(line) for line in file.decode().splitlines()]
        keys = [(one["type"], one["id"]) for one in objects]
        if len(set(keys)) < len(keys):
            raise Refusal(400, "Non-unique import objects detected")
        here = self.held.setdefault(space, {})
        errors = [
            error for one in objects for error in self._errors(one, set(keys) | set(here), here, overwrite)
        ]
        if any(one["error"]["type"] in {"missing_references", "conflict"} for one in errors):
            return _result([], errors)
        bad = {one["id"] for one in errors}
        return _result([self._write(space, one) for one in objects if one["id"] not in bad], errors)

    def _errors(self, one: Json, there: set[Key], here: dict[Key, Json], overwrite: bool) -> Iterator[Json]:  # noqa: FBT001 - of the request
        said = {"id": one["id"], "type": one["type"], "meta": {"title": one["attributes"].get("title")}}
        needs = [need for need in one["references"] if need["type"] in CHECKED]
        missing = [
            {"type": need["type"], "id": need["id"]}
            for need in needs
            if (need["type"], need["id"]) not in there
        ]
        if one["type"] not in TYPES:
            yield {**said, "error": {"type": "unsupported_type"}}
        elif missing:
            yield {**said, "error": {"type": "missing_references", "references": missing}}
        elif (one["type"], one["id"]) in here and not overwrite:
            yield {**said, "error": {"type": "conflict"}}
        elif one["id"] in self.fails:
            error = {"statusCode": 400, "error": "Bad Request", "message": self.fails[one["id"]]}
            yield {**said, "error": {**error, "type": "unknown"}}

    def _write(self, space: str, one: Json) -> Json:
        key = (one["type"], one["id"])
        said = {"type": one["type"], "id": one["id"], "meta": {"title": one["attributes"]["title"]}}
        if any(key in held for name, held in self.held.items() if name != space):
            said["destinationId"] = f"{one['id']}-0000"
        if key in self.held[space]:
            said["overwrite"] = True
        self.held[space][key] = one
        return said


def _result(good: list[Json], errors: list[Json]) -> Json:
    found: Json = {"successCount": len(good), "success": not errors, "warnings": []}
    return {**found, **({"successResults": good} if good else {}), **({"errors": errors} if errors else {})}


def _file_of(form: str, body: bytes) -> bytes:
    """The file in a form, if it is one that Kibana takes."""
    if not form.startswith("multipart/form-data; boundary="):
        raise Refusal(415, "Unsupported Media Type")
    message = BytesParser(policy=HTTP).parsebytes(b"content-type: " + form.encode() + b"\r\n\r\n" + body)
    (part,) = message.iter_parts()
    if part.get_param("name", header="content-disposition") != "file":
        raise Refusal(400, "[request body.file]: expected value of type [Stream]")
    name = str(part.get_filename())
    if Path(name).suffix != ".ndjson":
        raise Refusal(400, f"Invalid file extension {Path(name).suffix}")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


class _Handler(BaseHTTPRequestHandler):
    double: Double
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._do(b"")

    def do_POST(self) -> None:
        self._do(self.rfile.read(int(self.headers["content-length"])))

    def _do(self, body: bytes) -> None:
        self.double.asked.append(f"{self.command} {self.path}")
        said = self.double.says(self.path)
        if said is None:
            try:
                status, found = 200, self.double.answer(self.command, self.path, self.headers, body)
            except Refusal as refusal:
                status = refusal.status
                found = {"statusCode": status, "error": "No", "message": str(refusal)}
            said = status, {"content-type": "application/json"}, json.dumps(found).encode()
        self._say(*said)

    def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        self.send_header("kbn-name", "kibana")
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if headers.get("content-length", str(len(body))) != str(len(body)):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Whoever hangs up in the middle is none of ours."""


@contextmanager
def serving(double: Double, *, cert: Path | None = None, key: Path | None = None) -> Iterator[Double]:
    """Let a double answer on loopback, over TLS if it has a certificate."""
    handler = type("Handler", (_Handler,), {"double": double})
    with _Server(("127.0.0.1", 0), handler) as server:
        if cert is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert, key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        double.url = f"http{'s' if cert else ''}://127.0.0.1:{server.server_port}{double.base}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield double
        finally:
            server.shutdown()
            thread.join()
