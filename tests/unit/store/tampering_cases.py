"""What somebody does to a store with an SQL prompt, and all that is then to be found.

The store is that of `tampered`: 191 rows, in the blocks 1 to 41, 42 to 81, 82 to 121 and 122 to 161, and
thirty rows behind them; the rows 11, 41, 61, 91, 111, 141, 161 and 191 are anchored.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import zstandard
from tests.unit.store import chain_oracle
from tests.unit.store.tampered import relinked

Told = tuple[tuple[str, int | None, int | None], ...]
COLUMNS = ", ".join(chain_oracle.COLUMNS)
SAID = f"ts_ns, id, {COLUMNS}, pid, document"
FORGED_ID = b"forged".ljust(16).hex()


@dataclass(frozen=True)
class Case:
    """What is done, and what is found of it.

    Attributes:
        name: What is done, in words.
        script: The SQL that does it; a function of the store where that must be computed.
        told: Kinds and places of all findings.
        anchored: What is found with anchors, where that is more.
        relinked: From which row on the chain is then computed anew; None: it is not.
    """

    name: str
    script: str | Callable[[Path], str]
    told: Told
    anchored: Told | None = None
    relinked: int | None = None


def swapped(one: int, other: int, columns: str) -> str:
    """Two rows change their places, with their links or without."""
    script = [f"CREATE TEMP TABLE held AS SELECT * FROM records WHERE seq IN ({one}, {other});"]
    script.append("DROP INDEX records_by_time;")
    for here, there in ((one, other), (other, one)):
        source = f"SELECT {columns} FROM held WHERE seq = {there}"
        script.append(f"UPDATE records SET ({columns}) = ({source}) WHERE seq = {here};")
    script.append("CREATE UNIQUE INDEX records_by_time ON records (ts_ns, id);")
    return "\n".join(script)


def inserted(seq: int, *, right: bool) -> Callable[[Path], str]:
    """A forged row is put in; all that follow are renumbered. Its link is right by itself, or is not."""

    def script(path: Path) -> str:
        rows = chain_oracle.Rows(path)
        before = next(row for row in rows.rows if row["seq"] == seq - 1)
        document = rows.document(before)
        link = chain_oracle.link(before["link"], seq, before["ts_ns"] + 1, bytes.fromhex(FORGED_ID), document)
        stored = f"X'{link.hex()}'" if right else "zeroblob(32)"
        return (
            f"UPDATE records SET seq = -seq - 1 WHERE seq >= {seq};"
            "UPDATE records SET seq = -seq WHERE seq < 0;"
            f"INSERT INTO records (seq, {SAID}, link)"
            f" SELECT {seq}, ts_ns + 1, X'{FORGED_ID}', {COLUMNS}, pid, document, {stored}"
            f" FROM records WHERE seq = {seq - 1};"
        )

    return script


def emptied(index: str, columns: str) -> str:
    """An index is given the pages of an empty one: whatever goes by it finds nothing."""
    names = ", ".join(column.split()[0] for column in columns.split(", "))
    return f"""
        CREATE TABLE empty ({columns}); CREATE INDEX empty_index ON empty ({names});
        PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'empty_index')
        WHERE name = '{index}';
        DELETE FROM sqlite_master WHERE name LIKE 'empty%';
    """


def frame_of(document: bytes) -> str:
    """A document as a row has it, as SQL."""
    return f"X'{zstandard.ZstdCompressor().compress(document).hex()}'"


def in_blocks(kind: str, *blocks: tuple[int, int]) -> Told:
    return tuple((kind, first, last) for first, last in blocks)


ALL_BLOCKS = ((1, 41), (42, 81), (82, 161))
SHADOW = "(SELECT id FROM names WHERE dimension = 6 AND text = '/etc/shadow')"
NO_MAP = b'{"event": 7}'
COLUMN_60 = ("column", 60, 60)
OTHER_DOCUMENT = (*(COLUMN_60,) * 5, ("postings", 42, 81))
"""Where row 60 has the document of row 61."""
REWRITTEN_61 = ("rewritten", 42, 61)

ROWS = (
    Case(
        "a document is replaced by that of another row",
        "UPDATE records SET document = (SELECT document FROM records WHERE seq = 61) WHERE seq = 60",
        (*(COLUMN_60,) * 5, ("edited", 60, 60), ("postings", 42, 81)),
    ),
    Case("a time is altered", "UPDATE records SET ts_ns = ts_ns + 1 WHERE seq = 60", (("edited", 60, 60),)),
    Case("an id is altered", "UPDATE records SET id = zeroblob(16) WHERE seq = 60", (("edited", 60, 60),)),
    Case("a link is altered", "UPDATE records SET link = zeroblob(32) WHERE seq = 60", (("edited", 60, 60),)),
    Case(
        "three rows are altered, two of which follow on each other",
        "UPDATE records SET ts_ns = ts_ns + 1 WHERE seq IN (60, 61, 130)",
        (("edited", 60, 61), ("edited", 130, 130)),
    ),
    Case(
        "all rows are altered",
        "UPDATE records SET ts_ns = ts_ns + 1",
        (("edited", 1, 191), ("block", 1, 161)),
    ),
    Case(
        "the last row is altered",
        "UPDATE records SET ts_ns = ts_ns + 1 WHERE seq = 191",
        (("edited", 191, 191),),
    ),
    Case(
        "a document is none",
        f"UPDATE records SET document = {frame_of(b'[]')} WHERE seq = 60",
        (("edited", 60, 60), ("edited", 60, 60)),
    ),
    Case(
        "a document that crashes careless readers is linked as it should be",
        f"UPDATE records SET document = {frame_of(NO_MAP)} WHERE seq = 190",
        (("edited", 190, 190),),
        (("rewritten", 162, 191), ("edited", 190, 190)),
        relinked=190,
    ),
    Case(
        "a frame is cut",
        "UPDATE records SET document = substr(document, 1, length(document) - 5) WHERE seq = 60",
        (("damaged", 60, 60),),
    ),
    Case(
        "a document unfolds to a hundred megabytes",
        f"UPDATE records SET document = {frame_of(b'[' * (100 << 20))} WHERE seq = 60",
        (("damaged", 60, 60),),
    ),
    Case(
        "an id is longer than any",
        "UPDATE records SET id = zeroblob(100000) WHERE seq = 60",
        (("damaged", 60, 60),),
    ),
    Case(
        "the last row is altered and given the greatest number",
        "UPDATE records SET seq = 9223372036854775807, ts_ns = ts_ns + 1 WHERE seq = 191;"
        "UPDATE records SET ts_ns = ts_ns + 1 WHERE seq = 190",
        (("edited", 190, 190), ("removed", 191, 9223372036854775806)),
    ),
    Case(
        "the last row is given the greatest number",
        "UPDATE records SET seq = 9223372036854775807 WHERE seq = 191",
        (("reordered", 9223372036854775807, 9223372036854775807),),
    ),
    Case("a frame is emptied", "UPDATE records SET document = X'' WHERE seq = 60", (("damaged", 60, 60),)),
    Case(
        "a row is deleted",
        "DELETE FROM records WHERE seq = 60",
        (("postings", 42, 81), ("removed", 60, 60)),
    ),
    Case(
        "rows are deleted here and there",
        "DELETE FROM records WHERE seq IN (50, 51, 52, 60, 170)",
        (("postings", 42, 81), ("removed", 50, 52), ("removed", 60, 60), ("removed", 170, 170)),
    ),
    Case(
        "the first row is deleted",
        "DELETE FROM records WHERE seq = 1",
        (("removed", 1, 1), ("postings", 1, 41)),
    ),
    Case(
        "the first rows are deleted",
        "DELETE FROM records WHERE seq <= 10",
        (("removed", 1, 10), ("postings", 1, 41)),
    ),
    Case(
        "the first blocks are deleted with all that belongs to them",
        "DELETE FROM records WHERE seq <= 81; DELETE FROM blocks WHERE last_seq <= 81;"
        "DELETE FROM postings WHERE block <= 42",
        (("removed", 1, 81),),
    ),
    Case("the last row is deleted", "DELETE FROM records WHERE seq = 191", (("cut off", 191, 191),)),
    Case(
        "the last row is deleted, and what else tells of it",
        "DELETE FROM records WHERE seq = 191; DELETE FROM marks",
        (),
        (("cut off", 191, 191),),
    ),
    Case(
        "the last rows are deleted, blocks and all",
        "DELETE FROM records WHERE seq > 81; DELETE FROM blocks WHERE last_seq > 81;"
        "DELETE FROM postings WHERE block > 42; DELETE FROM marks",
        (),
        (("cut off", 82, 191),),
    ),
    Case(
        "the last rows are deleted, which an index tells of",
        "DELETE FROM records WHERE seq > 100; DELETE FROM marks",
        (("cut off", 101, 161),),
        (("cut off", 101, 191),),
    ),
    Case(
        "all rows are deleted",
        "DELETE FROM records; DELETE FROM blocks; DELETE FROM postings; DELETE FROM marks",
        (),
        (("cut off", 1, 191),),
    ),
    Case(
        "a row is deleted, the others are renumbered",
        "DELETE FROM records WHERE seq = 60; UPDATE records SET seq = seq - 1 WHERE seq > 60",
        (("removed", 60, 60),),
    ),
    Case(
        "five rows are deleted, the others are renumbered",
        "DELETE FROM records WHERE seq BETWEEN 60 AND 64; UPDATE records SET seq = seq - 5 WHERE seq > 64",
        (("removed", 60, 60),),
    ),
    Case(
        "rows are renumbered and a hole is left",
        "UPDATE records SET seq = -seq - 3 WHERE seq > 100; UPDATE records SET seq = -seq WHERE seq < 0",
        (("reordered", 104, 104),),
    ),
    Case(
        "a row is given another number",
        "UPDATE records SET seq = 195 WHERE seq = 60",
        (("postings", 42, 81), ("removed", 60, 60), ("removed", 192, 194)),
    ),
    Case("two rows are swapped", swapped(60, 70, SAID), (("reordered", 60, 60), ("reordered", 70, 70))),
    Case(
        "two rows are swapped with their links",
        swapped(60, 70, f"{SAID}, link"),
        (("reordered", 60, 60), ("reordered", 70, 70)),
    ),
    Case(
        "two neighbours are swapped",
        swapped(62, 63, SAID),
        (("reordered", 62, 62), ("reordered", 63, 63)),
    ),
    Case(
        "two neighbours are swapped with their links",
        swapped(62, 63, f"{SAID}, link"),
        (("reordered", 62, 62), ("reordered", 63, 63)),
    ),
    Case(
        "a row is moved, those in between are renumbered",
        "UPDATE records SET seq = -1 WHERE seq = 62;"
        "UPDATE records SET seq = seq - 1 WHERE seq BETWEEN 63 AND 70;"
        "UPDATE records SET seq = 70 WHERE seq = -1",
        (("removed", 62, 62), ("inserted", 70, 70)),
    ),
    Case("a row is put in", inserted(60, right=False), (("inserted", 60, 60),)),
    Case("a row is put in with a right link", inserted(60, right=True), (("inserted", 60, 60),)),
    Case("a row is put in at the end", inserted(192, right=False), (("edited", 192, 192),)),
    Case(
        "a row is put in before the first one",
        f"INSERT INTO records (seq, {SAID}, link) SELECT 0, 1, X'{FORGED_ID}', {COLUMNS}, pid, document, link"
        " FROM records WHERE seq = 1",
        (("inserted", 0, 0),),
    ),
    Case(
        "a row is put in and the chain is computed anew",
        inserted(60, right=True),
        (("block", 42, 161), *in_blocks("postings", (42, 81), (82, 121), (122, 161))),
        (
            REWRITTEN_61,
            ("block", 42, 161),
            *in_blocks("postings", (42, 81), (82, 121), (122, 161)),
        ),
        relinked=61,
    ),
    Case(
        "a time is altered and the chain is computed anew",
        "UPDATE records SET ts_ns = ts_ns + 1 WHERE seq = 60",
        (),
        (REWRITTEN_61,),
        relinked=60,
    ),
    Case(
        "a document is replaced and the chain is computed anew",
        "UPDATE records SET document = (SELECT document FROM records WHERE seq = 61) WHERE seq = 60",
        OTHER_DOCUMENT,
        (*OTHER_DOCUMENT, REWRITTEN_61),
        relinked=60,
    ),
)

START = (
    Case(
        "the store is given another identity",
        "UPDATE chain SET store = zeroblob(16)",
        (("start changed", None, None),),
    ),
    Case(
        "the link before the first row is altered",
        "UPDATE chain SET removed_link = zeroblob(32)",
        (("start changed", None, None), ("edited", 1, 1)),
    ),
    Case(
        "the first rows are declared removed",
        "UPDATE chain SET removed_seq = 10, removed_link = (SELECT link FROM records WHERE seq = 10)",
        (("start cut off", 1, 10), ("block", 1, 41)),
    ),
    Case(
        "the first block is declared removed, and is",
        "UPDATE chain SET removed_seq = 41, removed_link = (SELECT link FROM records WHERE seq = 41);"
        "DELETE FROM records WHERE seq <= 41; DELETE FROM blocks WHERE first_seq = 1;"
        "DELETE FROM postings WHERE block = 1",
        (("start cut off", 1, 41),),
    ),
    Case(
        "everything is declared removed",
        "UPDATE chain SET removed_seq = 500",
        (("start cut off", 1, 500),),
    ),
    Case("where the chain begins is deleted", "DELETE FROM chain", (("start changed", None, None),)),
)

INDEX = (
    Case(
        "a row is given another path",
        "UPDATE records SET path = (SELECT path FROM records WHERE seq = 61) WHERE seq = 60",
        (COLUMN_60,),
    ),
    Case(
        "a row's path and user are taken away",
        "UPDATE records SET path = NULL, user = NULL WHERE seq = 60",
        (COLUMN_60, COLUMN_60),
    ),
    Case("a row is given another process", "UPDATE records SET pid = 1 WHERE seq = 60", (COLUMN_60,)),
    Case(
        "a row is given a path that there is not",
        "UPDATE records SET path = 1000000 WHERE seq = 60",
        (("name", 60, 60),),
    ),
    Case(
        "a path is renamed",
        "UPDATE names SET text = '/tmp/x' WHERE dimension = 6 AND text = '/etc/shadow'",
        (("name", 1, 188), *in_blocks("postings", *ALL_BLOCKS)),
    ),
    Case(
        "a path is given bytes that are no text",
        "UPDATE names SET text = CAST(X'ff1b5b' AS TEXT) WHERE dimension = 6 AND text = '/etc/shadow'",
        (("name", 1, 188), *in_blocks("postings", *ALL_BLOCKS)),
    ),
    Case(
        "a path is made a user",
        "UPDATE names SET dimension = 8 WHERE dimension = 6 AND text = '/etc/shadow'",
        (("column", 1, 188), *in_blocks("postings", *ALL_BLOCKS)),
    ),
    Case(
        "a path is deleted",
        "DELETE FROM names WHERE dimension = 6 AND text = '/etc/shadow'",
        (("name", 1, 188), *in_blocks("postings", *ALL_BLOCKS)),
    ),
    Case(
        "two paths change their names",
        "UPDATE names SET text = 'x' WHERE dimension = 6 AND text = '/etc/new';"
        "UPDATE names SET text = '/etc/new' WHERE dimension = 6 AND text = '/etc/shadow';"
        "UPDATE names SET text = '/etc/shadow' WHERE dimension = 6 AND text = 'x';",
        (
            ("column", 1, 188),
            ("column", 5, 186),
            *in_blocks("postings", (1, 41), (42, 81), (82, 121), (122, 161)),
        ),
    ),
    Case(
        "what reports count is renamed",
        "UPDATE names SET text = 'x' WHERE dimension = 20 AND text = 'open failure'",
        in_blocks("postings", (1, 41), (42, 121), (122, 161)),
    ),
    Case(
        "a posting is deleted",
        f"DELETE FROM postings WHERE block = 42 AND name = {SHADOW}",
        (("postings", 42, 81),),
    ),
    Case(
        "a posting counts one more",
        f"UPDATE postings SET count = count + 1 WHERE block = 42 AND name = {SHADOW}",
        (("postings", 42, 81),),
    ),
    Case(
        "a posting is added",
        "INSERT INTO names VALUES (5000, 6, '/x'); INSERT INTO postings VALUES (42, 5000, 1);",
        (("postings", 42, 81),),
    ),
    Case(
        "all postings of a block are deleted",
        "DELETE FROM postings WHERE block = 42",
        (("postings", 42, 81),),
    ),
    Case(
        "a block is deleted, its postings are not",
        "DELETE FROM blocks WHERE first_seq = 42",
        (("block", 42, 42), ("block", 42, 81)),
    ),
    Case(
        "a block and its postings are deleted",
        "DELETE FROM blocks WHERE first_seq = 42; DELETE FROM postings WHERE block = 42",
        (("block", 42, 81),),
    ),
    Case(
        "a block is cut",
        "UPDATE blocks SET last_seq = 70 WHERE first_seq = 42",
        (("block", 42, 70), ("postings", 42, 70), ("block", 71, 81)),
    ),
    Case(
        "a block is given other times",
        "UPDATE blocks SET last_ns = last_ns - 1 WHERE first_seq = 42",
        (("block", 42, 81),),
    ),
    Case(
        "a block ends before it begins",
        "INSERT INTO blocks VALUES (170, 20, 1, 1)",
        (("block", 170, 170),),
    ),
    Case(
        "a block reaches beyond the end",
        "UPDATE blocks SET last_seq = 300 WHERE first_seq = 122",
        (("cut off", 192, 300),),
    ),
)

MAKING = (
    Case(
        "a dictionary is altered",
        "UPDATE dictionaries SET content ="
        " CAST(substr(content, 1, 60000) || X'00' || substr(content, 60002) AS BLOB)",
        (("dictionary", None, None),),
    ),
    Case("the dictionaries are deleted", "DELETE FROM dictionaries", (("damaged", 1, 191),)),
    Case(
        "the index by time is emptied",
        emptied("records_by_time", "ts_ns INTEGER, id BLOB"),
        (("index", 1, 191),),
    ),
    Case(
        "the index by name is emptied",
        emptied("postings_by_name", "name INTEGER, block INTEGER, count INTEGER"),
        in_blocks("index", (1, 41), (42, 121), (122, 161)),
    ),
    Case("an index is dropped", "DROP INDEX records_by_time", (("schema", None, None),)),
    Case("the other index is dropped", "DROP INDEX postings_by_name", (("schema", None, None),)),
    Case(
        "a trigger removes what comes in",
        "CREATE TRIGGER quiet AFTER INSERT ON records BEGIN DELETE FROM records WHERE seq = NEW.seq; END",
        (("schema", None, None),),
    ),
    Case("a view is added", "CREATE VIEW other AS SELECT 1", (("schema", None, None),)),
    Case(
        "a view shows nothing",
        "DROP VIEW alerts; CREATE VIEW alerts AS SELECT * FROM found WHERE 0",
        (("schema", None, None),),
    ),
    Case("a column is added", "ALTER TABLE records ADD COLUMN x INTEGER", (("schema", None, None),)),
    Case(
        "the rows are a view that never ends",
        "ALTER TABLE records RENAME TO r; CREATE VIEW records AS WITH RECURSIVE n(seq) AS"
        " (SELECT 1 UNION ALL SELECT seq + 1 FROM n) SELECT * FROM n",
        (("schema", None, None),) * 5,
    ),
)

CASES = (*ROWS, *START, *INDEX, *MAKING)


def script_of(case: Case, path: Path) -> str:
    """The SQL of a case for a store."""
    return case.script if isinstance(case.script, str) else case.script(path)


def relinking_of(case: Case, path: Path) -> str:
    """The SQL that makes the chain whole again; empty where that is not done."""
    return "" if case.relinked is None else relinked(path, case.relinked)
