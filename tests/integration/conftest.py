"""Real nodes, one of each kind for all tests: each takes a gigabyte, and twelve seconds to start.

They end with the last test of this folder: those of the kernel that follow want a quiet machine.
"""

import contextlib
from pathlib import Path
from typing import Final

import pytest
from tools.elastic.distribution import VERSIONS, java_for
from tools.elastic.node import Node
from tools.elastic.users import User

DELIVERER: Final = User(
    password="deliver-it",
    role={"indices": [{"names": ["logs-fileaudit.*"], "privileges": ["create_doc", "auto_configure"]}]},
)
"""May do what the engine needs to deliver, and nothing else."""
READER: Final = User(
    password="only-looks",
    role={"indices": [{"names": ["logs-fileaudit.*"], "privileges": ["read"]}]},
)
"""May do nothing of that."""
RUNNABLE: Final = [version for version in VERSIONS if java_for(version) is not None]
"""Elasticsearch 9 needs a Java that not every distribution has."""


_NODES: Final = contextlib.ExitStack()


def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Whether this was the last one that may need a node."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        _NODES.close()


@pytest.fixture(scope="session")
def elastic() -> Node:
    """Elasticsearch 8.19 to whom everybody may say everything."""
    return _NODES.enter_context(Node(version=VERSIONS[0]))


@pytest.fixture(scope="session")
def elastic_secure() -> Node:
    """The same behind TLS, for `elastic`, `deliverer` and `reader` with their passwords."""
    users = {"deliverer": DELIVERER, "reader": READER}
    return _NODES.enter_context(Node(version=VERSIONS[0], tls=True, users=users))


@pytest.fixture(scope="session", params=RUNNABLE)
def each_elastic(request: pytest.FixtureRequest) -> Node:
    """One node of each version that runs here, 8.19 always; as open as `elastic`, which the oldest one is."""
    if request.param == VERSIONS[0]:
        oldest: Node = request.getfixturevalue("elastic")
        return oldest
    return _NODES.enter_context(Node(version=request.param))
