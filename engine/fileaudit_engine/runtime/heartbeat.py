"""A sign of life in the store, so that the next start knows until when somebody was watching.

A process that is killed cannot say so. What it can do is to note every ten seconds that it is there; the time
from the last note to the next start is what nobody has watched.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.detect.engine_record import Action
from fileaudit_engine.diagnostics import FileauditError, UnusableInput
from fileaudit_engine.runtime.chores import Every
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.stored import StoredRecord

ALIVE: Final = "alive"
STOPPED: Final = "stopped"
"""Marks in the store: when the engine last said that it runs, and that it has stopped as it should."""

EVERY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Before:
    """What was before this start.

    Attributes:
        how: `stopped`, `killed`, or `never`: no engine has run with this store.
        until_ns: Until when somebody was watching, nanoseconds since the Unix epoch; None with `never`.
    """

    how: str
    until_ns: int | None


def before(store: Store, now_ns: int) -> Before:
    """What was before this start, by what is in the store.

    A record that says that the engine has stopped counts more than marks: it is chained. One that cannot be
    read says nothing, and is no reason not to watch: `verify` tells what is wrong with it.

    Raises:
        UnusableInput: The store is damaged.
    """
    alive_ns, stopped_ns = store.marked(ALIVE), store.marked(STOPPED)
    newest = _newest(store)
    if newest is not None and _action_of(newest) == Action.ENGINE_STOP.value:
        return Before("stopped", min(newest.ts_ns, now_ns))
    if alive_ns is None:
        return Before("never", None)
    if stopped_ns is not None and stopped_ns >= alive_ns:
        return Before("stopped", min(stopped_ns, now_ns))
    newest_ns = alive_ns if newest is None else newest.ts_ns
    return Before("killed", min(max(alive_ns, newest_ns), now_ns))


def _newest(store: Store) -> StoredRecord | None:
    try:
        return next(iter(store.records_after(store.head.seq - 1, 1)), None)
    except UnusableInput:
        return None


def _action_of(record: StoredRecord) -> object:
    """Of a record that anybody may have written."""
    try:
        event = record.document.get("event")
    except (ValueError, AttributeError, RecursionError):  # it is no JSON, no object, or without end
        return None
    return event.get("action") if isinstance(event, dict) else None


def _ignore() -> None:
    """Who is told where nobody asked."""


class Heartbeat:
    """Notes in the store that the engine runs. A chore.

    Args:
        store: Where.
        failed: Is told why it cannot be noted: the store takes nothing, and nobody may know yet.
        replaced: Is told, once, that the store's path does not lead to it any more.
        clock_ns: The time, nanoseconds since the Unix epoch.
        clock_s: Monotonic seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        failed: Callable[[FileauditError], None],
        replaced: Callable[[], None] = _ignore,
        clock_ns: Callable[[], int] = time.time_ns,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._failed = failed
        self._replaced = replaced
        self._in_place = True
        self._clock_ns = clock_ns
        self._time = Every(EVERY_S, clock_s)

    def tick(self, *, idle: bool) -> None:  # noqa: ARG002 - as long as it runs, it says so
        """Note it every ten seconds."""
        if self._time.is_due():
            self._note(ALIVE)
            if self._in_place and not self._store.is_in_its_place:
                self._in_place = False
                self._replaced()

    def close(self) -> None:
        """Note that it has stopped."""
        self._note(STOPPED)

    def _note(self, mark: str) -> None:
        try:
            self._store.mark(mark, self._clock_ns())
        except FileauditError as error:
            self._failed(error)
