"""What the thread of a sink has to tell the thread that writes to the store.

Only one thread writes there, and none may wait for a network in it. So a delivery puts how far its sink is,
and what the sink has rejected, into a mailbox; the writing thread takes it out and saves it, all of it in one
transaction. Until then it is not durable, and comes again after a kill: told twice, never left out.
"""

import threading
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.store.store import Store
from fileaudit_engine.store.stored import StoredRecord
from fileaudit_engine.store.writer import Head

MOST_LETTERS: Final = 10_000
"""Dead letters that wait to be saved: a store that takes none stops the sink, before memory is full."""

MOST_WORDS: Final = 50
"""Lines that wait to be told: whoever tells them is who detects, and must not write for long."""


class Mail(msgspec.Struct):
    """What is to be saved.

    Attributes:
        cursor: Up to where the sink has had everything; None: nothing new.
        rejected: Rows up to there that it will never take, and why.
        forgiven: Rows that it has taken after all.
    """

    cursor: int | None = None
    rejected: dict[int, str] = msgspec.field(default_factory=dict)
    forgiven: list[int] = msgspec.field(default_factory=list)


class News(msgspec.Struct):
    """What is to be told.

    Attributes:
        words: To people, in order.
        unsaid: How many more lines there were than anybody should be told.
        notes: Why the sink takes nothing, or the empty text when it has had everything again, in order.
    """

    words: list[str] = msgspec.field(default_factory=list)
    unsaid: int = 0
    notes: list[str] = msgspec.field(default_factory=list)


class Mailbox:
    """Between two threads.

    Args:
        cursor: Up to where the sink has had everything.

    Attributes:
        cursor: Likewise, with all that has come since.
    """

    def __init__(self, cursor: int) -> None:
        self.cursor = cursor
        self._lock = threading.Lock()
        self._mail = Mail()
        self._news = News()

    def reached(self, seq: int) -> None:
        """The sink has had everything up to a row."""
        with self._lock:
            self.cursor = self._mail.cursor = seq

    def reject(self, seq: int, reason: str) -> None:
        """The sink will never take a row.

        Raises:
            MachineCannot: Too many of them wait to be saved.
        """
        with self._lock:
            if len(self._mail.rejected) >= MOST_LETTERS:
                raise MachineCannot("what it rejects cannot be noted in the store", remedy="")
            self._mail.rejected[seq] = reason

    def forgive(self, numbers: Iterable[int]) -> None:
        """The sink has taken rows that it had rejected."""
        with self._lock:
            self._mail.forgiven.extend(numbers)

    def say(self, words: str) -> None:
        """Tell people."""
        with self._lock:
            if len(self._news.words) < MOST_WORDS:
                self._news.words.append(words)
            else:
                self._news.unsaid += 1

    def note(self, reason: str) -> None:
        """The sink takes nothing, for a reason; or, without one, has had everything again."""
        with self._lock:
            self._news.notes.append(reason)

    def take_news(self) -> News:
        """What is to be told; it is gone from here."""
        with self._lock:
            news, self._news = self._news, News()
        return news

    def take(self) -> Mail:
        """What is to be saved; it is gone from here. A dead letter waits until the cursor has passed it."""
        with self._lock:
            mail, self._mail = self._mail, Mail()
            passed = -1 if mail.cursor is None else mail.cursor
            self._mail.rejected = {seq: why for seq, why in mail.rejected.items() if seq > passed}
            mail.rejected = {seq: why for seq, why in mail.rejected.items() if seq <= passed}
        return mail

    def put_back(self, mail: Mail) -> None:
        """What could not be saved: the next one who takes gets it, with what has come since."""
        with self._lock:
            newer = self._mail
            self._mail = Mail(
                cursor=mail.cursor if newer.cursor is None else newer.cursor,
                rejected=mail.rejected | newer.rejected,
                forgiven=mail.forgiven + newer.forgiven,
            )


class Reading:
    """A store as the follower in a sink's thread sees it: it reads there, and writes into the mailbox.

    Args:
        store: Open for reading, by the same thread.
        mailbox: Where the rest goes.
    """

    def __init__(self, store: Store, mailbox: Mailbox) -> None:
        self._store = store
        self._mailbox = mailbox

    @property
    def head(self) -> Head:
        """The last row that is committed."""
        return self._store.head

    @property
    def removed_seq(self) -> int:
        """The last row that retention has removed."""
        return self._store.removed_seq

    def records_after(
        self, seq: int, limit: int, *, until: int | None = None, kinds: Collection[Kind] | None = None
    ) -> Sequence[StoredRecord]:
        """See `Store.records_after`."""
        return self._store.records_after(seq, limit, until=until, kinds=kinds)

    def read(self, numbers: Iterable[int]) -> Sequence[StoredRecord]:
        """See `Store.read`."""
        return self._store.read(numbers)

    def cursor(self, sink: str) -> int | None:  # noqa: ARG002 - there is one
        """Up to which row the sink has had everything."""
        return self._mailbox.cursor

    def save_cursor(self, sink: str, seq: int, saved_ns: int) -> None:  # noqa: ARG002 - whoever saves says when
        """Have it saved."""
        self._mailbox.reached(seq)

    def reject(self, sink: str, seq: int, reason: str, failed_ns: int) -> None:  # noqa: ARG002 - likewise
        """Have it noted.

        Raises:
            MachineCannot: See `Mailbox.reject`.
        """
        self._mailbox.reject(seq, reason)
