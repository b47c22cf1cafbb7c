"""The closest group that a report names is the closest one: held against all windows, one by one."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.examples import event
from tests.unit.ruletest.correlated_packs import RENAMED, correlation
from tests.unit.ruletest.packs import compiled

from fileaudit_engine.diagnostics import Location
from fileaudit_engine.events.model import Operation, Process
from fileaudit_engine.ruletest.cases import CASE_START_NS, Case, CaseEvent, Expectation
from fileaudit_engine.ruletest.runner import CaseRunner
from fileaudit_engine.ruletest.wording import at

SECOND_NS = 10**9
SPAN_NS, LATENESS_NS, ENOUGH = 2 * SECOND_NS, SECOND_NS // 5, 5
MANY = correlation(
    "many",
    "type: event_count, rules: [renamed], group-by: [ProcessId], timespan: 2s, condition: {gte: 5}",
)
PLANS = compiled(RENAMED, MANY)
RUNNER = CaseRunner(PLANS.user, PLANS.kernel, PLANS.correlations)
PLACE = Location(file="law.test.yml", line=1, column=1)

Renames = Sequence[tuple[int, int]]
"""Times, as tenths of a second since the case's start, and processes; in the order in which they come."""


def case_of(renames: Renames) -> Case:
    expected = Expectation(
        rule="many", level=None, at_ns=None, fields={}, location=PLACE, rule_location=PLACE
    )
    return Case(
        name="law",
        file=PLACE.file,
        events=tuple(case_event(tenths * SECOND_NS // 10, pid) for tenths, pid in renames),
        alerts=(expected,),
        audit=None,
        location=PLACE,
    )


def case_event(at_ns: int, pid: int) -> CaseEvent:
    ts_ns = CASE_START_NS + at_ns
    known = event("/home/a", ts_ns=ts_ns, operation=Operation.RENAME, process=Process(pid=pid))
    return CaseEvent(event=known, at_ns=at_ns, location=PLACE)


def in_time(renames: Renames) -> list[tuple[int, int]]:
    """What is not late, in nanoseconds."""
    taken, newest_ns = [], 0
    for tenths, pid in renames:
        at_ns = tenths * SECOND_NS // 10
        newest_ns = max(newest_ns, at_ns)
        if at_ns >= newest_ns - LATENESS_NS:
            taken.append((at_ns, pid))
    return taken


def most(renames: Renames) -> int:
    """The largest number of renames by one process within the timespan."""
    taken = in_time(renames)
    return max(
        sum(one == pid and end_ns - SPAN_NS <= at_ns <= end_ns for at_ns, one in taken)
        for end_ns, pid in taken
    )


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 3)), min_size=1, max_size=25))
@settings(max_examples=200, deadline=None)
def test_a_count_came_or_the_most_that_came_together_is_told(renames: Renames) -> None:
    result = RUNNER.run(case_of(renames))
    largest = most(renames)
    assert bool(result.missing) is (largest < ENOUGH)
    if result.missing:
        (missing,) = result.missing
        told = next(reason for reason in missing.reasons if reason.startswith("the most"))
        assert told.startswith(f"the most that came together were {largest} of 5, for ProcessId ")
        assert told.rpartition(", ")[2] in {at(at_ns) for at_ns, _ in in_time(renames)}
