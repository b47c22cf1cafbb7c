"""What is folded, what passes, and that every alert that was folded is told of once."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.detect.crossings import RENAMES, crossing
from tests.unit.events.examples import CAT, HOSTILE, SHADOW, events
from tests.unit.events.records import finding, record

from fileaudit_engine.detect.alert import SEVERITIES, record_of
from fileaudit_engine.detect.crossing_alert import record_of_crossing
from fileaudit_engine.detect.period import LISTED, repeats_in, resumed
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.detect.suppress import STATE_VERSION, Suppress, Suppressor, left_over
from fileaudit_engine.events.jsonl import EventReader, encode
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.text import from_kernel

REPEATABLE = settings(derandomize=True, database=None, deadline=None)
MINUTE = 60_000_000_000
START = SHADOW.ts_ns
BY_PATH = Suppress(by=("rule.uuid", "process.executable", "file.path"), for_ns=10 * MINUTE)
replace = msgspec.structs.replace


def at(offset_ns: int, *, level: str = "high", path: str | None = "/etc/shadow", **changes: Any) -> Record:
    return record(replace(SHADOW, ts_ns=START + offset_ns, path=path), level=level, **changes)


def by(*places: str) -> Suppressor:
    return Suppressor(replace(BY_PATH, by=places))


def passed(records: Iterable[Record], suppressor: Suppressor | None = None) -> list[Record]:
    """What passes at once, and the reports at the end."""
    suppressor = suppressor or Suppressor(BY_PATH)
    return suppressor.feed(records) + suppressor.finish()


def repeats(found: Record) -> Any:
    facts: Any = found.document["fileaudit"]
    return facts["repeats"]


# ----------------------------------------------------------------------------------------- what is folded


def test_the_first_alert_passes_and_its_repeats_are_told_when_the_time_is_over() -> None:
    suppressor = Suppressor(BY_PATH)
    first, other = at(0), at(11 * MINUTE, path="/etc/gshadow")
    assert suppressor.feed([first, at(1), at(MINUTE)]) == [first]
    report, last = suppressor.feed([other])
    assert last == other
    assert (repeats(report)["of"], repeats(report)["count"]) == (first.id, 2)
    assert suppressor.finish() == []


def test_an_alert_without_repeats_is_not_told_again() -> None:
    assert passed([at(0)]) == [at(0)]


@pytest.mark.parametrize(("distance_ns", "alerts"), [(-1, 1), (0, 1), (1, 2)])
def test_a_distance_of_exactly_the_time_is_near_enough(distance_ns: int, alerts: int) -> None:
    found = passed([at(0), at(10 * MINUTE + distance_ns)])
    assert sum(not repeats_in(one) for one in found) == alerts


@pytest.mark.parametrize(("distance_ns", "alerts"), [(-1, 1), (0, 1), (1, 2)])
def test_an_alert_that_comes_late_folds_into_one_that_is_after_it(distance_ns: int, alerts: int) -> None:
    found = passed([at(0), at(-10 * MINUTE - distance_ns)])
    assert sum(not repeats_in(one) for one in found) == alerts


def test_the_time_counts_from_the_first_alert_so_that_a_steady_stream_is_told_again_and_again() -> None:
    found = passed(at(minute * MINUTE) for minute in range(33))
    assert [repeats_in(one) for one in found] == [0, 10, 0, 10, 0, 10]


def test_a_period_is_over_when_time_has_passed_its_last_moment() -> None:
    suppressor = Suppressor(BY_PATH)
    suppressor.feed([at(0), at(1)])
    assert suppressor.advance(START + 10 * MINUTE) == []
    (report,) = suppressor.advance(START + 10 * MINUTE + 1)
    assert repeats(report)["count"] == 1


def test_an_audit_event_passes_and_shows_the_time() -> None:
    suppressor = Suppressor(BY_PATH)
    suppressor.feed([at(0), at(1)])
    trail = [at(2, level="informational"), at(3, level="informational")]
    assert suppressor.feed(trail) == trail
    report, event = suppressor.feed([at(11 * MINUTE, level="informational")])
    assert (repeats_in(report), event.kind) == (1, Kind.EVENT)


def test_what_is_more_severe_is_never_folded_and_takes_the_milder_ones_that_follow() -> None:
    low, high = at(0, level="low"), at(2, level="high")
    found = passed([low, at(1, level="low"), high, at(3, level="low"), at(4, level="high")])
    assert [(one.level, repeats_in(one)) for one in found] == [
        ("low", 0),
        ("low", 1),
        ("high", 0),
        ("high", 2),
    ]
    assert (found[0], found[2]) == (low, high)


def test_the_end_of_the_milder_alert_is_not_the_end_of_the_severer_one() -> None:
    suppressor = Suppressor(BY_PATH)
    suppressor.feed([at(0, level="low"), at(5 * MINUTE)])
    found = passed([at(12 * MINUTE), at(14 * MINUTE)], suppressor)
    assert [(repeats_in(one), one.level) for one in found] == [(2, "high")]


def test_a_clock_that_was_wrong_by_years_does_no_harm_once_it_is_right_again() -> None:
    suppressor = Suppressor(BY_PATH)
    suppressor.feed([at(0), at(40_000_000 * MINUTE), at(1, path="/etc/gshadow")])
    found = passed([at(1), at(2), at(3)], suppressor)
    assert [repeats_in(one) for one in found] == [0, 2]


# --------------------------------------------------------------------------------------------- by what


@pytest.mark.parametrize(
    ("place", "same", "other"),
    [
        ("file.path", {"mode": 0o600}, {"path": "/etc/gshadow"}),
        ("user.id", {"path": "/x"}, {"user_id": 1}),
        ("process.args", {"path": "/x"}, {"process": replace(CAT, args=("cat", "../etc", "shadow"))}),
        ("container.id", {"path": "/x"}, {}),
        ("fileaudit.extra.my.field", {"extra": {"my.other": 1}}, {"extra": {"my.field": 0}}),
        ("fileaudit.ancestors", {"path": "/x"}, {"process": replace(CAT, parent=None)}),
    ],
)
def test_alerts_are_the_same_if_their_documents_agree_at_the_place(
    place: str, same: dict[str, Any], other: dict[str, Any]
) -> None:
    found = passed([at(0), record(replace(SHADOW, **same)), record(replace(SHADOW, **other))], by(place))
    assert sum(not repeats_in(one) for one in found) == (2 if other else 1)


@pytest.mark.parametrize("value", ["", "None", "null"])
def test_a_value_that_is_missing_is_a_value_and_no_text(value: str) -> None:
    found = passed([at(0, path=None), at(1, path=None), at(2, path=value)], by("file.path"))
    assert [repeats_in(one) for one in found] == [0, 0, 1]


@pytest.mark.parametrize("values", [(1, "1"), (1, True), (0, None), (["a", "b"], ["b", "a"]), ("a", ["a"])])
def test_values_of_other_types_are_other_values(values: tuple[object, object]) -> None:
    records = [record(replace(SHADOW, extra={"x": value})) for value in values]
    assert len(passed(records, by("fileaudit.extra.x"))) == 2


@pytest.mark.parametrize("places", [("rule.uuid",), ("rule.id",)])
def test_another_rule_is_another_key_whether_it_has_an_id_or_not(places: tuple[str, ...]) -> None:
    rules = [at(0, id=None, key="a"), at(1, id=None, key="b"), at(2, id=None, key="a")]
    assert [repeats_in(one) for one in passed(rules, by(*places))] == [0, 0, 1]


def test_without_the_rule_among_the_places_alerts_of_all_rules_are_one() -> None:
    assert len(passed([at(0, id=None, key="a"), at(1, id=None, key="b")], by("file.path"))) == 2


def test_values_do_not_run_into_each_other() -> None:
    one = replace(SHADOW, extra={"a": "x", "b": "yz"})
    other = replace(SHADOW, extra={"a": "xy", "b": "z"})
    places = "fileaudit.extra.a", "fileaudit.extra.b"
    assert passed(map(record, (one, other)), by(*places)) == [record(one), record(other)]


def test_hostile_names_are_told_apart_byte_by_byte() -> None:
    names = [HOSTILE, HOSTILE.replace("\udcff", "\\xff"), from_kernel(b"\xff"), from_kernel(b"\xfe"), "\\xff"]
    assert [one.id for one in passed(at(0, path=name) for name in names)] == [
        at(0, path=name).id for name in names
    ]


# ------------------------------------------------------------------------------------------- the report


def test_a_report_is_the_first_alert_again_with_what_became_of_it() -> None:
    first, report = passed([at(0), at(5), at(2)])
    expected: Any = json.loads(encode(first.document))
    last = rfc3339(START + 5)
    expected["@timestamp"] = last
    expected["event"]["id"] = report.id
    expected["message"] += f" (repeated 2 more times until {last})"
    expected["fileaudit"]["repeats"] = {
        "of": first.id,
        "count": 2,
        "first": rfc3339(START + 2),
        "last": last,
        "ids": [at(5).id, at(2).id],
    }
    assert report.document == expected
    assert (report.kind, report.ts_ns, report.rule, report.level) == (
        Kind.ALERT,
        START + 5,
        first.rule,
        first.level,
    )


def test_a_single_repeat_is_told_in_the_singular() -> None:
    _, report = passed([at(0), at(1)])
    assert "(repeated 1 more time until " in str(report.document["message"])


def test_many_repeats_are_counted_and_the_first_few_are_listed() -> None:
    _, report = passed(at(offset) for offset in range(1_235))
    assert repeats(report)["ids"] == [at(offset).id for offset in range(1, 1 + LISTED)]
    assert "(repeated 1,234 more times until " in str(report.document["message"])


def test_the_id_of_a_report_follows_from_the_first_alert_and_the_count() -> None:
    ids = [passed([at(0), *(at(offset) for offset in more)])[-1].id for more in ([1], [2], [1, 2])]
    assert ids[0] == ids[1]
    assert len({*ids, at(0).id}) == 3


def test_a_report_does_not_say_when_it_is_handed_on() -> None:
    _, report = passed(record_of(finding(), host="h", ingested_ns=1) for _ in range(2))
    members: Any = report.document["event"]
    assert "ingested" not in members


def test_a_report_changes_nothing_in_the_alert_that_passed() -> None:
    first, before = at(0), encode(at(0).document)
    passed([first, at(1)])
    assert encode(first.document) == before


def test_an_alert_that_stands_for_no_event_is_reported_without_one() -> None:
    bare = replace(at(0), event=None)
    _, report = passed([bare, replace(at(1), event=None)])
    assert report.event is None


@pytest.mark.parametrize("event", [RENAMES[-1], None])
def test_alerts_of_correlations_are_folded_by_what_their_events_have_in_common(
    event: FileEvent | None,
) -> None:
    def raised(seconds: int, user: str) -> Record:
        made = crossing(ts_ns=START + seconds, group={"ProcessId": 4242, "User": user}, event=event)
        return record_of_crossing(made, host="h")

    one, again, other = raised(0, "alice"), raised(1, "alice"), raised(2, "root")
    *alerts, report = passed([one, again, other], by("fileaudit.correlation.group"))
    assert alerts == [one, other]
    assert (repeats(report)["ids"], report.rule) == ([again.id], "many_files_renamed")
    assert (report.event is None) == (event is None)


@given(events)
@REPEATABLE
def test_the_report_of_any_alert_has_its_event_and_reads_back_as_one(event: FileEvent) -> None:
    first, report = passed([record(event, key="rule\udcff\\x41")] * 2)
    assert report.event is not None
    assert report.event.path == event.path
    assert report.event.process.executable == event.process.executable
    assert report.rule == first.rule
    line = encode(report.document)
    assert isinstance(EventReader(file="x", allow_unknown_fields=True).read(line, 1), FileEvent)


# ------------------------------------------------------------------------------------------------ bounds


def test_beyond_the_limit_the_least_recently_used_period_is_told_early() -> None:
    suppressor = Suppressor(BY_PATH, max_keys=2)
    a, b = at(0, path="/a"), at(1, path="/b")
    suppressor.feed([a, b, at(2, path="/a"), at(3, path="/b"), at(4, path="/a")])
    report, last = suppressor.feed([at(5, path="/c")])
    assert (repeats(report)["of"], repeats(report)["count"]) == (b.id, 1)
    assert last == at(5, path="/c")
    assert suppressor.counts.forgotten == 1
    assert suppressor.feed([at(6, path="/b")]) != []


def test_long_names_do_not_fill_the_memory() -> None:
    suppressor = Suppressor(BY_PATH, max_bytes=16 << 20)
    for number in range(20):
        suppressor.feed([at(number, path=f"/{'a' * (1 << 20)}{number}")] * 2)
    assert 1 < suppressor.counts.open < 8
    assert len(suppressor.save()) < 17 << 20
    assert suppressor.counts.reports + len(suppressor.finish()) == 20


def test_an_alert_that_is_larger_than_all_room_still_has_its_repeats_folded() -> None:
    found = passed([at(0), at(1)], Suppressor(BY_PATH, max_bytes=1))
    assert [repeats_in(one) for one in found] == [0, 1]


def test_a_flood_of_keys_leaves_nothing_behind() -> None:
    suppressor = Suppressor(BY_PATH, max_keys=3)
    for number in range(5_000):
        suppressor.feed([at(number, path=f"/{number}")])
    assert suppressor.counts.open == 3
    assert suppressor.counts.forgotten == 4_997
    assert len(suppressor._ends) < 1_100


def test_what_was_done_is_counted() -> None:
    suppressor = Suppressor(BY_PATH)
    suppressor.feed([at(0), at(1), at(2), at(3, path="/x")])
    suppressor.finish()
    counts = suppressor.counts
    assert (counts.open, counts.folded, counts.reports, counts.forgotten) == (0, 2, 1, 0)


# ---------------------------------------------------------------------------------------------- the law


Step = Record | int
"""An alert or audit event, or a time to advance to."""

steps = st.lists(
    st.one_of(
        st.builds(
            at,
            st.integers(0, 40),
            level=st.sampled_from(["low", "low", "high", "informational"]),
            path=st.sampled_from(["/a", "/b", "/c"]),
        ),
        st.integers(START, START + 60),
    ),
    max_size=40,
)
SHORT = replace(BY_PATH, for_ns=10)
SHORTER = Suppress(by=("user.name",), for_ns=3)


def run(suppressor: Suppressor, inputs: Sequence[Step]) -> list[Record]:
    out: list[Record] = []
    for step in inputs:
        out += suppressor.advance(step) if isinstance(step, int) else suppressor.feed([step])
    return out


def told(found: Record) -> tuple[object, ...]:
    if not repeats_in(found):
        return ("passed", found.id)
    said = repeats(found)
    return ("report", said["of"], said["count"], said["first"], said["last"], said["ids"])


def in_order(found: Iterable[tuple[object, ...]]) -> list[list[tuple[object, ...]]]:
    """Stretches of reports, in which the order is the suppressor's own affair, between what passed."""
    stretches: list[list[tuple[object, ...]]] = [[]]
    for one in found:
        if one[0] == "passed":
            stretches += [[one], []]
        else:
            stretches[-1].append(one)
    return [sorted(stretch, key=str) for stretch in stretches]


