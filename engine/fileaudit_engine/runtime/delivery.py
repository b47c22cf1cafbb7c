"""Sinks behind a network: each follows the store in a thread of its own.

    store ─ committed rows ─> thread ─ follower ─> sink ─ network ─> receiver
      ^                          │
      └── cursor, dead letters ──┘  through a mailbox, saved by the thread that writes to the store

A receiver that is slow, dead or full delays its own records and nothing else: neither detection nor another
sink waits for it. What it has not had stays in the store, for retention too. When it is there again, it gets
everything, in order; after a kill of the engine from the last cursor that was saved, so that what came since
comes twice, under the same ids.

What a receiver has rejected is tried once more at every start, and when somebody asks for it (SIGHUP), who
has mended a mapping. That goes for receivers that answer; of a stream of syslog nobody knows what became of
a frame by itself.
"""

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from fileaudit_engine.diagnostics import FileauditError, MachineCannot
from fileaudit_engine.runtime.follower import Follower, KeepingSink, Pace, StoreSink, Wanted
from fileaudit_engine.runtime.mailbox import Mailbox, Reading
from fileaudit_engine.sinks.base import Answer, Delivered, Refreshing, Retry
from fileaudit_engine.store.letters import letters_of
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.stored import StoredRecord
from fileaudit_engine.text import counted, printable

SHORTEST_S: Final = 0.5
LONGEST_S: Final = 60.0
"""Pauses after a failure: the first one, and what they grow to. Each is drawn at random below that, so that a
hundred hosts do not come back to a receiver in the same moment."""
PATIENCE_S: Final = 5.0
"""How long a receiver may take nothing before people are told: a restart is no trouble."""
CLOSING_S: Final = 5.0
"""How long the rest may be handed on when the engine stops; it stays in the store anyway. A request that has
begun may take as long again."""

FAR_BEHIND: Final = 10_000
"""Rows from which on it is told at a start that a sink is behind: it may have been away for a year."""
LETTER_TRIES: Final = 3
"""How often rows that a receiver will not decide on are asked about, while it decides on others."""
LETTERS: Final = 256
"""Dead letters that are tried again at a time."""
_LONGEST_REASON: Final = 500
_LOG: Final = logging.getLogger(__name__)


Tell = Callable[[str], None]


def _jittered(failures: int) -> float:
    most = min(LONGEST_S, SHORTEST_S * 2.0 ** min(failures - 1, 16))
    return most * (0.1 + 0.9 * random.random())  # noqa: S311 - spreads load, keeps no secret


ALONE: Final = Pace(
    budget_s=1.0,
    closing_s=CLOSING_S,
    most_rows=4_096,
    quick_s=1.0,
    slow_s=10.0,
    retry_s=_jittered,
    patience_s=PATIENCE_S,
    last_try=False,
)
"""In a thread of its own; a tick ends in time for the next cursor."""


class Letters(msgspec.Struct):
    """How far a sink has been asked again about what it had rejected.

    Attributes:
        until: The last row that may be asked about: what is rejected later is asked about another time.
        after: The last row that was asked about.
        over: Whether all were.
        failures: Tries in a row that came to nothing.
        not_before_s: When the next one is made, monotonic seconds.
        trouble: Why the last one came to nothing; empty if it did not.
    """

    until: int
    after: int = 0
    over: bool = False
    failures: int = 0
    not_before_s: float = 0.0
    trouble: str = ""

    @property
    def next_at_once(self) -> bool:
        """Whether the next ones can be asked about at once."""
        return not self.over and not self.failures

    def count(self, asked: Sequence[int], later: Sequence[int]) -> None:
        """Rows were asked about, and of some the answer was to come again later.

        A receiver that answers for some and not for others does not hold those up for ever.
        """
        self.over = not asked
        if not later:
            self.after, self.failures = max(asked, default=self.after), 0
            return
        self.failures += 1
        if len(later) < len(asked) and self.failures >= LETTER_TRIES:
            self.after, self.failures = max(asked), 0


