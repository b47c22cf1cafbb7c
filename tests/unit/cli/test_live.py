"""What the live commands say at their end."""

import pytest

from fileaudit_engine.cli.live import alert_lines, events_line
from fileaudit_engine.detect.correlate import Counts
from fileaudit_engine.detect.suppress import SuppressCounts
from fileaudit_engine.runtime.pipeline import Tally
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


def test_without_correlations_and_suppression_the_summary_is_silent_about_them() -> None:
    lines = alert_lines(Tally(alerts={"high": 2}, audit_events=3, lost={}), None)
    assert lines == ["alerts   2 (0 critical · 2 high · 0 medium · 0 low)", "audit    3 events"]


@pytest.mark.parametrize(
    ("evicted", "words"),
    [
        ({}, "0 forgotten"),
        ({"evicted_groups": 1, "evicted_events": 2_000}, "1 group and 2,000 events forgotten"),
    ],
)
def test_the_summary_tells_what_correlations_held_and_could_not_take_into_account(
    evicted: dict[str, int], words: str
) -> None:
    counts = Counts(correlations=9, groups=1_203, entries=4_211, late=3, **evicted)
    lines = alert_lines(Tally(alerts={}, audit_events=0, lost={}, correlated=counts), None)
    assert lines[2:] == [f"correlated  9 rules · 1,203 groups · 4,211 events held · 3 late · {words}"]


@pytest.mark.parametrize(("forgotten", "words"), [(0, ""), (7, " · 7 ended early")])
def test_the_summary_tells_what_was_folded(forgotten: int, words: str) -> None:
    counts = SuppressCounts(open=2, folded=1_203, reports=1, forgotten=forgotten)
    lines = alert_lines(Tally(alerts={}, audit_events=0, lost={}, suppressed=counts), None)
    assert lines[2:] == [f"suppressed  1,203 repeats · 1 report of them · 2 not over yet{words}"]
