"""All sinks behind a network, seen from the thread that writes to the store. A chore.

It takes out of their mailboxes what is to be saved and told, and says in the records how they are: when one
takes nothing, when it has had everything again, and now and then how far each has come.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.detect.record import Record
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.runtime.chores import Every
from fileaudit_engine.runtime.delivery import CLOSING_S, Delivery
from fileaudit_engine.store.lag import lag_of
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import counted, printable, to_document

TOLD_S: Final = 600.0
"""How often records say how far each sink has come."""
HANGS_S: Final = 60.0
"""A sink that is in one call for so long hangs: none of its own limits is longer than half of that."""
SAVE_AGAIN_S: Final = 1.0
"""Pause after the store could not be written: each try may wait for it, in the thread that detects."""
_LOOK_S: Final = 0.02
"""How often mailboxes are looked into while nothing else is done, seconds."""


class Deliveries:
    """Looks after deliveries.

    Args:
        deliveries: Them; each is started at the first turn.
        store: Open for writing.
        host: This host's name.
        keep: Is given what the engine says about its sinks.
        tell: Is told, in words, how they are.
    """

    def __init__(
        self,
        deliveries: Sequence[Delivery],
        store: Store,
        *,
        host: str,
        keep: Callable[[Sequence[Record]], object],
        tell: Callable[[str], None],
    ) -> None:
        self._all = tuple(deliveries)
        self._store = store
        self._host = host
        self._keep = keep
        self._tell = tell
        self._due = Every(TOLD_S)
        self._due.is_due()  # the first time is when the first period is over
        self._seen = 0
        self._unsaved = ""
        self._save_not_before_s = 0.0
        self._told: dict[str, tuple[int, int]] = {}
        self._hanging: set[str] = set()
        self._own = 0
        """Records that were made of deliveries the last time; sinks are given those, too."""
        self._closing = False

    @property
    def names(self) -> Sequence[str]:
        """Of the sinks."""
        return [one.name for one in self._all]

    def tick(self, *, idle: bool) -> None:  # noqa: ARG002 - a chore is told; there is never much to do
        """Save and tell what there is; wake who waits for rows."""
        may_save = time.monotonic() >= self._save_not_before_s
        for one in self._all:
            one.start()
            if may_save:
                self._save(one)
            self._tell_news(one)
            self._look_whether_it_hangs(one)
        head = self._store.head.seq
        if head != self._seen:
            self._seen = head
            for one in self._all:
                one.wake()
        if self._due.is_due():
            self._tell_how_far()

    def refresh(self) -> None:
        """Somebody may have changed something: whoever has stopped tries again."""
        for one in self._all:
            one.refresh()

    def drain(self, patience_s: float, *, proceed: Callable[[], bool]) -> bool:
        """Wait until every sink has had everything.

        Args:
            patience_s: How long nothing may move, seconds; sinks that have stopped are not waited for.
            proceed: Whether waiting still has a point.

        Returns:
            Whether they have had it.
        """
        moved_s, before = time.monotonic(), [-1]
        while proceed():
            self.tick(idle=True)
            reached = [one.position for one in self._all]
            if min(reached) >= self._store.head.seq:
                return True
            if reached != before:
                moved_s, before = time.monotonic(), reached
            elif time.monotonic() - moved_s > patience_s or self._have_stopped():
                break
            time.sleep(_LOOK_S)
        return False

    def _have_stopped(self) -> bool:
        """Whether nobody who is behind will go on by itself."""
        head = self._store.head.seq
        return all(one.stopped for one in self._all if one.position < head)

    def close(self, wait_s: float = 2 * CLOSING_S) -> None:
        """Let them hand on the rest for a bounded time, seconds, and end; save how far they have come."""
        self._closing = True
        until_s = time.monotonic() + wait_s
        for one in self._all:
            one.stop()
        for one in self._all:
            ended = one.join(until_s - time.monotonic())
            self._save(one)
            self._tell_news(one)
            if not ended:
                self._tell(f"{one.name} still waits for an answer: what it had last is told again")

    @property
    def rejected(self) -> int:
        """How many rows were refused since the start."""
        return sum(one.rejected for one in self._all)

    @property
    def behind(self) -> int:
        """How many rows the cursors say that some sink has not had, or may have lost again."""
        cursors = self._store.cursors()
        return max(self._store.head.seq - cursors.get(one.name, 0) for one in self._all)

    def lines(self) -> list[str]:
        """What became of the records, a line a sink."""
        return [
            f"sink     {one.name} · {one.delivered:,} delivered · {one.rejected:,} rejected"
            f" · {self._store.head.seq - one.position:,} behind"
            for one in self._all
        ]

    def _tell_news(self, one: Delivery) -> None:
        news = one.mailbox.take_news()
        for words in news.words:
            self._tell(words)
        if news.unsaid:
            self._tell(f"{one.name} has said {counted(news.unsaid, 'line')} more, which are left out")
        for reason in () if self._closing else news.notes:
            self._note(one, reason)

    def _look_whether_it_hangs(self, one: Delivery) -> None:
        """What blocks in a sink cannot be ended, but told: its own thread says nothing any more."""
        asked_s, hung = one.asked_s, one.name in self._hanging
        if asked_s is not None and not hung and time.monotonic() - asked_s > HANGS_S:
            self._hanging.add(one.name)
            reason = f"it has been in one call for {HANGS_S:.0f} s: is there a name that is not resolved?"
            self._tell(f"{one.name} takes nothing: {reason}")
            self._note(one, reason)
        elif hung and asked_s is None:
            self._hanging.discard(one.name)
            self._tell(f"{one.name} has answered again")
            self._note(one, "")

    def _save(self, one: Delivery) -> None:
        """What a sink has rejected is saved with its cursor: never one without the other."""
        mail = one.mailbox.take()
        try:
            if mail.cursor is not None:
                self._store.save_cursor(one.name, mail.cursor, time.time_ns(), rejected=mail.rejected)
            if mail.forgiven:
                self._store.forgive(one.name, mail.forgiven)
        except MachineCannot as error:
            one.mailbox.put_back(mail)
            self._save_not_before_s = time.monotonic() + SAVE_AGAIN_S
            if str(error) != self._unsaved:
                self._tell(f"how much {one.name} has had cannot be noted: {printable(str(error))}")
            self._unsaved = str(error)
        else:
            self._unsaved = "" if mail.cursor is not None else self._unsaved

    def _note(self, one: Delivery, reason: str) -> None:
        action = Action.SINK_UNAVAILABLE if reason else Action.SINK_AVAILABLE
        words = f"{one.name}: {printable(reason)}" if reason else one.name
        self._record(action, one, words, {"reason": to_document(reason)})

    def _tell_how_far(self) -> None:
        """A record a sink, if it has had anything since the last one but that, or is in trouble."""
        own, self._own = self._own, 0
        for one in self._all:
            before = self._told.get(one.name, (0, 0))
            delivered, rejected = one.delivered - before[0], one.rejected - before[1]
            self._told[one.name] = one.delivered, one.rejected
            if delivered > own or rejected or one.trouble:
                words = f"{one.name}: {counted(delivered, 'record')} delivered, {rejected:,} rejected"
                reason = to_document(one.trouble)
                facts = {"delivered": delivered, "rejected": rejected, "reason": reason}
                self._record(Action.DELIVERY, one, words, facts)
                self._own += 1

    def _record(self, action: Action, one: Delivery, words: str, facts: dict[str, object]) -> None:
        now_ns = time.time_ns()
        lag = lag_of(self._store, one.position)
        waits_ns = 0 if lag.oldest_ns is None else max(now_ns - lag.oldest_ns, 0)
        if lag.behind:
            words += f", {lag.behind:,} behind"
        how_far = {"sink": one.name, "behind": lag.behind, "lag_seconds": waits_ns // SECOND_NS}
        said = {name: fact for name, fact in (how_far | facts).items() if fact != ""}
        self._keep([engine_record(action, now_ns, self._host, words, said)])
