"""What the live commands say at their end."""

import pytest

from fileaudit_engine.cli.live import events_line
from fileaudit_engine.sources.base import Counters


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ({}, "0 lost"),
        ({"open": 2, "unlink": 1}, "3 lost"),
        ({"open": 3, "process": 12}, "3 lost (and 12 process records)"),
        ({"open": 3, "process": 1}, "3 lost (and 1 process record)"),
        ({"process": 1_200}, "0 lost (and 1,200 process records)"),
    ],
)
def test_the_summary_keeps_lost_events_and_lost_process_records_apart(
    lost: dict[str, int], words: str
) -> None:
    events = sum(count for name, count in lost.items() if name != "process")
    counters = Counters(seen=1_000 + events, filtered=990, delivered=10, lost=lost)
    assert events_line(counters) == (
        f"events   {1_000 + events:,} seen · 990 filtered in kernel · 10 delivered · {words}"
    )
