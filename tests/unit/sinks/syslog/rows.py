"""Rows of a store for sinks, made of the golden documents."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fileaudit_engine.store.stored import StoredRecord
from fileaudit_engine.text import from_kernel, printable, to_document

GOLDEN = Path(__file__).parents[3] / "golden" / "documents"
NOON_NS = 1_795_867_200_123_456_789
"""2026-11-28 12:00:00.123456789 UTC."""


def document(name: str = "alert") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return found


def row(found: Mapping[str, Any], seq: int = 1, ts_ns: int = NOON_NS) -> StoredRecord:
    return StoredRecord(seq=seq, ts_ns=ts_ns, raw=json.dumps(found).encode())


def alert(seq: int = 1, path: bytes | None = None, source: bytes | None = None) -> StoredRecord:
    """An alert with an id of its own, about a file, and about the one it was before."""
    found = document()
    found["event"]["id"] = f"{seq:032x}"
    if path is not None:
        found["file"]["path"] = to_document(from_kernel(path))
        found["message"] = f"Shadow file read: root opened {printable(from_kernel(path))} with /usr/bin/cat"
    if source is not None:
        found["fileaudit"]["source_path"] = to_document(from_kernel(source))
    return row(found, seq)


def renamed(seq: int, host: str) -> StoredRecord:
    """An alert of a host."""
    found = document()
    found["event"]["id"], found["host"]["name"] = f"{seq:032x}", host
    return row(found, seq)


def alerts(count: int, first: int = 1) -> list[StoredRecord]:
    return [alert(seq) for seq in range(first, first + count)]
