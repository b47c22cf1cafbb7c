"""The syslog sink: rows of the store as frames, over whatever the settings say.

It sends a frame once; over TCP and TLS it finds out what has arrived, and has what may be lost delivered
again (`streams`). A receiver that is refused, or refuses us, for good is left alone until somebody has
changed something: `refresh`, a file of TLS, or five minutes.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from fileaudit_engine.sinks.base import Answer, Delivered, Reject, Retry, Row
from fileaudit_engine.sinks.gate import Gate
from fileaudit_engine.sinks.settings import SyslogSettings, Transport
from fileaudit_engine.sinks.syslog.carrier import Carried, Carrier
from fileaudit_engine.sinks.syslog.connecting import Connector, Stamps
from fileaudit_engine.sinks.syslog.datagrams import Datagrams
from fileaudit_engine.sinks.syslog.failures import Refused, cut_words, target
from fileaudit_engine.sinks.syslog.frame import Framer
from fileaudit_engine.sinks.syslog.patience import DEFAULT, Patience
from fileaudit_engine.sinks.syslog.streams import Streams

LEAST_FRAME: Final = 480
"""Every receiver takes so many bytes (RFC 5424, 6.1)."""
DELIVERED: Final = Delivered()


def _ignore(_words: str) -> None:
    """Who is told where nobody asked."""


class SyslogSink:
    """Takes rows of the store; a `runtime.follower.StoreSink` and `KeepingSink`.

    Args:
        settings: Where to and how.
        tell: Is told what an administrator should know, in words.
        host: For records that do not say where they happened; default: this host's name.
        patience: How long what may take.
        clock_s: Monotonic seconds.
    """

    def __init__(
        self,
        settings: SyslogSettings,
        *,
        tell: Callable[[str], None] = _ignore,
        host: str | None = None,
        patience: Patience = DEFAULT,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._clock_s = clock_s
        self._framer = Framer(settings, host=host)
        self._connector = Connector(settings)
        self._carrier = self._carrier_of(patience)
        self._gate = Gate(lambda: self._connector.stamps() != self._refused_with, clock_s)
        self._refused_with: Stamps = ()

    @property
    def kept(self) -> int:
        """Up to which row the receiver has everything, as far as that can be known."""
        return self._carrier.kept

    def deliver(self, records: Sequence[Row]) -> list[Answer]:
        """One answer a row, in order; behind the first that could not be sent, none is."""
        if self._gate.refreshed:
            self._carrier.hurry()
        self._gate.opened()
        if self._gate.reason:
            return [Retry(self._gate.reason, stopped=True)] * len(records)
        answers: list[Answer] = []
        done = Carried(0)
        while len(answers) < len(records):
            done = self._deliver(records[len(answers) :], answers)
            if done.too_long:
                self._shorten(records[len(answers)], answers)
            elif done.reason:
                break
        answers += [Retry(done.reason, stopped=bool(self._gate.reason))] * (len(records) - len(answers))
        return answers

    def again(self) -> bool:
        """Whether what was delivered behind `kept` may be lost."""
        return self._carrier.again()

    def keep(self, seq: int) -> None:
        """All up to a row is delivered: find out whether the receiver has it."""
        self._carrier.keep(seq)

    def refresh(self) -> None:
        """Somebody may have changed something: try again. May be called by another thread."""
        self._gate.refreshed = True

    def close(self) -> None:
        """Let go, in good order if that takes less than five seconds."""
        self._carrier.close()

    def _carrier_of(self, patience: Patience) -> Carrier:
        if self._settings.transport in {Transport.TCP, Transport.TLS}:
            return Streams(self._connector, tell=self._tell, patience=patience, clock_s=self._clock_s)
        return Datagrams(self._settings, clock_s=self._clock_s)

    def _deliver(self, records: Sequence[Row], answers: list[Answer]) -> Carried:
        """Deliver as many as go out; their answers, and those of what is no document, are added."""
        made = [self._framed(record) for record in records]
        done = self._carry([frame for frame in made if isinstance(frame, bytes)])
        sent = 0
        for frame in made:
            if isinstance(frame, Reject):
                answers.append(frame)
                continue
            if sent == done.count:
                break
            sent += 1
            answers.append(DELIVERED)
        return done

    def _framed(self, record: Row) -> bytes | Reject:
        try:
            return self._framer.frame(record)
        except (msgspec.MsgspecError, ValueError) as error:
            return Reject(f"it is no document of ours: {cut_words(str(error))}")

    def _carry(self, frames: Sequence[bytes]) -> Carried:
        if not frames:
            return Carried(0)
        try:
            done = self._carrier.carry(frames)
        except Refused as refusal:
            self._refused_with = self._connector.stamps()
            self._gate.shut(str(refusal))
            return Carried(0, self._gate.reason)
        return done

    def _shorten(self, record: Row, answers: list[Answer]) -> None:
        """A datagram is too long for the way: from now on frames are shorter."""
        had = len(self._framer.frame(record))
        if had <= LEAST_FRAME:
            answers.append(Reject(f"{target(self._settings)}: not even {had} bytes pass as one datagram"))
            return
        most = max(LEAST_FRAME, had // 2)
        self._framer.max_bytes = most
        self._tell(
            f"{target(self._settings)}: {had:,} bytes do not pass as one datagram: frames have {most:,}"
        )
