"""Importing into Kibana: asked as its import wants it, and no answer believed that cannot be true."""

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.sinks.elastic.kibana_double import Double, serving
from tests.unit.waiting import at_once
from tools.syslog.certificates import Certificates, made

from fileaudit_engine.diagnostics import MachineCannot, UnusableInput
from fileaudit_engine.sinks.elastic.kibana import MOST_BYTES, Kibana, KibanaSettings
from fileaudit_engine.sinks.elastic.kibana_answer import Imported, outcomes
from fileaudit_engine.sinks.elastic.kibana_objects import KibanaObject, bundle_for
from fileaudit_engine.sinks.secrets import Secret

IMPORT = "/api/saved_objects/_import"
HOSTILE = "\x1b[31m\nroot\u202e"
Said = tuple[int, dict[str, str], bytes]


@pytest.fixture
def double() -> Iterator[Double]:
    with serving(Double()) as found:
        yield found


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return made(tmp_path_factory.mktemp("certificates"))


def ask(double: Double, do: Callable[[Kibana], Any], **settings: Any) -> Any:
    """Do something with a Kibana, and let go of it."""
    kibana = Kibana(KibanaSettings(**{"url": double.url, "timeout_s": 10.0, **settings}))
    try:
        return do(kibana)
    finally:
        kibana.close()


def take(double: Double, space: str = "default", **settings: Any) -> list[Imported]:
    def do(kibana: Kibana) -> list[Imported]:
        return kibana.take(bundle_for(space))

    return ask(double, do, space=space, **settings)  # type: ignore[no-any-return]  # of `do`


def refusal(double: Double, do: Callable[[Kibana], Any] = Kibana.look, **settings: Any) -> MachineCannot:
    with pytest.raises(MachineCannot) as caught:
        ask(double, do, **settings)
    return caught.value


def import_refusal(double: Double, **settings: Any) -> MachineCannot:
    return refusal(double, lambda kibana: kibana.take(bundle_for("default")), **settings)


# What is sent, and what it does


def test_all_objects_arrive_as_they_are_shipped(double: Double) -> None:
    found = take(double)
    sent = [json.loads(line) for line in bundle_for("default").content.splitlines()]
    assert list(double.held["default"].values()) == sent
    assert [(one.object.id, one.trouble, one.replaced, one.other_id) for one in found] == [
        (one["id"], "", False, "") for one in sent
    ]
    assert double.asked == [f"POST {IMPORT}?overwrite=true"]


def test_a_second_import_replaces_the_first_by_the_same(double: Double) -> None:
    take(double)
    before = dict(double.held["default"])
    found = take(double)
    assert double.held["default"] == before
    assert all(one.replaced and not one.trouble for one in found)


def test_spaces_do_not_get_in_each_others_way(double: Double) -> None:
    take(double)
    found = take(double, "blue")
    assert {one.other_id for one in found} == {""}
    assert {id_.removesuffix("-blue") for _, id_ in double.held["blue"]} == {
        id_ for _, id_ in double.held["default"]
    }
    assert not set(double.held["blue"]) & set(double.held["default"])


def test_in_another_space_references_and_links_lead_into_it() -> None:
    text = bundle_for("blue").content.decode()
    ids = {json.loads(line)["id"] for line in text.splitlines()}
    needed = {need["id"] for line in text.splitlines() for need in json.loads(line)["references"]}
    linked = set(re.findall(r"#/view/([\w-]+)", text))
    assert needed | linked <= ids
    assert all(id_.endswith("-blue") for id_ in ids)
    assert "blue-blue" not in text


def test_an_id_that_another_space_has_is_told(double: Double) -> None:
    double.held["other"] = {("dashboard", "fileaudit-dashboard-alerts"): {}}
    told = {one.object.id: one.other_id for one in take(double) if one.other_id}
    assert told == {"fileaudit-dashboard-alerts": "fileaudit-dashboard-alerts-0000"}


@pytest.mark.parametrize("base", ["", "/kibana"])
def test_a_base_path_is_kept(base: str) -> None:
    with serving(Double(base=base)) as double:
        assert ask(double, Kibana.look).version == "8.19.0"
        assert len(take(double)) == len(bundle_for("default").objects)
        assert double.asked == [f"GET {base}/api/status", f"POST {base}{IMPORT}?overwrite=true"]


def test_a_space_that_is_not_there_is_told_before_anything_vanishes_in_it(double: Double) -> None:
    error = refusal(double, Kibana.check_space, space="gren")
    assert "there is no space 'gren'" in str(error)
    assert ask(double, Kibana.check_space, space="blue") is None
    assert double.held == {}


@pytest.mark.parametrize(
    ("settings", "authorization"),
    [
        ({"api_key": Secret(env="KEY")}, "ApiKey aWQ6a2V5"),
        ({"username": "elastic", "password": Secret(env="KEY")}, "Basic ZWxhc3RpYzphV1E2YTJWNQ=="),
    ],
)
def test_the_credentials_are_those_of_elasticsearch(
    settings: dict[str, Any], authorization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "aWQ6a2V5")
    with serving(Double(authorization=authorization)) as double:
        assert all(not one.trouble for one in take(double, **settings))
        error = refusal(double)
        assert "it does not know who we are: Unauthorized" in str(error)
        assert "sinks.elasticsearch" in error.remedy


