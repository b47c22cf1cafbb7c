"""What correlations cost: events a second, memory a group and an event, a state's size, and a whole replay.

Twenty correlations of all types over twenty rules (`correlation_pack`), each figure from cold processes on
one CPU, in CPU time. Events are complete and all of them match: what is told here is what a match costs
beyond its rule. The median of the rounds is printed, beside the goal.

    tools/bench correlation                             everything
    tools/bench correlation --parts feed --loads hot    a part
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from children import pin, run
from correlation_pack import SHAPES, write_pack
from correlation_replay import replayed
from engines import HERE

GOAL_PER_S: Final = 150_000
GOAL_BYTES: Final = 1_000_000_000
MIB: Final = 1 << 20
MILLION: Final = 1_000_000
FEW: Final = 50_000
PER_TYPE: Final = (
    "count_50",
    "files_50",
    "both",
    "without",
    "in_order",
    "sum",
    "average",
    "median",
    "percentile",
)
"""The correlations whose memory is told, one of each kind of window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Events, in the words of `correlated.py`.

    Attributes:
        groups: Processes; users are a tenth of them.
        window: Events in a minute.
        together: Whether every event feeds every correlation.
    """

    groups: int = 10_000
    window: int = 50_000
    together: bool = False

    def options(self, count: int) -> list[str]:
        """The command line for it; a window is filled once and a half at least."""
        events = max(count, self.window * 3 // 2)
        given = ["--events", str(events), "--groups", str(self.groups), "--window", str(self.window)]
        return [*given, *(["--together"] if self.together else [])]


LOADS: Final = {
    "window-1k": Load(window=1_000),
    "window-50k": Load(),
    "window-500k": Load(window=500_000),
    "hot": Load(groups=8),
    "all": Load(together=True),
    "all-hot": Load(groups=8, together=True),
}
"""In the first four an event feeds one or two correlations, in the others all twenty."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it all and print."""
    args = _parser().parse_args(arguments)
    pin(args.cpu)
    with tempfile.TemporaryDirectory(prefix="bench-correlation-") as made:
        results = {part: PARTS[part](args, Path(made)) for part in args.parts}
    if args.json:
        print(json.dumps(results, indent=2))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench correlation", description=__doc__.splitlines()[0], allow_abbrev=False
    )
    add = parser.add_argument
    add(
        "--parts",
        type=_among(PARTS),
        default=tuple(PARTS),
        metavar="NAME,NAME",
        help=f"of {', '.join(PARTS)}",
    )
    add(
        "--loads",
        type=_among(LOADS),
        default=tuple(LOADS),
        metavar="NAME,NAME",
        help=f"of {', '.join(LOADS)}",
    )
    add("--events", type=int, default=200_000, help="of each load, at least (default: 200,000)")
    add("--types", type=_among(PER_TYPE), default=PER_TYPE, metavar="NAME,NAME", help="of memory")
    add("--rounds", type=int, default=3, help="cold runs of each load (default: 3)")
    add("--cpu", type=int, metavar="N", help="where everything runs (default: the last)")
    add("--seed", type=int, default=1, help="of the events")
    add("--json", action="store_true", help="print everything as JSON behind the tables, which go to stderr")
    return parser


def _among(known: Sequence[str] | dict[str, Any]) -> Callable[[str], tuple[str, ...]]:
    def names(text: str) -> tuple[str, ...]:
        named = tuple(text.split(","))
        if not set(named) <= set(known):
            raise argparse.ArgumentTypeError(f"there are {', '.join(known)}")
        return named

    return names


def _say(args: argparse.Namespace, line: str) -> None:
    print(line, file=sys.stderr if args.json else sys.stdout, flush=True)


def _measured(args: argparse.Namespace, mode: str, rules: Path, *options: str) -> dict[str, Any]:
    """What one cold process says."""
    command: list[str | Path] = [
        sys.executable,
        HERE / "correlated.py",
        mode,
        rules,
        "--seed",
        str(args.seed),
        *options,
    ]
    result: dict[str, Any] = json.loads(run(command, timeout_s=1_800).output)
    return result


def _pack(work: Path, *, together: bool, only: str = "") -> Path:
    """A folder with all correlations, or only one of them."""
    folder = work / f"{'together' if together else 'apart'}-{only or 'all'}"
    if not folder.exists():
        write_pack(folder, together=together, only=(only,) if only else ())
    return folder