class Delivery:
    """One sink, its thread, and what is known of it.

    Args:
        name: Of the sink; its cursor has it, too.
        make: Makes the sink, in its thread; is given who tells people what.
        store: Open for writing; only looked at here.
        wanted: Which rows the sink is given.
        from_start: Where it begins if it has never had anything of this store.
        pace: How it goes on.

    Attributes:
        mailbox: What is to be saved and told.
        position: The last row that the sink has had.
        trouble: Why it takes nothing; empty while it does.
        stopped: Whether that will be so until somebody has changed something.
        delivered: Rows that it has taken since the start, each once.
        rejected: Rows that it has refused since then.
        asked_s: Since when it has not answered, monotonic seconds; None: it is not being asked.
    """

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        name: str,
        make: Callable[[Tell], StoreSink],
        store: Store,
        *,
        wanted: Wanted,
        from_start: bool = False,
        pace: Pace = ALONE,
    ) -> None:
        """Say in the store where it begins, if that is not known: a kill must not move the beginning.

        Raises:
            UnusableInput: The store is damaged.
            MachineCannot: The cursor cannot be saved.
        """
        self.name = name
        self.trouble = ""
        self.stopped = False
        self.delivered = self.rejected = 0
        self.asked_s: float | None = None
        found = store.cursor(name)
        if found is not None:
            found = max(found, 0)
        else:
            found = 0 if from_start else store.head.seq
            store.save_cursor(name, found, time.time_ns())
        self.mailbox = Mailbox(found)
        behind = store.head.seq - found
        if behind >= FAR_BEHIND:
            self.mailbox.say(f"{name} goes on where it was, {counted(behind, 'row')} behind")
        self.position = found
        self._letters = Letters(until=found)
        self._make = make
        self._path, self._identity = store.path, store.identity
        self._wanted = wanted
        self._pace = pace
        self._wake = threading.Event()
        self._waits = False
        self._refresh = False
        self._stopping = False
        self._before = 0, 0
        """Rows delivered and rejected by followers that had to begin anew."""
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether its thread has not ended yet."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin, unless it has begun; not before the engine has given up its privileges."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """There is something new."""
        if self._waits:
            self._wake.set()

    def refresh(self) -> None:
        """Somebody may have changed something: try at once what failed."""
        self._refresh = True
        self._wake.set()

    def stop(self) -> None:
        """Hand on the rest, for a bounded time, and end."""
        self._stopping = True
        self._wake.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; returns whether it has come."""
        if self._thread is not None:
            self._thread.join(max(timeout_s, 0.0))
        return not self.running

    def _run(self) -> None:
        failures = 0
        while not self._stopping:
            try:
                with Store.open(self._path, read_only=True) as store:
                    self._check(store)
                    self._follow(store)
                    return
            except FileauditError as error:
                self._failed(str(error))
            except Exception as error:  # noqa: BLE001 - of ours: a thread must not end without a word
                _LOG.debug("the delivery to %s failed", self.name, exc_info=True)
                self._failed(f"{type(error).__name__}: {error}")
            failures += 1
            self._wake.wait(self._pace.retry_s(failures))
            self._wake.clear()

    def _check(self, store: Store) -> None:
        """Rows of another store are none of ours, whatever their numbers.

        Raises:
            MachineCannot: It is another one.
        """
        if store.identity != self._identity:
            raise MachineCannot(f"another store stands at {self._path} now", remedy="start the engine anew")

    def _failed(self, reason: str) -> None:
        """It begins anew from its cursor, after a pause."""
        if reason != self.trouble:
            self.mailbox.say(f"{self.name} takes nothing: {printable(reason)}; it gets everything later")
        self.trouble = reason

    def _follow(self, store: Store) -> None:
        sink = self._guarded(self._make(self.mailbox.say))
        with contextlib.ExitStack() as stack:
            stack.callback(sink.close)  # also if the follower cannot even be made
            follower = Follower(
                self.name,
                sink,
                Reading(store, self.mailbox),
                wanted=self._wanted,
                pace=self._pace,
                tell=self.mailbox.say,
                noted=self.mailbox.note,
            )
            self._before = self.delivered, self.rejected
            while not self._stopping:
                self._turn(follower, sink, store)
            follower.close()
            self._publish(follower)

    def _turn(self, follower: Follower, sink: "_Guarded", store: Store) -> None:
        if self._refresh:
            self._refresh = False
            sink.refresh()
            follower.hurry()
            self._letters = Letters(until=follower.position)
        self._waits = not follower.trouble  # from here on: what is committed after the tick has looked counts
        follower.tick(idle=True)
        if not (follower.trouble or sink.keeps):
            self._try_letters(sink, store)
        self._publish(follower)
        pause_s = follower.pause_s
        if pause_s > 0 and (follower.trouble or sink.keeps or not self._letters.next_at_once):
            self._wake.wait(pause_s)
        self._wake.clear()

    def _publish(self, follower: Follower) -> None:
        self.position, self.stopped = follower.position, follower.stopped
        self.trouble = follower.trouble or self._letters.trouble
        self.delivered = self._before[0] + follower.delivered
        self.rejected = self._before[1] + follower.rejected

    def _try_letters(self, sink: "_Guarded", store: Store) -> None:
        """Try again what was rejected before; what cannot be tried now, later."""
        letters = self._letters
        if letters.over or time.monotonic() < letters.not_before_s:
            return
        numbers = list(letters_of(store, self.name, LETTERS, after=letters.after, until=letters.until))
        records = list(_readable(store, numbers))
        wanted = [record for record in records if self._wanted.is_met_by(record)]
        answers = sink.deliver(wanted) if wanted else ()
        later = next((answer for answer in answers if isinstance(answer, Retry)), None)
        taken = [r.seq for r, a in zip(wanted, answers, strict=True) if isinstance(a, Delivered)]
        unwanted = {record.seq for record in records} - {record.seq for record in wanted}
        self.mailbox.forgive([*taken, *sorted(unwanted), *(n for n in numbers if n <= store.removed_seq)])
        if taken:
            self.mailbox.say(f"{self.name} has taken {counted(len(taken), 'row')} that it had rejected")
        letters.count(numbers, [r.seq for r, a in zip(wanted, answers, strict=True) if isinstance(a, Retry)])
        letters.trouble = "" if later is None else later.reason
        if letters.failures:
            letters.not_before_s = time.monotonic() + self._pace.retry_s(letters.failures)

    def _guarded(self, sink: StoreSink) -> "_Guarded":
        return _GuardedKeeping(sink, sink, self) if isinstance(sink, KeepingSink) else _Guarded(sink, self)


def _readable(store: Store, numbers: Sequence[int]) -> Iterator[StoredRecord]:
    for number in numbers:
        with contextlib.suppress(FileauditError):  # it was rejected because of that
            yield from store.read([number])


class _Guarded:
    """A sink that raises nothing."""

    keeps = False

    def __init__(self, sink: StoreSink, delivery: Delivery) -> None:
        self._sink = sink
        self._delivery = delivery
        self._closed = False

    def deliver(self, records: Sequence[StoredRecord]) -> Sequence[Answer]:
        self._delivery.asked_s = time.monotonic()
        try:
            answers = list(self._sink.deliver(records))
        except Exception as error:  # noqa: BLE001 - whatever a client library raises, the record stays in the store
            _LOG.debug("%s raised", self._delivery.name, exc_info=True)
            return [Retry(printable(f"{type(error).__name__}: {error}")[:_LONGEST_REASON])] * len(records)
        finally:
            self._delivery.asked_s = None
        if len(answers) != len(records):
            return [Retry(f"it answered {len(answers):,} of {len(records):,}")] * len(records)
        return answers

    def refresh(self) -> None:
        if isinstance(self._sink, Refreshing):
            self._sink.refresh()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._sink.close()
        except Exception:  # noqa: BLE001 - it is over anyway
            _LOG.debug("%s raised at its end", self._delivery.name, exc_info=True)


class _GuardedKeeping(_Guarded):
    """The same of a sink that knows later what stays."""

    keeps = True

    def __init__(self, sink: StoreSink, keeping: KeepingSink, delivery: Delivery) -> None:
        super().__init__(sink, delivery)
        self._keeping = keeping

    @property
    def kept(self) -> int:
        return self._keeping.kept

    def again(self) -> bool:
        return self._keeping.again()

    def keep(self, seq: int) -> None:
        self._keeping.keep(seq)
