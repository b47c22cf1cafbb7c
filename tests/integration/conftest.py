"""Real nodes, one of each kind for all tests: each takes a gigabyte, and twelve seconds to start."""

from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def elastic() -> Iterator[Node]:
    """Elasticsearch 8.19 to whom everybody may say everything."""
    with Node(version=VERSIONS[0]) as node:
        yield node


@pytest.fixture(scope="session")
def elastic_secure() -> Iterator[Node]:
    """The same behind TLS, for `elastic`, `deliverer` and `reader` with their passwords."""
    with Node(version=VERSIONS[0], tls=True, users={"deliverer": DELIVERER, "reader": READER}) as node:
        yield node


@pytest.fixture(scope="session", params=RUNNABLE)
def each_elastic(request: pytest.FixtureRequest) -> Iterator[Node]:
    """One node of each version that runs here, 8.19 always; as open as `elastic`, which the oldest one is."""
    if request.param == VERSIONS[0]:
        yield request.getfixturevalue("elastic")
        return
    with Node(version=request.param) as node:
        yield node
