"""The law of correlation: whatever comes in whatever order, the answers are those of the oracle.

5,000 streams are tried, of all types and of chains; the counters say that they came to something. Whoever
breaks the law is shown the shortest part of the stream that still breaks it.
"""

import collections
import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.strategies import REPEATABLE
from tests.unit.detect.correlation_answers import answers, fresh, heard
from tests.unit.detect.correlation_answers import given as doing
from tests.unit.detect.correlation_examples import START, Pack, all_shown
from tests.unit.detect.correlation_oracle import Act, expected
from tests.unit.detect.correlation_strategies import Stream, chained_packs, packs, streams

from fileaudit_engine.detect.crossing import Crossing, Limits, Match
from fileaudit_engine.rules.ast import CorrelationType

STREAMS_OF_A_TYPE = 500
STREAMS_OF_CHAINS = 1_000


def limits(stream: Stream) -> Limits:
    return Limits(lateness_ns=stream.lateness_ns)


def shortest(acts: Sequence[Act], broken: Callable[[Sequence[Act]], bool]) -> Sequence[Act]:
    """A stream of which nothing can be left out without its breaking the law no more."""
    for size in (16, 4, 1, 1):
        index = 0
        while index < len(acts):
            fewer = [*acts[:index], *acts[index + size :]]
            acts, index = (fewer, index) if broken(fewer) else (acts, index + size)
    return acts


def story(acts: Sequence[Act]) -> str:
    """Acts as one reads them, a line each."""
    return "\n".join(
        f"{act.ts_ns - START}: {'+'.join('abcd'[rule] for rule in act.rules)} "
        f"{act.event.extra} User={act.event.user_name}"
        if isinstance(act, Match)
        else f"advance to {act - START}"
        for act in acts
    )


def breaks_the_law(pack: Pack, stream: Stream, acts: Sequence[Act]) -> bool:
    answer = expected(pack.plan, acts, limits=limits(stream))
    told = answers(pack, acts, limits(stream))
    return not answer.undecided and all_shown(told) != all_shown(heard(answer))


def check(pack: Pack, stream: Stream, seen: collections.Counter[str]) -> None:
    """Hold the law for a stream."""
    correlator = fresh(pack, limits(stream))
    found = [*doing(correlator, stream.acts, stream.cuts), *correlator.finish()]
    answer = expected(pack.plan, stream.acts, limits=limits(stream))
    right = answer.undecided or all_shown(found) == all_shown(heard(answer))
    if not right and breaks_the_law(pack, stream, stream.acts):
        acts = shortest(stream.acts, lambda acts: breaks_the_law(pack, stream, acts))
        wanted = heard(expected(pack.plan, acts, limits=limits(stream)))
        told = all_shown(answers(pack, acts, limits(stream)))
        assert told == all_shown(wanted), f"{pack}\n{stream}\n{story(acts)}"
    assert right, "in these batches"
    assert correlator.counts.late == answer.late
    assert in_order(found)
    seen["matches"] += len(stream.matches)
    seen["late"] += answer.late
    seen["undecided"] += answer.undecided
    seen["crossings"] += len(found)
    seen["by leaving"] += sum(crossing.ts_ns != crossing.last_ns for crossing in found)


def in_order(crossings: Sequence[Crossing]) -> bool:
    instants = [crossing.ts_ns for crossing in crossings]
    return instants == sorted(instants)


def tried(packs: st.SearchStrategy[Pack], number: int) -> collections.Counter[str]:
    """The law, held for a number of streams; what they came to."""
    seen: collections.Counter[str] = collections.Counter()

    @settings(REPEATABLE, max_examples=number)
    @given(st.data())
    def law(data: st.DataObject) -> None:
        pack = data.draw(packs)
        check(pack, data.draw(streams(pack)), seen)
        seen["streams"] += 1

    law()
    return seen


