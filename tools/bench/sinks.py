"""What sinks behind a network take: alerts a second, CPU an alert, and what a dead one costs the others.

A store of a million alerts is made once, and kept in a folder that `--folder` names. Each figure is from a
cold process that follows that store from its first row with a real receiver on loopback: an Elasticsearch
with the templates of `elastic install`, rsyslog by TCP and by TLS. The clock stops when the receiver has what
was sent. The receiver runs on the same machine, so its share of the processors is told, too.

A dead sink beside a live one is a host that was switched off: it is connected to, and reads nothing. What the
live one takes, and what detection does meanwhile, is told with it and without it, in turns.

    tools/bench sinks                                    all
    tools/bench sinks --parts rate --receivers rsyslog   a part
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from children import run
from correlation_replay import PROGRAM
from generated_events import Mix, lines
from sinks_child import Receiver, Task
from sinks_store import RULE, private_folder, store_with

HERE: Final = Path(__file__).resolve().parent
ALERTS: Final = 1_000_000
GOALS: Final = {"elasticsearch": 5_000, "rsyslog": 20_000, "rsyslog by TLS": 20_000}
PARTS: Final = ("rate", "dead", "detection")
_ARRIVAL_S: Final = 30.0
_LONGEST_S: Final = 1_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A receiver that runs.

    Attributes:
        name: As `GOALS` names it.
        receiver: Where it is.
        cpu_s: What it has used of processors, seconds.
        had: How many records it has by now; None: it answers when it has a record, so nobody need look.
    """

    name: str
    receiver: Callable[[], Receiver]
    cpu_s: Callable[[], float]
    had: Callable[[], int] | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    args = _parser().parse_args(arguments)
    root = str(HERE.parents[1])
    if root not in sys.path:
        sys.path.append(root)  # what starts the receivers is a package of the checkout
    folder = private_folder(args.folder)
    store = store_with(args.of, folder)
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="run-", dir=folder) as made, contextlib.ExitStack() as stack:
        live = [stack.enter_context(_RECEIVERS[name](Path(made))) for name in args.receivers]
        for part in args.parts:
            results[part] = _PARTS[part](args, store, Path(made), live)
    if args.json:
        print(json.dumps(results, indent=2))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench sinks", description=__doc__.splitlines()[0])
    add = parser.add_argument
    default = Path(tempfile.gettempdir()) / "fileaudit-bench-sinks"
    add("--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    add("--receivers", nargs="+", choices=tuple(_RECEIVERS), default=tuple(_RECEIVERS), help="default: all")
    add("--of", type=int, default=ALERTS, help=f"alerts that the store holds (default: {ALERTS:,})")
    add("--alerts", type=int, default=200_000, help="that are delivered of them (default: 200,000)")
    add("--events", type=int, default=100_000, help="that are detected in (default: 100,000)")
    add("--rounds", type=int, default=3, help="of each; the median is told (default: 3)")
    add("--folder", type=Path, default=default, help=f"where the store is kept (default: {default})")
    add("--json", action="store_true", help="print everything as JSON behind the tables, which go to stderr")
    return parser


def _say(args: argparse.Namespace, line: str) -> None:
    print(line, file=sys.stderr if args.json else sys.stdout, flush=True)


# ------------------------------------------------------------------------------------------ the receivers


@contextlib.contextmanager
def _elasticsearch(folder: Path) -> Iterator[Live]:
    from tools.elastic.node import Node  # noqa: PLC0415 - needs the checkout's root on the path

    with Node() as node:
        config = folder / "elastic.yml"
        config.write_text(f"sinks:\n  elasticsearch:\n    hosts: [{node.url}]\n", encoding="utf-8")
        _install(config)
        port = int(node.url.rpartition(":")[2])
        namespaces = (f"round{number}" for number in range(1_000_000))

        def receiver() -> Receiver:  # each time with data streams of its own: what is known is cheaper
            return Receiver(sink="elasticsearch", port=port, namespace=next(namespaces))

        yield Live(name="elasticsearch", receiver=receiver, cpu_s=node.cpu_s, had=None)


def _install(config: Path) -> None:
    subprocess.run([PROGRAM, "elastic", "install", "--config", config], check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def _rsyslog(folder: Path, transport: str = "tcp") -> Iterator[Live]:
    from tools.syslog.servers import Rsyslog, certificates  # noqa: PLC0415 - likewise

    with Rsyslog(folder / transport) as server:
        port = server.tls_port if transport == "tls" else server.tcp_port
        ca = str(certificates().ca) if transport == "tls" else None
        where = Receiver(sink="syslog", port=port, transport=transport, ca=ca)
        arrived = Lines(server.output)
        name = "rsyslog by TLS" if transport == "tls" else "rsyslog"
        yield Live(name=name, receiver=lambda: where, cpu_s=server.process.cpu_s, had=arrived.count)


_RECEIVERS: Final[dict[str, Callable[[Path], contextlib.AbstractContextManager[Live]]]] = {
    "elasticsearch": _elasticsearch,
    "rsyslog": _rsyslog,
    "rsyslog-tls": lambda folder: _rsyslog(folder, "tls"),
}


class Lines:
    """Counts the lines of a file that grows; what was counted is not read again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = self._lines = 0

    def count(self) -> int:
        """By now."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._offset)
                while chunk := file.read(1 << 20):
                    self._lines += chunk.count(b"\n")
                    self._offset += len(chunk)
        return self._lines


@contextlib.contextmanager
def dead() -> Iterator[int]:
    """A port where connections are taken, and nothing is read: its number."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener.getsockname()[1]


def _dead_beside(live: Live, port: int) -> Receiver:
    """A sink of the other kind, whose receiver is dead."""
    return Receiver(sink="syslog" if live.name == "elasticsearch" else "elasticsearch", port=port)


# ------------------------------------------------------------------------------------------- measurements


def _child(task: Task) -> dict[str, Any]:
    """What one cold process says."""
    command: list[str | Path] = [sys.executable, HERE / "sinks_child.py", msgspec.json.encode(task).decode()]
    result: dict[str, Any] = json.loads(run(command, timeout_s=_LONGEST_S).output.splitlines()[-1])
    return result


def _delivered(live: Live, store: Path, alerts: int, beside: Sequence[Receiver] = ()) -> dict[str, Any]:
    """One measurement of a live sink: until the receiver has everything."""
    theirs, before = live.cpu_s(), live.had() if live.had else 0
    task = Task(store=str(store), receivers=[live.receiver(), *beside], alerts=alerts)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        child = pool.submit(_child, task)
        if live.had is not None:
            ended_ns = _when(live.had, before + alerts, child)
        found = child.result()
    wall_s = found["wall_s"] if live.had is None else (ended_ns - found["began_ns"]) / 1e9
    return {
        **found,
        "wall_s": wall_s,
        "receiver_cpu_s": live.cpu_s() - theirs,
        "rate": found["alerts"] / wall_s,
    }


def _when(had: Callable[[], int], count: int, child: "concurrent.futures.Future[dict[str, Any]]") -> int:
    """When so many records have arrived, nanoseconds since the Unix epoch; the child may end before that.

    Raises:
        ChildFailed: It has ended badly.
        SystemExit: They do not arrive.
    """
    deadline_s = time.monotonic() + _LONGEST_S
    while had() < count:
        if child.done():
            child.result()
            deadline_s = min(deadline_s, time.monotonic() + _ARRIVAL_S)
        if time.monotonic() > deadline_s:
            sys.exit("the receiver does not have what was sent")
        time.sleep(0.02)
    return time.time_ns()


def _rate(args: argparse.Namespace, store: Path, _folder: Path, every: Sequence[Live]) -> dict[str, Any]:
    """Alerts a second by receiver."""
    _say(
        args,
        f"{'':16}{'alerts/s':>10}{'of goal':>9}{'CPU µs/alert':>14}{'of the receiver':>17}{'its share':>11}",
    )
    told = {}
    for live in every:
        rounds = [_delivered(live, store, args.alerts) for _ in range(args.rounds)]
        told[live.name] = rounds
        middle = sorted(rounds, key=lambda one: float(one["rate"]))[len(rounds) // 2]
        own, theirs = (middle[what] / middle["alerts"] * 1e6 for what in ("cpu_s", "receiver_cpu_s"))
        _say(
            args,
            f"{live.name:16}{middle['rate']:10,.0f}{middle['rate'] / GOALS[live.name]:9.2f}"
            f"{own:14.1f}{theirs:17.1f}{theirs / (own + theirs):11.0%}",
        )
    return told


def _dead(args: argparse.Namespace, store: Path, _folder: Path, every: Sequence[Live]) -> dict[str, Any]:
    """What a live sink takes, alone and beside a dead one, in turns."""
    _say(args, f"\n{'a dead sink beside':24}{'alone':>10}{'with it':>10}{'ratio':>8}")
    told = {}
    for live in every:
        alone, beside = [], []
        with dead() as port:
            for _ in range(args.rounds):
                alone.append(_delivered(live, store, args.alerts)["rate"])
                beside.append(_delivered(live, store, args.alerts, [_dead_beside(live, port)])["rate"])
        told[live.name] = {"alone": alone, "beside": beside}
        _say(args, _compared(live.name, alone, beside))
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Events a second, by the clock and of CPU of the whole engine, its sinks included."""

    rate: float
    cpu_rate: float


def _detection(args: argparse.Namespace, _store: Path, folder: Path, every: Sequence[Live]) -> dict[str, Any]:
    """Events a second that become alerts in the store, in turns: no sink, a live one, a dead one, too."""
    recording, rules = _recording(args, folder)
    _say(
        args,
        f"\n{'events/s detected':24}{'no sink':>10}{'live':>10}{'and dead':>10}{'ratio':>8}{'of CPU':>8}",
    )
    told = {}
    numbers = iter(range(1_000_000))

    def measured(live: Live | None, beside: Sequence[Receiver]) -> Measured:
        receivers = [*([live.receiver()] if live else ()), *beside]
        store = folder / f"detected{next(numbers)}" / "events.db"
        found = _child(
            Task(store=str(store), receivers=receivers, recording=str(recording), rules=str(rules))
        )
        return Measured(rate=args.events / found["wall_s"], cpu_rate=args.events / found["cpu_s"])

    for live in every:
        runs: dict[str, list[Measured]] = {"none": [], "live": [], "dead": []}
        with dead() as port:
            for _ in range(args.rounds):
                runs["none"].append(measured(None, ()))
                runs["live"].append(measured(live, ()))
                runs["dead"].append(measured(live, [_dead_beside(live, port)]))
        told[live.name] = {name: [dataclasses.asdict(one) for one in some] for name, some in runs.items()}
        clock = _compared(live.name, *([one.rate for one in runs[name]] for name in ("live", "dead", "none")))
        cpu = [statistics.median(one.cpu_rate for one in runs[name]) for name in ("live", "dead")]
        _say(args, f"{clock}{cpu[1] / cpu[0]:8.2f}")
    return told


def _recording(args: argparse.Namespace, folder: Path) -> tuple[Path, Path]:
    recording, rules = folder / "events.ndjson", folder / "rules.yml"
    rules.write_text(RULE.format(level="high"), encoding="utf-8")
    with recording.open("wb") as file:
        file.writelines(lines(Mix(load="new-paths", seed=2), args.events))
    return recording, rules


def _compared(
    name: str, without: Sequence[float], beside: Sequence[float], none: Sequence[float] = ()
) -> str:
    """A line: medians, and the last to the one before it."""
    medians = [statistics.median(some) for some in (none, without, beside) if some]
    figures = "".join(f"{one:10,.0f}" for one in medians)
    return f"{name:24}{figures}{medians[-1] / medians[-2]:8.2f}"


_PARTS: Final = {"rate": _rate, "dead": _dead, "detection": _detection}


if __name__ == "__main__":
    main()