def test_a_secret_that_cannot_be_read_is_told_without_asking_anybody(double: Double, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput):
        ask(double, Kibana.look, api_key=Secret(file=tmp_path / "nothing"))
    assert double.asked == []


# What Kibana refuses


def test_an_object_that_cannot_be_written_is_told_and_the_others_are_there(double: Double) -> None:
    double.fails = {"fileaudit-search-denied": f"no {HOSTILE}"}
    found = take(double)
    assert {one.object.id: one.trouble for one in found if one.trouble} == {
        "fileaudit-search-denied": "no \\x1b[31m\\x0aroot\\u202e"
    }
    assert len(double.held["default"]) == len(found) - 1


def test_what_is_held_back_because_of_others_is_told_to_be(double: Double, monkeypatch: Any) -> None:
    monkeypatch.setattr("tests.unit.sinks.elastic.kibana_double.TYPES", {"search", "dashboard"})
    found = take(double)
    troubles = {one.object.type: one.trouble for one in found}
    assert troubles["index-pattern"] == "this Kibana does not know the type, or its feature is off"
    assert troubles["dashboard"] == ""


def test_whoever_may_not_import_is_told_which_right_it_takes(double: Double) -> None:
    double.forbidden = {IMPORT}
    error = import_refusal(double)
    assert "it refuses the import: Unable to bulk_create" in str(error)
    assert "Saved Objects Management" in error.remedy


@pytest.mark.parametrize(
    ("version", "fine"),
    [
        ("8.9.0", True),
        ("9.2.0", True),
        ("10.0.0-SNAPSHOT", True),
        ("8.8.2", False),
        ("7.17.29", False),
        ("?", True),
    ],
)
def test_a_kibana_that_is_too_old_is_told_so(version: str, fine: bool, double: Double) -> None:  # noqa: FBT001 - what is expected
    double.version = version
    if fine:
        assert ask(double, Kibana.look).version == version
    else:
        assert f"this is Kibana {version}" in str(refusal(double))


@pytest.mark.parametrize(
    ("level", "ready"), [("available", True), ("degraded", True), ("unavailable", False)]
)
def test_it_says_whether_it_is_ready(level: str, ready: bool, double: Double) -> None:  # noqa: FBT001 - what is expected
    double.level = level
    assert ask(double, Kibana.look).ready == ready


def test_a_kibana_that_starts_is_not_ready(double: Double) -> None:
    double.says = lambda _: (503, {"retry-after": "30"}, b"Kibana server is not ready yet")
    assert not ask(double, Kibana.look).ready
    assert "it is not ready" in str(import_refusal(double))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ((302, {"location": "/login?next=%2F"}, b""), "it sends us to /login?next=%2F"),
        ((307, {}, b""), "it sends us to nowhere"),
        ((404, {}, b"<html>"), "what answers there is no Kibana"),
        ((413, {}, b"{}"), "the file is too large"),
        ((429, {}, b'{"message": "slow down"}'), "status 429: slow down"),
        (
            (500, {}, b'{"message": ' + json.dumps(HOSTILE).encode() + b"}"),
            r"status 500: \x1b[31m\x0aroot\u202e",
        ),
        ((400, {}, json.dumps({"message": "x" * 9_000}).encode()), "status 400: " + "x" * 300 + "…"),
        ((200, {}, b""), "cannot be understood"),
        ((200, {}, b"[]"), "cannot be understood"),
        ((200, {}, b'{"success": 1}'), "cannot be understood"),
        ((200, {}, b'{"success": true}'), "contradicts itself"),
        ((200, {}, b"[" * 200_000), "cannot be understood"),
        ((200, {}, b" " * (MOST_BYTES + 1)), "longer than"),
        ((200, {"content-length": "1000"}, b'{"success": true}'), "cannot be reached"),
        ((200, {"content-encoding": "gzip"}, b"\x1f\x8b\x08"), "cannot be understood"),
    ],
)
def test_no_answer_is_believed_that_does_not_say_what_it_should(
    said: Said, words: str, double: Double
) -> None:
    double.says = lambda _: said
    error = import_refusal(double)
    assert words in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 600


def test_a_redirection_is_not_followed_whatever_it_promises(double: Double) -> None:
    with serving(Double()) as elsewhere:
        double.says = lambda path: (307, {"location": f"{elsewhere.url}{path}"}, b"")
        error = import_refusal(double)
        assert f"it sends us to {elsewhere.url}" in str(error)
        assert elsewhere.asked == []


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"status": "green"}', b'{"name": "es", "version": {}}'])
def test_what_is_no_kibana_is_not_taken_for_one(body: bytes, double: Double) -> None:
    double.says = lambda _: (200, {}, body)
    assert "what answers there is no Kibana" in str(refusal(double))


# What becomes of an object, by the answer

TWO = [KibanaObject(type="search", id=name, title=name.upper()) for name in "ab"]


