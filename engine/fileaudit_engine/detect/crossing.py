"""What goes into the correlation of events, and what comes out: data that knows nothing of how it is done."""

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from fileaudit_engine.compiler.plan import UserCorrelation
from fileaudit_engine.detect.identity import digest, pack
from fileaudit_engine.events.fields import Value
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.text import to_kernel

Number = int | Fraction
"""What conditions compare: exact, so that a sum does not depend on the order of its parts."""


class Match(msgspec.Struct, frozen=True, gc=False):
    """One call, and the rules that correlations refer to and that it matches.

    Attributes:
        ts_ns: When, nanoseconds since the Unix epoch.
        rules: Their indices in `UserPlan.rules`, ascending; one or more.
        event: What happened; where a call is several events, the first that a rule matched.
    """

    ts_ns: int
    rules: tuple[int, ...]
    event: FileEvent


class Contribution(msgspec.Struct, frozen=True, gc=False):
    """An event that made a condition true.

    Attributes:
        ts_ns: When it happened.
        id: Its fingerprint (`fileaudit.event_id` of its own documents), 32 hexadecimal digits.
        event: The event, where it is still held: of old ones, and of those from before a restart, only the
            id is known.
    """

    ts_ns: int
    id: str
    event: FileEvent | None = None


class Evicted(msgspec.Struct, frozen=True, gc=False):
    """What a correlation had to forget because of its limits, since it began.

    Attributes:
        groups: Groups, the least recently used first.
        events: Events of groups that were full, the oldest first.
    """

    groups: int = 0
    events: int = 0


class Crossing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A correlation's condition has turned true for a group.

    Attributes:
        correlation: Which.
        ts_ns: When it turned true: the time of the event that did it, or the moment at which others left the
            window.
        group: The values that agree, by the names in `group-by`.
        value: The number that was compared; None where the condition is one over rules.
        total: Events in the window.
        events: The newest of them, in order; at most `Limits.listed`.
        first_ns: Time of the first event in the window; `last_ns` of the last.
        event: The newest event in full, where it is known.
        chained: Ids of the alerts of other correlations that are among what made it true. A correlation that
            is silent alone has none: its events are among `events`.
        losses: What was lost while the window was open.
        evicted: What the correlation had to forget so far.
        late: Matches that came too late for it so far.
        suspected: Not seen, but possible: `losses` may hide what is missing. `event` is None.
    """

    correlation: UserCorrelation
    ts_ns: int
    group: Mapping[str, Value]
    value: Number | None
    total: int
    events: tuple[Contribution, ...]
    first_ns: int
    last_ns: int
    event: FileEvent | None = None
    chained: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    evicted: Evicted = Evicted()
    late: int = 0
    suspected: bool = False

    @property
    def id(self) -> str:
        """The alert's id: the same wherever and whenever the same events are read."""
        document = self.correlation.rule
        newest = self.events[-1].id if self.events else ""
        lost = tuple((loss.first_ns, loss.last_ns) for loss in self.losses) if self.suspected else ()
        group = tuple((to_kernel(name), _packed(value)) for name, value in self.group.items())
        key = to_kernel(document.id or document.key)
        return digest(pack((key, group, self.ts_ns, newest, *lost)))


def _packed(value: Value) -> object:
    """A value as MessagePack takes it: names are bytes there, and numbers have 64 bits."""
    match value:
        case tuple():
            return tuple(map(to_kernel, value))
        case str():
            return to_kernel(value)
        case int() if not -1 << 63 <= value < 1 << 64:
            return hex(value)
        case _:
            return value


class Limits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How much correlations may hold.

    Attributes:
        lateness_ns: How far behind the newest one an event may be and still be put in its place.
        groups: Groups of one correlation.
        events: Events of one group, where the type needs them all to give its answer; a threshold that asks
            for more gets more.
        entries: Events of all groups of all correlations together, some 250 bytes each; a group itself counts
            as three, and more if its name is long.
        listed: Events that are listed in one alert.
        held: Events that are kept in full, the newest; of older ones only ids are.
        waiting: Events that may wait for earlier ones; with more, they are taken before their time.
    """

    lateness_ns: int = 200_000_000
    groups: int = 100_000
    events: int = 10_000
    entries: int = 1_000_000
    listed: int = 1_000
    held: int = 100_000
    waiting: int = 100_000