def naively(inputs: Sequence[Step], for_ns: int) -> list[tuple[object, ...]]:
    """Every alert with the list of its repeats; at each step all of them are looked through."""
    out: list[tuple[object, ...]] = []
    periods: list[list[Record]] = []

    def end(over: list[list[Record]]) -> None:
        for period in over:
            periods.remove(period)
            out.extend(reported(period))

    for step in inputs:
        now_ns = step if isinstance(step, int) else step.ts_ns
        end([period for period in periods if now_ns - period[0].ts_ns > for_ns])
        if isinstance(step, int):
            continue
        same = [period for period in periods if step.kind is Kind.ALERT and is_same(period[0], step)]
        near = [period for period in same if is_near(period[0], step, for_ns)]
        if near:
            near[0].append(step)
            continue
        end(same)
        if step.kind is Kind.ALERT:
            periods.append([step])
        out.append(("passed", step.id))
    end(periods[:])
    return out


def is_same(one: Record, other: Record) -> bool:
    return one.event is not None and other.event is not None and one.event.path == other.event.path


def is_near(first: Record, other: Record, for_ns: int) -> bool:
    distance_ns = abs(other.ts_ns - first.ts_ns)
    return distance_ns <= for_ns and SEVERITIES[other.level] <= SEVERITIES[first.level]


