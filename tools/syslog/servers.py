"""rsyslog and syslog-ng on loopback, for tests and benchmarks.

    with Rsyslog(folder) as server:
        ...  # server.tcp_port, server.udp_port, server.tls_port, server.local
        assert [record.msg for record in server.records()] == [...]

Each listens on UDP, TCP, TLS and a local socket, with its defaults wherever that is possible, and writes one
JSON object a record into `folder/records.ndjson`: what it has understood of each part, and the record as it
came.
"""

import functools
import json
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final

from tools.syslog.certificates import Certificate, Certificates, made
from tools.syslog.packages import CACHE, RSYSLOG, SYSLOG_NG, library_path, unpacked
from tools.syslog.process import Served, free_port, listens, wait_until
from typing_extensions import Self

HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A record as a server has understood it.

    Attributes:
        raw: As it came.
        pri: Its priority, a number in digits.
        sd: Structured data, as it stands in the record (rsyslog) or written anew (syslog-ng).
        msg: The free text.
        source: By which input it came: `tcp`, `tls`, `udp`, `local`, `local-stream`.
    """

    raw: str
    pri: str
    time: str
    host: str
    app: str
    pid: str
    msgid: str
    sd: str
    msg: str
    source: str


@functools.lru_cache(maxsize=1)
def certificates() -> Certificates:
    """One set for all servers of this process."""
    folder = tempfile.TemporaryDirectory(prefix="fileaudit-certificates-")
    _KEPT.append(folder)
    return made(Path(folder.name))


_KEPT: Final[list[tempfile.TemporaryDirectory[str]]] = []


class Server:
    """What both have in common; ports stay the same over a restart.

    Args:
        folder: Takes the server's files.
        certificate: What it shows to who comes by TLS; default: a good one.
        client_ca: Who comes by TLS must have a certificate of this authority; None: nobody needs one.
        cache: Where unpacked packages are kept.
    """

    packages: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        folder: Path,
        *,
        certificate: Certificate | None = None,
        client_ca: Path | None = None,
        cache: Path = CACHE,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.certificate = certificate or certificates().server
        self.client_ca = client_ca
        self.output = folder / "records.ndjson"
        self.tcp_port, self.tls_port = free_port(), free_port()
        self.udp_port = free_port(socket.SOCK_DGRAM)
        self.local = folder / "log"
        self._counted = self._counted_bytes = 0
        self.root = unpacked(self.packages, cache)
        self.config = folder / "server.conf"
        environment = {"LD_LIBRARY_PATH": library_path(self.root)}
        self.process = Served(self._command(), folder / "said", environment)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start, or start again, on the same ports; what was written whole before stays."""
        self._drop_torn_line()
        self.config.write_text(self._configuration())
        self.local.unlink(missing_ok=True)
        self.process.start(self._is_ready)

    def stop(self) -> None:
        """End as an administrator ends it."""
        self.process.stop()

    def kill(self) -> None:
        """End as a crash does."""
        self.process.kill()

    def pause(self) -> None:
        """Read nothing from now on, and keep all connections: a half-open peer."""
        self.process.pause()

    def resume(self) -> None:
        """Go on."""
        self.process.resume()

    def records(self) -> list[Received]:
        """All records so far, in the order of the file."""
        return list(self._read())

    def wait_for(self, count: int, seconds: float = 20.0) -> list[Received]:
        """All records, as soon as there are so many, or when the time is up."""
        wait_until(lambda: self.lines() >= count, seconds)
        return self.records()

    def lines(self) -> int:
        """How many whole lines the file has."""
        if not self.output.exists():
            return 0
        with self.output.open("rb") as file:
            file.seek(self._counted_bytes)
            while piece := file.read(1 << 20):
                self._counted_bytes += len(piece)
                self._counted += piece.count(b"\n")
        return self._counted

    def quiet(self, seconds: float = 0.5, limit: float = 20.0) -> list[Received]:
        """All records, when nothing has come for a while: for what should not have come."""
        until, size, since = time.monotonic() + limit, -1, time.monotonic()
        while time.monotonic() < until and time.monotonic() - since < seconds:
            now = self.output.stat().st_size if self.output.exists() else 0
            if now != size:
                size, since = now, time.monotonic()
            time.sleep(0.02)
        return self.records()

    def _read(self) -> Iterator[Received]:
        if not self.output.exists():
            return
        for line in self.output.read_bytes().decode("utf-8", "surrogateescape").split("\n")[:-1]:
            yield Received(**json.loads(line))

    def _drop_torn_line(self) -> None:
        """What a crash has cut off would make one line with what comes next."""
        if self.output.exists():
            written = self.output.read_bytes()
            self._counted = self._counted_bytes = 0
            with self.output.open("r+b") as file:
                file.truncate(written.rfind(b"\n") + 1)

    def _is_ready(self) -> bool:
        by_tcp = all(map(listens, (self.tcp_port, self.tls_port)))
        return by_tcp and listens(self.udp_port, socket.SOCK_DGRAM) and self.local.exists()

    def _command(self) -> Sequence[str | Path]:
        raise NotImplementedError

    def _configuration(self) -> str:
        raise NotImplementedError


