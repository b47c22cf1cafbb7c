"""What a node may answer to whoever asks whether it would take records."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sinks.base import Reached
from fileaudit_engine.sinks.elastic.node import Reply
from fileaudit_engine.sinks.elastic.reach import reach, reached
from fileaudit_engine.sinks.secrets import Secret
from fileaudit_engine.sinks.settings import ElasticSettings

RIGHTS: Final = "/_security/user/_has_privileges"
SETTINGS: Final = ElasticSettings(hosts=("https://es:9200",), namespace="prod")
ALL_IS_WELL: Final[Mapping[str, Reply]] = {
    RIGHTS: Reply(status=200, body={"username": "deliverer", "has_all_requested": True}),
    "/_index_template/logs-fileaudit.alert": Reply(status=200, body={}),
    "/_index_template/logs-fileaudit.event": Reply(status=200, body={}),
    "/": Reply(status=200, body={"version": {"number": "9.1.2"}}),
}


class Scripted:
    """A node that has its answers ready."""

    place = "https://es:9200"

    def __init__(self, answers: Mapping[str, Reply]) -> None:
        self._answers = answers
        self.asked: list[tuple[str, str, Any]] = []

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Reply:
        self.asked.append((method, path, body))
        return self._answers[path]


def said(**answers: Reply) -> Reached:
    """What becomes of a node where all is well but for what is named: `rights`, `template`, `version`."""
    paths = {"rights": RIGHTS, "template": "/_index_template/logs-fileaudit.event", "version": "/"}
    changed = {paths[name]: reply for name, reply in answers.items()}
    listed = {"/_nodes/_local?filter_path=nodes.*.version": Reply(status=403, body={})}
    return reached(Scripted({**ALL_IS_WELL, **listed, **changed}), SETTINGS)


def test_a_node_that_takes_records_is_named_with_its_version() -> None:
    assert said() == Reached(ok=True, detail="https://es:9200 answers (Elasticsearch 9.1.2)")


def test_what_is_asked_for_is_what_delivering_takes_and_no_more() -> None:
    node = Scripted(ALL_IS_WELL)
    reached(node, SETTINGS)
    names = ["logs-fileaudit.alert-prod", "logs-fileaudit.event-prod"]
    privileges = {"index": [{"names": names, "privileges": ["create_doc", "auto_configure"]}]}
    assert node.asked[0] == ("POST", RIGHTS, privileges)
    assert all(method == "GET" for method, _, _ in node.asked[1:])


def test_a_node_that_asks_nobody_who_they_are_lets_everybody_write() -> None:
    assert said(rights=Reply(status=400, body={"error": "no handler found"})).ok


def test_who_may_not_write_is_named_with_what_they_need() -> None:
    found = said(rights=Reply(status=200, body={"username": "reader", "has_all_requested": False}))
    assert not found.ok
    assert found.detail == "https://es:9200: 'reader' may not write there"
    assert found.remedy == "give them create_doc and auto_configure on logs-fileaudit.*"


def test_who_is_not_known_is_told_where_the_secret_stands(tmp_path: Path) -> None:
    settings = ElasticSettings(hosts=SETTINGS.hosts, api_key=Secret(file=tmp_path / "es.key"))
    refused = Reply(status=401, body={"error": {"type": "security_exception", "reason": "unknown key"}})
    found = reached(Scripted({RIGHTS: refused}), settings)
    assert not found.ok
    assert f"the API key in {tmp_path}/es.key is refused" in found.detail
    assert found.remedy == "write a valid one there: the engine looks again by itself"


def test_a_missing_template_is_told_with_the_command_that_puts_it() -> None:
    found = said(template=Reply(status=404, body={}))
    assert not found.ok
    assert found.detail == "https://es:9200 has no template logs-fileaudit.event: records wait until it has"
    assert found.remedy == "fileaudit-engine elastic install"


def test_templates_that_are_not_to_be_seen_may_be_there() -> None:
    assert said(template=Reply(status=403, body={})).ok


@pytest.mark.parametrize("version", ["8.12.2", "7.17.29", "8.0.0-SNAPSHOT"])
def test_a_version_that_cannot_be_delivered_to_is_told(version: str) -> None:
    found = said(version=Reply(status=200, body={"version": {"number": version}}))
    assert not found.ok
    assert version in found.detail
    assert "8.13" in found.remedy


@pytest.mark.parametrize("version", ["8.13.0", "8.19.3", "9.0.0", "10.1", "serverless", ""])
def test_any_other_version_may_be_delivered_to(version: str) -> None:
    assert said(version=Reply(status=200, body={"version": {"number": version}})).ok


def test_a_version_that_is_not_to_be_seen_is_left_out() -> None:
    assert said(version=Reply(status=403, body={})).detail == "https://es:9200 answers"


@pytest.mark.parametrize(
    "body", [None, [], "no", {"has_all_requested": "yes"}, {"has_all_requested": True, "username": 7}]
)
def test_an_answer_of_another_form_is_an_error_in_words(body: object) -> None:
    found = said(rights=Reply(status=200, body=body))
    assert not found.ok
    assert "cannot be understood" in found.detail


def test_no_name_that_a_node_says_acts_on_a_terminal() -> None:
    found = said(rights=Reply(status=200, body={"username": "\x1b[2J" * 999, "has_all_requested": False}))
    assert "\x1b" not in found.detail
    assert len(found.detail) < 2_000


def test_a_node_that_does_not_answer_is_told_with_what_to_do() -> None:
    class Silent(Scripted):
        def ask(self, *_asked: object) -> Reply:
            raise MachineCannot("https://es:9200: no answer in time", remedy="look there")

    found = reached(Silent({}), SETTINGS)
    assert found == Reached(ok=False, detail="https://es:9200: no answer in time", remedy="look there")


def test_a_secret_that_is_not_there_is_told_and_nobody_is_asked(tmp_path: Path) -> None:
    found = reach(ElasticSettings(hosts=("https://127.0.0.1:1",), api_key=Secret(file=tmp_path / "es.key")))
    assert not found.ok
    assert str(tmp_path / "es.key") in found.detail
    assert found.remedy