def reported(period: Sequence[Record]) -> Iterable[tuple[object, ...]]:
    first, *folded = period
    times = [one.ts_ns for one in folded]
    if folded:
        ids = [one.id for one in folded][:LISTED]
        yield ("report", first.id, len(folded), rfc3339(min(times)), rfc3339(max(times)), ids)


@given(steps)
@settings(REPEATABLE, max_examples=500)
def test_a_suppressor_does_what_the_naive_one_does(inputs: list[Step]) -> None:
    suppressor = Suppressor(SHORT)
    found = run(suppressor, inputs) + suppressor.finish()
    assert in_order(map(told, found)) == in_order(naively(inputs, SHORT.for_ns))


@given(steps)
@settings(REPEATABLE, max_examples=100)
def test_saving_and_going_on_elsewhere_at_any_step_changes_nothing(inputs: list[Step]) -> None:
    whole = Suppressor(SHORT)
    expected = run(whole, inputs) + whole.finish()
    for position in range(len(inputs) + 1):
        before, after = Suppressor(SHORT), Suppressor(SHORT)
        found = run(before, inputs[:position])
        assert after.resume(before.save()) == []
        assert found + run(after, inputs[position:]) + after.finish() == expected


@given(steps, st.integers(1, 3), st.integers(0, 40))
@settings(REPEATABLE, max_examples=200)
def test_every_alert_passes_or_is_told_of_once_whatever_the_limits(
    inputs: list[Step], keys: int, position: int
) -> None:
    before, after = Suppressor(SHORT, max_keys=keys), Suppressor(SHORTER, max_keys=keys)
    found = run(before, inputs[:position])
    after.resume(before.save())
    found += run(after, inputs[position:]) + after.finish()
    alerts = [one for one in found if one.kind is Kind.ALERT]
    fed = [step for step in inputs if isinstance(step, Record) and step.kind is Kind.ALERT]
    assert sum(repeats_in(one) or 1 for one in alerts) == len(fed)
    assert after.counts.open == 0