class Rsyslog(Server):
    """rsyslog.

    Args:
        folder, certificate, client_ca, cache: As of every server.
        driver: The library that does TLS: `ossl` or `gtls`.
        settings: Lines of its configuration, before its modules.
    """

    packages = RSYSLOG

    def __init__(  # noqa: PLR0913 - a server's settings
        self,
        folder: Path,
        *,
        certificate: Certificate | None = None,
        client_ca: Path | None = None,
        cache: Path = CACHE,
        driver: str = "ossl",
        settings: str = "",
    ) -> None:
        self.driver = driver
        self.settings = settings
        super().__init__(folder, certificate=certificate, client_ca=client_ca, cache=cache)

    def _command(self) -> Sequence[str | Path]:
        modules = next((self.root / "usr" / "lib").glob("*/rsyslog"))
        files: list[str | Path] = ["-f", self.config, "-i", self.folder / "pid", "-M", modules]
        return [self.root / "usr" / "sbin" / "rsyslogd", "-n", *files]

    def _configuration(self) -> str:
        members = {
            "raw": "rawmsg",
            "pri": "pri",
            "time": "timereported",
            "host": "hostname",
            "app": "app-name",
            "pid": "procid",
            "msgid": "msgid",
            "sd": "structured-data",
            "msg": "msg",
            "source": "inputname",
        }
        form = {"timereported": ' dateFormat="rfc3339"'}
        lines = "\n".join(
            f'  property(outname="{ours}" name="{theirs}" format="jsonf"{form.get(theirs, "")})'
            for ours, theirs in members.items()
        )
        auth = "x509/certvalid" if self.client_ca else "anon"
        return f"""
global(workDirectory="{self.folder}" net.enableDNS="off"
  defaultNetstreamDriverCAFile="{self.client_ca or certificates().ca}"
  defaultNetstreamDriverCertFile="{self.certificate.cert}"
  defaultNetstreamDriverKeyFile="{self.certificate.key}")
{self.settings}
module(load="imtcp")
module(load="imudp")
module(load="imuxsock" SysSock.Use="off")
template(name="record" type="list" option.jsonf="on") {{
{lines}
}}
ruleset(name="all") {{ action(type="omfile" file="{self.output}" template="record") }}
input(type="imudp" address="{HOST}" port="{self.udp_port}" name="udp" ruleset="all")
input(type="imuxsock" socket="{self.local}" ruleset="all")
input(type="imtcp" address="{HOST}" port="{self.tcp_port}" name="tcp" ruleset="all")
input(type="imtcp" address="{HOST}" port="{self.tls_port}" name="tls" ruleset="all"
  streamDriver.name="{self.driver}" streamDriver.mode="1" streamDriver.authMode="{auth}")
action(type="omfile" file="{self.folder}/own.log")
"""


class SyslogNg(Server):
    """syslog-ng; it has a local socket of streams, too, `local_stream`.

    Args:
        folder, certificate, client_ca, cache: As of every server.
        options: Of its sources for TCP and TLS, for example `max-connections(1)`.
    """

    packages = SYSLOG_NG

    def __init__(
        self,
        folder: Path,
        *,
        certificate: Certificate | None = None,
        client_ca: Path | None = None,
        cache: Path = CACHE,
        options: str = "",
    ) -> None:
        self.options = options
        super().__init__(folder, certificate=certificate, client_ca=client_ca, cache=cache)

    @property
    def local_stream(self) -> Path:
        """The local socket that takes connections."""
        return self.folder / "log-stream"

    def start(self) -> None:
        """As every server."""
        self.local_stream.unlink(missing_ok=True)
        super().start()

    def _command(self) -> Sequence[str | Path]:
        lib = self.root / "usr" / "lib" / "syslog-ng"
        modules = next(path for path in lib.iterdir() if path.is_dir())
        files: list[str | Path] = [
            "-f",
            self.config,
            "-R",
            self.folder / "persist",
            "-c",
            self.folder / "control",
        ]
        files += ["-p", self.folder / "pid", f"--module-path={modules}"]
        return [self.root / "usr" / "sbin" / "syslog-ng", "-F", "--no-caps", *files]

    def _configuration(self) -> str:
        verify = f"required-trusted) ca-file({self.client_ca}" if self.client_ca else "optional-untrusted"
        keys = f"key-file({self.certificate.key}) cert-file({self.certificate.cert})"
        parts = (
            "raw=$RAWMSG pri=$PRI time=$ISODATE host=$HOST app=$PROGRAM pid=$PID msgid=$MSGID sd=$SDATA"
            " msg=$MSG source=$SOURCE"
        )
        driven = f"ip({HOST}) flags(store-raw-message)"
        tls = f"tls({keys} peer-verify({verify}))"
        streamed = f"{driven} {self.options}"
        local = "flags(store-raw-message)"
        sources = {
            "tcp": f"syslog({streamed} transport(tcp) port({self.tcp_port}))",
            "udp": f"syslog({driven} transport(udp) port({self.udp_port}))",
            "tls": f"syslog({streamed} transport(tls) port({self.tls_port}) {tls})",
            "local": f'unix-dgram("{self.local}" {local})',
            "local-stream": f'unix-stream("{self.local_stream}" {local})',
        }
        named = "\n".join(f'source "{name}" {{ {source}; }};' for name, source in sources.items())
        used = " ".join(f'source("{name}");' for name in sources)
        strings = " ".join(f"--pair {pair}" for pair in parts.split())
        return f"""@version: {self._version()}
options {{
  keep-hostname(yes); chain-hostnames(no); use-dns(no); dns-cache(no); stats-freq(0); frac-digits(6);
}};
{named}
destination out {{ file("{self.output}" template("$(format-json {strings})\\n")); }};
log {{ {used} destination(out); }};
"""

    def _version(self) -> str:
        lib = self.root / "usr" / "lib" / "syslog-ng"
        return next(path.name for path in lib.iterdir() if path.is_dir())
