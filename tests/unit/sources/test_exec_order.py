"""An exec's record for the process table comes before its event, whoever wrote first."""

from tests.unit.events.test_wire import file_record, process_record

from fileaudit_engine.sources.exec_order import ExecOrder

EVENT = file_record(operation=18, result=0)
FAILED = file_record(operation=18, result=-2)
OPENED = file_record()
RECORD = process_record(b"/bin/true")


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
    assert ordered(order, EVENT, RECORD) == [EVENT, RECORD]


def test_a_failed_exec_has_no_record_to_wait_for() -> None:
    assert ordered(ExecOrder(), FAILED, OPENED, RECORD, EVENT) == [FAILED, OPENED, RECORD, EVENT]
