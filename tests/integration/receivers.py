"""What receivers have received, asked of the receivers themselves."""

import json
import re
import ssl
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.syslog.servers import Server

_ID: Final = re.compile(r'\bid="([^"]+)"')
_PAGE: Final = 10_000
"""What Elasticsearch gives at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """An Elasticsearch, asked over HTTP with nothing but the standard library.

    Attributes:
        url: Of the node.
        ca: For https: whose certificate it has.
        password: Of the user `elastic`; None: it asks for none.
    """

    url: str
    ca: Path | None = None
    password: str | None = None

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request; the answer."""
        request = urllib.request.Request(f"{self.url}{path}", method=method)
        request.add_header("Content-Type", "application/json")
        if self.password is not None:
            token = b64encode(f"elastic:{self.password}".encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        data = None if body is None else json.dumps(body).encode()
        context = None if self.ca is None else ssl.create_default_context(cafile=self.ca)
        with urllib.request.urlopen(request, data, timeout=60, context=context) as answer:
            return json.loads(answer.read() or b"null")

    def ids(self, streams: str) -> list[str]:
        """Of all documents of some data streams; at most ten thousand."""
        self.ask("POST", f"/{streams}/_refresh")
        query = {"size": _PAGE, "_source": False, "track_total_hits": True}
        hits = self.ask("POST", f"/{streams}/_search?allow_no_indices=true", query)["hits"]
        assert hits["total"]["value"] <= _PAGE
        return [hit["_id"] for hit in hits["hits"]]


def filed_ids(server: Server) -> list[str]:
    """Of all records in a syslog server's file, in its order."""
    return [_id_of(record.raw) for record in server.records()]


def _id_of(raw: str) -> str:
    found: Sequence[str] = _ID.findall(raw)
    assert len(found) == 1, raw
    return found[0]
