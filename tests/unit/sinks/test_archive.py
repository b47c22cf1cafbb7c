"""Files of the log that are not written any more: compressed, removed in time, and never there twice."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from tests.unit.sinks.logs import DAY, NOON, Log, content, rows

from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.sinks import packing
from fileaudit_engine.sinks.archive import LONG_REST_NS, REST_NS, Swept, sweep
from fileaudit_engine.sinks.packing import pack
from fileaudit_engine.sinks.rotated import Rotated, following, rotated_in
from fileaudit_engine.sinks.settings import Compression, JsonLogSettings

KINDS = [Compression.ZSTD, Compression.GZIP]
ENDING = {Compression.ZSTD: ".zst", Compression.GZIP: ".gz"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def old_file(folder: Path, name: str, *numbers: int, days_ago: float = 1) -> Path:
    place = folder / name
    place.write_bytes(b"".join(row.raw + b"\n" for row in rows(*numbers, filling="x" * 100)))
    ns = NOON - int(days_ago * DAY)
    os.utime(place, ns=(ns, ns))
    return place


def swept(folder: Path, *, proceed: Callable[[], bool] = lambda: True, **changes: Any) -> Swept:
    return sweep(folder, JsonLogSettings(folder=folder, **changes), NOON, proceed=proceed)


def names(folder: Path) -> list[str]:
    return sorted(place.name for place in folder.iterdir())


# ----------------------------------------------------------------------------------------- compression


@pytest.mark.parametrize("kind", KINDS)
def test_a_compressed_file_has_the_same_content_times_and_privacy(folder: Path, kind: Compression) -> None:
    place = old_file(folder, "fileaudit-2026-11-27.1.ndjson", *range(5_000))
    before, found = place.read_bytes(), place.stat()
    assert swept(folder, compress=kind).packed == 1
    assert names(folder) == [f"fileaudit-2026-11-27.1.ndjson{ENDING[kind]}"]
    packed = folder / names(folder)[0]
    assert content(packed) == before
    assert packed.stat().st_mtime_ns == found.st_mtime_ns
    assert packed.stat().st_mode & 0o777 == 0o600
    assert packed.stat().st_size < len(before) / 10


def test_nothing_is_compressed_where_that_is_asked_for(folder: Path) -> None:
    old_file(folder, "fileaudit-2026-11-27.1.ndjson", 1)
    swept(folder, compress=Compression.NONE)
    assert names(folder) == ["fileaudit-2026-11-27.1.ndjson"]


def test_a_file_rests_for_those_who_read_it_and_the_youngest_longest(folder: Path) -> None:
    old_file(folder, "fileaudit-2026-11-28.1.ndjson", 1, days_ago=1.1 * REST_NS / DAY)
    old_file(folder, "fileaudit-2026-11-28.2.ndjson", 2, days_ago=0.9 * REST_NS / DAY)
    last = old_file(folder, "fileaudit-2026-11-28.3.ndjson", 3, days_ago=0.9 * LONG_REST_NS / DAY)
    swept(folder)
    assert names(folder) == [
        "fileaudit-2026-11-28.1.ndjson.zst",
        "fileaudit-2026-11-28.2.ndjson",
        "fileaudit-2026-11-28.3.ndjson",
    ]
    os.utime(last, ns=(0, NOON - 2 * LONG_REST_NS))
    swept(folder)
    assert names(folder)[2] == "fileaudit-2026-11-28.3.ndjson.zst"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_a_compression_that_is_given_up_leaves_the_file_and_nothing_else(
    folder: Path, kind: Compression, chunks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_CHUNK_BYTES", 1_000)
    place = old_file(folder, "fileaudit-2026-11-27.1.ndjson", *range(100))
    before, asked = place.read_bytes(), iter([*([True] * chunks), False])
    swept(folder, compress=kind, proceed=lambda: next(asked))
    assert names(folder) == [place.name]
    assert place.read_bytes() == before
    swept(folder, compress=kind)
    assert content(folder / f"{place.name}{ENDING[kind]}") == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the child does nothing but this
@pytest.mark.parametrize("where", ["fsync", "utime", "rename", "unlink", "write"])
def test_who_is_killed_anywhere_in_it_finds_each_line_once_after_the_next_start(
    folder: Path, kind: Compression, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps of the compression are cut off after each, without the cleaning up that a kill prevents."""
    before = old_file(folder, "fileaudit-2026-11-27.1.ndjson", *range(100)).read_bytes()
    pid = os.fork()
    if not pid:
        monkeypatch.setattr(
            Path if where in {"rename", "unlink"} else os, where, lambda *_, **__: os._exit(9)
        )
        if where == "write":
            monkeypatch.setattr(
                packing, "_compress", lambda _, target, *__: (target.write(b"x"), os._exit(9))
            )
        swept(folder, compress=kind)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert "fileaudit-2026-11-27.1.ndjson" in names(folder)
    swept(folder, compress=kind)
    assert names(folder) == [f"fileaudit-2026-11-27.1.ndjson{ENDING[kind]}"]
    assert content(folder / names(folder)[0]) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", [b"", b"xyz", None])
