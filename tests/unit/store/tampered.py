"""A store that the engine has written, and what somebody with an SQL prompt does to a copy of it."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import msgspec
from tests.unit.events.examples import EVERYTHING, HOSTILE, LOSS, SHADOW
from tests.unit.events.records import record
from tests.unit.store import chain_oracle

from fileaudit_engine.detect.record import Record
from fileaudit_engine.events.model import Operation
from fileaudit_engine.store.anchors import Anchor
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.verify import verify
from fileaudit_engine.store.verify_finding import Finding

MINUTE_NS = 60 * 10**9
Told = tuple[str, int | None, int | None]
"""Kind of a finding, first row and last row."""

BLOCK_ROWS = 40
"""Of a block in these stores: many small ones."""

ROWS = 190
"""Four closed blocks, and thirty rows behind them."""

BATCH = 10
ANCHORED_EVERY = 25


def made(number: int) -> Record:
    """One of many records of all kinds, a minute after the one before."""
    when = {"ts_ns": SHADOW.ts_ns + number * MINUTE_NS}
    shapes = (
        msgspec.structs.replace(SHADOW, **when),
        msgspec.structs.replace(SHADOW, path=f"/srv/file-{number % 7}", operation=Operation.WRITE, **when),
        msgspec.structs.replace(EVERYTHING, **when),
        msgspec.structs.replace(SHADOW, path=HOSTILE, user_name=HOSTILE, **when),
        msgspec.structs.replace(
            SHADOW, operation=Operation.RENAME, path="/etc/new", source_path="/etc/old", **when
        ),
        msgspec.structs.replace(SHADOW, errno=13, result=-13, user_name="alice", **when),
    )
    return record(shapes[number % len(shapes)], level="high" if number % 20 == 3 else "informational")


def write(store: Store, rows: int = ROWS, *, first: int = 0) -> list[Anchor]:
    """Write to a store as the engine does, in batches; returns what was anchored on the way."""
    anchors = []
    for begin in range(first, first + rows, BATCH):
        numbers = range(begin, min(begin + BATCH, first + rows))
        store.append([made(number) for number in numbers], [LOSS] if not begin else [], host="web-1")
        if begin % ANCHORED_EVERY < BATCH:
            anchors.append(anchor_of(store))
    return anchors


def anchor_of(store: Store) -> Anchor:
    """What the engine would tell elsewhere of the store's end."""
    head = store.force()
    return Anchor(store.identity, head.seq, head.link, SHADOW.ts_ns + head.seq * MINUTE_NS)


def copy(source: Path, folder: Path) -> Path:
    """A copy of a store and its log, as whoever takes the files away would have it."""
    folder.mkdir(mode=0o700)
    for file in (source, source.with_name(f"{source.name}-wal")):
        if file.exists():
            shutil.copy(file, folder / file.name)
    return folder / source.name


def sql(path: Path, script: str) -> str:
    """What the sqlite3 command prints of a script; nothing may go wrong."""
    done = subprocess.run(
        ["sqlite3", "-bail", str(path)], input=script, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def relinked(path: Path, first: int) -> str:
    """The script that makes the chain whole again from a row on, as whoever has read the source would."""
    rows = chain_oracle.Rows(path)
    previous = next((row["link"] for row in rows.rows if row["seq"] == first - 1), rows.removed_link)
    script = ["BEGIN;"]
    for row in rows.rows:
        if row["seq"] < first:
            continue
        previous = chain_oracle.link(previous, row["seq"], row["ts_ns"], row["id"], rows.document(row))
        script.append(f"UPDATE records SET link = X'{previous.hex()}' WHERE seq = {row['seq']};")
    return "\n".join([*script, "COMMIT;"])


def found(path: Path, anchors: Iterable[Anchor] = ()) -> list[Finding]:
    """What `verify` finds."""
    with Store.open(path, read_only=True) as store:
        return list(verify(store, anchors))


def told(findings: Iterable[Finding]) -> list[Told]:
    """Kinds and places of findings, in the order of the rows."""
    return in_order((finding.what.value, finding.first_seq, finding.last_seq) for finding in findings)


def in_order(places: Iterable[Told]) -> list[Told]:
    """Kinds and places, in the order of the rows."""
    return sorted(places, key=lambda place: (place[1] or 0, place[2] or 0, place[0]))
