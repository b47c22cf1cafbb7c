"""Who is to blame when a node does not take a record, or a whole request."""

from collections.abc import Callable

import pytest
from tests.unit.sinks.elastic.feeding import PARSING, PIPELINE, Clock, kinds, numbers, reason, sink_for
from tests.unit.sinks.elastic.speaker import Asked, Speaker, error, results, said, taken
from tests.unit.sinks.syslog.rows import alert, alerts, row

from fileaudit_engine.sinks.elastic.blame import ALL, WAIT_S
from fileaudit_engine.sinks.elastic.sink import REDUCED_S
from fileaudit_engine.store.stored import StoredRecord

TOO_LARGE = said(413, {"error": {"type": "too_large", "reason": "no"}, "status": 413})
MALFORMED = said(400, {"error": {"type": "illegal_argument_exception", "reason": "no"}, "status": 400})


def limited(most: int) -> Callable[[Asked], bytes]:
    return lambda asked: taken(asked) if len(asked.body) <= most else TOO_LARGE


def test_a_request_that_is_too_large_is_halved_and_the_next_ones_are_smaller() -> None:
    with Speaker(limited(200_000)) as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver(alerts(200))) == "d" * 200
        assert len(speaker.asked) > 1
        speaker.asked.clear()
        sink.deliver(alerts(200, first=201))
        assert all(len(asked.body) <= 200_000 for asked in speaker.asked)


def test_after_a_while_larger_requests_are_tried_again() -> None:
    clock = Clock()
    with Speaker(limited(100_000)) as speaker, sink_for(speaker, clock) as sink:
        sink.deliver(alerts(200))
        speaker.answer = taken
        speaker.asked.clear()
        sink.deliver(alerts(200, first=201))
        assert len(speaker.asked) > 1
        clock.now_s += REDUCED_S
        speaker.asked.clear()
        sink.deliver(alerts(200, first=401))
        assert len(speaker.asked) == 1


def large(seq: int, size: int = 300_000) -> StoredRecord:
    found = alert(seq)
    return StoredRecord(seq=seq, ts_ns=0, raw=found.raw[:-1] + b',"message":"' + b"x" * size + b'"}')


def test_a_record_that_is_too_large_alone_is_rejected_and_no_other() -> None:
    rows = [*alerts(3), large(4), *alerts(3, first=5)]
    with Speaker(limited(200_000)) as speaker, sink_for(speaker) as sink:
        answers = sink.deliver(rows)
        assert kinds(answers) == "dddjddd"
        assert "413" in reason(answers[3])


def test_who_takes_not_even_a_small_record_has_another_trouble() -> None:
    with Speaker(lambda _: TOO_LARGE) as speaker, sink_for(speaker) as sink:
        assert set(kinds(sink.deliver(alerts(100)))) == {"t"}
        assert len(speaker.asked) < 60


@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_record_for_which_the_whole_request_is_refused_is_found_and_rejected(place: int) -> None:
    bad = place + 1

    def answer(asked: Asked) -> bytes:
        return MALFORMED if bad in numbers(asked) else taken(asked)

    with Speaker(answer) as speaker, sink_for(speaker) as sink:
        answers = sink.deliver(alerts(7))
        assert kinds(answers) == "d" * place + "j" + "d" * (6 - place)
        assert "400" in reason(answers[place])


def test_a_record_alone_that_is_refused_waits_until_another_one_is_taken() -> None:
    def answer(asked: Asked) -> bytes:
        return MALFORMED if 1 in numbers(asked) else taken(asked)

    with Speaker(answer) as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver(alerts(1))) == "t"
        assert kinds(sink.deliver(alerts(2))) == "jd"


def test_who_refuses_everything_gets_no_dead_letters() -> None:
    with Speaker(lambda _: MALFORMED) as speaker, sink_for(speaker) as sink:
        assert set(kinds(sink.deliver(alerts(100)))) == {"t"}
        assert len(speaker.asked) < 60


def test_an_answer_that_is_too_long_is_asked_for_in_parts() -> None:
    def wordy(asked: Asked) -> bytes:
        return results(
            asked, lambda _: error(400, PARSING, "x" * 60_000) if len(asked.ids) > 60 else {"status": 201}
        )

    with Speaker(wordy) as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver(alerts(100))) == "d" * 100


def test_a_node_that_is_too_old_is_named_and_not_asked_again() -> None:
    words = "request [/_bulk] contains unrecognized parameter: [require_data_stream]"
    old = said(400, {"error": {"type": "illegal_argument_exception", "reason": words}, "status": 400})
    with Speaker(lambda _: old) as speaker, sink_for(speaker) as sink:
        assert "8.13" in reason(sink.deliver(alerts(40))[0])
        sink.deliver(alerts(40))
        assert len(speaker.asked) == 1


