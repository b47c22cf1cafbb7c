"""A sink that is shown only what is meant for it."""

from collections.abc import Iterator, Sequence

import msgspec
from tests.unit.events.examples import SHADOW
from tests.unit.events.records import record

from fileaudit_engine.detect.record import Record
from fileaudit_engine.sinks.base import Answer, Delivered, Retry
from fileaudit_engine.sinks.chosen import Chosen
from fileaudit_engine.sinks.memory import Memory

ONE, TWO, THREE = (record(msgspec.structs.replace(SHADOW, ts_ns=number)) for number in (1, 2, 3))


def answer(one: Record) -> Answer:
    return Retry("no") if one is THREE else Delivered()


def odd(one: Record) -> bool:
    return one.ts_ns % 2 == 1


def test_only_what_fits_is_passed_on_and_each_answer_is_that_of_its_record() -> None:
    memory = Memory(answer)
    assert Chosen(memory, odd).deliver([ONE, TWO, THREE]) == [Delivered(), Delivered(), Retry("no")]
    assert memory.records == [ONE]


def test_a_record_that_comes_twice_is_answered_twice() -> None:
    answers: Iterator[Answer] = iter([Retry("first"), Delivered()])

    def next_one(_: Record) -> Answer:
        return next(answers)

    memory = Memory(next_one)
    assert Chosen(memory, odd).deliver([ONE, ONE]) == [Retry("first"), Delivered()]


class Silent:
    """A sink that must not be asked."""

    closed = False

    def deliver(self, records: Sequence[Record]) -> Sequence[Answer]:
        raise AssertionError(records)

    def close(self) -> None:
        self.closed = True


def test_where_nothing_fits_nobody_is_asked_and_the_end_reaches_the_sink() -> None:
    silent = Silent()
    chosen = Chosen(silent, odd)
    assert chosen.deliver([TWO]) == [Delivered()]
    chosen.close()
    assert silent.closed
