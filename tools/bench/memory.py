"""What the daemon holds in memory: its resident parts, and the kernel's maps behind its descriptors.

After the start with the shipped rules, and once more after a flood of watched opens has filled the ring:
every memory that grows with what comes is there then. Needs root and a C compiler, and bpftool for the names
of maps.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from overhead import ENGINE
from workloads import prepare

from fileaudit_engine.resources import detections_dir

MIB = 1 << 20
GOALS_MIB = {"resident": 60, "maps": 32}

RULE = """
title: bench
name: bench
level: informational
logsource: {{product: linux, category: file_access}}
detection: {{selection: {{TargetFilename|startswith: {folder}/}}, condition: selection}}
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--opens", type=int, default=2_000_000, help="of the flood (default: two million)")
    parser.add_argument("--ring-mib", default="16", help="size of the ring (default: 16)")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name).resolve()
        binary, target = prepare(folder)
        (folder / "rules").mkdir()
        (folder / "rules" / "bench.yml").write_text(RULE.format(folder=target.parent))
        with daemon(folder, args.ring_mib) as process:
            print(f"{os.uname().release}, {os.cpu_count()} CPUs, shipped rules, ring of {args.ring_mib} MiB")
            print_resident(process.pid, "after the start")
            print_maps(process.pid)
            subprocess.run([binary, "open", target, str(args.opens)], check=True, capture_output=True)
            print_resident(process.pid, f"after a flood of {args.opens:,} opens")


@contextlib.contextmanager
def daemon(folder: Path, ring_mib: str) -> Iterator["subprocess.Popen[str]"]:
    """The engine, once it watches; its summary is printed at the end."""
    command: list[str | Path] = [
        *(ENGINE, "run", "--rules", detections_dir(), "--rules", folder / "rules", "--format", "none"),
        *("--store", folder / "store" / "bench.db", "--ring-mib", ring_mib),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Ctrl-C" in line:
                break
        else:
            raise SystemExit("the engine did not start")
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=120)
            print(*(line for line in said.splitlines() if line.startswith(("events", "audit"))), sep="\n")


def print_resident(pid: int, when: str) -> None:
    """Resident memory and what it consists of; what is mapped of the ring counts as file."""
    kib = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in {"VmRSS", "VmHWM", "RssAnon", "RssFile", "RssShmem"}:
            kib[name] = int(value.split()[0])
    goal = GOALS_MIB["resident"]
    print(f"{when}")
    print(
        f"  resident {kib['VmRSS'] / 1024:6.1f} MiB (goal: {goal}), at its highest {kib['VmHWM'] / 1024:.1f}"
    )
    print(
        f"  of which {kib['RssAnon'] / 1024:6.1f} its own, {kib['RssFile'] / 1024:.1f} of files and devices,"
        f" {kib['RssShmem'] / 1024:.1f} shared; {mapped_ring(pid) / MIB:.1f} of these are mapped of the ring"
    )


def mapped_ring(pid: int) -> int:
    """Bytes of the ring that are mapped into the process."""
    total = 0
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, *_, name = line.split(maxsplit=5)
        if "bpf-map" in name:
            first, last = (int(end, 16) for end in span.split("-"))
            total += last - first
    return total


def print_maps(pid: int) -> None:
    """The maps by size, and their sum."""
    found = sorted(maps(pid), key=lambda entry: entry[1], reverse=True)
    total = sum(size for _, size in found)
    print(f"maps\n  together {total / MIB:6.1f} MiB (goal: {GOALS_MIB['maps']}), {len(found)} of them")
    for number, size in found:
        if size > MIB // 10:
            print(f"  {map_name(number):20} {size / MIB:6.2f}")


def maps(pid: int) -> list[tuple[int, int]]:
    """Id and bytes of every map that the process has a descriptor of, each once."""
    found = {}
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        facts = dict(line.split(":", 1) for line in info.read_text().splitlines() if ":" in line)
        if "map_id" in facts:
            found[int(facts["map_id"])] = int(facts["memlock"])
    return list(found.items())


def map_name(number: int) -> str:
    """What the programs call it; its number where that cannot be found out."""
    try:
        done = subprocess.run(
            ["bpftool", "-j", "map", "show", "id", str(number)], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return f"map {number}"
    return str(json.loads(done.stdout).get("name", f"map {number}"))


if __name__ == "__main__":
    if os.geteuid():
        sys.exit("needs root")
    main()
