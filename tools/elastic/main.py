"""An Elasticsearch node on loopback: the command line of `tools/elasticsearch-node`."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from tools.elastic.distribution import CACHE, VERSIONS, home_of
from tools.elastic.node import START_S, STOP_S, Node
from tools.syslog.errors import CannotServe
from tools.syslog.process import wait_until

CANNOT: Final = 3
_NAMED: Final = "elasticsearch-node: "
_TOLD: Final = "node.json"
_PID: Final = "pid"
_LOOK_S: Final = 0.5


def main() -> int:
    """The command; returns the exit status."""
    args = _arguments()
    signal.signal(signal.SIGTERM, _end)
    try:
        if args.command == "fetch":
            print(home_of(args.version, args.cache))
            return 0
        return {"run": _run, "start": _start, "stop": _stop}[args.command](args)
    except CannotServe as error:
        print(f"{_NAMED}{error}", file=sys.stderr)
        return CANNOT
    except KeyboardInterrupt:
        return 0


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    """Leaves through every clean-up on the way."""
    sys.exit(0)


def _run(args: argparse.Namespace) -> int:
    node = Node(
        version=args.version,
        security=args.security,
        tls=args.tls,
        heap_mib=args.heap_mib,
        port=args.port,
        settings=dict(setting.partition("=")[::2] for setting in args.setting),
        cache=args.cache,
    )
    with node:
        print(json.dumps(_told(node)), flush=True)
        while not node.ended:
            time.sleep(_LOOK_S)
        raise CannotServe(f"it has ended: {node.log()}")


def _told(node: Node) -> dict[str, str]:
    """Where it is and how to get in; the password stands in a file, too, as a configuration wants it."""
    told = {"url": node.url, "version": node.version, "log": str(node.folder / "said")}
    if node.password:
        file = node.folder / "password"
        file.touch(mode=0o600)
        file.write_text(node.password)
        told |= {"username": node.user, "password": node.password, "password_file": str(file)}
    if node.ca is not None:
        told |= {"ca_file": str(node.ca), "ca_fingerprint": node.ca_fingerprint}
    return told


def _start(_args: argparse.Namespace) -> int:
    """As `run`, in a process that goes on when this one ends."""
    folder = Path(tempfile.mkdtemp(prefix="fileaudit-elasticsearch-started-"))
    told, errors = folder / _TOLD, folder / "errors"
    command = [sys.executable, __file__, *("run" if word == "start" else word for word in sys.argv[1:])]
    with told.open("wb") as out, errors.open("wb") as err:
        runs = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
    wait_until(lambda: told.stat().st_size > 0 or runs.poll() is not None, START_S)
    if not told.stat().st_size:
        runs.terminate()
        said = errors.read_text(errors="replace").strip().removeprefix(_NAMED)
        shutil.rmtree(folder)
        raise CannotServe(said or "it takes too long")
    (folder / _PID).write_text(str(runs.pid))
    print(json.dumps(json.loads(told.read_bytes()) | {"folder": str(folder)}))
    return 0


def _stop(args: argparse.Namespace) -> int:
    """End what `start` has started; that it has ended already is well, too."""
    file = args.folder / _PID
    if not file.exists():
        raise CannotServe(f"no node was started with {args.folder}")
    pid = int(file.read_text())
    if _is_ours(pid):
        os.kill(pid, signal.SIGTERM)
    if not wait_until(lambda: not _is_ours(pid), 2 * STOP_S):
        raise CannotServe(f"process {pid} does not end")
    told = json.loads((args.folder / _TOLD).read_bytes())
    shutil.rmtree(Path(told["log"]).parent, ignore_errors=True)  # there only if the tool was killed
    shutil.rmtree(args.folder)
    return 0


def _is_ours(pid: int) -> bool:
    """Whether a process is this tool; the number may be somebody else's by now."""
    try:
        return b"elastic/main.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/elasticsearch-node",
        description="Runs a real Elasticsearch node on loopback, as a user who owns nothing. The distribution"
        " is fetched by Maven at the first use and kept.",
        epilog="Exit status: 0; 3 when this machine cannot have the node; 2 for a wrong command line.",
    )
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR", help="default: %(default)s")
    version = argparse.ArgumentParser(add_help=False)
    version.add_argument("--version", default=VERSIONS[0], help=f"such as {', '.join(VERSIONS)}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch", parents=[version], help="fetch it, so that later runs need no network")
    node = argparse.ArgumentParser(add_help=False, parents=[version])
    _add_options(node)
    commands.add_parser("run", parents=[node], help="serve until stopped; prints a line of JSON first")
    commands.add_parser("start", parents=[node], help="as 'run', in the background")
    stop = commands.add_parser("stop", help="end a node that 'start' has started")
    stop.add_argument("folder", type=Path, help="the 'folder' that 'start' has printed")
    return parser.parse_args()


def _add_options(node: argparse.ArgumentParser) -> None:
    node.add_argument("--security", action="store_true", help="ask for a password, which is printed")
    node.add_argument("--tls", action="store_true", help="serve HTTPS, and ask for a password")
    node.add_argument("--port", type=int, default=0, help="default: one that is free")
    node.add_argument("--heap-mib", type=int, default=1024, metavar="MIB", help="default: %(default)s")
    node.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")


if __name__ == "__main__":
    sys.exit(main())
