"""How far a sink is behind its store."""

import msgspec

from fileaudit_engine.diagnostics import UnusableInput
from fileaudit_engine.store.store import Store


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """What a sink has not had yet.

    Attributes:
        behind: Rows; those that it does not want are among them until they have been looked at.
        oldest_ns: When the oldest of them happened, nanoseconds since the Unix epoch; None: there is none, or
            it cannot be read.
    """

    behind: int
    oldest_ns: int | None


def lag_of(store: Store, position: int) -> Lag:
    """The lag of a sink that has had everything up to a row."""
    behind = max(store.head.seq - max(position, store.removed_seq), 0)
    if not behind:
        return Lag(behind=0, oldest_ns=None)
    try:
        found = store.records_after(position, 1)
    except UnusableInput:
        found = []
    return Lag(behind=behind, oldest_ns=found[0].ts_ns if found else None)