def feed(args: argparse.Namespace, work: Path) -> list[dict[str, Any]]:
    """Events a second through rules, correlations and both."""
    _say(args, f"\n{'':12}{'rules':>9}{'correlations':>14}{'of goal':>9}{'both':>9}{'of rules':>10}"
               f"{'alerts':>9}{'groups':>9}{'held':>11}  k events/s; goal: {GOAL_PER_S // 1000}")  # fmt: skip
    told = []
    for name in args.loads:
        load = LOADS[name]
        rules = _pack(work, together=load.together)
        rounds = [_measured(args, "feed", rules, *load.options(args.events)) for _ in range(args.rounds)]
        rates = {
            stage: statistics.median(one["events"] / one["seconds"][stage] for one in rounds)
            for stage in rounds[0]["seconds"]
        }
        last = rounds[-1]
        _say(
            args,
            f"{name:12}{rates['rules'] / 1e3:9.0f}{rates['correlations'] / 1e3:14.0f}"
            f"{rates['correlations'] / GOAL_PER_S:9.2f}{rates['both'] / 1e3:9.0f}"
            f"{rates['both'] / rates['rules']:10.2f}"
            f"{last['crossings']:9,}{last['groups']:9,}{last['entries']:11,}",
        )
        told.append({"load": name, **asdict(load), "events_per_s": rates, "rounds": rounds})
    return told


def memory(args: argparse.Namespace, work: Path) -> list[dict[str, Any]]:
    """Bytes a group, an event and a whole event, and a million groups.

    The first two are told of windows no event of which is kept in full; the third says what that adds. The
    last two have the engine's own limits but for the number of groups; resident is all of the process.
    """
    _say(args, f"\n{'memory':12}{'a group':>9}{'an event':>10}{'a whole one':>13}{'a million groups':>18}"
               f"{'resident':>11}  bytes, MB; goal: {GOAL_BYTES / 1e6:.0f} MB")  # fmt: skip
    told = []
    for name in args.types:
        rules = _pack(work, together=True, only=name)
        groups = _filled(args, rules, groups=FEW, events=FEW, held=0)
        entries = _filled(args, rules, groups=FEW // 10, events=FEW * 5, held=0)
        whole = _filled(args, rules, groups=FEW, events=FEW, held=FEW)
        million = _filled(args, rules, groups=MILLION, events=MILLION)
        if million["groups"] != MILLION:
            raise SystemExit(f"{name}: {million['groups']:,} groups are there")
        a_group = groups["bytes"] / groups["groups"]
        an_event = (entries["bytes"] - a_group * entries["groups"]) / (entries["entries"] - entries["groups"])
        a_whole_one = (whole["bytes"] - groups["bytes"]) / FEW
        _say(
            args,
            f"{name:12}{a_group:9.0f}{an_event:10.0f}{a_whole_one:13.0f}"
            f"{million['bytes'] / 1e6:18.0f}{million['resident'] / 1e6:11.0f}",
        )
        told.append(
            {"correlation": name, "groups": groups, "entries": entries, "whole": whole, "million": million}
        )
    return told


def _filled(
    args: argparse.Namespace, rules: Path, *, groups: int, events: int, held: int | None = None
) -> dict[str, Any]:
    """A process with that many groups, all of which are within one window."""
    shape = ("--groups", str(groups), "--events", str(events), "--window", str(2 * events))
    limits = ("--limit-groups", str(groups), "--limit-entries", str(10 * MILLION))
    whole = () if held is None else ("--held", str(held))
    return _measured(args, "memory", rules, "--evenly", "--together", *shape, *limits, *whole)


def state(args: argparse.Namespace, work: Path) -> list[dict[str, Any]]:
    """Size and seconds of what is saved."""
    _say(args, f"\n{'state':12}{'groups':>9}{'events':>11}{'MB':>8}{'packed':>8}{'save s':>8}{'pack s':>8}"
               f"{'resume s':>10}")  # fmt: skip
    told = []
    for name in args.loads:
        load = LOADS[name]
        rules = _pack(work, together=load.together)
        one = _measured(args, "state", rules, *load.options(args.events))
        _say(
            args,
            f"{name:12}{one['groups']:9,}{one['entries']:11,}{one['bytes'] / 1e6:8.1f}"
            f"{one['packed'] / 1e6:8.1f}{one['save_s']:8.2f}{one['pack_s']:8.2f}{one['resume_s']:10.2f}",
        )
        told.append({"load": name, **one})
    return told


def replay(args: argparse.Namespace, work: Path) -> dict[str, Any]:
    """The whole command over a file, with and without correlations."""
    rates = replayed(work / "replay", args.events, args.rounds, args.seed)
    alone = rates["rules alone"]
    _say(args, "\nreplay, one event in ten matches a rule")
    for name, rate in rates.items():
        _say(args, f"  {name:34}{rate / 1e3:8.1f} k events/s{rate / alone:8.2f}")
    return {"events_per_s": rates}


PARTS: Final[dict[str, Callable[[argparse.Namespace, Path], Any]]] = {
    "feed": feed,
    "memory": memory,
    "state": state,
    "replay": replay,
}
assert len(SHAPES) == 20


if __name__ == "__main__":
    main()
