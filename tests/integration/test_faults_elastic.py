"""Whatever happens to Elasticsearch or to the way to it: what it has afterwards is what the store has.

None is missing, no id comes twice, only what can never be taken is a dead letter, and it does not hold up the
others.
"""

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from tests.integration.conftest import DELIVERER
from tests.integration.faults import EVERYWHERE, OF_WHO_ANSWERS, Fault, Scene, seconds_gone_by
from tests.integration.harness import Engine, every_row, no_room
from tests.integration.proxy import Side, in_front_of
from tests.integration.receivers import indexed_ids, install, map_pids
from tests.unit.sinks.small_disk import small_disk
from tools.elastic.node import Node

from fileaudit_engine.sinks.elastic.sink import ElasticSink
from fileaudit_engine.sinks.secrets import Secret
from fileaudit_engine.sinks.settings import ElasticSettings

FAULTS: Final = EVERYWHERE | OF_WHO_ANSWERS
CONFIRMED: Final = 300
HIT: Final = 900
AFTER: Final = 200
TIMEOUT_S: Final = 2.0
"""Of the sink: what is silent for longer has not answered."""
SMALL: Final = 100_000
"""Bytes of a request that a node takes."""


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """A node of its own: it is stopped, killed and held."""
    with Node() as made:
        install(made)
        yield made


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> str:
    """Data streams of its own for each test."""
    return re.sub(r"[^a-z0-9]+", "_", request.node.name.lower())[:80]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Scene):
    """A scene whose receiver is Elasticsearch."""

    node: Node
    namespace: str

    def ids(self) -> list[str]:
        """All that it has of this test."""
        return indexed_ids(self.node, self.namespace)

    def has_all(self, except_rows: Mapping[int, str] | None = None) -> bool:
        """Whether it has what the store has, each once, but for some rows."""
        rows = every_row(self.engine.store)
        return self.ids() == sorted(row.id for row in rows if row.seq not in (except_rows or {}))

    def block(self, name: str, *, on: bool) -> None:
        """Have the alerts' index take nothing, as a full disk does."""
        target = f"/logs-fileaudit.alert-{self.namespace}/_settings"
        self.node.ask("PUT", target, {f"index.blocks.{name}": on or None})


def engine_for(settings: ElasticSettings, place: Path) -> Engine:
    return Engine(place / "store" / "events.db", {"elasticsearch": functools.partial(made, settings)})


def made(settings: ElasticSettings, _tell: Callable[[str], None]) -> ElasticSink:
    return ElasticSink(settings)


@pytest.fixture
def stage(node: Node, namespace: str, tmp_path: Path) -> Iterator[Stage]:
    with in_front_of(node.port) as proxy:
        settings = settings_for(f"http://127.0.0.1:{proxy.port}", namespace)
        with engine_for(settings, tmp_path) as engine:
            yield Stage(engine=engine, receiver=node, proxy=proxy, node=node, namespace=namespace)


def settings_for(url: str, namespace: str, **more: Any) -> ElasticSettings:
    return ElasticSettings(hosts=(url,), namespace=namespace, timeout_s=TIMEOUT_S, **more)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_each_alert_is_there_once_after(fault: Fault, stage: Stage) -> None:
    engine = stage.engine
    engine.alert(CONFIRMED)
    engine.drain()
    hits = fault.hits(stage)
    fault.begins(stage)
    engine.alert(HIT)
    engine.run_until(hits)
    fault.ends(stage)
    engine.alert(AFTER)
    engine.drain()
    assert stage.has_all()
    assert engine.store.dead_letters("elasticsearch") == {}


@pytest.mark.parametrize("block", ["write", "read_only_allow_delete"])
def test_an_index_that_takes_nothing_for_a_while_is_waited_for(block: str, stage: Stage) -> None:
    # 403 for the one and 429 for the other, which a node sets itself when its disk is full.
    engine = stage.engine
    engine.alert(CONFIRMED)
    engine.drain()
    stage.block(block, on=True)
    engine.alert(HIT)
    engine.run_until(stage.is_in_trouble)
    assert len(stage.ids()) < CONFIRMED + HIT
    stage.block(block, on=False)
    engine.drain()
    assert stage.has_all()
    assert engine.store.dead_letters("elasticsearch") == {}


def test_a_node_that_is_overwhelmed_is_waited_for(stage: Stage) -> None:
    restarted(stage.node, {"indexing_pressure.memory.limit": "1b"})
    try:
        stage.engine.alert(CONFIRMED)
        stage.engine.run_until(lambda: "429" in "".join(stage.engine.troubles().values()))
    finally:
        restarted(stage.node, {})
    stage.engine.drain()
    assert stage.has_all()
    assert stage.engine.store.dead_letters("elasticsearch") == {}


