"""Runs a command and writes what it cost: `launch.py REPORT COMMAND…`.

The kernel counts the memory of the process that forks as the child's until the child has executed its
program. So the one that forks is this script, in an interpreter without anything loaded, and not the
benchmark.
"""

import json
import os
import sys


def main(report: str, command: list[str]) -> int:
    """Run, wait, write; returns the command's status."""
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    with open(report, "w", encoding="utf-8") as target:  # noqa: PTH123 - pathlib is megabytes
        json.dump({"cpu_s": usage.ru_utime + usage.ru_stime, "peak_bytes": usage.ru_maxrss * 1024}, target)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
