"""A receiver of streams that does what real ones do only when it suits them; time stands still in it.

It has a window (what its host takes before it reads), reads when it is told to, and has what it has read on
disk a while later. When it dies, what it has not read is lost, and what it has read and not written, too.
"""

from dataclasses import dataclass, field

from fileaudit_engine.sinks.syslog.connection import End
from fileaudit_engine.sinks.syslog.failures import Refused, Unreachable

WRITTEN_S = 1.5
"""What it has read is on its disk by then."""


@dataclass
class FakeConnection:
    """The sink's end of a connection; has what `connection.Connection` has."""

    receiver: "FakeReceiver"
    reason: str = ""
    failure: OSError | None = None
    written: int = 0
    waiting: bytes = b""
    unread: bytes = b""
    ended: bool = False
    over: bool = False
    closed: bool = False

    def write(self, data: bytes, _stall_s: float, _most_s: float) -> int:
        if self.look():
            return 0
        taken = data[: self.receiver.window - len(self.waiting)]
        self.waiting += taken
        self.written += len(taken)
        return len(taken)

    def look(self) -> str:
        return self.reason

    def greeted(self, _seconds: float) -> str:
        return self.reason

    def look_within(self, seconds: float) -> str:
        if not self.reason:
            self.receiver.now_s += seconds
        if self.receiver.dies_when_watched:
            self.receiver.die()
        return self.reason

    def end(self) -> End:
        if self.reason:
            return End.BROKEN
        self.ended = True
        if self.waiting or not self.receiver.ends:
            return End.WAITING
        if self.receiver.end is End.BROKEN:
            self.reason = "the receiver has reset the connection"
        self.over = True
        return self.receiver.end

    def ended_within(self, _seconds: float) -> End:
        return self.end()

    @property
    def only_listens(self) -> bool:
        return self.receiver.only_listens

    def is_acknowledged(self) -> bool:
        return not self.unread and not self.waiting

    def unacknowledged(self) -> int:
        return len(self.waiting) if self.receiver.is_gone else 0

    def close(self) -> None:
        self.closed = True
        if not self.ended:
            self.waiting = b""  # a reset: what was not read is lost


@dataclass
class FakeReceiver:
    """The receiver, and the network.

    Attributes:
        frames: What it has read, and when.
        window: Bytes that wait for it on a connection.
        end: How it answers the end of a connection, if it does (`ends`).
        room: So many connections at a time; what is too many is closed at once.
        dies_when_watched: It dies while somebody watches a connection.
        only_listens: It has ended its own side.
        is_gone: Nothing reaches its host any more, and nobody has noticed.
    """

    now_s: float = 100.0
    frames: list[tuple[float, bytes]] = field(default_factory=list)
    connections: list[FakeConnection] = field(default_factory=list)
    window: int = 64
    lives: bool = True
    ends: bool = True
    end: End = End.GOOD
    room: int = 99
    is_gone: bool = False
    dies_when_watched: bool = False
    only_listens: bool = False
    refusal: Refused | None = None

    def connect(self) -> FakeConnection:
        if self.refusal is not None:
            raise self.refusal
        if not self.lives:
            raise Unreachable("nobody listens there")
        made = FakeConnection(self)
        if sum(not (one.closed or one.over or one.reason) for one in self.connections) >= self.room:
            made.reason = "the receiver has closed the connection"
        self.connections.append(made)
        return made

    def refusal_of(self, failure: OSError | None) -> Refused | None:
        return Refused("another certificate") if failure is not None else None

    def read(self, most: int = 1 << 20) -> None:
        """Read so much of each connection, oldest first."""
        for connection in self.connections:
            head, connection.waiting = connection.waiting[:most], connection.waiting[most:]
            connection.unread += head
            self._take_frames(connection)

    def die(self) -> None:
        """End like a crash: of what was read, what was not written is lost."""
        self.lives = False
        self.frames = [(at_s, frame) for at_s, frame in self.frames if self.now_s - at_s >= WRITTEN_S]
        for connection in self.connections:
            connection.reason = "the receiver has reset the connection"
        self.connections.clear()

    def _take_frames(self, connection: FakeConnection) -> None:
        while b" " in connection.unread:
            count, _, rest = connection.unread.partition(b" ")
            if len(rest) < int(count):
                return
            self.frames.append((self.now_s, rest[: int(count)]))
            connection.unread = rest[int(count) :]
