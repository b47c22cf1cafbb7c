"""What a store is, at a glance: how much it holds, since when, and where its chain ends."""

from dataclasses import dataclass
from typing import Final

from fileaudit_engine.store.opening import altered
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.writer import Head

_CHAIN: Final = "SELECT store, removed_seq, removed_link FROM chain"
_EARLIEST: Final = (
    "SELECT min(ns) FROM (SELECT min(first_ns) AS ns FROM blocks WHERE first_seq > ?1 UNION ALL"
    " SELECT min(ts_ns) FROM records NOT INDEXED"
    " WHERE seq > max(?1, coalesce((SELECT max(last_seq) FROM blocks), 0)))"
)
_LINK: Final = "SELECT link FROM records WHERE seq = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A store at a moment.

    Attributes:
        identity: 16 bytes.
        head: Its last row.
        removed_seq: Retention has removed everything up to this row; 0: nothing.
        removed_link: The link of that row.
        first_ns: The earliest time of what is kept, nanoseconds since the Unix epoch; None: nothing is.
    """

    identity: bytes
    head: Head
    removed_seq: int
    removed_link: bytes
    first_ns: int | None

    @property
    def records(self) -> int:
        """How many it holds: rows are numbered without a gap."""
        return self.head.seq - self.removed_seq


def overview(store: Store) -> Overview:
    """Look at a store.

    Raises:
        UnusableInput: The file is damaged.
        MachineCannot: The system refuses.
    """
    head = store.head  # before the rest: a row that comes now is not behind what is said of it
    found = next(store.rows(_CHAIN), None)
    if found is None:
        raise altered(store.path, "it does not say where its chain begins")
    identity, removed_seq, removed_link = found
    (first_ns,) = next(store.rows(_EARLIEST, removed_seq))
    return Overview(
        identity=identity,
        head=head,
        removed_seq=removed_seq,
        removed_link=removed_link,
        first_ns=first_ns,
    )


def link_at(store: Store, seq: int) -> bytes | None:
    """The link of a row; None if there is none.

    Raises:
        UnusableInput: The file is damaged.
        MachineCannot: The system refuses.
    """
    row = next(store.rows(_LINK, seq), None)
    return None if row is None else row[0]
