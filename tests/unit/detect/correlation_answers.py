"""What the correlator answers, however it is asked, and whether that is what the oracle says."""

from collections.abc import Iterator, Sequence

from tests.unit.detect.correlation_examples import START, Pack, all_shown
from tests.unit.detect.correlation_oracle import Act, Expected, expected

from fileaudit_engine.detect.correlate import Correlator
from fileaudit_engine.detect.crossing import Crossing, Limits, Match
from fileaudit_engine.events.model import Loss

IN_ORDER = Limits(lateness_ns=0)


def fresh(pack: Pack, limits: Limits = IN_ORDER) -> Correlator:
    return Correlator(pack.plan, pack.user, limits)


def given(correlator: Correlator, acts: Sequence[Act], cuts: Sequence[bool] = ()) -> Iterator[Crossing]:
    """What is told while the acts are done; matches up to a cut, or to the next clock, are one batch."""
    batch: list[Match] = []
    for index, act in enumerate(acts):
        if isinstance(act, Match):
            batch.append(act)
        if isinstance(act, int) or (index < len(cuts) and cuts[index]):
            yield from correlator.feed(batch)
            batch = []
        if isinstance(act, int):
            yield from correlator.advance(act)
    yield from correlator.feed(batch)


def answers(
    pack: Pack, acts: Sequence[Act], limits: Limits = IN_ORDER, *, cuts: Sequence[bool] = ()
) -> list[Crossing]:
    """All that a fresh correlator tells, to the end of time."""
    correlator = fresh(pack, limits)
    return [*given(correlator, acts, cuts), *correlator.finish()]


def heard(answer: Expected) -> list[Crossing]:
    """What is told of an expected answer: silent ones are not."""
    return [crossing for crossing in answer.crossings if not crossing.correlation.silent]


def alerts(
    pack: Pack, acts: Sequence[Act], *, limits: Limits = IN_ORDER, losses: Sequence[Loss] = ()
) -> list[Crossing]:
    """What the correlator tells, which is what the oracle tells."""
    correlator = fresh(pack, limits)
    found = [crossing for loss in losses for crossing in correlator.lose(loss)]
    found += [*given(correlator, acts), *correlator.finish()]
    answer = expected(pack.plan, acts, limits=limits, losses=losses)
    assert all_shown(found) == all_shown(heard(answer))
    assert correlator.counts.late == answer.late
    return found


def times(pack: Pack, acts: Sequence[Act], *, limits: Limits = IN_ORDER) -> list[int]:
    """The times of the alerts, after `START`."""
    return [crossing.ts_ns - START for crossing in alerts(pack, acts, limits=limits)]
