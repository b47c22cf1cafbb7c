"""What watching costs a program that touches unwatched files only.

Times one loop of open + read + close three ways, interleaved in one run so that the machine's noise falls on
all of them: bare, with the engine and its shipped rules, and with auditd holding one unrelated watch. Prints
nanoseconds and ratios. Needs root, a C compiler, and auditd for the third column.
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

HERE = Path(__file__).parent
ENGINE = HERE.parent.parent / ".venv" / "bin" / "fileaudit-engine"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default: 5)")
    parser.add_argument("--loops", type=int, default=1_000_000, help="loops a round (default: a million)")
    parser.add_argument("--without-auditd", action="store_true", help="leave the third column out")
    args = parser.parse_args(arguments)
    ways = {"bare": bare, "engine": engine} | ({} if args.without_auditd else {"auditd": auditd})
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        binary, target = prepare(Path(folder))
        results: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(args.rounds):
            for way, context in ways.items():
                with context(Path(folder)):
                    results[way].append(loop(binary, target, args.loops))
    print_table(results)


def prepare(folder: Path) -> tuple[Path, Path]:
    """The compiled loop and a file for it, four folders deep."""
    binary = folder / "loop"
    subprocess.run(["cc", "-O2", "-o", binary, HERE / "loop.c"], check=True)
    target = folder / "some" / "where" / "else" / "data.bin"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"x" * 4096)
    return binary, target


def loop(binary: Path, target: Path, loops: int) -> float:
    """Nanoseconds per open + read + close, best of ten parts."""
    done = subprocess.run([binary, target, str(loops)], check=True, capture_output=True, text=True)
    return float(done.stdout)


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
    """The audit daemon with a watch on a file that nobody touches, its log in a folder of ours."""
    config = folder / "audit"
    config.mkdir(exist_ok=True)
    log = config / "audit.log"
    (config / "auditd.conf").write_text(f"log_file = {log}\nlog_format = RAW\nwrite_logs = yes\n")
    with subprocess.Popen(["auditd", "-n", "-c", config], stderr=subprocess.PIPE, text=True) as daemon:
        try:
            time.sleep(1)
            for arguments in (["-D"], ["-e", "1"], ["-w", "/etc/hostname", "-p", "rwa"]):
                subprocess.run(["auditctl", *arguments], check=True, capture_output=True)
            yield
        finally:
            for arguments in (["-D"], ["-e", "0"]):
                subprocess.run(["auditctl", *arguments], check=False, capture_output=True)
            daemon.send_signal(signal.SIGTERM)
            daemon.communicate(timeout=30)


def print_table(results: dict[str, list[float]]) -> None:
    """Nanoseconds a loop and, per round, the ratio to the bare loop of the same round."""
    print(f"{os.uname().release}, {os.cpu_count()} CPUs, {len(results['bare'])} interleaved rounds")
    print(f"{'':8} {'ns/loop, best':>14} {'ratio of bests':>15} {'median ratio':>13}")
    best = {way: min(times) for way, times in results.items()}
    for way, times in results.items():
        ratios = [time / base for time, base in zip(times, results["bare"], strict=True)]
        ratio = best[way] / best["bare"]
        print(f"{way:8} {best[way]:14.0f} {ratio:15.3f} {statistics.median(ratios):13.3f}")
    if "auditd" in best:
        share = (best["engine"] - best["bare"]) / (best["auditd"] - best["bare"])
        print(f"the engine adds {share:.2f} of what auditd adds")


if __name__ == "__main__":
    if os.geteuid():
        sys.exit("needs root")
    main()
