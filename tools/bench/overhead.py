"""What watching costs programs that touch unwatched files only.

Runs each workload three ways, interleaved in one run so that the machine's noise falls on all of them: bare,
with the engine and its shipped rules, and with auditd and watches on the same files. Prints times and ratios.
Needs root, a C compiler, make and git, and auditd for the third column.
"""

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from workloads import workloads

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.resources import detections_dir
from fileaudit_engine.rules.parser import load_rules
from fileaudit_engine.text import from_kernel

HERE = Path(__file__).parent
ENGINE = HERE.parent.parent / ".venv" / "bin" / "fileaudit-engine"


Results = dict[str, dict[str, list[float]]]
"""By workload and way, seconds."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default: 5)")
    parser.add_argument("--only", action="append", metavar="NAME", help="this workload; repeatable")
    parser.add_argument("--without-auditd", action="store_true", help="leave the third column out")
    args = parser.parse_args(arguments)
    ways = {"bare": bare, "engine": engine} | ({} if args.without_auditd else {"auditd": auditd})
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        chosen = {
            name: run for name, run in workloads(Path(folder)).items() if not args.only or name in args.only
        }
        results: Results = {name: {way: [] for way in ways} for name in chosen}
        for _ in range(args.rounds):
            for way, context in ways.items():
                with context(Path(folder)):
                    for name, run in chosen.items():
                        results[name][way].append(run())
    print_table(results, args.rounds)


def watches() -> list[str]:
    """What the shipped rules name whole, or whose folder they name, and is there: auditd can watch that."""
    compiled = compile_rules(load_rules([detections_dir()]).rules)
    named = {from_kernel(path) for path in compiled.kernel.known_files}
    folders = {from_kernel(beginning) for beginning in compiled.kernel.prefixes if beginning.endswith(b"/")}
    return sorted(path for path in named | folders if Path(path).exists() and path != "/")


@contextlib.contextmanager
def bare(_folder: Path) -> Iterator[None]:
    """Nothing watches."""
    yield


@contextlib.contextmanager
def engine(folder: Path) -> Iterator[None]:
    """The engine with its shipped rules."""
    command: list[str | Path] = [ENGINE, "run", "--store", folder / "store" / "bench.db", "--format", "none"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("watching"):
                break
        else:
            raise SystemExit("the engine did not start")
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


@contextlib.contextmanager
def auditd(folder: Path) -> Iterator[None]:
    """The audit daemon with watches on what the shipped rules watch, its log in a folder of ours."""
    config = folder / "audit"
    config.mkdir(exist_ok=True)
    log = config / "audit.log"
    (config / "auditd.conf").write_text(f"log_file = {log}\nlog_format = RAW\nwrite_logs = yes\n")
    with subprocess.Popen(["auditd", "-n", "-c", config], stderr=subprocess.PIPE, text=True) as daemon:
        try:
            time.sleep(1)
            wanted = [["-w", path, "-p", "rwa"] for path in watches()]
            for arguments in (["-D"], ["-e", "1"], *wanted):
                subprocess.run(["auditctl", *arguments], check=True, capture_output=True)
            yield
        finally:
            for arguments in (["-D"], ["-e", "0"]):
                subprocess.run(["auditctl", *arguments], check=False, capture_output=True)
            daemon.send_signal(signal.SIGTERM)
            daemon.communicate(timeout=30)


def print_table(results: Results, rounds: int) -> None:
    """Per workload the best times, their ratios to the bare ones, the engine's part of what auditd adds."""
    print(f"{os.uname().release}, {os.cpu_count()} CPUs, {rounds} interleaved rounds, best of each")
    print(f"{'':16} {'bare':>12} {'engine':>8} {'median':>8} {'auditd':>8} {'of auditd':>10}")
    for name, ways in results.items():
        best = {way: min(times) for way, times in ways.items()}
        ratios = [time / base for time, base in zip(ways["engine"], ways["bare"], strict=True)]
        line = f"{name:16} {_duration(best['bare']):>12} {best['engine'] / best['bare']:8.3f}"
        line += f" {statistics.median(ratios):8.3f}"
        if "auditd" in best:
            added = best["auditd"] - best["bare"]
            share = (best["engine"] - best["bare"]) / added if added > 0 else float("nan")
            line += f" {best['auditd'] / best['bare']:8.3f} {share:10.2f}"
        print(line)


def _duration(seconds: float) -> str:
    return f"{seconds * 1e9:,.0f} ns" if seconds < 1e-3 else f"{seconds * 1e3:,.1f} ms"


if __name__ == "__main__":
    if os.geteuid():
        sys.exit("needs root")
    main()
