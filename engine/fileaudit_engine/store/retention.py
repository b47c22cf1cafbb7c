"""Retention: what is too old, or more than there is room for, goes; the chain over the rest stays provable.

Records go by blocks, the oldest first. A removal is one small transaction: the rows of `blocks` go, `chain`
says from where on the chain is to be followed now, and a record of the engine says the same, so that what
remains vouches for its own beginning. From then on nothing of those blocks exists for any reader. What is
left of them is swept out afterwards, a handful of rows at a time: deleting some thousand rows with their
postings at once takes longer than a commit of the engine may wait.

    remove(store, retention, now_ns)  yields after each of its transactions:
        sweep what a killed process has left · [remove · sweep: rows · postings and names · free pages]…

What a sink has not had yet stays, whatever its age, until the store is larger than the hard limit.
"""

import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.detect.record import Record
from fileaudit_engine.diagnostics import MachineCannot, unusable_file
from fileaudit_engine.events.times import UNITS_NS, rfc3339
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.sweeping import left_over, sweep
from fileaudit_engine.text import counted, to_document

_SPARE: Final = 20
"""Of so many parts of a limit, one is made free beyond it: the next record must not be over it again."""
_AT_ONCE: Final = 8
"""For want of room, one of so many parts of all rows goes at a time: what they take is an estimate."""

_AHEAD_NS: Final = UNITS_NS["h"]
"""How far ahead of the clock a time may be that is believed."""

