"""The sink as whoever feeds it sees it: an answer for each row, and what it takes to get another one."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.unit.sinks.elastic.feeding import DELIVERED, PARSING, Clock, kinds, numbers, reason, sink_for
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
from tests.unit.sinks.syslog.rows import alert, alerts

from fileaudit_engine.sinks.base import Retry
from fileaudit_engine.sinks.elastic.sink import ElasticSink
from fileaudit_engine.sinks.gate import LOOK_S, REFUSED_S
from fileaudit_engine.sinks.secrets import Secret
from fileaudit_engine.sinks.settings import ElasticSettings
from fileaudit_engine.store.stored import StoredRecord


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
