"""A real Elasticsearch node on loopback, for tests and benchmarks.

It does not run as root, so it is given to a user who owns nothing. Its launcher starts the server as another
process, which ends when the launcher does; a crash is the server's own end.
"""

import contextlib
import hashlib
import http.client
import os
import secrets
import shutil
import signal
import ssl
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final

from tools.elastic.asking import Refused, asked
from tools.elastic.distribution import CACHE, home_of, java_for
from tools.elastic.users import User, let_in
from tools.syslog.certificates import Certificate, Certificates, made
from tools.syslog.errors import CannotServe
from tools.syslog.process import free_port, wait_until
from typing_extensions import Self

NOBODY: Final = 65_534
START_S: Final = 180.0
STOP_S: Final = 60.0
USER: Final = "elastic"
_HOST: Final = "127.0.0.1"
_OF_LOGS: Final = ("logs/", "data")
"""What lines of the shipped jvm.options say that would write beside the distribution."""
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


_NOBODY_ELSE: Final[Mapping[str, User]] = MappingProxyType({})


class Node:
    """A node and its data; a context that starts it, and ends with both gone.

    Args:
        version: Of Elasticsearch.
        security: Whether somebody has to say who they are: `user` and `password`.
        tls: Whether it speaks HTTPS, with a certificate for loopback that `certificates.ca` has signed; it
            asks who somebody is, then, too.
        users: Who else may come in, by name; where it asks.
        heap_mib: Of the server.
        port: Where it serves; 0: where there is room.
        settings: Further ones, as in elasticsearch.yml.
        cache: Where distributions are kept.

    Attributes:
        version: Of Elasticsearch.
        port: Where it serves, also after it was stopped and started again.
        user: Who may do everything.
        password: Theirs; empty where it does not ask.
        certificates: Those made for it, the bad ones, too; None before the first start and without TLS.
    """

    def __init__(  # noqa: PLR0913 - one argument a property
        self,
        *,
        version: str = "8.19.0",
        security: bool = False,
        tls: bool = False,
        users: Mapping[str, User] = _NOBODY_ELSE,
        heap_mib: int = 768,
        port: int = 0,
        settings: Mapping[str, str] = _NOTHING,
        cache: Path = CACHE,
    ) -> None:
        """Fetch what is missing; nothing runs yet.

        Raises:
            CannotServe: There is no Java for it, or it cannot be had.
        """
        java = java_for(version)
        if java is None:
            raise CannotServe(f"no Java here runs Elasticsearch {version}: apt-get install a newer one")
        self.version = version
        self._home, self._java = home_of(version, cache), java
        self._security, self._tls, self._heap_mib = security or tls, tls, heap_mib
        self._users = dict(users)
        self._settings = dict(settings)
        self.port = port or free_port()
        self._transport_port = free_port()
        self.user, self.password = USER, secrets.token_hex(8) if self._security else ""
        self.certificates: Certificates | None = None
        self._folder: Path | None = None
        self._launcher: subprocess.Popen[bytes] | None = None

    # ------------------------------------------------------------------------------------------ where it is

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"{'https' if self._tls else 'http'}://{_HOST}:{self.port}"

    @property
    def ca(self) -> Path | None:
        """The certificate of who has signed its own; None without TLS."""
        return None if self.certificates is None else self.certificates.ca

    @property
    def ca_fingerprint(self) -> str:
        """SHA-256 of that, in hexadecimal digits; empty without TLS."""
        if self.ca is None:
            return ""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.ca.read_text())).hexdigest()

    @property
    def folder(self) -> Path:
        """Of its data, configuration and log."""
        if self._folder is None:
            raise CannotServe("it has not been started")
        return self._folder

    @property
    def pid(self) -> int:
        """Of the server, which a launcher stands before."""
        if self._launcher is None:
            raise CannotServe("it is not running")
        for child in _descendants(self._launcher.pid):
            if b"org.elasticsearch.server" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
        raise CannotServe("its launcher has no server")

    @property
    def ended(self) -> bool:
        """Whether it does not run: it has ended by itself, or was not started."""
        return self._launcher is None or self._launcher.poll() is not None

    def cpu_s(self) -> float:
        """What the server has used of processors since it was started, seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))

    def log(self) -> str:
        """The last lines of what it said."""
        return "\n".join((self.folder / "said").read_text(errors="replace").splitlines()[-30:])

    # ---------------------------------------------------------------------------------------- what it does

    def start(self, settings: Mapping[str, str] | None = None) -> None:
        """Start it, again with the same data, and wait until it answers.

        Args:
            settings: Others than before; None: the same.

        Raises:
            CannotServe: It ended, or took too long; with the end of what it said.
        """
        if settings is not None:
            self._settings = dict(settings)
        if self._folder is None:
            self._prepare()
        with (self.folder / "said").open("ab") as said:
            self._launcher = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=self._environment(),
                cwd=self.folder,
            )
        launcher = self._launcher
        if not wait_until(lambda: launcher.poll() is not None or self._answers(), START_S) or launcher.poll():
            said_last = self.log()
            self.kill()
            raise CannotServe(f"Elasticsearch did not start: {said_last}")

    def stop(self) -> None:
        """End it as an administrator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash does."""
        with contextlib.suppress(CannotServe, ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it do nothing: its connections stay, and nobody reads them."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def show(self, certificate: Certificate) -> None:
        """Show another certificate from the next start on, and whom it comes from."""
        configuration = self.folder / "config"
        chain = certificate.cert.read_bytes() + (self.ca.read_bytes() if self.ca else b"")
        (configuration / "http.pem").write_bytes(chain)
        shutil.copy(certificate.key, configuration / "http.key")
        _give(configuration)

    def ask(self, method: str, path: str, body: object = None, *, timeout_s: float = 30.0) -> Any:  # noqa: ANN401 - whatever it answers
        """Ask it something, as its administrator.

        Args:
            method: Of HTTP.
            path: With a slash in front.
            body: Becomes JSON; bytes are sent as they are.
            timeout_s: How long an answer may take.

        Returns:
            The answer out of JSON, or as text if it is none.

        Raises:
            Refused: It does not do it.
            OSError: It does not answer.
        """
        who = (self.user, self.password) if self._security else None
        return asked(f"{self.url}{path}", method, body, who=who, ca=self.ca, timeout_s=timeout_s)

    def __enter__(self) -> Self:
        """Start it."""
        try:
            self.start()
        except BaseException:
            self.kill()
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and remove its data."""
        self.kill()
        self._remove()

    # ------------------------------------------------------------------------------------------ how it does

    def _prepare(self) -> None:
        """Make a folder of its own, that the user it runs as may write to."""
        self._folder = folder = Path(tempfile.mkdtemp(prefix="fileaudit-elasticsearch-"))
        configuration = folder / "config"
        shutil.copytree(self._home / "config", configuration)
        options = configuration / "jvm.options"
        kept = [line for line in options.read_text().splitlines() if not any(w in line for w in _OF_LOGS)]
        options.write_text("\n".join(kept) + "\n")
        for name in ("data", "logs", "tmp"):
            (folder / name).mkdir()
        if self._tls:
            self.certificates = made(folder / "certificates")
            self.show(self.certificates.server)
        if self._users:
            let_in(self._users, configuration)
        (folder / "said").touch()
        _give(folder)
        if self._security:
            self._set_password()

    def _set_password(self) -> None:
        keystore = str(self._home / "bin/elasticsearch-keystore")
        command = [*_as_nobody(), keystore, "add", "--force", "--stdin", "bootstrap.password"]
        said = self.password.encode()
        done = subprocess.run(
            command, input=said, check=False, capture_output=True, env=self._environment(), cwd=self.folder
        )
        if done.returncode:
            raise CannotServe(f"its password cannot be set: {(done.stdout + done.stderr).decode()}")

    def _command(self) -> list[str]:
        settings = {
            "http.host": _HOST,
            "transport.host": _HOST,
            "http.port": str(self.port),
            "transport.port": str(self._transport_port),
            "discovery.type": "single-node",
            "path.data": str(self.folder / "data"),
            "path.logs": str(self.folder / "logs"),
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            "xpack.security.enabled": str(self._security).lower(),
        }
        if self._tls:
            settings |= {
                "xpack.security.http.ssl.enabled": "true",
                "xpack.security.http.ssl.certificate": "http.pem",
                "xpack.security.http.ssl.key": "http.key",
            }
        settings |= self._settings
        given = [f"-E{name}={value}" for name, value in settings.items()]
        return [*_as_nobody(), str(self._home / "bin/elasticsearch"), *given]

    def _environment(self) -> dict[str, str]:
        heap = f"-Xms{self._heap_mib}m -Xmx{self._heap_mib}m -XX:-AlwaysPreTouch"
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.folder),
            "ES_JAVA_HOME": str(self._java),
            "ES_JAVA_OPTS": heap,
            "ES_PATH_CONF": str(self.folder / "config"),
            "ES_TMPDIR": str(self.folder / "tmp"),
        }

    def _answers(self) -> bool:
        try:
            health = self.ask("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s", timeout_s=5.0)
        except (OSError, http.client.HTTPException, Refused):
            return False
        return isinstance(health, dict) and not health.get("timed_out", True)

    def _end(self, how: signal.Signals) -> None:
        launcher, self._launcher = self._launcher, None
        if launcher is None:
            return
        children = list(_descendants(launcher.pid))
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGCONT)
        launcher.send_signal(how)
        try:
            launcher.wait(STOP_S)
        except subprocess.TimeoutExpired:
            launcher.kill()
            launcher.wait()
        if not wait_until(lambda: not any(map(_is_there, children)), STOP_S):
            for child in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)

    def _remove(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _as_nobody() -> list[str]:
    """What goes in front of a command so that it is not root's, and ends when we do."""
    own = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *own, "--pdeathsig", "KILL", "--"]


def _give(folder: Path) -> None:
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)


def _descendants(pid: int) -> list[int]:
    """All processes below one."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *_descendants(child)]
    return found


def _is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
