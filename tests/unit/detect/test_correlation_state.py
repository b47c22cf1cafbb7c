"""What is saved is enough to go on, and what is no longer true of it is said."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.strategies import REPEATABLE
from tests.unit.detect.correlation_answers import fresh
from tests.unit.detect.correlation_answers import given as doing
from tests.unit.detect.correlation_examples import START, all_shown, at, correlation, match, pack
from tests.unit.detect.correlation_strategies import chained_packs, packs, streams

from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.rules.ast import CorrelationType as T

TWO = correlation(T.EVENT_COUNT, "a", key="two", gte=2)
SUM = correlation(T.VALUE_SUM, "a", key="sum", of=("V",), gte=10)
HOSTILE = ("a\nb", "\x1b[2J", "\udcff\udc80", "\\xff", '"', "\x00", "é\u2028", "x" * 100_000)


def test_what_is_saved_says_its_version() -> None:
    assert isinstance(json.loads(fresh(pack(TWO)).save())["version"], int)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_names_that_are_no_text_survive(name: str) -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", by=("G", "User"), gte=2))
    event = match(5, G=name, User=name)
    limits = Limits(lateness_ns=100)
    for waiting in (True, False):
        correlator = fresh(it, limits)
        correlator.feed([match(0, G=name, User=name)])
        if not waiting:
            correlator.advance(START + 104)  # the first one has had its turn
        saved = correlator.save()
        json.loads(saved.decode())
        resumed = fresh(it, limits)
        assert resumed.resume(saved) == []
        for one in (correlator, resumed):
            one.feed([event])
        assert all_shown(resumed.finish()) == all_shown(correlator.finish())
        assert event.event.extra == {"G": name}


def test_an_alert_is_told_on_one_side_of_a_stop() -> None:
    correlator = fresh(pack(TWO))
    assert len(correlator.feed([match(0), match(1), match(2)])) == 1
    resumed = fresh(pack(TWO))
    assert resumed.resume(correlator.save()) == []
    resumed.feed([match(6)])
    assert resumed.finish() == []


def test_who_was_late_and_who_was_let_go_is_not_forgotten() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", by=("G",), gte=2, within=1000))
    limits = Limits(lateness_ns=0, groups=1)
    correlator = fresh(it, limits)
    correlator.feed([match(5, G="p"), match(4, G="p"), match(6, G="q")])
    correlator.advance(START + 7)
    assert (correlator.counts.late, correlator.counts.evicted_groups) == (1, 1)
    resumed = fresh(it, limits)
    assert resumed.resume(correlator.save()) == []
    resumed.feed([match(8, G="q")])
    (only,) = resumed.finish()
    assert (only.late, only.evicted.groups) == (1, 1)
    assert (resumed.counts.late, resumed.counts.evicted_groups) == (1, 1)


def test_a_correlation_that_changed_begins_anew_and_that_is_said() -> None:
    correlator = fresh(pack(TWO, SUM))
    correlator.feed([match(0, V=9)])
    correlator.advance(START + 1)
    changed = fresh(pack(correlation(T.EVENT_COUNT, "a", key="two", gte=2, within=11), SUM))
    (sentence,) = changed.resume(correlator.save())
    assert "two" in sentence
    changed.feed([match(2, V=1)])
    (only,) = changed.finish()
    assert only.correlation.rule.key == "sum"


def test_a_correlation_that_is_gone_is_not_missed_by_the_others() -> None:
    correlator = fresh(pack(TWO, SUM))
    correlator.feed([match(0, V=9)])
    correlator.advance(START + 1)
    fewer = fresh(pack(SUM))
    fewer.resume(correlator.save())
    fewer.feed([match(2, V=1)])
    (only,) = fewer.finish()
    assert only.total == 2


def test_a_rule_that_moved_is_still_the_same_one() -> None:
    """Rules are known by number while they run, and by key across a restart."""
    first = correlation(T.TEMPORAL, "b", "c", key="it", within=100)
    correlator = fresh(pack(first))
    correlator.feed([match(0, "b")])
    correlator.advance(START + 50)
    moved = fresh(pack(first))
    assert moved.resume(correlator.save()) == []
    moved.feed([match(60, "c")])
    assert len(moved.finish()) == 1


@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[]", b"null", b'{"version": 1}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_state_that_cannot_be_read_is_refused_in_words(damaged: bytes) -> None:
    correlator = fresh(pack(TWO))
    assert correlator.resume(damaged) != []
    correlator.feed(at(0, 1))  # type: ignore[arg-type]  # all of them are matches
    assert len(correlator.finish()) == 1


def test_a_newer_state_is_refused_in_words() -> None:
    saved = json.loads(fresh(pack(TWO)).save())
    saved["version"] += 1
    correlator = fresh(pack(TWO))
    assert len(correlator.resume(json.dumps(saved).encode())) == 1
    correlator.feed(at(0, 1))  # type: ignore[arg-type]  # all of them are matches
    assert len(correlator.finish()) == 1


HOSTILE_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**19, -(10**30), 1.5, "", "x", "9" * 50, [], [[]], {}, {"number": "1/0"}),
    *({"number": "x"}, {"a": 1}, [1, 2, 3], [None], "\udcff" * 2, {"process": 5}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(place for key, member in members for place in places(member, (*path, key)))]


@settings(REPEATABLE, max_examples=400)
@given(st.data())
def test_a_state_that_was_edited_stops_nothing(data: st.DataObject) -> None:
    it = data.draw(st.sampled_from(tuple(T)).flatmap(packs) | chained_packs())
    stream = data.draw(streams(it))
    limits = Limits(lateness_ns=stream.lateness_ns)
    running = fresh(it, limits)
    list(doing(running, stream.acts))
    state = json.loads(running.save())
    for _ in range(data.draw(st.integers(1, 3))):
        *path, last = data.draw(st.sampled_from(places(state)[1:]))
        holder = state
        for key in path:
            holder = holder[key]
        holder[last] = copy.deepcopy(data.draw(st.sampled_from(HOSTILE_VALUES)))
    edited = fresh(it, limits)
    edited.resume(json.dumps(state).encode())
    list(doing(edited, stream.acts))
    edited.finish()
    edited.save()
