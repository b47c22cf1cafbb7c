"""One cold measurement of sinks that follow a store, in a process of its own: `sinks_child.py JSON`.

Its argument says which sinks there are, the live one first, and what is done beside them: either nothing but
delivering what the store holds, or detecting in a recording, whose alerts go into the same store. Prints one
JSON object: alerts and seconds of the live sink, events and seconds of detection.
"""

import functools
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from fileaudit_engine.cli.loading import without_collector
from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.rules.parser import load_rules
from fileaudit_engine.runtime.deliveries import Deliveries
from fileaudit_engine.runtime.delivery import Delivery
from fileaudit_engine.runtime.follower import StoreSink, Wanted
from fileaudit_engine.runtime.pipeline import Pipeline
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.sinks.settings import ElasticSettings, SyslogSettings, Transport
from fileaudit_engine.sources.replay import ReplaySource
from fileaudit_engine.store.store import Store

LOOK_S: Final = 0.01
PATIENCE_S: Final = 60.0
ALERTS: Final = Wanted(kinds=frozenset({Kind.ALERT}))


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sink sends to, on loopback.

    Attributes:
        sink: `elasticsearch` or `syslog`.
        port: Of the receiver.
        transport: For syslog: `tcp` or `tls`.
        ca: For TLS: whose certificates are trusted.
        namespace: For Elasticsearch: of the data streams.
    """

    sink: str
    port: int
    transport: str = "tcp"
    ca: str | None = None
    namespace: str = "bench"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured.

    Attributes:
        store: Its path.
        receivers: The live one first, whose rate it is.
        alerts: So many are delivered, from the store's beginning; 0: those that come from now on.
        recording: In which events are detected meanwhile; None: none are.
        rules: By which.
    """

    store: str
    receivers: list[Receiver]
    alerts: int = 0
    recording: str | None = None
    rules: str = ""


Tell = Callable[[str], None]


def sink_for(receiver: Receiver) -> Callable[[Tell], StoreSink]:
    """Makes the sink, in its own thread."""
    if receiver.sink == "elasticsearch":
        hosts = (f"http://127.0.0.1:{receiver.port}",)
        return functools.partial(_elastic, ElasticSettings(hosts=hosts, namespace=receiver.namespace))
    settings = SyslogSettings(
        transport=Transport(receiver.transport),
        host="127.0.0.1",
        port=receiver.port,
        ca_file=Path(receiver.ca) if receiver.ca else None,
    )
    return functools.partial(_syslog, settings)


def _elastic(settings: ElasticSettings, _tell: Tell) -> StoreSink:
    from fileaudit_engine.sinks.elastic.sink import ElasticSink  # noqa: PLC0415 - costs what syslog need not pay

    return ElasticSink(settings)


def _syslog(settings: SyslogSettings, tell: Tell) -> StoreSink:
    from fileaudit_engine.sinks.syslog.sink import SyslogSink  # noqa: PLC0415 - likewise

    return SyslogSink(settings, tell=tell)


def measure(task: Task) -> dict[str, Any]:
    """Do it, and say what it took."""
    with Store.open(task.store) as store:
        names = [f"{one.sink}-{number}" for number, one in enumerate(task.receivers)]
        begin = 0 if task.alerts else store.head.seq
        for name in names:
            store.save_cursor(name, begin, time.time_ns())
        every = [
            Delivery(name, sink_for(one), store, wanted=ALERTS)
            for name, one in zip(names, task.receivers, strict=True)
        ]
        spool = Spool(store, tell=_say, proceed=lambda: True)
        deliveries = Deliveries(every, store, host="here", keep=_ignored, tell=_say)
        try:
            if task.recording is None:
                return _delivered(task, every[0], deliveries)
            return _detected(task, every, deliveries, spool)
        finally:
            deliveries.close()


def _delivered(task: Task, live: Delivery, deliveries: Deliveries) -> dict[str, Any]:
    wall, cpu, began_ns = time.monotonic(), time.process_time(), time.time_ns()
    _until_at(live, task.alerts, deliveries)
    if live.rejected:
        sys.exit(f"{live.name} has rejected {live.rejected:,} alerts: that is no rate of deliveries")
    return {
        "alerts": live.position,
        "began_ns": began_ns,
        "wall_s": time.monotonic() - wall,
        "cpu_s": time.process_time() - cpu,
    }


def _until_at(live: Delivery, seq: int, deliveries: Deliveries) -> None:
    """Wait until the live sink has had a row; whoever does not move is no live one.

    Raises:
        SystemExit: It does not move.
    """
    moved_s, before = time.monotonic(), -1
    while live.position < seq:
        deliveries.tick(idle=True)
        if live.position != before:
            moved_s, before = time.monotonic(), live.position
        elif time.monotonic() - moved_s > PATIENCE_S:
            sys.exit(f"{live.name} stands at row {live.position:,}: {live.trouble}")
        time.sleep(LOOK_S)


def _detected(task: Task, every: Sequence[Delivery], deliveries: Deliveries, spool: Spool) -> dict[str, Any]:
    compiled = compile_rules(load_rules([Path(task.rules)]).rules)
    with without_collector():
        detector = Detector(compiled.user, compiled.kernel).prepare()
    pipeline = Pipeline(
        detector=detector, sinks=(), spool=spool, host="here", on_loss=_ignored, clock_ns=time.time_ns
    )
    pipeline.add_chore(deliveries)
    deliveries.tick(idle=False)
    source = ReplaySource([task.recording or ""])
    wall, cpu = time.monotonic(), time.process_time()
    pipeline.run(source, proceed=lambda: True)
    took = {"wall_s": time.monotonic() - wall, "cpu_s": time.process_time() - cpu}
    source.close()
    had = every[0].delivered if every else 0
    if every and not had:
        sys.exit(f"{every[0].name} has had nothing meanwhile: {every[0].trouble or 'it was never its turn'}")
    return {**took, "alerts": sum(pipeline.tally().alerts.values()), "had": had}


def _say(words: str) -> None:
    print(words, file=sys.stderr)


def _ignored(_what: object) -> None:
    """Records about sinks, and losses that no recording has, are not what is measured."""


def main() -> None:
    """Measure and print."""
    print(json.dumps(measure(msgspec.json.decode(sys.argv[1], type=Task))))


if __name__ == "__main__":
    main()