# ---------------------------------------------------------------------------------------------- the state


def saved(records: Iterable[Record], suppress: Suppress = BY_PATH) -> bytes:
    suppressor = Suppressor(suppress)
    suppressor.feed(records)
    return suppressor.save()


def test_the_state_is_json_with_a_version() -> None:
    state = json.loads(saved([at(0, path=HOSTILE), at(1, path=HOSTILE)]))
    assert state["version"] == STATE_VERSION
    assert state["periods"][0]["document"] == at(0, path=HOSTILE).document


def test_periods_from_before_a_change_of_the_configuration_go_on_as_they_were_begun() -> None:
    suppressor = Suppressor(Suppress(by=("user.name",), for_ns=1))
    suppressor.resume(saved([at(0), at(1)]))
    assert suppressor.feed([at(2)]) == [at(2)]
    assert [repeats_in(one) for one in suppressor.advance(START + 10 * MINUTE)] == []
    assert [repeats_in(one) for one in suppressor.advance(START + 10 * MINUTE + 1)] == [1]


def test_the_same_value_at_another_place_is_another_key() -> None:
    suppressor = by("fileaudit.asked_path")
    suppressor.resume(saved([at(0, path="../etc/shadow")], replace(BY_PATH, by=("file.path",))))
    assert suppressor.feed([at(1), at(2)]) == [at(1)]


