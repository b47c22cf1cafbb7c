"""What is left of a store after its process was killed, or the machine lost power, at any moment.

A kill takes nothing that was committed: the system still writes what it was given. A power failure also takes
what was not forced to the disk, and of the log whatever the disk had not written yet: that is played by
cutting the log off anywhere.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record
from tests.unit.store.kept import Kept

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.verify import verify

KILLS = 12
CUTS = 40

WRITER = """
import os, sys
from pathlib import Path
from tests.unit.store.test_survival import appended
appended(Path(sys.argv[1]), first=int(sys.argv[2]))
"""


def made(number: int, kind: Kind = Kind.EVENT) -> Record:
    """A record like no other, with its number in the path of its file."""
    event = msgspec.structs.replace(SHADOW, ts_ns=10**18 + number, path=f"/srv/{number}")
    return record(event, level="high" if kind is Kind.ALERT else "informational")


def number_of(document: Mapping[str, Any]) -> int:
    return int(document["file"]["path"].rpartition("/")[2])


def appended(path: Path, first: int) -> None:
    """Append for ever, and print the number of each alert once its transaction is committed."""
    number = first
    with Store.open(path) as store:
        while True:
            alert = number + 15
            store.append([*map(made, range(number, alert)), made(alert, Kind.ALERT)])
            os.write(1, f"{alert}\n".encode())
            number = alert + 1


def whole(path: Path) -> None:
    """Another writer can go on, and nothing is wrong with what is there."""
    with Store.open(path) as store:
        assert list(verify(store)) == []
        store.append([made(10**9)])
        assert list(verify(store)) == []
    Kept(path).is_whole()


def killed_writer(path: Path, first: int, after_s: float) -> list[int]:
    """What a writer has printed until it was killed."""
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", WRITER, str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, text=True) as writer:
        assert writer.stdout is not None
        began = writer.stdout.readline()
        time.sleep(after_s)
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read()
    assert writer.returncode == -signal.SIGKILL, "it had ended by itself"
    return [int(line) for line in (began + rest).split("\n")[:-1]]


def test_what_was_printed_before_a_kill_is_kept_and_the_chain_goes_on(tmp_path: Path) -> None:
    path, draw = tmp_path / "store" / "events.db", random.Random(3)
    kept, first = Kept(path), 0
    for _ in range(KILLS):
        printed = killed_writer(path, first, draw.uniform(0, 0.1))
        news = set(map(number_of, kept.read_on()))
        assert set(printed) <= news
        first = max(news) + 1
    assert len(kept.ids) == len(kept.documents), "each is kept once"
    whole(path)


@pytest.fixture(scope="module")
def left_by_a_power_failure(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as it was when its store was in use: a database, and a log that is not in it yet."""
    folder = tmp_path_factory.mktemp("power")
    source = folder / "running" / "events.db"
    with Store.open(source) as store:
        for number in range(0, 1_600, 16):
            store.append([*map(made, range(number, number + 15)), made(number + 15, Kind.ALERT)])
        (folder / "left").mkdir(mode=0o700)
        for name in ("events.db", "events.db-wal"):
            shutil.copy(source.with_name(name), folder / "left" / name)
    return folder / "left"


def test_a_log_that_lost_its_end_leaves_whole_transactions_from_the_first_on(
    left_by_a_power_failure: Path, tmp_path: Path
) -> None:
    size = (left_by_a_power_failure / "events.db-wal").stat().st_size
    draw, seen = random.Random(5), set()
    for number in range(CUTS):
        folder = tmp_path / str(number)
        shutil.copytree(left_by_a_power_failure, folder)
        folder.chmod(0o700)
        os.truncate(folder / "events.db-wal", draw.randrange(size // 4, size))
        with Store.open(folder / "events.db") as store:
            kept = [number_of(one.document) for one in store.records_after(0, 1 << 20)]
            assert list(verify(store)) == []
        assert kept == list(range(len(kept)))
        assert len(kept) % 16 == 0, "a batch is there as a whole or not at all"
        seen.add(len(kept))
    assert len(seen) > CUTS // 4, "the log was cut off in different places"


def test_a_log_whose_end_is_nonsense_leaves_whole_transactions(
    left_by_a_power_failure: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "left"
    shutil.copytree(left_by_a_power_failure, folder)
    folder.chmod(0o700)
    log = folder / "events.db-wal"
    with log.open("r+b") as file:
        file.seek(log.stat().st_size // 2)
        file.write(os.urandom(log.stat().st_size // 2))
    with Store.open(folder / "events.db") as store:
        kept = [number_of(one.document) for one in store.records_after(0, 1 << 20)]
    assert kept == list(range(len(kept)))
    assert 0 < len(kept) < 1_600
    whole(folder / "events.db")


SYNCS = """
import os, sys
from pathlib import Path
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.store.store import Store
from tests.unit.store.test_survival import made
with Store.open(Path(sys.argv[1])) as store:
    for kind in (Kind.EVENT, Kind.EVENT, Kind.ALERT, Kind.EVENT):
        store.append([made(store.head.seq, kind)])
        os.write(1, f"committed {kind.value}".encode())
    store.force()
    os.write(1, b"forced")
"""


def forced_before(lines: list[str], words: str) -> bool:
    """Whether the log was forced to the disk after the line before these words, and before them."""
    end = next(number for number, line in enumerate(lines) if words in line)
    begin = max((number for number, line in enumerate(lines[:end]) if "write(1" in line), default=-1)
    return any("sync(" in line and "-wal" in line for line in lines[begin + 1 : end])


def test_an_alert_is_forced_to_the_disk_before_append_returns_and_an_audit_event_is_not(
    tmp_path: Path,
) -> None:
    trace = tmp_path / "trace"
    options = ("-y", "-s", "64", "-e", "trace=fsync,fdatasync,write", "-o", trace)
    program = (sys.executable, "-c", SYNCS, tmp_path / "store" / "events.db")
    root = Path(__file__).parents[3]
    subprocess.run(["strace", *options, *program], check=True, cwd=root, capture_output=True)
    lines = trace.read_text().splitlines()
    alert = next(number for number, line in enumerate(lines) if "committed alert" in line)
    assert forced_before(lines[: alert + 1], "committed alert")
    assert not forced_before(lines[alert:], "committed event")
    assert forced_before(lines, '"forced"')