def test_of_two_files_the_compressed_one_goes_if_it_is_not_whole(
    folder: Path, kind: Compression, damage: bytes | None
) -> None:
    place = old_file(folder, "fileaudit-2026-11-27.1.ndjson", *range(100))
    before = place.read_bytes()
    packed = folder / f"{place.name}{ENDING[kind]}"
    swept(folder, compress=kind)
    whole = packed.read_bytes()
    packed.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    place.write_bytes(before)
    swept(folder, compress=kind)
    assert names(folder) == [packed.name]
    assert content(packed) == before


def test_a_disk_that_is_too_full_to_compress_keeps_the_file_and_removes_what_is_old(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    old_file(folder, "fileaudit-2026-01-01.1.ndjson", 1, days_ago=300)
    old_file(folder, "fileaudit-2026-11-27.1.ndjson", *range(100))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        found = swept(folder)
    assert found.trouble.endswith("No space left on device")
    assert found.removed == ["fileaudit-2026-01-01.1.ndjson"]
    assert names(folder) == ["fileaudit-2026-11-27.1.ndjson"]
    assert swept(folder).trouble == ""
    assert names(folder) == ["fileaudit-2026-11-27.1.ndjson.zst"]


@pytest.mark.parametrize("trouble", [MemoryError(), zstandard.ZstdError("no room for its tables")])
def test_a_lack_of_memory_is_trouble_like_any_other(
    folder: Path, trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> bool:
        raise trouble

    place = old_file(folder, "fileaudit-2026-11-27.1.ndjson", 1)
    with monkeypatch.context() as patch:
        patch.setattr(packing, "_compress", failing)
        assert "cannot be compressed" in swept(folder).trouble
    assert names(folder) == [place.name]


def test_who_would_overwrite_an_unfinished_file_does_not(folder: Path) -> None:
    place = old_file(folder, "fileaudit-2026-11-27.1.ndjson", 1)
    (folder / "victim").write_text("precious")
    (folder / "unfinished").symlink_to(folder / "victim")
    with pytest.raises(OSError, match="exists"):
        pack(place, folder / "unfinished", folder / "packed", Compression.ZSTD, proceed=lambda: True)
    assert (folder / "victim").read_text() == "precious"
    assert place.exists()


# --------------------------------------------------------------------------------------------- removal


def test_files_whose_last_line_is_too_old_are_removed_and_told(folder: Path) -> None:
    for day, days_ago in ((26, 91), (27, 90.5), (28, 89)):
        old_file(folder, f"fileaudit-2026-08-{day}.1.ndjson.zst", day, days_ago=days_ago)
    found = swept(folder)
    assert names(folder) == ["fileaudit-2026-08-28.1.ndjson.zst"]
    assert found.words == (
        "2 files removed, 232 bytes: fileaudit-2026-08-26.1.ndjson.zst to fileaudit-2026-08-27.1.ndjson.zst"
    )


def test_without_a_retention_nothing_is_too_old(folder: Path) -> None:
    old_file(folder, "fileaudit-2001-01-01.1.ndjson.gz", 1, days_ago=9_000)
    assert not swept(folder, retention_ns=None).removed


def test_of_too_much_the_oldest_goes_never_the_one_that_is_written(folder: Path) -> None:
    for number in (9, 10, 11):
        old_file(folder, f"fileaudit-2026-11-27.{number}.ndjson", *range(10))
    active = old_file(folder, "fileaudit.ndjson", *range(10))
    size = active.stat().st_size
    changes: dict[str, Any] = {"compress": Compression.NONE}
    assert not swept(folder, max_total_bytes=4 * size, **changes).removed
    assert swept(folder, max_total_bytes=4 * size - 1, **changes).removed == ["fileaudit-2026-11-27.9.ndjson"]
    assert len(swept(folder, max_total_bytes=1, **changes).removed) == 2
    assert names(folder) == ["fileaudit.ndjson"]


def test_what_is_not_of_the_log_is_left_alone(folder: Path) -> None:
    mine = [
        "fileaudit-2026-11-27.1.ndjson.bz2",
        "fileaudit-2026-11-27.ndjson",
        "fileaudit-2026-11-27.0.ndjson",
    ]
    mine += ["notes.txt", "xfileaudit-2001-01-01.1.ndjson", "fileaudit-2001-01-01.1.ndjson\n", ".hidden"]
    for name in mine:
        old_file(folder, name, 1, days_ago=9_000)
    (folder / "fileaudit-2001-01-01.1.ndjson").mkdir()
    (folder / "fileaudit-2001-01-01.2.ndjson").symlink_to(folder / "notes.txt")
    before = names(folder)
    assert swept(folder, max_total_bytes=1) == Swept()
    assert names(folder) == before


def test_names_are_in_the_order_of_their_lines(folder: Path) -> None:
    wanted = [
        Rotated(period="2026-11-27", number=9, ending=".zst"),
        Rotated(period="2026-11-27", number=10),
        Rotated(period="2026-11-28", number=1, ending=".gz"),
        Rotated(period="2026-11-28T03", number=1),
    ]
    for file in reversed(wanted):
        (folder / file.name).touch()
    assert rotated_in(folder) == wanted
    assert following("2026-11-27", wanted) == Rotated(period="2026-11-27", number=11)
    assert following("2026-11-29", wanted) == Rotated(period="2026-11-29", number=1)


# ------------------------------------------------------------------------------------ beside the writing


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "log")
    yield made
    made.file.close()


def test_everything_is_there_once_after_days_with_starts_in_between(log: Log) -> None:
    for day in range(5):
        for number in range(3):
            log.write(day * 10 + number)
        if day % 2:
            log.file.close()
            log.start()
        log.look_after()
        log.now_ns += DAY
    log.write(50)
    log.look_after()
    assert log.numbers() == [day * 10 + number for day in range(5) for number in range(3)] + [50]
    assert [name for name in log.names() if name.endswith(".zst")] == [
        f"fileaudit-2026-{day}.1.ndjson.zst" for day in ("11-28", "11-29", "11-30", "12-01", "12-02")
    ]


def test_a_rotation_is_followed_by_compression_beside_the_writing(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", beside=True)
    log.write(*range(100))
    log.now_ns += DAY
    log.write(100)
    log.file.keep(1)
    wait_until(lambda: "fileaudit-2026-11-28.1.ndjson" not in log.names())
    assert log.names() == ["fileaudit-2026-11-28.1.ndjson.zst", "fileaudit.ndjson"]
    assert log.numbers() == list(range(101))
    log.file.close()


def test_trouble_with_old_files_is_told_once_and_writing_goes_on(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", beside=True)
    (log.folder / ".fileaudit-2026-11-27.1.ndjson.zst").mkdir()
    for _ in range(3):
        log.now_ns += 2 * UNITS_NS["h"]
        log.write(1)
        log.file.keep(1)
        wait_until(lambda: not log.file._janitor._to_sweep)
    log.file.close()
    assert len([words for words in log.said if "cannot be looked after" in words]) == 1
    assert log.numbers() == [1, 1, 1]


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to hold")
