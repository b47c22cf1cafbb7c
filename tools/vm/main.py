"""A command on another kernel: the command line of `tools/vm/run`.

The kernel is Debian's, the machine is emulated, the files are this machine's: its folders are the guest's,
read-only under an overlay that forgets. So whatever is installed and checked out here runs there, at the same
paths, on a kernel of another version, and leaves nothing behind.
"""

import argparse
import os
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from tools.vm.errors import CannotRun, Usage, VmError
from tools.vm.initramfs import MOUNTED_ANEW, initramfs
from tools.vm.kernels import CACHE, kernel
from tools.vm.machine import Machine, run

_NEEDED: Final = {"qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static"}
"""Programs, and the packages that have them."""


def main() -> int:
    """The command; returns the exit status."""
    args = _arguments()
    signal.signal(signal.SIGTERM, _end)
    try:
        _require_a_fit_machine()
        _install_missing()
        return _run(args)
    except VmError as error:
        say(str(error))
        return error.status
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """Leaves through every clean-up on the way."""
    sys.exit(128 + number)


def say(text: str) -> None:
    """A line about what happens, on stderr: stdout is the command's."""
    print(f"vm: {text}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/vm/run",
        description="Runs COMMAND as root on another kernel, over this machine's files; what it writes is "
        "gone afterwards. It gets the folder in which you are, no input, no network and a fresh environment.",
        epilog="Exit status: COMMAND's own; 124 when the time is up; 3 when the machine cannot be had or "
        "ends before the command; 2 for a wrong command line.",
    )
    parser.add_argument(
        "--kernel", required=True, metavar="VERSION", help="a version that Debian has: 6.1, 6.12"
    )
    parser.add_argument("--append", default="", metavar="WORDS", help="for the kernel's command line")
    parser.add_argument(
        "--timeout", type=float, default=1800, metavar="SECONDS", help="boot included; default: %(default)s"
    )
    parser.add_argument("--memory", type=int, default=2048, metavar="MIB", help="default: %(default)s")
    parser.add_argument("--cpus", type=int, default=2, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--accel",
        choices=("tcg", "kvm"),
        default="tcg",
        help="kvm where this machine can; default: %(default)s",
    )
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR", help="default: %(default)s")
    parser.add_argument("--console", action="store_true", help="show what the kernel says, on stderr")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="after --, with its arguments")
    return parser.parse_args()


def _run(args: argparse.Namespace) -> int:
    folder = Path.cwd()
    _require_visible(folder)
    chosen = kernel(args.kernel, args.cache, say)
    say(f"{chosen.package}: {' '.join(args.command)}")
    return run(
        Machine(
            image=chosen.image,
            initramfs=initramfs(chosen.modules, args.command, folder),
            append=args.append,
            memory_mib=args.memory,
            cpus=args.cpus,
            accel=args.accel,
        ),
        timeout_s=args.timeout,
        show_console=args.console,
    )


def _require_a_fit_machine() -> None:
    if platform.machine() != "x86_64":
        raise CannotRun("only x86-64 machines are emulated, on x86-64")
    if os.geteuid() != 0:
        raise CannotRun(
            "the guest sees this machine's files as you do, and the command is to run as root: run as root"
        )


def _install_missing() -> None:
    missing = sorted(package for program, package in _NEEDED.items() if shutil.which(program) is None)
    if not missing:
        return
    say(f"installing {' '.join(missing)} (apt-get)")
    command = ["apt-get", "-q", "install", "-y", "--no-install-recommends", *missing]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(command, check=True, stdout=sys.stderr, env=environment)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotRun(
            f"{' '.join(missing)} cannot be installed ({error}); 'apt-get update' may help"
        ) from error


def _require_visible(folder: Path) -> None:
    """The guest mounts its own file systems over some folders; what lies in them here, it does not see."""
    for hidden in MOUNTED_ANEW:
        if folder.is_relative_to(hidden):
            raise Usage(
                f"{folder} is not visible in the machine, which has its own {hidden}; start from elsewhere"
            )


if __name__ == "__main__":
    sys.exit(main())
