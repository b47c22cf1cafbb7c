"""A syslog server on loopback: the command line of `tools/syslog-servers`."""

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tools.syslog.errors import CannotServe
from tools.syslog.packages import CACHE, RSYSLOG, SYSLOG_NG, unpacked
from tools.syslog.servers import HOST, Rsyslog, Server, SyslogNg, certificates

CANNOT = 3
_KINDS: dict[str, type[Server]] = {"rsyslog": Rsyslog, "syslog-ng": SyslogNg}


def main() -> int:
    """The command; returns the exit status."""
    args = _arguments()
    signal.signal(signal.SIGTERM, _end)
    try:
        if args.command == "fetch":
            for packages in (RSYSLOG, SYSLOG_NG):
                print(unpacked(packages, args.cache))
            return 0
        return _serve(args)
    except CannotServe as error:
        print(f"syslog-servers: {error}", file=sys.stderr)
        return CANNOT
    except KeyboardInterrupt:
        return 0


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    """Leaves through every clean-up on the way."""
    sys.exit(0)


def _serve(args: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="fileaudit-syslog-") as scratch:
        folder: Path = args.folder or Path(scratch)
        with _KINDS[args.server](folder, cache=args.cache) as server:
            print(json.dumps(_told(server)), flush=True)
            signal.pause()
    return 0


def _told(server: Server) -> dict[str, str]:
    return {
        "udp": f"udp://{HOST}:{server.udp_port}",
        "tcp": f"tcp://{HOST}:{server.tcp_port}",
        "tls": f"tls://{HOST}:{server.tls_port}",
        "local": f"local://{server.local}",
        "ca_file": str(certificates().ca),
        "records": str(server.output),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/syslog-servers",
        description="Runs a real syslog server on loopback, from the distribution's package, which is "
        "unpacked and not installed: nothing of this host is touched.",
        epilog="Exit status: 0; 3 when this machine cannot have the server; 2 for a wrong command line.",
    )
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR", help="default: %(default)s")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch", help="fetch and unpack both servers, so that later runs need no network")
    run = commands.add_parser("run", help="serve until stopped; prints addresses as a line of JSON first")
    run.add_argument("server", choices=sorted(_KINDS))
    run.add_argument("--folder", type=Path, metavar="DIR", help="for its files; default: one that goes again")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