_OLD: Final = "SELECT max(last_seq) FROM blocks WHERE first_seq < ? AND last_ns < ?"
_NOT_OLD: Final = "SELECT min(first_seq) FROM blocks WHERE last_ns BETWEEN ? AND ?"
_ENOUGH: Final = (
    "SELECT coalesce(min(last_seq), (SELECT max(last_seq) FROM blocks)) FROM blocks WHERE last_seq >= ?"
)
_WHOLE: Final = "SELECT max(last_seq) FROM blocks WHERE last_seq <= ?"
_SPAN: Final = "SELECT min(first_ns), max(last_ns) FROM blocks WHERE last_seq <= ?"
_NO_END: Final = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long records are kept, and how much of them; None: without bound.

    Attributes:
        age_ns: Blocks whose newest record is older are removed, nanoseconds.
        max_bytes: Of more, the oldest are removed that every sink has had.
        hard_bytes: Of more, the oldest are removed.
    """

    age_ns: int | None = None
    max_bytes: int | None = None
    hard_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was removed at once.

    Attributes:
        record: What the engine says about it; it is in the store.
        records: How many.
        first_ns: Time of the earliest, nanoseconds since the Unix epoch.
        last_ns: Of the latest.
        not_had: How many of them a sink had not had yet, by its name.
    """

    record: Record
    records: int
    first_ns: int
    last_ns: int
    not_had: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is to be removed: up to a row that is the last of its block."""

    until_seq: int
    reason: str


def remove(  # noqa: PLR0913 - one argument a fact
    store: Store,
    retention: Retention,
    now_ns: int,
    *,
    host: str = "",
    sinks: Collection[str] | None = None,
    announce: Callable[[int], bool] = lambda _until: True,
    clock_s: Callable[[], float] = time.perf_counter,
) -> Iterator[Removed | None]:
    """Remove what is not to be kept any more; a transaction a step, of some ten milliseconds at the most.

    Between two steps the store may be written to. Whoever stops in the middle may begin anew at any time, in
    another process, too.

    Args:
        store: Open for writing.
        retention: What is kept.
        now_ns: What age is counted from, nanoseconds since the Unix epoch.
        host: This host's name.
        sinks: Whose cursors count; None: all that ever had one.
        announce: Tells where the store is not that rows up to a number are about to go (`anchors`); what it
            says no to stays.
        clock_s: Seconds, to find out how much may be done at a time.

    Yields:
        What was removed by the step; None: it swept.

    Raises:
        MachineCannot: The store cannot be written, or nothing can be announced.
        UnusableInput: It is damaged.
    """
    swept = left_over(store)
    while True:
        if swept:
            yield from (None for _ in sweep(store, store.removed_seq, clock_s))
        plan = _plan(store, retention, now_ns, sinks)
        if plan is None:
            return
        if not announce(plan.until_seq):
            raise MachineCannot(
                "nothing is removed that no anchor has announced, and none can be kept",
                remedy="see to it that the anchor file can be written",
            )
        yield _remove(store, plan, now_ns, host, sinks)
        swept = True


def used_bytes(store: Store) -> int:
    """What the store takes of the disk, without pages that are free and without its log."""
    pages, free, size = (_number(store, name) for name in ("page_count", "freelist_count", "page_size"))
    return (pages - free) * size


def _plan(store: Store, retention: Retention, now_ns: int, sinks: Collection[str] | None) -> _Plan | None:
    """What is to be removed now; None: nothing."""
    old_seq = 0 if retention.age_ns is None else _old(store, now_ns - retention.age_ns, now_ns)
    full_seq = _over(store, retention.max_bytes)
    had_seq = min(_cursors(store, sinks).values(), default=_NO_END)
    fair_seq = _one(store, _WHOLE, min(max(old_seq, full_seq), had_seq))
    hard_seq = _over(store, retention.hard_bytes)
    until_seq = max(fair_seq, hard_seq)
    if until_seq <= store.removed_seq:
        return None
    if hard_seq > fair_seq:
        return _Plan(until_seq=until_seq, reason="hard limit")
    return _Plan(until_seq=until_seq, reason="age" if until_seq <= old_seq else "size")


def _old(store: Store, until_ns: int, now_ns: int) -> int:
    """The last row of the last block that is too old, with none before it that is not.

    A block of the future, from when the clock was wrong, is as old as those that came before and after it:
    it must not keep all that follows for years.
    """
    not_old_seq = _one(store, _NOT_OLD, until_ns, now_ns + _AHEAD_NS) or _NO_END
    return _one(store, _OLD, not_old_seq, until_ns)


def _over(store: Store, limit: int | None) -> int:
    """Up to which row blocks are to go so that a store is as small as this; 0: it is."""
    used = used_bytes(store)
    if limit is None or used <= limit:
        return 0
    removed_seq = store.removed_seq
    rows = store.head.seq - removed_seq
    wanted = rows * (used - limit + limit // _SPARE) // used + 1
    return _one(store, _ENOUGH, removed_seq + min(wanted, max(rows // _AT_ONCE, 1)))


def _remove(store: Store, plan: _Plan, now_ns: int, host: str, sinks: Collection[str] | None) -> Removed:
    until_seq = plan.until_seq
    link = _link_of(store, until_seq)
    first_ns, last_ns = next(store.rows(_SPAN, until_seq))
    removed = until_seq - store.removed_seq
    cursors = _cursors(store, sinks)
    not_had = {sink: min(until_seq - seq, removed) for sink, seq in cursors.items() if seq < until_seq}
    identity = store.identity.hex()
    facts = {
        "store": identity,
        "removed_until_seq": until_seq,
        "removed_link": link.hex(),
        "removed": removed,
        "first": rfc3339(first_ns),
        "last": rfc3339(last_ns),
        "reason": plan.reason,
        "not_had": [{"sink": to_document(sink), "records": count} for sink, count in not_had.items()],
    }
    message = f"{counted(removed, 'record')} until {rfc3339(last_ns)} ({plan.reason})"
    record = engine_record(
        Action.RETENTION, now_ns, host, message, {"store": identity}, own={"retention": facts}
    )

    def change(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE chain SET removed_seq = ?, removed_link = ?", (until_seq, link))
        connection.execute("DELETE FROM blocks WHERE last_seq <= ?", (until_seq,))

    store.append([record], also=change)
    return Removed(record=record, records=removed, first_ns=first_ns, last_ns=last_ns, not_had=not_had)


def _link_of(store: Store, seq: int) -> bytes:
    row = next(store.rows("SELECT link FROM records WHERE seq = ?", seq), None)
    if row is None:
        message = f"row {seq} is missing: nothing can be removed in a way that can be proven"
        remedy = "`verify` tells what else is missing; restore the file from a backup, or move it away"
        raise unusable_file("FA093", str(store.path), message, remedy)
    link: bytes = row[0]
    return link


def _cursors(store: Store, sinks: Collection[str] | None) -> dict[str, int]:
    return {sink: seq for sink, seq in store.cursors().items() if sinks is None or sink in sinks}


def _one(store: Store, query: str, *values: int) -> int:
    """The number that a query finds; 0 for none."""
    return int(next(store.rows(query, *values))[0] or 0)


def _number(store: Store, pragma: str) -> int:
    return _one(store, f"PRAGMA {pragma}")
