"""Alerts that are about no single event are kept like all others."""

import sqlite3
from pathlib import Path

from tests.unit.detect.crossings import crossing

from fileaudit_engine.detect.alert import record_of_crossing
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.store.store import Store


def test_an_alert_without_an_event_is_kept_and_its_columns_say_what_its_events_have_in_common(
    tmp_path: Path,
) -> None:
    made = record_of_crossing(crossing(event=None, events=()), host="this-host")
    with Store.open(tmp_path / "s" / "db") as store:
        assert store.append([made]) == 1
        (kept,) = store.records(Kind.ALERT)
    assert kept.document == made.document
    with sqlite3.connect(tmp_path / "s" / "db") as connection:
        columns = "operation, outcome, path, user, pid, executable"
        assert connection.execute(f"SELECT {columns} FROM alerts").fetchall() == [
            (None, None, None, "root", 4242, None)
        ]
