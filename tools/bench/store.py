"""What the store takes: records a second, milliseconds a commit, bytes a record; how soon it has an alert.

Records are made before the clock starts (`store_documents`) and appended in batches as the pipeline makes
them; each figure is from a cold process. CPU time is that of all threads of it, the checkpoints' too. Beside
the store stands the floor: the same documents, made JSON, as rows of a plain table in SQLite in the same
transactions, forced to the disk where the store forces them: no index, no chain, no compression.

    tools/bench store                               appending, and from system call to commit (needs root)
    tools/bench store --parts append --cases audit  a part
    tools/bench store-big make big.db               ten million records over ten days, to be asked
    tools/bench store-big ask big.db                what asking takes
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from children import run
from store_append import CASES, GOALS

HERE: Final = Path(__file__).resolve().parent
PARTS: Final = ("append", "latency")
LOADS: Final = {"quiet": 0, "1k/s": 1_000, "5k/s": 5_000, "10k/s": 10_000}
"""Audited opens a second beside the alerts."""
LATENCY_GOAL_MS: Final = 20.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    args = _parser().parse_args(arguments)
    if "latency" in args.parts and os.geteuid():
        sys.exit("the latency is that of the live kernel: that needs root; --parts append does not")
    with tempfile.TemporaryDirectory(prefix="bench-store-", dir=args.folder) as made:
        results = {part: _PARTS[part](args, Path(made)) for part in args.parts}
    if args.json:
        print(json.dumps(results, indent=2))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench store", description=__doc__.splitlines()[0], allow_abbrev=False
    )
    add = parser.add_argument
    add("--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    add("--cases", nargs="+", choices=tuple(CASES), default=tuple(CASES), help="of append (default: all)")
    add("--loads", nargs="+", choices=tuple(LOADS), default=tuple(LOADS), help="of latency (default: all)")
    add("--events", type=int, default=60_000, help="of each case (default: 60,000)")
    add("--alerts", type=int, default=500, help="of each load (default: 500)")
    add("--rounds", type=int, default=3, help="cold runs of each case; the best is told (default: 3)")
    add("--folder", type=Path, help="where stores are made (default: as TMPDIR says)")
    add("--json", action="store_true", help="print everything as JSON behind the tables, which go to stderr")
    return parser


def _say(args: argparse.Namespace, line: str) -> None:
    print(line, file=sys.stderr if args.json else sys.stdout, flush=True)


def _child(script: str, *options: object) -> dict[str, Any]:
    """What one cold process says."""
    command: list[str | Path] = [sys.executable, HERE / script, *map(str, options)]
    result: dict[str, Any] = json.loads(run(command, timeout_s=1_800).output.splitlines()[-1])
    return result


def append(args: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Records a second, by case, beside the floor in the same run."""
    _say(
        args,
        f"{'':14}{'batch':>6}{'k/s of CPU':>11}{'of goal':>8}{'floor':>7}{'of it':>6}{'k/s clock':>10}"
        f"{'p50 ms':>8}{'p99':>7}{'worst':>7}{'JSON B':>8}{'file B':>7}{'log B':>7}",
    )
    told = []
    for name in args.cases:
        rounds = []
        for number in range(args.rounds):
            options = (name, folder / f"{name}-{number}".replace(" ", "-"), "--events", args.events)
            rounds.append({"store": _child("store_append.py", *options),
                           "floor": _child("store_append.py", *options, "--floor")})  # fmt: skip
        told.append({"case": name, "rounds": rounds})
        _say(args, _append_line(name, rounds))
    return told


def _append_line(name: str, rounds: Sequence[dict[str, Any]]) -> str:
    """The best round, by CPU time."""
    best, floor = (
        min((one[what] for one in rounds), key=lambda run: float(run["cpu_s"])) for what in ("store", "floor")
    )
    rate, floor_rate = best["events"] / best["cpu_s"], floor["events"] / floor["cpu_s"]
    wall = max(one["store"]["events"] / one["store"]["wall_s"] for one in rounds)
    commits = best["commit_ms"]
    return (
        f"{name:14}{CASES[name].batch:6}{rate / 1e3:11.1f}{rate / GOALS[CASES[name].kind]:8.2f}"
        f"{floor_rate / 1e3:7.1f}{rate / floor_rate:6.2f}{wall / 1e3:10.1f}"
        f"{commits['p50']:8.2f}{commits['p99']:7.2f}{commits['worst']:7.1f}"
        f"{best['document_bytes']:8.0f}{best['file_bytes']:7.0f}{best['log_bytes']:7.0f}"
    )


def latency(args: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """From the system call to the committed alert, on the live kernel."""
    _say(
        args,
        f"\n{'alerts with':14}{'p50 ms':>8}{'p99':>8}{'worst':>8}{'of goal':>9}{'events/s':>10}{'lost':>7}",
    )
    told = []
    for name in args.loads:
        options = (folder / "live", "--alerts", args.alerts, "--traffic", LOADS[name])
        rounds = [_child("store_latency.py", *options) for _ in range(args.rounds)]
        best = min(rounds, key=lambda one: float(one["p99"]))
        median = statistics.median(one["p99"] for one in rounds)
        _say(
            args,
            f"{name:14}{best['p50']:8.2f}{best['p99']:8.2f}{best['worst']:8.2f}"
            f"{best['p99'] / LATENCY_GOAL_MS:9.2f}{best['events_per_s']:10,.0f}{best['lost']:7,}"
            f"   median of the rounds' p99: {median:.2f}",
        )
        told.append({"load": name, "rounds": rounds})
    return told


_PARTS: Final = {"append": append, "latency": latency}


if __name__ == "__main__":
    main()
