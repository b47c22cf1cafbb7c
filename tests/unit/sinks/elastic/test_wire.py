"""An answer can be wrong in many ways, and holds or fills nobody in any of them."""

import itertools
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from elastic_transport import ConnectionError as Unconnected
from elastic_transport import ConnectionTimeout, TransportError
from elasticsearch import ApiError
from tests.unit.sinks.elastic.speaker import (
    JSON,
    PRODUCT,
    Asked,
    Speaker,
    Speech,
    certificates_in,
    said,
    serving,
)

from fileaudit_engine.sinks.elastic.client import client_of
from fileaudit_engine.sinks.elastic.failures import why
from fileaudit_engine.sinks.elastic.wire import MOST_ANSWER
from fileaudit_engine.sinks.settings import ElasticSettings

QUICK_S = 0.3
HEAD = f"HTTP/1.1 200 OK\r\n{PRODUCT}{JSON}"
FINE = said(200, {"fine": True})


def ask(*urls: str, body: Any = None, timeout_s: float = QUICK_S) -> Any:
    """A request by a client of its own."""
    with closing(client_of(ElasticSettings(hosts=urls, timeout_s=timeout_s))) as client:
        return asked_with(client, body)


def asked_with(client: Any, body: Any = None) -> Any:
    kinds = {"accept": "application/json", "content-type": "application/json"}
    return client.perform_request("POST", "/x", headers=kinds, body=body).body


def words_for(speech: Callable[[Speaker], Speech]) -> str:
    """What is told about an answer that is none."""
    with Speaker() as speaker:
        speaker.answer = lambda _: speech(speaker)
        with pytest.raises(TransportError) as failure:
            ask(speaker.url)
        return why(failure.value, ElasticSettings(hosts=(speaker.url,))).words


def test_a_request_is_packed_and_an_answer_need_not_be() -> None:
    with Speaker(lambda _: FINE) as speaker:
        assert ask(speaker.url, body={"much": "x" * 10_000}) == {"fine": True}
        (asked,) = speaker.asked
        assert asked.packed
        assert json.loads(asked.body) == {"much": "x" * 10_000}
        assert "accept-encoding" not in asked.headers or asked.headers["accept-encoding"] == "identity"


def test_a_connection_is_used_again() -> None:
    with Speaker(lambda _: FINE) as speaker:
        with closing(client_of(ElasticSettings(hosts=(speaker.url,)))) as client:
            for _ in range(3):
                asked_with(client)
        assert (len(speaker.asked), speaker.connections) == (3, 1)


def test_a_connection_that_was_ended_in_the_meantime_is_made_anew_without_a_word() -> None:
    with Speaker(lambda _: [FINE]) as speaker:  # in parts: the connection is ended behind the answer
        with closing(client_of(ElasticSettings(hosts=(speaker.url,)))) as client:
            asked_with(client)
            channel = next(iter(client.transport.node_pool.all()))._channel  # type: ignore[attr-defined]
            channel.settimeout(10.0)
            assert channel.recv(1, socket.MSG_PEEK) == b""
            asked_with(client)
        assert speaker.connections == 2


def dripping(speaker: Speaker) -> Iterator[bytes]:
    return speaker.drips(
        itertools.chain([f"{HEAD}Content-Length: 100000\r\n\r\n".encode()], itertools.repeat(b" ")), 0.02
    )


def dripping_headers(speaker: Speaker) -> Iterator[bytes]:
    return speaker.drips(itertools.chain([HEAD.encode()], itertools.repeat(b"x")), 0.02)


def for_ever_to_be_continued(speaker: Speaker) -> Iterator[bytes]:
    return speaker.drips(itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"), 0.005)


@pytest.mark.parametrize(
    "speech", [dripping, dripping_headers, for_ever_to_be_continued, lambda s: s.drips([b""], 60)]
)
def test_an_answer_that_does_not_come_to_its_end_is_given_up(speech: Callable[[Speaker], Speech]) -> None:
    assert "no answer in time" in words_for(speech)


def endless(headers: str, part: bytes) -> Iterator[bytes]:
    yield f"{HEAD}{headers}\r\n".encode()
    yield from itertools.repeat(part)


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ("Content-Length: 1000000000000\r\n", b"[" * (1 << 16)),
        ("Transfer-Encoding: chunked\r\n", b"10000\r\n" + b"[" * (1 << 16) + b"\r\n"),
    ],
)
def test_an_answer_is_read_up_to_a_size(headers: str, part: bytes) -> None:
    with Speaker(lambda _: endless(headers, part)) as speaker:
        with pytest.raises(Unconnected) as failure:
            ask(speaker.url, timeout_s=30.0)
        words = why(failure.value, ElasticSettings(hosts=(speaker.url,))).words
    assert f"longer than {MOST_ANSWER:,} bytes" in words


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ("Content-Length: 9000\r\n", "early"),
        ("", "how long"),
        ("Content-Length: -1\r\n", "how long"),
        ("Transfer-Encoding: chunked\r\n", ""),
        ("Content-Encoding: gzip\r\nContent-Length: 2\r\n", "packed"),
    ],
)
def test_an_answer_that_is_not_whole_or_not_plain_is_none(headers: str, words: str) -> None:
    assert words in words_for(lambda _: [f"{HEAD}{headers}\r\n{{}}".encode()])


@pytest.mark.parametrize(
    "speech", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200", b"\r\n\r\n", b"\0" * 100_000]
)
def test_what_is_no_http_is_none(speech: bytes) -> None:
    assert words_for(lambda _: [speech]).isprintable()