def answer(good: list[str], bad: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {
        "success": not bad,
        "successCount": len(good),
        "successResults": [{"type": "search", "id": one} for one in good],
        "errors": [{"type": "search", "id": one, "error": error} for one, error in bad.items()],
        **rest,
    }


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"type": "conflict"}, "another object is in its way"),
        ({"type": "ambiguous_conflict", "destinations": []}, "another object is in its way"),
        (
            {"type": "missing_references", "references": [{"type": "index-pattern", "id": "logs"}]},
            "it needs what is not there: index-pattern logs",
        ),
        ({"type": "unknown", "message": "why\n"}, r"why\x0a"),
        ({"type": "unknown", "message": 7}, "Kibana says: unknown"),
        ({"type": ["x"]}, "Kibana does not say why"),
        ("no", "Kibana does not say why"),
        (None, "Kibana does not say why"),
    ],
)
def test_why_an_object_is_not_there_is_told_in_words(error: Any, words: str) -> None:
    one, other = outcomes(answer(["a"], {"b": error}), TWO, "here")
    assert (one.trouble, other.trouble) == ("", words)


def test_two_errors_of_an_object_are_both_told() -> None:
    errors = [
        {"type": "search", "id": "a", "error": {"type": kind}} for kind in ("conflict", "unsupported_type")
    ]
    one, other = outcomes(answer([], {"a": 0}, errors=errors), TWO, "here")
    assert one.trouble.count("; ") == 1
    assert other.trouble == "held back, because others could not be imported"


@pytest.mark.parametrize(
    "lie",
    [
        answer(["a"], {}),
        answer(["a", "b"], {}, successCount=1),
        answer(["a", "b"], {}, success=False),
        answer(["a", "b"], {}, successResults="ab"),
        answer(["a", "b"], {}, successResults=[{"type": ["search"], "id": {}}] * 2),
        answer(["a", "c"], {}),
        answer(["a", "b"], {"b": {"type": "conflict"}}),
        answer(["a", "b"], {}, errors=[{"type": "search", "id": "a"}]),
        answer(["a", "b"], {}, successCount="2"),
    ],
)
def test_an_answer_that_contradicts_itself_is_none(lie: dict[str, Any]) -> None:
    with pytest.raises(MachineCannot, match="contradicts itself"):
        outcomes(lie, TWO, "here")


# The way there


def test_nobody_there_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = refusal(Double(url=f"http://127.0.0.1:{port}"))
    assert f"http://127.0.0.1:{port}: cannot be reached: Connection refused" in str(error)


def test_silence_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        double = Double(url=f"http://127.0.0.1:{server.getsockname()[1]}")
        assert "no answer in time" in str(refusal(double, timeout_s=0.2))


DRIPS = {
    "body": (b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b" "),
    "body of no length": (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "header": (b"HTTP/1.1 200 OK\r\nx: ", b"y"),
    "first line": (b"HTTP/1.1 200 ", b"O"),
    "promise": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


def drip(server: socket.socket, begin: bytes, more: bytes) -> None:
    """Begin an answer, and go on with it for as long as somebody listens."""
    with contextlib.suppress(OSError), server.accept()[0] as connection:
        connection.sendall(begin)
        while True:
            connection.sendall(more)
            time.sleep(0.01)


@pytest.mark.parametrize("what", DRIPS)
def test_an_answer_that_does_not_end_is_told_in_words(what: str) -> None:
    with at_once(), socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server, *DRIPS[what]), daemon=True)
        thread.start()
        double = Double(url=f"http://127.0.0.1:{server.getsockname()[1]}")
        assert "the answer does not come to an end" in str(refusal(double, timeout_s=0.2))
        thread.join()


def test_what_speaks_another_language_is_told_in_words(certificates: Certificates) -> None:
    with serving(Double(), cert=certificates.server.cert, key=certificates.server.key) as double:
        error = refusal(Double(url=double.url.replace("https", "http")))
        assert "cannot be reached" in str(error)


def test_over_tls_it_is_the_same(certificates: Certificates) -> None:
    with serving(Double(), cert=certificates.server.cert, key=certificates.server.key) as double:
        assert all(not one.trouble for one in take(double, ca_file=certificates.ca))


@pytest.mark.parametrize(
    ("shown", "trusted", "words"),
    [
        ("server", "other_ca", "self-signed certificate|unable to get local issuer"),
        ("server", None, "self-signed certificate|unable to get local issuer"),
        ("elsewhere", "ca", "IP address mismatch"),
        ("expired", "ca", "certificate has expired"),
    ],
)
def test_credentials_go_to_nobody_who_has_not_proven_who_he_is(
    shown: str, trusted: str | None, words: str, certificates: Certificates
) -> None:
    one = getattr(certificates, shown)
    with serving(Double(), cert=one.cert, key=one.key) as double:
        error = import_refusal(double, ca_file=getattr(certificates, trusted) if trusted else None)
        assert re.search(f"not to be trusted: .*({words})", str(error))
        assert "--kibana-ca" in error.remedy
        assert double.asked == []


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_that_has_no_certificates_is_told(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UnusableInput, match="the certificates cannot be used"):
        Kibana(KibanaSettings(url="https://127.0.0.1:1", ca_file=file))
