"""An exec's record for the process table comes before its event, whoever wrote first."""

from tests.unit.events.test_wire import file_record, process_record

from fileaudit_engine.events.process_record import PROCESS_HEAD
from fileaudit_engine.sources.exec_order import ExecOrder


def event(image: int = 66) -> bytes:
    """Of an exec of the program with this inode."""
    return file_record(operation=18, result=0, image=image)


def record(image: int = 66) -> bytes:
    """Of the same, for the process table."""
    whole = process_record(b"/bin/true")
    fields = list(PROCESS_HEAD.unpack_from(whole))
    fields[-3] = image
    return PROCESS_HEAD.pack(*fields) + whole[PROCESS_HEAD.size :]


EVENT, RECORD = event(), record()
FAILED = file_record(operation=18, result=-2)
OPENED = file_record()
ENDED = b"\x04" + RECORD[1:]


def ordered(order: ExecOrder, *records: bytes) -> list[bytes]:
    """The records of one run, as they are gone through."""
    starts = [sum(map(len, records[:number])) for number in range(len(records))]
    sizes = {start: len(record) for start, record in zip(starts, records, strict=True)}
    run = b"".join(records)
    return [run[at : at + sizes[at]] for at in order.sorted(run, starts)]


def test_an_event_that_came_first_is_put_behind() -> None:
    assert ordered(ExecOrder(), OPENED, EVENT, OPENED, RECORD) == [OPENED, RECORD, EVENT, OPENED]


def test_what_is_in_order_stays() -> None:
    assert ordered(ExecOrder(), RECORD, EVENT, RECORD, EVENT) == [RECORD, EVENT, RECORD, EVENT]


def test_a_record_in_one_run_is_that_of_an_event_in_the_next() -> None:
    order = ExecOrder()
    assert ordered(order, RECORD) == [RECORD]
    assert ordered(order, EVENT, event(7), record(7)) == [EVENT, record(7), event(7)]


def test_a_record_whose_event_was_filtered_is_not_that_of_the_next_exec() -> None:
    order = ExecOrder()
    assert ordered(order, record(7)) == [record(7)]
    assert ordered(order, EVENT, RECORD) == [RECORD, EVENT]
    assert ordered(order, record(7), EVENT, OPENED, RECORD) == [record(7), RECORD, EVENT, OPENED]


def test_an_event_whose_record_was_lost_does_not_wait_for_one_of_another_program() -> None:
    assert ordered(ExecOrder(), EVENT, record(7), RECORD) == [EVENT, record(7), RECORD]


def test_a_process_that_has_ended_leaves_nothing_to_the_next_one_of_its_number() -> None:
    assert ordered(ExecOrder(), RECORD, ENDED, EVENT, RECORD) == [RECORD, ENDED, RECORD, EVENT]


def test_a_failed_exec_has_no_record_to_wait_for() -> None:
    assert ordered(ExecOrder(), FAILED, OPENED, RECORD, EVENT) == [FAILED, OPENED, RECORD, EVENT]
