"""What a real node answers to whoever asks whether it would take records."""

import dataclasses
from pathlib import Path
from typing import Final

import pytest
from tests.integration.elastic_templates import put_templates
from tools.elastic.node import Node
from tools.syslog.process import free_port

from fileaudit_engine.sinks.elastic.reach import reach
from fileaudit_engine.sinks.secrets import Secret
from fileaudit_engine.sinks.settings import ElasticSettings

FINGERPRINT: Final = "0123456789abcdef" * 4


@pytest.fixture
def settings(elastic_secure: Node, tmp_path: Path) -> ElasticSettings:
    """Of somebody who may deliver, to a node that has the templates."""
    put_templates(elastic_secure)
    return ElasticSettings(
        hosts=(elastic_secure.url,),
        username="deliverer",
        password=secret(tmp_path, "deliver-it"),
        ca_file=elastic_secure.ca,
    )


def secret(folder: Path, text: str) -> Secret:
    file = folder / "password"
    file.touch(mode=0o600)
    file.write_text(text)
    return Secret(file=file)


def test_who_may_deliver_reaches_it(settings: ElasticSettings) -> None:
    found = reach(settings)
    assert found.ok, found
    assert found.detail.startswith(f"{settings.hosts[0]} answers")


def test_so_does_who_knows_the_authority_by_its_fingerprint(
    settings: ElasticSettings, elastic_secure: Node
) -> None:
    known = dataclasses.replace(settings, ca_file=None, ca_fingerprint=elastic_secure.ca_fingerprint)
    assert reach(known).ok


def test_who_may_only_read_is_told_what_they_need(settings: ElasticSettings, tmp_path: Path) -> None:
    reader = dataclasses.replace(settings, username="reader", password=secret(tmp_path, "only-looks"))
    found = reach(reader)
    assert not found.ok
    assert "'reader' may not write there" in found.detail
    assert "create_doc" in found.remedy


def test_a_wrong_password_is_told_with_its_place_and_without_itself(
    settings: ElasticSettings, tmp_path: Path
) -> None:
    found = reach(dataclasses.replace(settings, password=secret(tmp_path, "hunter2")))
    assert not found.ok
    assert str(tmp_path / "password") in found.detail
    assert "hunter2" not in str(found)


def test_a_missing_template_is_told_with_the_command_that_puts_it(
    settings: ElasticSettings, elastic_secure: Node, tmp_path: Path
) -> None:
    elastic_secure.ask("DELETE", "/_index_template/logs-fileaudit.event")
    admin = dataclasses.replace(
        settings, username="elastic", password=secret(tmp_path, elastic_secure.password)
    )
    found = reach(admin)
    assert not found.ok
    assert found.remedy == "fileaudit-engine elastic install"


def test_a_node_of_another_authority_or_another_fingerprint_is_not_trusted(
    settings: ElasticSettings, elastic_secure: Node
) -> None:
    assert elastic_secure.certificates is not None
    other_file = dataclasses.replace(settings, ca_file=elastic_secure.certificates.other_ca)
    other_print = dataclasses.replace(settings, ca_file=None, ca_fingerprint=FINGERPRINT)
    for wrong in (other_file, other_print):
        found = reach(wrong)
        assert not found.ok
        assert "certificate" in found.detail
        assert found.remedy


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_where_nobody_listens_is_told(scheme: str) -> None:
    host = f"{scheme}://127.0.0.1:{free_port()}"
    for fingerprint in (None, FINGERPRINT):
        found = reach(ElasticSettings(hosts=(host,), ca_fingerprint=fingerprint))
        assert not found.ok
        assert host in found.detail


def test_a_node_of_the_other_scheme_is_told(elastic_secure: Node) -> None:
    found = reach(ElasticSettings(hosts=(f"http://127.0.0.1:{elastic_secure.port}",)))
    assert not found.ok
