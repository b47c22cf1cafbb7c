"""What a store holds, read with nothing but sqlite3, hashlib and zstandard: a witness that is not the engine.

`Kept` reads on from where it last was, so that a store that grows over a hundred restarts is read once.
"""

import contextlib
import hashlib
import json
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

Document = dict[str, Any]


class Kept:
    """The rows of one store, each held against the chain when it is read.

    Attributes:
        documents: What was read so far, in the order of the chain.
        ids: `event.id` of each.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.documents: list[Document] = []
        self.ids: set[str] = set()
        self._seq = 0
        self._link = b""

    def read_on(self) -> list[Document]:
        """What has come since; every row has the number and the link that follow from the one before it."""
        news = []
        with self._opened() as database:
            if not self._link:
                self._begin(database)
            unpackers = dict(_unpackers(database))
            query = "SELECT seq, ts_ns, id, document, link FROM records WHERE seq > ? ORDER BY seq"
            for seq, ts_ns, record_id, frame, link in database.execute(query, (self._seq,)):
                assert seq == self._seq + 1, f"after {self._seq} comes {seq}"
                document = unpackers[zstandard.get_frame_parameters(frame).dict_id].decompress(frame)
                self._link = _link(self._link, seq, ts_ns, record_id, document)
                assert self._link == link, f"row {seq} does not follow from the rows before it"
                self._seq = seq
                news.append(json.loads(document))
        self.documents += news
        self.ids.update(document["event"]["id"] for document in news)
        return news

    def is_whole(self) -> None:
        """SQLite finds nothing wrong with the file."""
        with self._opened() as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    def actions(self) -> list[Document]:
        """What the engine said about itself."""
        return [one for one in self.documents if one["event"]["dataset"] == "fileaudit.engine"]

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as database:
            database.execute("BEGIN")
            yield database

    def _begin(self, database: sqlite3.Connection) -> None:
        store, self._seq, removed_link = database.execute(
            "SELECT store, removed_seq, removed_link FROM chain"
        ).fetchone()
        genesis = hashlib.sha256(b"fileaudit-engine chain 1\0" + store).digest()
        self._link = removed_link if self._seq else genesis


def _unpackers(database: sqlite3.Connection) -> Iterator[tuple[int, zstandard.ZstdDecompressor]]:
    yield 0, zstandard.ZstdDecompressor()
    for number, content in database.execute("SELECT id, content FROM dictionaries"):
        dictionary = zstandard.ZstdCompressionDict(content)
        yield number, zstandard.ZstdDecompressor(dict_data=dictionary)


def _link(previous: bytes, seq: int, ts_ns: int, record_id: bytes, document: bytes) -> bytes:
    head = struct.pack(">qq", seq, ts_ns) + bytes([len(record_id)])
    return hashlib.sha256(previous + head + record_id + document).digest()
