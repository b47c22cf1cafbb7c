"""Frames over TCP and TLS, so that none is lost with a connection.

There is no acknowledgement. So a connection is ended in good order every few seconds while there is traffic,
after the next one is there: once the receiver has answered the end with its own, and a little later is still
there, everything on that connection is its own (`kept`). A connection that breaks takes with it what nobody
can know about: all that is not kept is to be carried again.

    frames ──> current          every few seconds:  current ──> ending ── the receiver ends, too ──> kept
                                a reset, an end that we did not ask for:  ──> again

Where the receiver has room for one connection only (`spare`), the next one is made in the moment in which the
receiver has ended the one before. What comes again and again is bounded (`doubts`).
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from fileaudit_engine.sinks.syslog.carrier import Carried
from fileaudit_engine.sinks.syslog.connecting import Connector
from fileaudit_engine.sinks.syslog.connection import Connection
from fileaudit_engine.sinks.syslog.doubts import Doubts
from fileaudit_engine.sinks.syslog.ending import Ending, Judge, Verdict
from fileaudit_engine.sinks.syslog.failures import Refused, Unreachable
from fileaudit_engine.sinks.syslog.patience import DEFAULT, Patience
from fileaudit_engine.sinks.syslog.spare import Spare

__all__ = ["DEFAULT", "Patience", "Streams"]

_LOOK_S: Final = 0.01
_LIVES: Final = 20
"""So many connections are made at most to see whether a receiver lives that closes them."""
_PAUSE: Final = "connections break again and again: the receiver is left alone for a while"
_PORTIONS: Final = "connections break again and again: the receiver gets a portion at a time"
_ONE_CONNECTION: Final = "the receiver gets one connection at a time, and has not ended the last one yet"


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
        self._patience = patience
        self._clock_s = clock_s
        self._current: Connection | None = None
        self._ending: Ending | None = None
        self._spare = Spare(connector, tell=tell, patience=patience, clock_s=clock_s)
        self._judge = Judge(tell=tell, patience=patience, clock_s=clock_s)
        self._doubts = Doubts(tell=tell, patience=patience, clock_s=clock_s)
        self._rest = b""
        """Of a frame that the receiver has not read yet, and that counts as carried."""
        self._since_s = clock_s()
        self._stalled_s: float | None = None
        self._asked = 0
        self._lost = ""
        self._refusal: Refused | None = None
        self.kept = 0

    def carry(self, frames: Sequence[bytes]) -> Carried:
        """Send frames; what went out of a frame that did not go out whole follows later."""
        self._look()
        if self._lost:
            return Carried(0, self._lost)
        if self._refusal is not None:
            refusal, self._refusal = self._refusal, None
            raise refusal
        if self._ending is not None and self._ending.alone:
            return Carried(0, _ONE_CONNECTION)
        if self._current is None:
            if self._doubts.waits:
                return Carried(0, _PAUSE)
            try:
                self._current = self._connected()
            except Unreachable as error:
                return Carried(0, str(error))
        return self._write_portion(self._current, frames)

    def again(self) -> bool:
        """Whether a connection broke of which nobody knows what has arrived."""
        self._look()
        lost, self._lost = self._lost, ""
        return bool(lost)

    def keep(self, seq: int) -> None:
        """End the connection if it is time, and see what became of the one before."""
        self._asked = seq
        if self._ending is not None and self._ending.upto is None:
            self._ending.upto = seq
        self._look()
        if self._lost or self._ending is not None:
            return
        current = self._current
        if current is None or not current.written:
            self.kept = max(self.kept, seq)
        elif self._is_flushed(current) and self._is_due():
            self._rotate(current, seq)

    def hurry(self) -> None:
        """Somebody may have changed something: try at once what is being waited with."""
        self._doubts.hurry()
        self._spare.hurry()

    def close(self) -> None:
        """End the connections, and wait a little for the receiver's answer."""
        self._spare.drop()
        until_s = self._clock_s() + self._patience.close_s
        if self._current is not None and self._rest:
            half_s = self._patience.close_s / 2
            self._rest = self._rest[self._current.write(self._rest, half_s, half_s) :]
        while not self._lost and self._is_ending() and self._clock_s() < until_s:
            time.sleep(_LOOK_S)
        self._drop()

    def _connected(self) -> Connection:
        """A connection that is not refused at once; where there is little room, it must live a moment."""
        made = self._connector.connect()
        if self._spare.is_hopeless and self._doubts.portion is None:
            reason = made.look_within(self._patience.probe_s)
        else:
            reason = made.greeted(self._patience.greet_s)
        if not reason:
            return made
        made.close()
        raise self._connector.refusal_of(made.failure) or Unreachable(f"{reason} at once").but_there()

    # --- writing -------------------------------------------------------------------------------------------

    def _write_portion(self, current: Connection, frames: Sequence[bytes]) -> Carried:
        portion = self._doubts.portion
        if portion is None:
            return self._write(current, frames)
        done = self._write(current, frames[:portion])
        if not self._lost and not self._rest:
            self._end(current, None)
        return done if done.reason or done.count == len(frames) else Carried(done.count, _PORTIONS)

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

    def _is_due(self) -> bool:
        return self._doubts.portion is not None or (
            self._clock_s() >= self._since_s + self._patience.rotate_s
        )

    def _is_flushed(self, current: Connection) -> bool:
        """Whether no frame is out in part; nobody else may come to send the rest of the last one."""
        if self._rest and not self._flush(current):
            self._stalled(current, 0)
        return not self._rest and not self._lost

    def _rotate(self, current: Connection, seq: int) -> None:
        """End the connection; the next one is there before that, unless there will not be one."""
        following, refused = None, False
        if not self._is_alone():
            try:
                following = self._spare.take()
            except Refused:  # it will be told when the next frame needs a connection
                refused = True
            if following is None and not refused and not self._is_alone():
                return
        self._end(current, seq, following, alone=following is None and not refused)

    def _end(
        self, current: Connection, seq: int | None, following: Connection | None = None, *, alone: bool = True
    ) -> None:
        self._spare.drop()
        self._ending = Ending(connection=current, upto=seq, since_s=self._clock_s(), alone=alone)
        self._current = following
        self._look()

    def _is_alone(self) -> bool:
        """Whether the receiver gets one connection at a time."""
        return self._spare.is_hopeless or self._doubts.portion is not None

    def _look(self) -> None:
        """See how the connections are, the current one first: if it is broken, the receiver may have died."""
        if self._current is not None:
            reason, failure = self._current.look(), self._current.failure
            if reason and (self._current.written or (self._ending is not None and not self._ending.followed)):
                self._lose(reason, failure)
            elif reason and self._ending is not None:  # how the receiver lived on is known
                self._current.close()
                self._current = None
            elif reason:  # nothing was on it: a receiver may close what is idle
                self._refusal = self._connector.refusal_of(failure)
                self._drop()
        if self._ending is not None:
            self._look_at_ending(self._ending)

    def _look_at_ending(self, ending: Ending) -> None:
        verdict = self._judge.verdict(ending)
        if (
            ending.ended_s is not None
            and ending.alone
            and not ending.followed
            and verdict is not Verdict.LOST
        ):
            ending.followed = True
            if not self._lives_on(ending):
                self._lose("the receiver has ended the connection, and is not there any more")
                return
            verdict = self._judge.verdict(ending)
        if verdict is Verdict.LOST:
            self._lose(self._judge.reason)
        elif verdict is Verdict.KEPT and ending.upto is not None:
            self._confirm(ending, ending.upto)

    def _lives_on(self, ending: Ending) -> bool:
        """Make the next connection at once, and watch it; whether the receiver is there all the time.

        Who was killed has ended its connections, too, and nobody listens there then. That somebody is there
        and closes what we make is life enough.
        """
        until_s = self._clock_s() + self._patience.settle_s
        for _ in range(_LIVES):
            left_s = max(until_s - self._clock_s(), 0.0)
            try:
                made = self._connector.connect()
            except Unreachable as error:
                if not error.answered:
                    return False
            except Refused:  # it will be told when the next frame needs a connection
                ending.alone = False
                return True
            else:
                if not made.look_within(left_s):
                    self._current = made
                    return True
                made.close()
            time.sleep(min(left_s, self._patience.settle_s / _LIVES))
        return True

    def _confirm(self, ending: Ending, upto: int) -> None:
        ending.connection.close()
        self._ending = None
        self.kept = max(self.kept, upto)
        self._doubts.kept()

    def _lose(self, reason: str, failure: OSError | None = None) -> None:
        self._lost = reason
        self._refusal = self._connector.refusal_of(failure)
        self._drop()
        self._doubts.lost(reason)

    def _drop(self) -> None:
        self._spare.drop()
        if self._current is not None:
            self._current.close()
        if self._ending is not None:
            self._ending.connection.close()
        self._current, self._ending, self._rest, self._stalled_s = None, None, b"", None

    def _is_ending(self) -> bool:
        """At the end: whether something is still to be found out; what has ended in good order is kept."""
        if self._ending is None:
            current, self._current = self._current, None
            if current is None:
                return False
            self._ending = Ending(connection=current, upto=self._asked, since_s=self._clock_s())
            if not current.written or self._rest:
                return False
        self._ending.alone = False
        verdict = self._judge.verdict(self._ending, hurried=True)
        if verdict is Verdict.KEPT:
            self._confirm(self._ending, self._asked if self._ending.upto is None else self._ending.upto)
        return verdict is not Verdict.LOST
