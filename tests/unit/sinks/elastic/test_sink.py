"""The sink as whoever feeds it sees it: an answer for each row, and what it takes to get another one."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.unit.sinks.elastic.speaker import (
    Asked,
    Speaker,
    certificates_in,
    error,
    results,
    said,
    serving,
    taken,
)
from tests.unit.sinks.syslog.rows import alert, alerts, row

from fileaudit_engine.sinks.base import Answer, Delivered, Reject, Retry
from fileaudit_engine.sinks.elastic.blame import ALL, WAIT_S
from fileaudit_engine.sinks.elastic.sink import LOOK_S, REDUCED_S, REFUSED_S, ElasticSink
from fileaudit_engine.sinks.secrets import Secret
from fileaudit_engine.sinks.settings import ElasticSettings
from fileaudit_engine.store.stored import StoredRecord

DELIVERED = Delivered()
PARSING = "document_parsing_exception"
PIPELINE = "illegal_argument_exception"
TOO_LARGE = said(413, {"error": {"type": "too_large", "reason": "no"}, "status": 413})
MALFORMED = said(400, {"error": {"type": "illegal_argument_exception", "reason": "no"}, "status": 400})


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@contextmanager
def sink_for(speaker: Speaker, clock: Clock | None = None, **settings: Any) -> Iterator[ElasticSink]:
    said_to_it = ElasticSettings(hosts=(speaker.url,), **{"timeout_s": 10.0, **settings})
    with closing(ElasticSink(said_to_it, clock_s=clock or Clock())) as sink:
        yield sink


def reason(answer: Answer) -> str:
    assert isinstance(answer, Retry | Reject)
    return answer.reason


def kinds(answers: Sequence[Answer]) -> str:
    """Answers as letters: `d`elivered, re`t`ry, re`j`ect."""
    return "".join({Delivered: "d", Retry: "t", Reject: "j"}[type(answer)] for answer in answers)


def numbers(asked: Asked) -> list[int]:
    return [int(one, 16) for one in asked.ids]


def test_nothing_is_asked_before_there_is_something_to_deliver() -> None:
    with Speaker() as speaker:
        with sink_for(speaker) as sink:
            assert sink.deliver([]) == []
            sink.refresh()
        assert speaker.connections == 0


def test_rows_are_delivered_in_one_request_that_makes_no_index_by_accident() -> None:
    with Speaker() as speaker, sink_for(speaker, namespace="prod") as sink:
        assert sink.deliver(alerts(3)) == [DELIVERED] * 3
        (asked,) = speaker.asked
        assert numbers(asked) == [1, 2, 3]
        assert {action["create"]["_index"] for action in asked.lines[::2]} == {"logs-fileaudit.alert-prod"}
        assert asked.target.startswith("/_bulk?")
        assert "require_data_stream=true" in asked.target


def test_a_row_that_is_no_document_is_rejected_and_the_others_are_delivered() -> None:
    with Speaker() as speaker, sink_for(speaker) as sink:
        nonsense = StoredRecord(seq=2, ts_ns=0, raw=b"[]")
        assert kinds(sink.deliver([alert(1), nonsense, alert(3)])) == "djd"


def test_rows_of_which_none_can_be_sent_ask_nobody() -> None:
    with Speaker() as speaker:
        with sink_for(speaker) as sink:
            assert kinds(sink.deliver([StoredRecord(seq=2, ts_ns=0, raw=b"[]")])) == "j"
        assert speaker.connections == 0


def test_what_was_taken_behind_a_row_that_is_told_again_is_not_sent_again() -> None:
    rows = alerts(4)
    busy = {f"{2:032x}"}

    def some(asked: Asked) -> bytes:
        return results(asked, lambda one: error(500, "x") if one in busy else {"status": 201})

    with Speaker(some) as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver(rows)) == "dtdd"
        busy.clear()
        assert kinds(sink.deliver(rows[1:])) == "ddd"
        assert [numbers(one) for one in speaker.asked] == [[1, 2, 3, 4], [2]]


def test_what_was_rejected_behind_a_row_that_is_told_again_stays_rejected() -> None:
    def some(asked: Asked) -> bytes:
        return results(asked, lambda one: error(500, "x") if int(one, 16) == 1 else error(400, PARSING))

    with Speaker(some) as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver(alerts(2))) == "tj"
        assert kinds(sink.deliver(alerts(2))) == "tj"
        assert [numbers(one) for one in speaker.asked] == [[1, 2], [1]]


def test_a_dead_letter_may_be_tried_again_in_between() -> None:
    with Speaker() as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver(alerts(2))) == "dd"
        assert kinds(sink.deliver(alerts(1))) == "d"
        assert [numbers(one) for one in speaker.asked] == [[1, 2], [1]]


def test_behind_a_request_that_failed_nothing_is_sent() -> None:
    rows = alerts(40)

    def fails_second(asked: Asked) -> bytes:
        return taken(asked) if len(speaker.asked) == 1 else said(503, {"error": "no"})

    with Speaker() as speaker, sink_for(speaker, max_bulk_bytes=20_000) as sink:
        speaker.answer = fails_second
        answers = sink.deliver(rows)
        first = len(speaker.asked[0].ids)
        assert kinds(answers) == "d" * first + "t" * (40 - first)
        assert len(speaker.asked) == 2
        assert "503" in reason(answers[-1])


def test_a_node_with_too_much_to_do_is_given_no_more() -> None:
    def busy(asked: Asked) -> bytes:
        return results(asked, lambda _: error(429, "es_rejected_execution_exception"))

    with Speaker(busy) as speaker, sink_for(speaker, max_bulk_bytes=20_000) as sink:
        answers = sink.deliver(alerts(40))
        assert kinds(answers) == "t" * 40
        assert "429" in reason(answers[0])
        assert len(speaker.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        said(200, {"errors": False, "items": []}),
        said(200, {}),
        said(200, b"{"),
        said(200, b"[" * 100_000),
        said(200, [1]),
        said(200, b"fine"),
        said(299, b"{}"),
        said(302, {}),
        said(404, {}),
        said(500, b"<html>"),
    ],
)
def test_an_answer_that_cannot_be_believed_delivers_nothing(answer: bytes) -> None:
    with Speaker(lambda _: answer) as speaker, sink_for(speaker) as sink:
        answers = sink.deliver(alerts(2))
        assert kinds(answers) == "tt"
        assert reason(answers[0]).isprintable()


def test_what_is_no_elasticsearch_stops_the_sink_before_it_has_anything_delivered() -> None:
    def like_it(asked: Asked) -> bytes:
        items = [{"create": {"_id": one, "status": 201}} for one in asked.ids]
        return said(200, {"items": items}, "Content-Type: application/json\r\n")

    with Speaker(like_it) as speaker, sink_for(speaker) as sink:
        answers = sink.deliver(alerts(1))
        assert "no Elasticsearch" in reason(answers[0])
        sink.deliver(alerts(1))
        assert len(speaker.asked) == 1


# ------------------------------------------------------------------------------------ refused as a whole


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
        assert kinds(sink.deliver(alerts(1, first=2))) == "t"


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
        clock.now_s += 10 * WAIT_S
        assert kinds(sink.deliver(alerts(1, first=50))) == "t"
        assert kinds(sink.deliver(alerts(2, first=99))) == "jd"
        assert kinds(sink.deliver(alerts(1, first=60))) == "j"


def test_many_that_are_refused_are_rejected_when_one_behind_them_is_taken() -> None:
    with Speaker(refusing(lambda number: number <= 1_000, PARSING)) as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver(alerts(1_001))) == "j" * 1_000 + "d"


def test_what_went_to_the_failure_store_is_never_sent_again() -> None:
    def kept(asked: Asked) -> bytes:
        return results(asked, lambda _: {"status": 201, "failure_store": "used"})

    with Speaker(kept) as speaker, sink_for(speaker) as sink:
        assert kinds(sink.deliver(alerts(100))) == "j" * 100


# ------------------------------------------------------------------------------------------ refused for good


def unauthorized(_: Asked) -> bytes:
    reason = "who? for REST request [/_bulk?a=b&timeout=1ms]"  # as nodes say it
    return said(401, {"error": {"type": "security_exception", "reason": reason}, "status": 401})


def forbidden(_: Asked) -> bytes:
    return said(403, {"error": {"type": "security_exception", "reason": "not you"}, "status": 403})


def forbidden_each(asked: Asked) -> bytes:
    return results(asked, lambda _: error(403, "security_exception", "not you"))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "es.key"
    file.write_text("a2V5OnNlY3JldA==\n")
    return file


@pytest.mark.parametrize("answer", [unauthorized, forbidden, forbidden_each])
def test_who_refuses_us_is_not_asked_again(answer: Callable[[Asked], bytes], key: Path) -> None:
    clock = Clock()
    with Speaker(answer) as speaker, sink_for(speaker, clock, api_key=Secret(file=key)) as sink:
        first = sink.deliver(alerts(2))
        assert kinds(first) == "tt"
        assert all(isinstance(one, Retry) and one.stopped for one in first)
        assert "; " in reason(first[0])  # with a remedy
        for _ in range(10):
            clock.now_s += 2 * LOOK_S
            assert sink.deliver(alerts(2))[0] == sink.deliver(alerts(3))[2]
        assert len(speaker.asked) == 1


def test_a_key_that_is_refused_is_named_with_its_place_and_never_shown(key: Path) -> None:
    with Speaker(unauthorized) as speaker, sink_for(speaker, api_key=Secret(file=key)) as sink:
        words = reason(sink.deliver(alerts(1))[0])
        assert f"the API key in {key} is refused: 401: security_exception: who?; " in words
        assert "write a valid one there: the engine looks again by itself" in words
        assert "a2V5" not in words
        assert speaker.asked[0].headers["authorization"] == "ApiKey a2V5OnNlY3JldA=="


def test_a_key_in_two_parts_is_encoded(key: Path) -> None:
    key.write_text("key:secret\n")
    with Speaker() as speaker, sink_for(speaker, api_key=Secret(file=key)) as sink:
        sink.deliver(alerts(1))
        assert speaker.asked[0].headers["authorization"] == "ApiKey a2V5OnNlY3JldA=="


def test_a_password_is_sent_with_its_user(key: Path) -> None:
    key.write_text("pass wörd")
    with Speaker() as speaker, sink_for(speaker, username="me", password=Secret(file=key)) as sink:
        sink.deliver(alerts(1))
        assert speaker.asked[0].headers["authorization"] == "Basic bWU6cGFzcyB3w7ZyZA=="


@pytest.mark.parametrize("content", ["clé", "two words", "", "two\nlines"])
def test_a_key_that_can_be_none_stops_the_sink_unshown_until_it_is_mended(content: str, key: Path) -> None:
    key.write_text(content)
    clock = Clock()
    with Speaker() as speaker, sink_for(speaker, clock, api_key=Secret(file=key)) as sink:
        words = reason(sink.deliver(alerts(1))[0])
        assert str(key) in words
        assert not content or content not in words
        key.write_text("a2V5OnNlY3JldA==")
        clock.now_s += LOOK_S
        assert sink.deliver(alerts(1)) == [DELIVERED]


def test_a_new_key_in_the_file_is_tried_by_itself(key: Path) -> None:
    clock = Clock()

    def only_new(asked: Asked) -> bytes:
        return (
            taken(asked) if asked.headers["authorization"] == "ApiKey bmV3OmtleQ==" else unauthorized(asked)
        )

    with Speaker(only_new) as speaker, sink_for(speaker, clock, api_key=Secret(file=key)) as sink:
        assert kinds(sink.deliver(alerts(1))) == "t"
        key.write_text("bmV3OmtleQ==")
        assert kinds(sink.deliver(alerts(1))) == "t"  # it does not look each time
        clock.now_s += LOOK_S
        assert kinds(sink.deliver(alerts(1))) == "d"


def test_somebody_who_says_so_is_enough(key: Path) -> None:
    with Speaker(forbidden) as speaker, sink_for(speaker, api_key=Secret(file=key)) as sink:
        sink.deliver(alerts(1))
        speaker.answer = taken
        assert kinds(sink.deliver(alerts(1))) == "t"
        sink.refresh()
        assert kinds(sink.deliver(alerts(1))) == "d"


def test_after_a_long_time_a_refusal_is_looked_at_again(key: Path) -> None:
    clock = Clock()
    with Speaker(forbidden) as speaker, sink_for(speaker, clock, api_key=Secret(file=key)) as sink:
        sink.deliver(alerts(1))
        speaker.answer = taken
        clock.now_s += REFUSED_S
        assert kinds(sink.deliver(alerts(1))) == "d"


def test_certificates_that_have_changed_are_a_reason_to_try_again(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "ca.pem"
    file.write_text("nonsense")
    settings = ElasticSettings(hosts=("https://127.0.0.1:1",), ca_file=file)
    with closing(ElasticSink(settings, clock_s=clock)) as sink:
        before = reason(sink.deliver(alerts(1))[0])
        assert str(file) in before
        file.unlink()
        assert reason(sink.deliver(alerts(1))[0]) == before
        clock.now_s += LOOK_S
        assert reason(sink.deliver(alerts(1))[0]) != before


def test_certificates_that_were_changed_before_they_were_needed_count_as_well(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "ca.pem"
    certificates = certificates_in(tmp_path / "certificates")
    file.write_text(certificates.other_ca.read_text())
    with (
        Speaker(context=serving(certificates.server)) as speaker,
        sink_for(speaker, clock, ca_file=file) as sink,
    ):
        sink._made_client = _changing(sink._made_client, file, certificates.ca)  # type: ignore[method-assign]
        assert "does not come from" in reason(sink.deliver(alerts(1))[0])
        clock.now_s += LOOK_S
        assert sink.deliver(alerts(1)) == [DELIVERED]


def _changing(make: Callable[[], Any], file: Path, becomes: Path) -> Callable[[], Any]:
    """Somebody writes the new certificate between the client's making and its first connection."""

    def made_and_changed() -> Any:
        client = make()
        file.write_text(becomes.read_text())
        return client

    return made_and_changed


def test_a_refusal_in_the_middle_keeps_what_was_taken_before(key: Path) -> None:
    def second_not(asked: Asked) -> bytes:
        return taken(asked) if len(speaker.asked) == 1 else unauthorized(asked)

    with Speaker() as speaker:
        speaker.answer = second_not
        with sink_for(speaker, max_bulk_bytes=20_000, api_key=Secret(file=key)) as sink:
            answers = kinds(sink.deliver(alerts(40)))
            assert answers == "d" * len(speaker.asked[0].ids) + "t" * (40 - len(speaker.asked[0].ids))


def test_documents_say_when_they_were_sent() -> None:
    with Speaker() as speaker:
        settings = ElasticSettings(hosts=(speaker.url,), timeout_s=10.0)
        with closing(ElasticSink(settings, clock_ns=lambda: 1_795_867_200_000_000_000)) as sink:
            sink.deliver(alerts(1))
        sent = json.loads(speaker.asked[0].body.splitlines()[1])
        assert sent["event"]["ingested"] == "2026-11-28T12:00:00.000000000Z"
