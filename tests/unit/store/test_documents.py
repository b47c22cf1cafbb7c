"""Documents come out of their frames as they went in, and what is no frame is told."""

import sqlite3
import threading
from collections.abc import Iterator

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.train_documents import id_of

from fileaudit_engine.store.documents import MANY, Damaged, Packer, Unpacker, add_shipped, number_of, shipped
from fileaudit_engine.store.opening import schema


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:")
    for statement in schema():
        opened.execute(statement)
    add_shipped(opened)
    yield opened
    opened.close()


def packed(*documents: bytes) -> list[bytes]:
    packer = Packer()
    frames = list(packer.begin(list(documents))())
    packer.close()
    return frames


@given(st.binary(max_size=5_000))
@settings(derandomize=True, database=None, deadline=None)
def test_what_goes_in_comes_out(connection: sqlite3.Connection, raw: bytes) -> None:
    assert [Unpacker(connection)(frame) for frame in packed(raw)] == [raw]


@pytest.mark.parametrize("count", [0, 1, MANY - 1, MANY, 10 * MANY])
def test_of_many_each_comes_out_in_its_place(connection: sqlite3.Connection, count: int) -> None:
    documents = [b"%d" % (number * number) for number in range(count)]
    assert [Unpacker(connection)(frame) for frame in packed(*documents)] == documents


def test_few_are_packed_without_a_thread() -> None:
    before = threading.active_count()
    packer = Packer()
    list(packer.begin([b"x"] * (MANY - 1))())
    assert threading.active_count() == before
    list(packer.begin([b"x"] * MANY)())
    assert threading.active_count() == before + 1
    packer.close()
    assert threading.active_count() == before


def test_a_frame_of_another_dictionary_is_read_with_that_one(connection: sqlite3.Connection) -> None:
    other = zstandard.train_dictionary(
        4096, [b"%d another %d" % (i, i * i) for i in range(2_000)], dict_id=77
    )
    connection.execute("INSERT INTO dictionaries VALUES (77, ?)", (other.as_bytes(),))
    frame = zstandard.ZstdCompressor(dict_data=other).compress(b"12 another 144")
    assert Unpacker(connection)(frame) == b"12 another 144"


def test_a_frame_without_a_dictionary_is_read_without_one(connection: sqlite3.Connection) -> None:
    assert Unpacker(connection)(zstandard.compress(b"plain")) == b"plain"


def test_the_shipped_dictionary_is_there_once_and_as_it_is(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE dictionaries SET content = x'00' WHERE id = ?", (number_of(shipped()),))
    add_shipped(connection)
    add_shipped(connection)
    query = "SELECT content FROM dictionaries WHERE id = ?"
    assert connection.execute(query, (number_of(shipped()),)).fetchall() == [(shipped(),)]


def test_the_number_of_a_dictionary_follows_from_its_content() -> None:
    assert number_of(shipped()) == id_of(shipped()[8:])


(WHOLE,) = packed(b'{"a": 1}' * 20)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", "frame"),
        (b"{}", "frame"),
        (WHOLE[:-1], None),
        (WHOLE + b"x", None),
        (WHOLE + WHOLE, None),
        (b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 16, "no document has such a head"),
        (zstandard.ZstdCompressor(write_content_size=False).compress(b"x"), "no document has such a head"),
    ],
)
def test_what_is_no_frame_is_told(connection: sqlite3.Connection, frame: bytes, reason: str | None) -> None:
    with pytest.raises(Damaged, match=reason):
        Unpacker(connection)(frame)


def test_a_frame_whose_dictionary_is_gone_says_so() -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE dictionaries (id INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT")
        with pytest.raises(Damaged, match=f"dictionary {number_of(shipped())} is not in the store"):
            Unpacker(connection)(WHOLE)
    connection.close()