def test_a_resumed_period_does_not_hold_on_to_what_it_was_read_from() -> None:
    (period,) = json.loads(saved([at(0), at(1)]))["periods"]
    state = bytearray(json.dumps(period).encode())
    kept = resumed(msgspec.Raw(state))
    state.clear()  # raises BufferError if anything looks into it
    assert kept is not None
    assert json.loads(bytes(memoryview(kept.document))) == at(0).document


def test_what_was_folded_is_told_even_if_nothing_is_to_be_folded_any_more() -> None:
    assert [repeats_in(one) for one in left_over(saved([at(0), at(1), at(2, path="/x")]))] == [1]


@pytest.mark.parametrize("state", [b"", b"{", b"[]", b"\xff", b'{"version":"1"}', b"[" * 100_000])
def test_a_state_that_cannot_be_read_is_told_and_begun_anew(state: bytes) -> None:
    suppressor = Suppressor(BY_PATH)
    (told_of,) = suppressor.resume(state)
    assert told_of.startswith("the saved repeats of alerts cannot be read")
    assert suppressor.feed([at(0), at(1)]) == [at(0)]


def test_a_state_of_another_version_is_told() -> None:
    assert Suppressor(BY_PATH).resume(b'{"version":2,"other":{}}') == [
        "the saved repeats of alerts have version 2, not 1"
    ]


DAMAGE: dict[str, object] = {
    "first_ns": "x",
    "for_ns": -1,
    "last_repeat_ns": 2**64,
    "level": "worst",
    "document": [1],
    "ids": ["x"] * (LISTED + 1),
    "key": None,
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_is_damaged_in_a_state_does_not_take_the_rest_with_it(name: str) -> None:
    state = json.loads(saved([at(0), at(1), at(2, path="/x"), at(3, path="/x")]))
    state["periods"][0][name] = DAMAGE[name]
    suppressor = Suppressor(BY_PATH)
    assert suppressor.resume(json.dumps(state).encode()) == ["the saved repeats of 1 alert cannot be read"]
    assert [repeats(one)["of"] for one in suppressor.finish()] == [at(2, path="/x").id]
