"""Frames over TCP and TLS, so that none is lost with a connection.

There is no acknowledgement. So a connection is ended in good order every few seconds while there is traffic,
after the next one is there: once the receiver has answered the end with its own, and a little later is still
there, everything on that connection is its own (`kept`). A connection that breaks takes with it what nobody
can know about: all that is not kept is to be carried again.

    frames ──> current          every few seconds:  current ──> ending ── the receiver ends, too ──> kept
                                a reset, an end that we did not ask for:  ──> again
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.sinks.syslog.carrier import Carried
from fileaudit_engine.sinks.syslog.connecting import Connector
from fileaudit_engine.sinks.syslog.connection import Connection, End
from fileaudit_engine.sinks.syslog.failures import Refused, Unreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long what may take, seconds.

    Attributes:
        rotate_s: A connection is used for so long before it is ended to find out what has arrived.
        settle_s: After a good end the receiver must live for so long: what it has read, it has to write.
        silent_s: A receiver that has acknowledged everything and has never yet ended a connection when we did
            is believed after that; one that has not acknowledged is not.
        end_s: A receiver that is known to end connections may take so long: it may be busy, or stopped.
        stall_s: How long a receiver may read nothing before it is left alone for a while.
        write_s: How long it may take to read a portion, however it goes on.
        dead_s: How long it may read nothing before the connection is given up.
        retry_s: The pause after a next connection could not be had.
        close_s: How long the last end may take.
    """

    rotate_s: float = 5.0
    settle_s: float = 2.0
    silent_s: float = 10.0
    end_s: float = 60.0
    stall_s: float = 10.0
    write_s: float = 20.0
    dead_s: float = 60.0
    retry_s: float = 30.0
    close_s: float = 4.0


DEFAULT: Final = Patience()
_LOOK_S: Final = 0.01
_GOOD: Final = End.GOOD
_UNCLEAR: Final = frozenset({End.WAITING, End.BROKEN})


@dataclass(slots=True, kw_only=True)
class _Ending:
    """A connection on its way out.

    Attributes:
        connection: It.
        upto: The row up to which everything was carried by then.
        since_s: When it was ended.
        ended_s: When the receiver answered that.
    """

    connection: Connection
    upto: int
    since_s: float
    ended_s: float | None = None