@pytest.mark.parametrize(
    "speech", [b"SSH-2.0-OpenSSH_9.2\r\n", b"{}", b"HTTP/7.0 200 OK\r\n\r\n", b"\0" * 100_000]
)
def test_who_speaks_something_else_is_told_so(speech: bytes) -> None:
    words = words_for(lambda _: [speech])
    assert "does not speak HTTP; is that the port of Elasticsearch?" in words


def test_more_headers_than_anybody_needs_are_none() -> None:
    headers = b"".join(b"X-%d: y\r\n" % number for number in range(1_000))
    assert words_for(lambda _: [HEAD.encode() + headers + b"\r\n{}"]).isprintable()


def test_nobody_is_followed() -> None:
    with Speaker(lambda _: FINE) as elsewhere, Speaker() as speaker:
        away = f"Location: {elsewhere.url}/x\r\n{PRODUCT}{JSON}"
        speaker.answer = lambda _: said(307, {}, away)
        with pytest.raises(ApiError) as failure:
            ask(speaker.url)
        assert failure.value.meta.status == 307
        assert elsewhere.asked == []


def test_a_warning_of_the_other_side_is_none_of_ours() -> None:
    headers = f'Warning: 299 Elasticsearch "you are all wrong"\r\n{PRODUCT}{JSON}'
    with Speaker(lambda _: said(200, {"fine": True}, headers)) as speaker:
        assert ask(speaker.url) == {"fine": True}


@pytest.mark.parametrize("kind", ["text/html", "image/png", "", "application/jsonx"])
def test_a_refusal_of_whatever_kind_keeps_its_status(kind: str) -> None:
    with Speaker(lambda _: said(413, b"<html>\xff", f"Content-Type: {kind}\r\n")) as speaker:
        with pytest.raises(ApiError) as failure:
            ask(speaker.url)
        assert failure.value.meta.status == 413


def test_who_refuses_a_long_body_unread_is_understood() -> None:
    """As servers do: they answer, and end the connection while it is still written to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            channel, _ = listener.accept()
            with channel:
                channel.recv(100)
                channel.sendall(said(413, b"", "Connection: close\r\n"))
                channel.shutdown(socket.SHUT_WR)
                while channel.recv(1 << 16):
                    pass

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(ApiError) as failure:
            ask(f"http://127.0.0.1:{listener.getsockname()[1]}", body="x" * 5_000_000, timeout_s=20.0)
        thread.join()
    assert failure.value.meta.status == 413


def test_who_reads_ever_so_slowly_is_given_up(tmp_path: Path) -> None:
    certificates = certificates_in(tmp_path)
    context = serving(certificates.server)
    ended = threading.Event()

    def sip() -> None:
        channel, _ = listener.accept()
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        with channel, context.wrap_socket(channel, server_side=True) as hidden:
            while not ended.wait(0.05):
                hidden.recv(16_384)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=sip)
        thread.start()
        hosts = (f"https://127.0.0.1:{listener.getsockname()[1]}",)
        settings = ElasticSettings(hosts=hosts, ca_file=certificates.ca, timeout_s=1.0)
        with closing(client_of(settings)) as client, pytest.raises(ConnectionTimeout):
            asked_with(client, random.Random(1).randbytes(50_000_000).hex())
        ended.set()
        thread.join()


def test_json_that_is_deeper_than_any_answer_is_no_answer() -> None:
    with (
        Speaker(lambda _: said(200, b"[" * 100_000)) as speaker,
        pytest.raises((TransportError, RecursionError)),
    ):
        ask(speaker.url)


def test_a_node_that_is_down_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with Speaker(lambda _: FINE) as speaker:
        with closing(client_of(ElasticSettings(hosts=(gone, speaker.url)))) as client:
            for _ in range(6):
                assert asked_with(client) == {"fine": True}
        assert len(speaker.asked) == 6


def stranger(_: Asked) -> bytes:
    return said(200, b"<h1>Sign in</h1>", "Content-Type: text/html\r\n")


def test_a_host_that_is_no_elasticsearch_is_passed_over() -> None:
    with Speaker(stranger) as other, Speaker(lambda _: FINE) as speaker:
        with closing(client_of(ElasticSettings(hosts=(other.url, speaker.url)))) as client:
            for _ in range(6):
                assert asked_with(client) == {"fine": True}
        assert len(speaker.asked) == 6


def test_only_if_all_hosts_are_none_nobody_is_asked_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with Speaker(stranger) as one, Speaker(stranger) as other:
        for urls, stops in (((one.url, other.url), True), ((one.url,), True), ((one.url, gone), False)):
            with pytest.raises(TransportError) as failure:
                ask(*urls)
            assert why(failure.value, ElasticSettings(hosts=urls)).stops is stops


def test_who_ends_a_connection_without_an_answer_may_want_tls() -> None:
    def hang_up() -> None:
        channel, _ = listener.accept()
        with channel:
            channel.recv(65_536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(TransportError) as failure:
            ask(url, timeout_s=10.0)
        thread.join()
    words = why(failure.value, ElasticSettings(hosts=(url,))).words
    assert words.endswith("does it speak TLS there? Then write https://")


def test_a_request_that_took_too_long_is_not_made_again_behind_our_back() -> None:
    def silent(_: Asked) -> Iterator[bytes]:
        return first.drips([b""], 60.0)

    with Speaker(silent) as first:
        urls = (first.url, first.url.replace("127.0.0.1", "localhost"))
        with pytest.raises(ConnectionTimeout):
            ask(*urls)
        assert len(first.asked) == 1


def test_the_addresses_of_a_name_are_tried_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone = listener.getsockname()
    with Speaker(lambda _: FINE) as speaker:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", one) for one in (gone, ("127.0.0.1", speaker.port))
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert ask("http://es.example.org:9200") == {"fine": True}


def test_nothing_is_said_about_failures(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(Unconnected):
        ask(gone)
    assert capfd.readouterr() == ("", "")
