"""Whatever happens to a syslog server or to the way to it: no alert is missing, and none is lost for good.

Syslog over TCP has no answers, so a server may get again what it was told shortly before a fault, and nothing
else. What was confirmed before comes once.
"""

import functools
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.integration.faults import EVERYWHERE, OF_WHO_IS_SILENT, Fault, Scene
from tests.integration.harness import ALERTS, Engine, no_room, repeated
from tests.integration.proxy import in_front_of
from tests.integration.receivers import filed_ids
from tests.unit.sinks.small_disk import small_disk
from tools.syslog.servers import Rsyslog, Server, SyslogNg, certificates

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.sinks.settings import SyslogSettings, Transport
from fileaudit_engine.sinks.syslog.sink import SyslogSink
from fileaudit_engine.sinks.syslog.streams import Patience

FAULTS: Final = EVERYWHERE | OF_WHO_IS_SILENT
PATIENCE: Final = Patience(rotate_s=0.3, settle_s=0.5, retry_s=0.5, pause_s=0.5, longest_pause_s=5.0)
"""Connections are ended more often than they would be, so that faults hit every state of that."""
EVERY: Final[dict[str, tuple[type[Server], Transport]]] = {
    "rsyslog by TCP": (Rsyslog, Transport.TCP),
    "syslog-ng by TLS": (SyslogNg, Transport.TLS),
    "rsyslog by TLS": (Rsyslog, Transport.TLS),
    "syslog-ng by TCP": (SyslogNg, Transport.TCP),
}
PAIRS: Final = dict(itertools.islice(EVERY.items(), None if os.environ.get("FILEAUDIT_FAULTS") else 2))
"""Each server and each transport once; the others, too, where FILEAUDIT_FAULTS asks for all."""
CONFIRMED: Final = 300
HIT: Final = 900
AFTER: Final = 200


@pytest.fixture
def server(kind: type[Server], tmp_path: Path) -> Iterator[Server]:
    with kind(tmp_path / "server") as made:
        yield made


@pytest.fixture
def scene(transport: Transport, server: Server, tmp_path: Path) -> Iterator[Scene]:
    port = server.tls_port if transport is Transport.TLS else server.tcp_port
    with in_front_of(port) as proxy:
        settings = settings_for(transport, proxy.port)
        make = functools.partial(made, settings)
        with Engine(tmp_path / "store" / "events.db", {"syslog": make}, {"syslog": ALERTS}) as engine:
            yield Scene(engine=engine, receiver=server, proxy=proxy)


def settings_for(transport: Transport, port: int) -> SyslogSettings:
    ca = certificates().ca if transport is Transport.TLS else None
    return SyslogSettings(transport=transport, host="127.0.0.1", port=port, ca_file=ca)


def made(settings: SyslogSettings, tell: object) -> SyslogSink:
    assert callable(tell)
    return SyslogSink(settings, tell=tell, patience=PATIENCE)


def arrived(scene: Scene) -> list[str]:
    """All that the server has filed, once it has filed what it was told."""
    assert isinstance(scene.receiver, Server)
    scene.receiver.quiet()
    return filed_ids(scene.receiver)


@pytest.mark.parametrize(("kind", "transport"), PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_no_alert_is_missing_after(fault: Fault, scene: Scene) -> None:
    engine = scene.engine
    engine.alert(CONFIRMED)
    engine.drain()
    confirmed = set(engine.ids())
    hits = fault.hits(scene)
    fault.begins(scene)
    engine.alert(HIT)
    engine.run_until(hits)
    fault.ends(scene)
    engine.alert(AFTER)
    engine.drain()

    found = arrived(scene)
    alerts = engine.ids([Kind.ALERT])
    assert list(dict.fromkeys(found)) == alerts, "each has come, in their order"
    assert not repeated(found) & confirmed, "what was confirmed is not told again"
    assert fault.repeats or not repeated(found)
    assert engine.store.dead_letters("syslog") == {}


@pytest.mark.parametrize("kind", [Rsyslog])
def test_a_store_whose_disk_is_full_delays_the_cursor_and_nothing_else(
    server: Server, tmp_path: Path
) -> None:
    make = functools.partial(made, settings_for(Transport.TCP, server.tcp_port))
    with (
        small_disk(tmp_path / "disk", 24 << 20) as disk,
        Engine(disk / "events.db", {"syslog": make}, {"syslog": ALERTS}) as engine,
    ):
        server.stop()
        engine.alert(CONFIRMED)
        with no_room(disk):
            server.start()
            engine.run_until(lambda: server.lines() == CONFIRMED)
            engine.run_until(lambda: any("cannot be noted" in words for words in engine.words))
            assert engine.cursor("syslog") < CONFIRMED
        engine.drain()
        assert filed_ids(server) == engine.ids([Kind.ALERT])
        assert engine.store.dead_letters("syslog") == {}
