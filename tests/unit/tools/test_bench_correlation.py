from itertools import islice
from pathlib import Path

import pytest
from correlated import matches_of
from correlation_pack import RULES, SHAPES, Stream, events, write_pack
from correlation_replay import MATCHING, lines

from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.diagnostics import Severity
from fileaudit_engine.events.batch import EventBatch
from fileaudit_engine.events.model import Loss
from fileaudit_engine.rules.ast import CorrelationType
from fileaudit_engine.rules.parser import load_rules
from fileaudit_engine.sources.replay import ReplaySource

COUNT = 400


def compiled(folder: Path, *, together: bool) -> Compiled:
    write_pack(folder, together=together)
    loaded = load_rules([folder])
    assert not [found for found in loaded.diagnostics if found.severity is Severity.ERROR]
    return compile_rules(loaded.rules, loaded.correlations)


def stream(*, together: bool = False, evenly: bool = False) -> Stream:
    return Stream(count=COUNT, groups=50, together=together, evenly=evenly)


@pytest.mark.parametrize("together", [False, True], ids=["apart", "together"])
def test_there_are_twenty_correlations_of_every_type(tmp_path: Path, *, together: bool) -> None:
    plan = compiled(tmp_path, together=together).correlations
    assert len(plan.correlations) == len(SHAPES) == RULES == 20
    assert {one.rule.type for one in plan.correlations} == set(CorrelationType)


@pytest.mark.parametrize("together", [False, True], ids=["apart", "together"])
def test_the_matches_that_are_fed_are_those_that_the_rules_find(tmp_path: Path, *, together: bool) -> None:
    plans = compiled(tmp_path, together=together)
    made = list(matches_of(plans, stream(together=together)))
    keys = [rule.rule.key for rule in plans.user.rules]
    feeding = {keys[number] for number in plans.correlations.feeding}
    calls = Detector(plans.user, plans.kernel).calls(EventBatch(events=[one.event for one in made]))
    found = [feeding & {one.rule.rule.key for one in call} for call in calls]
    assert found == [{keys[number] for number in one.rules} for one in made]
    assert len(made) == COUNT


@pytest.mark.parametrize("evenly", [False, True])
def test_a_seed_gives_the_same_stream_again(*, evenly: bool) -> None:
    assert list(events(stream(evenly=evenly))) == list(events(stream(evenly=evenly)))


def test_an_even_stream_goes_through_all_processes_in_turn() -> None:
    pids = [event.process.pid for _, event in islice(events(stream(evenly=True)), 100)]
    assert len(set(pids[:50])) == 50
    assert pids[:50] == pids[50:]


def test_one_line_in_ten_of_a_recording_matches_a_rule(tmp_path: Path) -> None:
    recording = tmp_path / "events.ndjson"
    recording.write_bytes(b"".join(lines(COUNT, seed=1)))
    plans = compiled(tmp_path / "pack", together=False)
    detector, source = Detector(plans.user, plans.kernel), ReplaySource([recording])
    batches = [item for item in source.batches() if not isinstance(item, Loss)]
    assert sum(len(list(detector.calls(batch))) for batch in batches) == COUNT // MATCHING
    assert not source.diagnostics
