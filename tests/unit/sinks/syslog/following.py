"""Streams that are fed as a follower feeds them, to a receiver that does what real ones do seldom."""

from typing import TYPE_CHECKING, Any, cast

from tests.unit.sinks.syslog.receiver import FakeReceiver

from fileaudit_engine.sinks.syslog.patience import DEFAULT, Patience
from fileaudit_engine.sinks.syslog.streams import Streams

if TYPE_CHECKING:
    from fileaudit_engine.sinks.syslog.connecting import Connector

ROTATE_S, PROBE_S, SETTLE_S = DEFAULT.rotate_s, DEFAULT.probe_s, DEFAULT.settle_s


class Follower:
    """Feeds streams as a follower does; row n is the frame `n`."""

    def __init__(self, patience: Patience = DEFAULT, **receiver: Any) -> None:
        self.receiver = FakeReceiver(**receiver)
        self.told: list[str] = []
        self.streams = Streams(
            cast("Connector", self.receiver),
            tell=self.told.append,
            patience=patience,
            clock_s=lambda: self.receiver.now_s,
        )
        self.position = 0

    def carry(self, count: int) -> str:
        frames = [b"%d" % (self.position + 1 + number) for number in range(count)]
        done = self.streams.carry(frames)
        self.position += done.count
        return done.reason

    def keep(self) -> None:
        if self.streams.again():
            self.position = self.streams.kept
        self.streams.keep(self.position)

    def passes(self, seconds: float) -> None:
        self.receiver.now_s += seconds

    def rotates(self) -> None:
        """It is time to end the connection, and there is another one."""
        self.passes(ROTATE_S)
        self.keep()
        self.passes(PROBE_S)
        self.keep()

    def settles(self) -> None:
        """The receiver reads everything, ends what was ended, and lives on."""
        self.receiver.read()
        self.keep()
        self.passes(SETTLE_S)
        self.keep()

    @property
    def kept(self) -> int:
        return self.streams.kept

    @property
    def received(self) -> list[int]:
        return [int(frame) for _, frame in self.receiver.frames]


def rotated(count: int = 3, **receiver: Any) -> Follower:
    """So many rows are carried, and their connection is on its way out."""
    follower = Follower(**receiver)
    assert not follower.carry(count)
    follower.rotates()
    return follower
