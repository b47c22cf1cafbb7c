"""`elastic install --kibana`: what is printed, and what the command ends with."""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.sinks.elastic.full_node import FullNode
from tests.unit.sinks.elastic.kibana_double import Double, serving

from fileaudit_engine.cli import elastic_kibana
from fileaudit_engine.cli.main import main
from fileaudit_engine.diagnostics import UnusableInput
from fileaudit_engine.sinks.elastic.kibana import KibanaSettings
from fileaudit_engine.sinks.settings import ElasticSettings

ELASTIC = ElasticSettings(hosts=("https://es:9200",), ca_file=Path("/etc/ca.pem"), timeout_s=7.0)


@pytest.fixture
def double() -> Iterator[Double]:
    with serving(Double()) as found:
        yield found


@pytest.fixture
def node() -> Iterator[FullNode]:
    with FullNode() as found:
        yield found


@pytest.fixture
def run(tmp_path: Path, node: FullNode, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """The command, its exit status and all that it prints from the line about Kibana on."""
    config = tmp_path / "config.yml"
    config.write_text(f"sinks: {{elasticsearch: {{hosts: ['{node.url}']}}}}\n")

    def install(*arguments: str) -> tuple[int, str]:
        status = main(["elastic", "install", "--config", str(config), "--color", "never", *arguments])
        out, err = capsys.readouterr()
        return status, out[out.find("kibana  ") :] + err if "kibana  " in out else err

    return install


def settings_of(*arguments: str) -> KibanaSettings | None:
    parser = argparse.ArgumentParser()
    elastic_kibana.add_options(parser)
    return elastic_kibana.settings_of(parser.parse_args(arguments), ELASTIC)


def test_what_is_imported_is_printed_object_by_object(
    run: Callable[..., tuple[int, str]], double: Double
) -> None:
    status, printed = run("--kibana", double.url)
    lines = printed.splitlines()
    assert status == 0
    assert lines[0] == f"kibana    {double.url} · Kibana 8.19.0 · space default"
    assert lines[1].split() == ["+", "data", "view", "File", "audit:", "everything", "created"]
    assert lines[-2:] == [
        "2 data views, 10 searches, 3 dashboards imported",
        f"open {double.url}/app/dashboards#/view/fileaudit-dashboard-alerts",
    ]
    assert len(lines) == 18


def test_a_second_time_says_that_it_replaces(run: Callable[..., tuple[int, str]], double: Double) -> None:
    run("--kibana", double.url)
    before = json.dumps(list(double.held["default"].values()))
    status, printed = run("--kibana", double.url)
    assert status == 0
    assert json.dumps(list(double.held["default"].values())) == before
    assert printed.count("  replaced") == 15


def test_a_dry_run_lists_and_imports_nothing(run: Callable[..., tuple[int, str]], double: Double) -> None:
    status, printed = run("--kibana", f"{double.url}/", "--dry-run")
    assert status == 0
    assert printed.count("  would be imported") == 15
    assert "2 data views, 10 searches, 3 dashboards would be imported; nothing was changed" in printed
    assert double.held == {}
    assert double.asked == ["GET /api/status"]


def test_in_a_space_the_link_leads_into_it(run: Callable[..., tuple[int, str]], double: Double) -> None:
    status, printed = run("--kibana", double.url, "--space", "blue")
    assert status == 0
    assert f"open {double.url}/s/blue/app/dashboards#/view/fileaudit-dashboard-alerts-blue" in printed
    assert set(double.held) == {"blue"}


def test_what_is_not_imported_is_a_finding(run: Callable[..., tuple[int, str]], double: Double) -> None:
    double.fails = {"fileaudit-dashboard-alerts": "no room\n"}
    status, printed = run("--kibana", double.url)
    assert status == 1
    assert "not imported: no room\\x0a\n" in printed
    assert "2 data views, 10 searches, 2 dashboards imported, 1 object not" in printed
    assert "open " not in printed


def test_a_space_that_is_not_there_stops_it(run: Callable[..., tuple[int, str]], double: Double) -> None:
    status, printed = run("--kibana", double.url, "--space", "gren")
    assert status == 3
    assert "there is no space 'gren'" in printed
    assert double.held == {}


def test_a_kibana_that_starts_stops_it(run: Callable[..., tuple[int, str]], double: Double) -> None:
    double.level = "unavailable"
    status, printed = run("--kibana", double.url)
    assert status == 3
    assert "Kibana is not ready" in printed
    assert double.held == {}


def test_a_command_line_that_is_wrong_stops_it_before_anything_is_changed(
    run: Callable[..., tuple[int, str]], node: FullNode
) -> None:
    status, printed = run("--kibana", "http://kibana:5601")
    assert status == 2
    assert "credentials would be readable on the way" in printed
    assert node.requests == []


def test_without_the_option_nobody_looks_for_a_kibana(
    run: Callable[..., tuple[int, str]], double: Double
) -> None:
    assert run()[0] == 0
    assert double.asked == []
    assert settings_of() is None


def test_what_is_not_said_of_kibana_is_as_for_elasticsearch() -> None:
    assert settings_of("--kibana", "https://Kibana:5601/base/") == KibanaSettings(
        url="https://kibana:5601/base", ca_file=Path("/etc/ca.pem"), timeout_s=7.0
    )
    own = settings_of("--kibana", "https://[::1]", "--space", "a_b-1", "--kibana-ca", "/other.pem")
    assert own == KibanaSettings(
        url="https://[::1]", space="a_b-1", ca_file=Path("/other.pem"), timeout_s=7.0
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--kibana", "kibana:5601"], "is no address"),
        (["--kibana", "ftp://kibana"], "is not one of the web"),
        (["--kibana", "https://"], "is not one of the web"),
        (["--kibana", "https://u:secret@kibana"], "has a user or a password in it"),
        (["--kibana", "https://kibana:5601?x=1"], "has more than a path"),
        (["--kibana", "https://kibana/#/view"], "has more than a path"),
        (["--kibana", "https://kibana/a b"], "has more than a path"),
        (["--kibana", "https://kibana/%2e%2e"], "has more than a path"),
        (["--kibana", "https://kibana/\r\nx"], "has more than a path"),
        (["--kibana", "http://kibana:5601"], "credentials would be readable"),
        (["--kibana", "https://kibana", "--space", "Blue"], "'Blue' cannot be the name of a space"),
        (["--kibana", "https://kibana", "--space", "a/../b"], "cannot be the name of a space"),
        (["--kibana", "https://kibana", "--space", ""], "cannot be the name of a space"),
        (["--space", "blue"], "it is about a Kibana, and none is named"),
        (["--kibana-ca", "x.pem"], "it is about a Kibana, and none is named"),
    ],
)
def test_a_kibana_that_cannot_be_meant_is_refused(arguments: list[str], problem: str) -> None:
    with pytest.raises(UnusableInput, match=problem) as caught:
        settings_of(*arguments)
    assert caught.value.diagnostics[0].help
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:5601", "http://localhost", "http://[::1]:5601"])
def test_on_this_host_it_need_not_be_tls(url: str) -> None:
    found = settings_of("--kibana", url)
    assert found is not None
    assert found.url == url
