"""What the store is measured with is what a host writes, and comes the same every time."""

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import NoReturn

import pytest
import store_ask
import store_big
from store_append import BEGIN_NS, CASES, Floor
from store_documents import Traffic, Variety, path_of
from store_latency import PRODUCER

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.events.reader import event_of
from fileaudit_engine.events.times import parse_rfc3339
from fileaudit_engine.store.store import Store

COUNT = 2_000


def taken(variety: Variety, count: int = COUNT, seed: int = 1) -> list[Record]:
    return Traffic(variety, start_ns=BEGIN_NS, seed=seed).take(count)


def test_the_same_seed_gives_the_same_records_and_another_one_others() -> None:
    first = [encode(record.document) for record in taken(Variety())]
    assert first == [encode(record.document) for record in taken(Variety())]
    assert not set(first) & {encode(record.document) for record in taken(Variety(), seed=2)}


def test_a_record_and_its_document_say_the_same() -> None:
    for record in taken(Variety(alert_every=7)):
        document = dict(record.document)
        assert document["event"] == {**document["event"], "id": record.id, "kind": record.kind.value}  # type: ignore[dict-item]
        assert parse_rfc3339(str(document["@timestamp"])) == record.ts_ns


def test_documents_are_as_long_as_those_of_a_live_host_and_can_be_replayed() -> None:
    for record in taken(Variety(), 50):
        assert 2_000 < len(encode(record.document)) < 5_000
        event = event_of(dict(record.document), _nowhere, allow_unknown_fields=False)
        assert not isinstance(event, tuple), event


def _nowhere(name: str) -> NoReturn:
    raise AssertionError(name)


def test_what_is_asked_for_is_what_comes() -> None:
    records = taken(Variety(alert_every=10, denied_every=4, users=20, paths=100, commands=0), COUNT)
    assert len({record.id for record in records}) == COUNT
    assert sum(record.kind is Kind.ALERT for record in records) == COUNT // 10
    outcomes = Counter(record.document["event"]["outcome"] for record in records)  # type: ignore[index]
    assert outcomes["failure"] == COUNT // 4
    paths = Counter(record.document["file"]["path"] for record in records)  # type: ignore[index]
    assert len(paths) <= 100
    assert paths.most_common(1)[0][0] == path_of(0)
    lines = {record.document["process"]["command_line"] for record in records}  # type: ignore[index]
    assert len(lines) == COUNT


@pytest.mark.parametrize("case", CASES)
def test_store_and_floor_take_every_case(case: str, tmp_path: Path) -> None:
    traffic = Traffic(CASES[case].variety, start_ns=BEGIN_NS)
    batches = [traffic.take(min(CASES[case].batch, 20)) for _ in range(3)]
    floor = Floor(tmp_path / "floor" / "bench.db")
    with Store.open(tmp_path / "store" / "bench.db") as store:
        for batch in batches:
            assert store.append(batch) == floor.append(batch) == len(batch)
        kept = {record.id for kind in Kind for record in store.records(kind)}
    floor.close()
    assert kept == {record.id for batch in batches for record in batch}


def test_the_program_that_is_watched_is_a_program() -> None:
    compile(PRODUCER % {"files": 1, "least": 0.1, "most": 0.2}, "producer", "exec")
    assert list(islice(map(path_of, range(1000)), 1000)) == list(dict.fromkeys(map(path_of, range(1000))))


def test_a_store_is_made_once_and_can_be_asked_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "store" / "big.db"
    for _ in range(2):
        store_big.main(["make", str(path), "--events", "20000", "--days", "2"])
        assert "20,000 records in" in capsys.readouterr().out
    store_big.main(["ask", str(path), "--parts", *store_ask.PARTS])
    told = capsys.readouterr().out
    assert "verify: 20,000 rows, 0 findings" in told
    assert "retention: 8,192 of 20,064 records" in told  # 64 were written first
    searched = [line for line in told.splitlines() if line.startswith("path, the hottest")]
    assert searched[0].split()[3] == "100"