def test_requests_that_are_too_large_are_halved_and_a_record_that_is_too_large_alone_is_a_dead_letter(
    stage: Stage,
) -> None:
    restarted(stage.node, {"http.max_content_length": f"{SMALL}b"})
    engine = stage.engine
    try:
        engine.alert(CONFIRMED)
        poison = engine.alert(2, padding=2 * SMALL)
        engine.alert(HIT)
        engine.drain()
    finally:
        restarted(stage.node, {})
    letters = engine.store.dead_letters("elasticsearch")
    assert list(letters) == poison
    assert all("413" in reason or "too large" in reason for reason in letters.values()), letters
    assert stage.has_all(letters)


def restarted(node: Node, settings: Mapping[str, str]) -> None:
    node.stop()
    node.start(settings=settings)


def test_what_conflicts_with_a_mapping_is_a_dead_letter_and_taken_when_that_is_mended(
    stage: Stage, tmp_path: Path
) -> None:
    engine = stage.engine
    map_pids(stage.node, stage.namespace, "short")
    engine.alert(CONFIRMED)
    poison = engine.alert(3, first=40_000)  # a short holds up to 32,767
    engine.alert(AFTER)
    engine.drain()
    letters = engine.store.dead_letters("elasticsearch")
    assert list(letters) == poison
    assert all("document_parsing_exception" in reason for reason in letters.values()), letters
    assert stage.has_all(letters)

    map_pids(stage.node, stage.namespace, "long")
    stage.node.ask("POST", f"/logs-fileaudit.alert-{stage.namespace}/_rollover")
    engine.__exit__(None, None, None)
    with engine_for(settings_for(stage.node.url, stage.namespace), tmp_path) as again:
        again.run_until(lambda: not again.store.dead_letters("elasticsearch"))
        again.drain()
        assert dataclasses.replace(stage, engine=again).has_all()


def test_a_store_whose_disk_is_full_delays_the_cursor_and_nothing_else(
    node: Node, namespace: str, tmp_path: Path
) -> None:
    with (
        small_disk(tmp_path / "disk", 24 << 20) as disk,
        in_front_of(node.port) as proxy,
        Engine(
            disk / "events.db",
            {
                "elasticsearch": functools.partial(
                    made, settings_for(f"http://127.0.0.1:{proxy.port}", namespace)
                )
            },
        ) as engine,
    ):
        proxy.refuses()
        engine.alert(CONFIRMED)
        with no_room(disk):
            proxy.forwards()
            engine.run_until(lambda: engine.deliveries["elasticsearch"].delivered >= CONFIRMED)
            assert len(indexed_ids(node, namespace)) >= CONFIRMED
            engine.run_until(lambda: any("cannot be noted" in words for words in engine.words))
            assert engine.cursor("elasticsearch") < CONFIRMED
        engine.drain()
        assert indexed_ids(node, namespace) == sorted(engine.ids())
        assert engine.store.dead_letters("elasticsearch") == {}


def test_a_node_whose_certificate_is_for_another_name_gets_nothing_until_it_is_called_by_its_own(
    elastic_secure: Node, namespace: str, tmp_path: Path
) -> None:
    install(elastic_secure)
    password = tmp_path / "password"
    password.write_text(DELIVERER.password)
    password.chmod(0o600)

    def at(address: str, port: int) -> Engine:
        who = {"username": "deliverer", "password": Secret(file=password), "ca_file": elastic_secure.ca}
        return engine_for(settings_for(f"https://{address}:{port}", namespace, **who), tmp_path)

    with in_front_of(elastic_secure.port, "127.0.0.5") as proxy, at("127.0.0.5", proxy.port) as engine:
        engine.alert(CONFIRMED)
        engine.run_until(lambda: "127.0.0.5" in engine.troubles().get("elasticsearch", ""))
        said = proxy.said[Side.CLIENT]
        engine.run_until(seconds_gone_by(engine, 3.0))
        assert proxy.said[Side.CLIENT] == said, "it has stopped: it is not even tried"
        assert engine.cursor("elasticsearch") == 0
    with at("127.0.0.1", elastic_secure.port) as engine:
        engine.alert(AFTER)
        engine.drain()
        assert indexed_ids(elastic_secure, namespace) == sorted(engine.ids())
        assert engine.store.dead_letters("elasticsearch") == {}
