"""What the node that other tests talk to promises them."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from tests.integration.elastic_templates import put_templates
from tools.elastic.asking import Refused, asked
from tools.elastic.node import Node
from tools.syslog.process import wait_until

TOOL = Path(__file__).parents[2] / "tools/elasticsearch-node"
END_S = 30.0
READER = ("reader", "only-looks")
DELIVERER = ("deliverer", "deliver-it")


def test_a_node_keeps_its_port_and_its_data_over_a_crash(elastic: Node) -> None:
    elastic.ask("PUT", "/kept/_doc/1", {"here": True})
    port, server = elastic.port, elastic.pid

    elastic.kill()
    assert not _runs(server)
    elastic.start()

    assert elastic.port == port
    assert elastic.pid != server
    assert elastic.ask("GET", "/kept/_doc/1")["_source"] == {"here": True}


def test_a_paused_node_answers_nobody_until_it_goes_on(elastic: Node) -> None:
    elastic.pause()
    try:
        with pytest.raises(TimeoutError):
            elastic.ask("GET", "/_cluster/health", timeout_s=0.5)
    finally:
        elastic.resume()
    assert elastic.ask("GET", "/_cluster/health")["number_of_nodes"] == 1


def test_who_is_no_user_is_refused_and_who_may_only_read_cannot_write(elastic_secure: Node) -> None:
    put_templates(elastic_secure)
    stream = "/logs-fileaudit.alert-node"
    for who in (("reader", "wrong"), ("nobody", "only-looks")):
        assert status(elastic_secure, "GET", f"{stream}/_search", who) == 401
    assert status(elastic_secure, "POST", f"{stream}/_doc", READER) == 403
    assert status(elastic_secure, "POST", f"{stream}/_doc", DELIVERER) == 200
    assert status(elastic_secure, "GET", f"{stream}/_search", DELIVERER) == 403
    assert status(elastic_secure, "GET", f"{stream}/_search", READER) == 200


def status(node: Node, method: str, path: str, who: tuple[str, str]) -> int:
    """What somebody's question is answered with; 200 for all that is done."""
    body = {"@timestamp": "2026-11-28T00:00:00Z"} if method == "POST" else None
    try:
        asked(f"{node.url}{path}", method, body, who=who, ca=node.ca, timeout_s=30)
    except Refused as refused:
        return refused.status
    return 200


def test_nothing_is_left_when_whoever_started_it_is_killed() -> None:
    started = json.loads(subprocess.run([TOOL, "start"], check=True, capture_output=True).stdout)
    folder, data = Path(started["folder"]), Path(started["log"]).parent
    tool = int((folder / "pid").read_text())
    try:
        processes = _below(tool)
        assert len(processes) == 2, "a launcher and a server"
        os.kill(tool, signal.SIGKILL)
        assert wait_until(lambda: not any(map(_runs, processes)), END_S)
    finally:
        subprocess.run([TOOL, "stop", folder], check=True)
    assert not folder.exists()
    assert not data.exists()


def _runs(pid: int) -> bool:
    """Whether there is such a process; one that has ended and is only waited for has no program."""
    return Path(f"/proc/{pid}/exe").exists()


def _below(pid: int) -> list[int]:
    """The processes that one has started, and those that these have."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *_below(child)]
    return found