# ------------------------------------------------------------------------------------ who is to blame


def refusing(bad: Callable[[int], bool], kind: str) -> Callable[[Asked], bytes]:
    return lambda asked: results(
        asked, lambda one: error(400, kind, "no") if bad(int(one, 16)) else {"status": 201}
    )


def test_what_the_record_is_the_reason_of_is_rejected_even_alone() -> None:
    with Speaker(refusing(lambda _: True, PARSING)) as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver(alerts(3))) == "jjj"


def test_what_may_have_another_reason_waits_until_another_record_is_taken() -> None:
    with Speaker(refusing(lambda number: number == 1, PIPELINE)) as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver(alerts(1))) == "t"
        assert kinds(sink.deliver(alerts(2))) == "jd"


def test_what_may_have_another_reason_is_rejected_where_others_were_taken_before() -> None:
    with Speaker(refusing(lambda number: number == 2, PIPELINE)) as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver(alerts(1))) == "d"
        assert kinds(sink.deliver(alerts(1, first=2))) == "j"


def test_what_may_have_another_reason_holds_others_up_for_a_while_only() -> None:
    clock = Clock()
    with Speaker(refusing(lambda _: True, PIPELINE)) as speaker, sink_for(speaker, clock) as sink:
        for _ in range(5):
            assert kinds(sink.deliver(alerts(1))) == "t"
        clock.now_s += WAIT_S
        assert kinds(sink.deliver(alerts(1))) == "j"
        assert kinds(sink.deliver(alerts(1, first=2))) == "j"  # the next one need not wait as long


def event(seq: int) -> StoredRecord:
    found = alert(seq).document
    found["event"]["kind"] = "event"
    return row(found, seq)


def test_that_another_data_stream_takes_records_proves_nothing() -> None:
    with Speaker(refusing(lambda number: number != 2, PIPELINE)) as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver([alert(1), event(2), alert(3)])) == "tdt"


@pytest.mark.parametrize("kind", [PARSING, PIPELINE])
@pytest.mark.parametrize("before", [0, 1])
def test_a_node_that_takes_none_of_many_gets_no_dead_letters(kind: str, before: int) -> None:
    with Speaker(refusing(lambda number: number > before, kind)) as speaker, sink_for(speaker) as sink:
        sink.deliver(alerts(before))
        answers = sink.deliver(alerts(1_500, first=1 + before))
        assert set(kinds(answers)) == {"t"}
        assert reason(answers[0]) == f"400: {kind}: no"


@pytest.mark.parametrize("kind", [PARSING, PIPELINE])
def test_a_node_that_refuses_one_after_the_other_gets_few_dead_letters(kind: str) -> None:
    clock = Clock()
    with (
        Speaker(refusing(lambda number: 1 < number < 100, kind)) as speaker,
        sink_for(speaker, clock) as sink,
    ):
        sink.deliver(alerts(1))
        answers = [kinds(sink.deliver(alerts(1, first=seq))) for seq in range(2, 40)]
        assert "".join(answers) == "j" * (ALL - 1) + "t" * (38 - (ALL - 1))
        assert kinds(sink.deliver(alerts(2, first=99))) == "jd"
        assert kinds(sink.deliver(alerts(1, first=60))) == "j"


@pytest.mark.parametrize("kind", [PARSING, PIPELINE])
def test_nobody_can_hold_everything_up_for_ever(kind: str) -> None:
    clock = Clock()
    with Speaker(refusing(lambda _: True, kind)) as speaker, sink_for(speaker, clock) as sink:
        assert set(kinds(sink.deliver(alerts(100)))) == {"t"}
        clock.now_s += WAIT_S
        assert set(kinds(sink.deliver(alerts(100)))) == {"j"}
        assert set(kinds(sink.deliver(alerts(100, first=101)))) == {"t"}


def test_many_that_are_refused_are_rejected_when_one_behind_them_is_taken() -> None:
    with Speaker(refusing(lambda number: number <= 1_000, PARSING)) as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver(alerts(1_001))) == "j" * 1_000 + "d"


def test_what_went_to_the_failure_store_is_never_sent_again() -> None:
    def kept(asked: Asked) -> bytes:
        return results(asked, lambda _: {"status": 201, "failure_store": "used"})

    with Speaker(kept) as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver(alerts(100))) == "j" * 100
