"""A syslog sink that is fed rows as a follower feeds it, in as few lines as that takes."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tools.syslog.process import wait_until
from tools.syslog.servers import HOST, Server, SyslogNg, certificates

from fileaudit_engine.sinks.base import Answer, Delivered, Retry
from fileaudit_engine.sinks.settings import SyslogSettings, Transport
from fileaudit_engine.sinks.syslog.sink import SyslogSink
from fileaudit_engine.sinks.syslog.streams import Patience
from fileaudit_engine.store.stored import StoredRecord

QUICK = Patience(rotate_s=0.2, probe_s=0.1, settle_s=0.2, stall_s=0.5, retry_s=0.2, pause_s=0.1)
_AGAIN_S = 0.05


class Feed:
    """Feeds a sink; goes back to what is kept when the sink asks for that.

    Attributes:
        sink: It.
        told: What it said.
        position: The last row that it has had.
    """

    def __init__(
        self, settings: SyslogSettings, rows: Sequence[StoredRecord] = (), patience: Patience = QUICK
    ) -> None:
        self.told: list[str] = []
        self.sink = SyslogSink(settings, tell=self.told.append, host="this-host", patience=patience)
        self.rows = list(rows)
        self.position = 0

    def step(self) -> str:
        """One turn; why it cannot go on, empty if it can."""
        if self.sink.again():
            self.position = self.sink.kept
        answers = self.sink.deliver(self.rows[self.position : self.position + 64])
        for answer in answers:
            if isinstance(answer, Retry):
                return answer.reason
            self.position += 1
        self.sink.keep(self.position)
        return ""

    def run(self, until: Callable[[], bool] | None = None, seconds: float = 30.0) -> None:
        """Take turns until everything is kept, or something else holds."""
        holds = until or (lambda: self.sink.kept == len(self.rows))

        def turn() -> bool:
            if self.step():
                time.sleep(_AGAIN_S)
            return holds()

        assert wait_until(turn, seconds), (self.position, self.sink.kept, self.step())

    def all(self) -> None:
        """Deliver all, and end the sink."""
        self.run(lambda: self.position == len(self.rows))
        self.sink.close()


@contextmanager
def feeding(
    settings: SyslogSettings, rows: Sequence[StoredRecord] = (), patience: Patience = QUICK
) -> Iterator[Feed]:
    """A feed whose sink is closed at the end."""
    feed = Feed(settings, rows, patience)
    try:
        yield feed
    finally:
        feed.sink.close()


def settings_for(server: Server, transport: Transport, **changes: Any) -> SyslogSettings:
    """How to reach a server."""
    ports = {Transport.UDP: server.udp_port, Transport.TCP: server.tcp_port, Transport.TLS: server.tls_port}
    known: dict[str, Any] = {"transport": transport, "host": HOST, "port": ports.get(transport, 0)}
    if transport is Transport.TLS:
        known["ca_file"] = certificates().ca
    if transport is Transport.LOCAL:
        known["path"] = server.local
    return SyslogSettings(**(known | changes))


def over_streams(server: SyslogNg) -> SyslogSettings:
    """How to reach the local socket of streams."""
    return SyslogSettings(transport=Transport.LOCAL, path=server.local_stream)


def refusals(answers: Sequence[Answer]) -> set[str]:
    """Why not, of all that were not delivered."""
    return {answer.reason for answer in answers if not isinstance(answer, Delivered)}
