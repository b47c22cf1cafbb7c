"""What the end of a connection says about what was on it.

A good end says: the receiver has read everything. It is believed if the receiver lives on for a while, since
who is killed ends its connections, too. Receivers that never end when we do, or reset what we have ended, are
believed as far as their host has acknowledged, if they do so always; that is told once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from fileaudit_engine.sinks.syslog.connection import Connection, End
from fileaudit_engine.sinks.syslog.patience import Patience

RESETS: Final = 3
"""A receiver that has reset so many connections in a row when we ended them, and lives, always does."""
_ONLY_ACKNOWLEDGED: Final = (
    "what its host has acknowledged counts as delivered, and is lost if it fails before it reads that; better"
    " is a receiver that closes a connection when it has read all of it"
)


@dataclass(slots=True, kw_only=True)
class Ending:
    """A connection on its way out.

    Attributes:
        connection: It.
        upto: The row up to which everything was carried by then; None: not known yet.
        since_s: When it was ended, or something of it was last acknowledged.
        alone: Whether the next connection is made when the receiver has ended this one.
        left: Bytes that were not acknowledged then.
        followed: Whether it was seen how the receiver lived on then.
        ended_s: When the receiver answered the end.
        how: How it did that.
    """

    connection: Connection
    upto: int | None
    since_s: float
    alone: bool = False
    left: int = 0
    followed: bool = False
    ended_s: float | None = None
    how: End = End.WAITING


class Verdict(Enum):
    """What is known of a connection on its way out."""

    OPEN = auto()
    KEPT = auto()
    LOST = auto()


class Judge:
    """Knows how a receiver ends connections.

    Args:
        tell: Is told what an administrator should know, in words.
        patience: How long what may take.
        clock_s: Monotonic seconds.

    Attributes:
        reason: Why what was on the last connection is lost, in words.
    """

    def __init__(
        self, *, tell: Callable[[str], None], patience: Patience, clock_s: Callable[[], float]
    ) -> None:
        self._tell = tell
        self._patience = patience
        self._clock_s = clock_s
        self._ends_well: End | None = None
        self._resets = 0
        self._silence_told = self._resets_told = False
        self.reason = ""

    def verdict(self, ending: Ending, *, hurried: bool = False) -> Verdict:
        """Look at a connection on its way out; waits a little for one that stands alone.

        Args:
            ending: It.
            hurried: The engine ends: how the receiver goes on cannot be waited for.
        """
        if ending.ended_s is None:
            connection = ending.connection
            end = connection.ended_within(self._patience.watch_s) if ending.alone else connection.end()
            if end is End.WAITING:
                return self._of_silence(ending, self._clock_s(), hurried=hurried)
            if not self._is_an_end(connection, end):
                return self._lost(connection.reason or "the receiver has cut TLS off")
            ending.ended_s, ending.how = self._clock_s(), end
        if not hurried and self._clock_s() - ending.ended_s < self._patience.settle_s:
            return Verdict.OPEN
        return self._of_end(ending.how)

    def has_ended(self, end: End) -> None:
        """A receiver has answered an end."""
        self._ends_well, self._resets = end, 0

    def _is_an_end(self, connection: Connection, end: End) -> bool:
        """Whether an end is one that may count, if the receiver lives on."""
        if end is End.GOOD:
            return True
        # Who can do better has not read everything, or somebody between us has done that.
        if self._ends_well is End.GOOD:
            return False
        return end is End.BARE or connection.is_acknowledged()

    def _of_end(self, how: End) -> Verdict:
        if how is not End.BROKEN:
            self.has_ended(how)
            return Verdict.KEPT
        self._resets += 1
        if self._resets < RESETS:
            return self._lost("the receiver has reset the connection when it was ended")
        if not self._resets_told:
            self._resets_told = True
            self._tell(f"the receiver resets connections when we end them: {_ONLY_ACKNOWLEDGED}")
        return Verdict.KEPT

    def _of_silence(self, ending: Ending, now_s: float, *, hurried: bool) -> Verdict:
        left = ending.connection.unacknowledged()
        if left < ending.left or not ending.left:  # it goes on, however slowly
            ending.since_s = now_s if left < ending.left else ending.since_s
            ending.left = left
        waited_s = now_s - ending.since_s
        if waited_s >= self._patience.silent_s and left:
            return self._lost(f"the receiver has not acknowledged the last {left:,} bytes")
        # Who has never ended a connection may be stopped: its host acknowledges all the same.
        ended_first = ending.connection.only_listens
        known = hurried or self._silence_told or ended_first
        mute = self._ends_well is None or ended_first
        if mute and waited_s >= (self._patience.silent_s if known else self._patience.end_s):
            if self._ends_well is None and not self._silence_told:
                self._silence_told = True
                self._tell(f"the receiver never ends a connection when we do: {_ONLY_ACKNOWLEDGED}")
            return Verdict.KEPT
        if waited_s >= self._patience.end_s:
            return self._lost("the receiver does not end the connection, as it did before")
        return Verdict.OPEN

    def _lost(self, reason: str) -> Verdict:
        self.reason = reason
        return Verdict.LOST