@pytest.mark.parametrize("kind", CorrelationType)
def test_every_type_answers_as_the_oracle_does(kind: CorrelationType) -> None:
    seen = tried(packs(kind), STREAMS_OF_A_TYPE)
    assert seen["streams"] == STREAMS_OF_A_TYPE
    assert seen["crossings"] >= 3 * STREAMS_OF_A_TYPE
    assert seen["by leaving"] >= STREAMS_OF_A_TYPE // 20
    assert seen["late"] >= STREAMS_OF_A_TYPE // 5


def test_chains_of_all_types_answer_as_the_oracle_does() -> None:
    seen = tried(chained_packs(), STREAMS_OF_CHAINS)
    assert seen["streams"] == STREAMS_OF_CHAINS
    assert seen["crossings"] >= 5 * STREAMS_OF_CHAINS
    assert seen["undecided"] <= STREAMS_OF_CHAINS // 10


ANY_PACK = st.sampled_from(tuple(CorrelationType)).flatmap(packs) | chained_packs()


@settings(REPEATABLE, max_examples=300)
@given(st.data())
def test_neither_batches_nor_the_clock_change_an_answer(data: st.DataObject) -> None:
    pack = data.draw(ANY_PACK)
    stream = data.draw(streams(pack))
    one_by_one = answers(pack, stream.acts, limits(stream), cuts=[True] * len(stream.acts))
    assert all_shown(answers(pack, stream.acts, limits(stream), cuts=stream.cuts)) == all_shown(one_by_one)
    if not expected(pack.plan, stream.acts, limits=limits(stream)).late:
        assert all_shown(answers(pack, stream.matches, limits(stream))) == all_shown(one_by_one)


@settings(REPEATABLE, max_examples=300)
@given(st.data())
def test_order_within_the_lateness_changes_no_answer(data: st.DataObject) -> None:
    pack = data.draw(ANY_PACK)
    stream = data.draw(streams(pack))
    answer = expected(pack.plan, stream.acts, limits=limits(stream))
    in_time = sorted(stream.matches, key=lambda match: match.ts_ns)
    if not answer.late and not answer.undecided:
        assert all_shown(answers(pack, in_time, Limits(lateness_ns=0))) == all_shown(heard(answer))


# --- save and resume ---------------------------------------------------------------------------------------


@settings(REPEATABLE, max_examples=200)
@given(st.data())
def test_a_stop_at_any_position_changes_no_answer(data: st.DataObject) -> None:
    pack = data.draw(ANY_PACK)
    stream = data.draw(streams(pack))
    answer = all_shown(answers(pack, stream.acts, limits(stream)))
    before: list[Crossing] = []
    running = fresh(pack, limits(stream))
    for position in range(len(stream.acts) + 1):
        resumed = fresh(pack, limits(stream))
        assert resumed.resume(running.save()) == []
        rest = [*doing(resumed, stream.acts[position:]), *resumed.finish()]
        assert all_shown([*before, *rest]) == answer, f"stopped at {position}"
        before += doing(running, stream.acts[position : position + 1])


@settings(REPEATABLE, max_examples=300)
@given(st.data())
def test_stops_at_all_positions_change_no_answer(data: st.DataObject) -> None:
    pack = data.draw(ANY_PACK)
    stream = data.draw(streams(pack))
    found: list[Crossing] = []
    running = fresh(pack, limits(stream))
    for position in range(len(stream.acts)):
        found += doing(running, stream.acts[position : position + 1])
        stopped = running.save()
        assert running.save() == stopped
        running = fresh(pack, limits(stream))
        assert running.resume(stopped) == []
        assert running.save() == stopped
    found += running.finish()
    assert all_shown(found) == all_shown(answers(pack, stream.acts, limits(stream)))
    assert running.counts.late == expected(pack.plan, stream.acts, limits=limits(stream)).late


@settings(REPEATABLE, max_examples=100)
@given(st.data())
def test_what_is_saved_is_json_that_says_its_version(data: st.DataObject) -> None:
    pack = data.draw(ANY_PACK)
    stream = data.draw(streams(pack))
    correlator = fresh(pack, limits(stream))
    list(doing(correlator, stream.acts))
    saved = json.loads(correlator.save())
    assert isinstance(saved["version"], int)