class Streams:
    """Carries frames by octet counting (RFC 6587, RFC 5425); see `carrier.Carrier`.

    Args:
        connector: Makes connections.
        tell: Is told what an administrator should know, in words.
        patience: How long what may take.
        clock_s: Monotonic seconds.
    """

    def __init__(
        self,
        connector: Connector,
        *,
        tell: Callable[[str], None],
        patience: Patience = DEFAULT,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connector = connector
        self._tell = tell
        self._patience = patience
        self._clock_s = clock_s
        self._current: Connection | None = None
        self._ending: _Ending | None = None
        self._rest = b""
        """Of a frame that the receiver has not read yet, and that counts as carried."""
        self._since_s = self._rotate_not_before_s = clock_s()
        self._stalled_s: float | None = None
        self._asked = 0
        self._lost = ""
        self._refusal: Refused | None = None
        self._ends_well: End | None = None
        self._silence_told = False
        self.kept = 0

    def carry(self, frames: Sequence[bytes]) -> Carried:
        """Send frames; what went out of a frame that did not go out whole follows later."""
        self._look()
        if self._lost:
            return Carried(0, self._lost)
        if self._refusal is not None:
            refusal, self._refusal = self._refusal, None
            raise refusal
        if self._current is None:
            try:
                self._current = self._connector.connect()
            except Unreachable as error:
                return Carried(0, str(error))
        return self._write(self._current, frames)

    def again(self) -> bool:
        """Whether a connection broke of which nobody knows what has arrived."""
        self._look()
        lost, self._lost = self._lost, ""
        return bool(lost)

    def keep(self, seq: int) -> None:
        """End the connection if it is time, and see what became of the one before."""
        self._asked = seq
        self._look()
        if self._lost or self._ending is not None:
            return
        current = self._current
        if current is None or not current.written:
            self.kept = max(self.kept, seq)
        elif not self._rest and self._clock_s() >= max(
            self._since_s + self._patience.rotate_s, self._rotate_not_before_s
        ):
            self._rotate(current, seq)

    def close(self) -> None:
        """End the connections, and wait a little for the receiver's answer."""
        until_s = self._clock_s() + self._patience.close_s
        if self._current is not None and self._rest:
            half_s = self._patience.close_s / 2
            self._rest = self._rest[self._current.write(self._rest, half_s, half_s) :]
        while not self._lost and not self._is_over() and self._clock_s() < until_s:
            time.sleep(_LOOK_S)
        self._drop()

    # --- writing -------------------------------------------------------------------------------------------

    def _write(self, current: Connection, frames: Sequence[bytes]) -> Carried:
        if self._rest and not self._flush(current):
            return self._stalled(current, 0)
        if not current.written:
            self._since_s = self._clock_s()
        framed = [b"%d %b" % (len(frame), frame) for frame in frames]
        data = b"".join(framed)
        sent = self._send(current, data)
        if sent == len(data):
            return Carried(len(frames))
        ended, count = 0, 0
        while ended < sent:
            ended += len(framed[count])
            count += 1
        self._rest = data[sent:ended]
        return self._stalled(current, count)

    def _flush(self, current: Connection) -> bool:
        self._rest = self._rest[self._send(current, self._rest) :]
        return not self._rest

    def _send(self, current: Connection, data: bytes) -> int:
        sent = current.write(data, self._patience.stall_s, self._patience.write_s)
        if sent:
            self._stalled_s = None
        return sent

    def _stalled(self, current: Connection, count: int) -> Carried:
        reason = current.reason
        if not reason:
            now_s = self._clock_s()
            self._stalled_s = now_s if self._stalled_s is None else self._stalled_s
            if now_s - self._stalled_s < self._patience.dead_s:
                return Carried(count, "the receiver reads nothing")
            reason = f"the receiver has read nothing for {self._patience.dead_s:.0f} s"
        self._lose(reason, current.failure)
        return Carried(0, reason)

    # --- ending --------------------------------------------------------------------------------------------

    def _rotate(self, current: Connection, seq: int) -> None:
        """End the connection; the next one is there before that, unless there will not be one."""
        try:
            following = self._connector.connect()
        except Unreachable:
            self._rotate_not_before_s = self._clock_s() + self._patience.retry_s
            return
        except Refused:  # it will be told when the next frame needs a connection
            following = None
        now_s = self._clock_s()
        self._ending = _Ending(connection=current, upto=seq, since_s=now_s)
        self._current = following
        self._look()

    def _look(self) -> None:
        """See how the connections are, the current one first: if it is broken, the receiver may have died."""
        if self._current is not None:
            reason, failure = self._current.look(), self._current.failure
            if reason and (self._current.written or self._ending is not None):
                self._lose(reason, failure)
            elif reason:  # nothing was on it: a receiver may close what is idle
                self._refusal = self._connector.refusal_of(failure)
                self._drop()
        if self._ending is not None:
            self._look_at_ending(self._ending)

    def _look_at_ending(self, ending: _Ending) -> None:
        now_s = self._clock_s()
        if ending.ended_s is None:
            end = ending.connection.end()
            if end is End.BROKEN or (end is End.BARE and self._ends_well is End.GOOD):
                self._lose(ending.connection.reason or "the receiver has cut TLS off")
            elif end is not End.WAITING:
                ending.ended_s, self._ends_well = now_s, end
            else:
                self._judge_silence(ending, now_s - ending.since_s)
        if ending.ended_s is not None and now_s - ending.ended_s >= self._patience.settle_s:
            self._confirm(ending)

    def _judge_silence(self, ending: _Ending, waited_s: float) -> None:
        unacknowledged = ending.connection.unacknowledged()
        if waited_s >= self._patience.silent_s and unacknowledged:
            self._lose(f"the receiver has not acknowledged the last {unacknowledged:,} bytes")
        elif waited_s >= self._patience.silent_s and self._ends_well is None:
            if not self._silence_told:
                self._silence_told = True
                self._tell(
                    "the receiver never ends a connection when we do: what its host has acknowledged counts "
                    "as delivered, and is lost if it fails before it reads that"
                )
            self._confirm(ending)
        elif waited_s >= self._patience.end_s:
            self._lose("the receiver does not end the connection, as it did before")

    def _confirm(self, ending: _Ending) -> None:
        ending.connection.close()
        self._ending = None
        self.kept = max(self.kept, ending.upto)

    def _lose(self, reason: str, failure: OSError | None = None) -> None:
        self._lost = reason
        self._refusal = self._connector.refusal_of(failure)
        self._drop()

    def _drop(self) -> None:
        if self._current is not None:
            self._current.close()
        if self._ending is not None:
            self._ending.connection.close()
        self._current, self._ending, self._rest, self._stalled_s = None, None, b"", None

    def _is_over(self) -> bool:
        """Whether there is nothing more to be found out; what has ended in good order is kept."""
        ending, current = self._ending, self._current
        if ending is not None:
            end = _GOOD if ending.ended_s is not None else ending.connection.end()
            if end in _UNCLEAR:
                return end is End.BROKEN
            self._confirm(ending)
        if current is None or not current.written or self._rest:
            return True
        end = current.end()
        if end not in _UNCLEAR:
            self.kept = max(self.kept, self._asked)
        return end is not End.WAITING
