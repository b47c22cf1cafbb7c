"""What a store must be, told by its contract alone: nothing of the engine's store is used here.

Slow, and plain enough to be right by being read. The engine's own code is held against it, and attackers in
the tests use it: whoever can read the source can compute a link, too.
"""

import contextlib
import hashlib
import json
import sqlite3
import struct
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zstandard

COLUMNS = (
    *("kind", "level", "rule", "operation", "outcome", "path", "other_path"),
    *("user", "login_user", "executable", "process", "command", "container"),
)
"""In the order of their dimensions, which begin at 1."""

UNCHANGING = {"open", "read", "exec", "mount", "umount"}


def genesis(store: bytes) -> bytes:
    return hashlib.sha256(b"fileaudit-engine chain 1\0" + store).digest()


def link(previous: bytes, seq: int, ts_ns: int, record_id: bytes, document: bytes) -> bytes:
    numbers = struct.pack(">Qq", seq, ts_ns) + bytes([len(record_id)])
    return hashlib.sha256(previous + numbers + record_id + document).digest()


class Rows:
    """The rows of a store as any SQLite program reads them."""

    def __init__(self, path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.row_factory = sqlite3.Row
            self.store, self.removed_seq, self.removed_link = connection.execute(
                "SELECT store, removed_seq, removed_link FROM chain"
            ).fetchone()
            self.rows = connection.execute(
                "SELECT * FROM records WHERE seq > ? ORDER BY seq", (self.removed_seq,)
            ).fetchall()
            self.names = {
                number: (dimension, text)
                for number, dimension, text in connection.execute("SELECT id, dimension, text FROM names")
            }
            self.blocks = connection.execute("SELECT * FROM blocks ORDER BY first_seq").fetchall()
            self.postings = connection.execute("SELECT block, name, count FROM postings").fetchall()
            self._unpack = {0: zstandard.ZstdDecompressor()}
            for number, content in connection.execute("SELECT id, content FROM dictionaries"):
                dictionary = zstandard.ZstdCompressionDict(content)
                self._unpack[number] = zstandard.ZstdDecompressor(dict_data=dictionary)

    def document(self, row: sqlite3.Row) -> bytes:
        frame = row["document"]
        return self._unpack[zstandard.get_frame_parameters(frame).dict_id].decompress(frame)

    def broken_links(self) -> list[int]:
        """Numbers of rows that do not fit, or do not follow on the one before."""
        broken, previous, number = [], self.removed_link, self.removed_seq
        for row in self.rows:
            number += 1
            computed = link(previous, row["seq"], row["ts_ns"], row["id"], self.document(row))
            if row["seq"] != number or row["link"] != computed:
                broken.append(row["seq"])
            previous, number = row["link"], row["seq"]
        return broken

    def wrong_columns(self) -> list[tuple[int, str]]:
        """Rows and columns that do not say what the document says."""
        wrong = []
        for row in self.rows:
            expected = dict(facets(json.loads(self.document(row))))
            for dimension, column in enumerate(COLUMNS, start=1):
                number, text = row[column], expected.get(dimension)
                found = None if number is None else self.names[number]
                if found != (None if text is None else (dimension, text)):
                    wrong.append((row["seq"], column))
            if str(row["pid"]) != expected.get(14, "None"):
                wrong.append((row["seq"], "pid"))
        return wrong

    def wrong_blocks(self) -> list[int]:
        """First rows of blocks whose postings or times are not those of their rows."""
        wrong = []
        for block in self.blocks:
            rows = [row for row in self.rows if block["first_seq"] <= row["seq"] <= block["last_seq"]]
            counts = Counter(facet for row in rows for facet in facets(json.loads(self.document(row))))
            told = {
                self.names[name]: count for first, name, count in self.postings if first == block["first_seq"]
            }
            times = [row["ts_ns"] for row in rows]
            right = told == counts and [block["first_ns"], block["last_ns"]] == [min(times), max(times)]
            if not right or len(rows) != block["last_seq"] - block["first_seq"] + 1:
                wrong.append(block["first_seq"])
        return wrong


def facets(document: Mapping[str, Any]) -> list[tuple[int, str]]:
    """All dimensions of a document that it says something of."""
    everything = {
        **_what(document),
        **_who(document),
        **_reports(document),
    }
    return [(dimension, str(text)) for dimension, text in everything.items() if text not in {None, ""}]


def _kind(document: Mapping[str, Any]) -> str:
    event = document["event"]
    if event["kind"] == "alert":
        return "alert"
    return "engine" if event.get("dataset") == "fileaudit.engine" else "event"


def _about_a_file(document: Mapping[str, Any]) -> bool:
    return document["event"].get("dataset") != "fileaudit.engine" and bool(document["event"].get("action"))


def _at(document: Mapping[str, Any], *names: str) -> Any:
    found: Any = document
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _what(document: Mapping[str, Any]) -> dict[int, Any]:
    own = document.get("fileaudit", {})
    found = {1: _kind(document), 2: _at(own, "rule", "level"), 3: _at(document, "rule", "id")}
    if _about_a_file(document):
        found |= {
            4: _at(document, "event", "action"),
            5: _at(document, "event", "outcome"),
            6: _at(document, "file", "path") or own.get("asked_path"),
            7: own.get("source_path") or own.get("alias_path") or own.get("container_path"),
        }
    return found


def _user(user: Mapping[str, Any] | None) -> Any:
    return None if not user else user.get("name") or user.get("id")


def _login(document: Mapping[str, Any]) -> Any:
    """Who logged in; `?` where a login is known and neither name nor number."""
    login = _at(document, "fileaudit", "login_user")
    return _user(login) or "?" if login else None


def _who(document: Mapping[str, Any]) -> dict[int, Any]:
    process, container = document.get("process", {}), document.get("container", {})
    command = process.get("command_line")
    return {
        8: _user(document.get("user")),
        9: _login(document),
        10: process.get("executable"),
        11: process.get("name"),
        12: command[:1024] if command else None,
        13: container.get("name") or container.get("id"),
        14: process.get("pid"),
        15: container.get("id"),
    }


def _reports(document: Mapping[str, Any]) -> dict[int, Any]:
    own, time, kind = document.get("fileaudit", {}), document["@timestamp"], _kind(document)
    found: dict[int, Any] = {24: f"{time[:13]} {kind}"}
    if kind == "alert":
        level, rule = _at(own, "rule", "level"), _at(document, "rule", "id")
        found[23] = f"{time[:10]} {level} {rule}"
    if own.get("session_id") is not None:
        found[25] = f"{own['session_id']} {_user(own.get('login_user')) or '?'}"
    if not _about_a_file(document):
        return found | ({26: document["event"]["action"]} if document["event"].get("action") else {})
    action, outcome = document["event"]["action"], document["event"].get("outcome", "")
    path = _at(document, "file", "path") or own.get("asked_path")
    found[20] = f"{action} {outcome}"
    if path and outcome == "success" and action not in UNCHANGING:
        found[21] = f"{action} {_cut(path)}"
    if path and outcome != "success" and own.get("errno_name") in {"EACCES", "EPERM"}:
        found[22] = f"{_user(document.get('user')) or '?'} {_cut(path)}"
    return found


def _cut(path: str) -> str:
    """A path as it is counted: of a long one the first 512 characters, and a digest."""
    digest = hashlib.blake2b(path.encode(), digest_size=8).hexdigest()
    return path if len(path) <= 512 else f"{path[:512]}… ({digest})"
