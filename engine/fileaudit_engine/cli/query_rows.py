"""What tables show of a record: the columns of lines and of CSV, read from its document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from fileaudit_engine.store.facets import Dimension, facets_of
from fileaudit_engine.store.stored import StoredRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A record in columns; what a document lacks is empty. Texts are as documents have them.

    Attributes:
        seq: Its number in the store.
        ts_ns: Nanoseconds since the Unix epoch.
        error: Name of the error number of a call that failed.
        other_path: Of a rename or link the source; else another name of the file.
        tells: Whether the message says more than the path: what several events came to, or the engine itself.
        document: All of it.
    """

    seq: int
    ts_ns: int
    time: str
    id: str
    kind: str
    level: str
    rule: str
    operation: str
    outcome: str
    error: str
    user: str
    login_user: str
    process: str
    executable: str
    pid: str
    command: str
    path: str
    other_path: str
    container: str
    host: str
    message: str
    tells: bool
    document: Mapping[str, Any]


def row_of(record: StoredRecord) -> Row:
    """The columns of a record."""
    document, found = _read(record)
    own = document.get("fileaudit")

    def of(dimension: Dimension) -> str:
        return str(found.get(dimension, ""))

    return Row(
        seq=record.seq,
        ts_ns=record.ts_ns,
        time=_text(document, "@timestamp"),
        id=_text(document, "event", "id"),
        kind=of(Dimension.KIND),
        level=of(Dimension.LEVEL),
        rule=of(Dimension.RULE),
        operation=of(Dimension.OPERATION) or of(Dimension.COVERAGE),
        outcome=of(Dimension.OUTCOME),
        error=_text(document, "fileaudit", "errno_name"),
        user=of(Dimension.USER),
        login_user=of(Dimension.LOGIN_USER),
        process=of(Dimension.PROCESS),
        executable=of(Dimension.EXECUTABLE),
        pid=of(Dimension.PID),
        command=_text(document, "process", "command_line"),
        path=of(Dimension.PATH),
        other_path=of(Dimension.OTHER_PATH),
        container=of(Dimension.CONTAINER),
        host=_text(document, "host", "name"),
        message=_text(document, "message"),
        tells=(isinstance(own, dict) and "correlation" in own) or Dimension.COVERAGE in found,
        document=document,
    )


def foreign(seq: int) -> dict[str, Any]:
    """What is shown in the place of a document that the engine has not written."""
    return {"message": f"the document of row {seq} is none of the engine's: run 'verify'"}


def _read(record: StoredRecord) -> tuple[Mapping[str, Any], Mapping[int, str]]:
    """A document and its facets; of one that somebody else has put in its place, whatever can be told."""
    try:
        document = record.document
        return document, dict(facets_of(document))
    except (msgspec.MsgspecError, ValueError, AttributeError, TypeError, KeyError, RecursionError):
        return foreign(record.seq), {}


def _text(document: Mapping[str, Any], *names: str) -> str:
    found: Any = document
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return "" if found is None else str(found)
