"""Following the chain: which rows were altered, moved, taken out or put in.

A row that is what it was fits its link: the hash of the link before it and of all that it says. One that does
not fit says that something was done here or right before, and this module finds out what, by trying what
would make it fit:

* The row behind fits the stored link: this row was edited. It fits the computed one: only the link was.
* It fits where another row that does not fit stands, or that one fits here: they were moved.
* It fits with a number that is greater: rows before it were taken out, and the others renumbered. With a
  smaller one: rows were put in.

What cannot be explained was edited. The work is bounded: a store of which every row was altered takes hardly
longer than one of which none was.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fileaudit_engine.store.chain import link
from fileaudit_engine.store.verify_finding import Finding, Place, What, at, place_of

REMEMBERED_LINKS: Final = 4_096
"""Rows that may have been put in at one place and still be told from rows that were altered."""

FARTHEST: Final = 10_000
"""Rows that may have been taken out at one place, the others being renumbered, and still be counted."""

MAX_OPEN: Final = 64
"""Rows that do not fit and wait for an explanation."""

MAX_KEPT_BYTES: Final = 256 << 10
"""A larger document does not wait: whether it was moved is not found out."""

SEARCHED_BYTES: Final = 4 << 30
"""Of documents that are hashed while `REMEMBERED_LINKS` and `FARTHEST` are gone through, some ten seconds;
later rows are tried close by only."""

GREATEST: Final = (1 << 63) - 1
"""Number that a row can have."""

_NEAR: Final = 8


@dataclass(frozen=True, slots=True)
class Link:
    """What of a row the chain is about.

    Attributes:
        seq: The number that it has.
        ts_ns: Its time.
        record_id: Its id.
        document: Its document as JSON.
        stored: Its link.
        said: The document itself; None where it is none.
    """

    seq: int
    ts_ns: int
    record_id: bytes
    document: bytes
    stored: bytes
    said: Mapping[str, Any] | None

    @property
    def place(self) -> Place:
        """What it says about itself."""
        return place_of(self.ts_ns, self.said)

    def after(self, previous: bytes, seq: int) -> bytes:
        """Its link if it stood behind that one, with that number; none if no row can have that."""
        if not 0 < seq <= GREATEST:
            return b""
        return link(previous, seq, self.ts_ns, self.record_id, self.document)


@dataclass(slots=True)
class _Open:
    """A row that does not fit.

    Attributes:
        row: What stands there.
        previous: The link that was before it.
        seq: The number that it would have if nothing was renumbered.
        computed: The link that it would have.
        message: What was found out about it; empty: nothing yet.
        what: What that is.
    """

    row: Link
    previous: bytes
    seq: int
    computed: bytes
    what: What = What.EDITED
    message: str = ""


EDITED: Final = "what it says is not what it was linked with"
LINK_EDITED: Final = "its link was altered; what it says agrees with the row behind it"


class Chain:
    """Takes the rows in their order, and yields what is wrong with them.

    Attributes:
        agree: Rows that fit.
        expected: The number of the next row.
        shift: How much greater the numbers were that the rows were linked with.
    """

    def __init__(self, seq: int, previous: bytes | None) -> None:
        """Begin behind a row.

        Args:
            seq: Its number.
            previous: Its link; None if it is not known.
        """
        self.agree = 0
        self.expected = seq + 1
        self._previous = previous
        self.shift = 0
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=REMEMBERED_LINKS)
        """Numbers that rows were linked with, and their links."""
        self._open: deque[_Open] = deque()
        self._bytes = SEARCHED_BYTES
        if previous is not None:
            self._recent.append((seq, previous))

    def restart(self, seq: int, previous: bytes | None) -> Iterator[Finding]:
        """Go on behind another row: those before it are not there any more, or cannot be read."""
        yield from self.finish()
        self.expected, self._previous, self.shift = seq + 1, previous, 0
        self._recent.clear()
        if previous is not None:
            self._recent.append((seq, previous))

    def unreadable(self, seq: int, stored: bytes | None) -> None:
        """A row stands there of which no document is to be had; the chain goes on with its link."""
        self.expected, self._previous = seq + 1, stored

    def take(self, row: Link) -> Iterator[Finding]:
        """The next row."""
        if row.seq != self.expected:
            yield from self._gap(row)
        previous, seq = self._previous, row.seq + self.shift
        self.expected = row.seq + 1
        if previous is None:
            self._follow(row, seq)
        elif row.after(previous, seq) == row.stored:
            self.agree += 1
            self._follow(row, seq)
        else:
            yield from self._misfit(row, previous, seq)

    def finish(self) -> Iterator[Finding]:
        """There are no more rows."""
        while self._open:
            yield self._close(self._open.popleft())

    def _follow(self, row: Link, seq: int) -> None:
        self._previous = row.stored
        self._recent.append((seq, row.stored))

    def _gap(self, row: Link) -> Iterator[Finding]:
        """There are no rows between the last one and this one, by their numbers."""
        number, missing = self.expected + self.shift, row.seq - self.expected
        if self._previous is not None and row.after(self._previous, number) == row.stored:
            self.shift -= missing
            yield at(row.seq, What.REORDERED, _renumbered(missing), row.place)
            return
        self._previous = None
        yield Finding(
            what=What.REMOVED,
            message=f"{_are(missing)} not there any more; what row {row.seq:,} says cannot be proven without",
            first_seq=self.expected,
            last_seq=row.seq - 1,
        )

    def _misfit(self, row: Link, previous: bytes, seq: int) -> Iterator[Finding]:
        if len(row.document) > MAX_KEPT_BYTES:  # any search would take its time
            self._follow(row, seq)
            yield at(row.seq, What.EDITED, EDITED, row.place)
            return
        if self._explained_by_links(row, seq) or self._moved(row, previous, seq):
            self._follow(row, row.seq + self.shift)
            return
        shifted = self._renumbered(row, previous, seq)
        if shifted is not None:
            yield from self._shifted(row, shifted - row.seq)
            return
        computed = row.after(previous, seq)
        self._open.append(_Open(row=row, previous=previous, seq=seq, computed=computed))
        self._follow(row, seq)
        if len(self._open) > MAX_OPEN:
            yield self._close(self._open.popleft())

    def _explained_by_links(self, row: Link, seq: int) -> bool:
        """Whether it fits behind a link that the row before it should have had."""
        for other in self._open:
            if other.seq == seq - 1 and row.after(other.computed, seq) == row.stored:
                if not other.message:
                    other.message = LINK_EDITED
                self.agree += 1
                return True
            if other.row.seq != row.seq - 1 and row.after(other.row.stored, seq) == row.stored:
                self.agree += 1
                return True
        for _, known in list(self._recent)[-_NEAR:]:
            if row.after(known, seq) == row.stored:
                self.agree += 1
                return True
        return False

    def _moved(self, row: Link, previous: bytes, seq: int) -> bool:
        """Whether it is a row that is missed elsewhere, with its link or without."""
        for other in self._open:
            if other.message:
                continue
            home = row.after(other.previous, other.seq)
            if home in {row.stored, other.row.stored} and not self._put_before(other, row, home, seq):
                other.what = What.REORDERED
                other.message = f"the row that belongs here stands at {row.seq}"
                mine = _Open(row=row, previous=previous, seq=seq, computed=b"", what=What.REORDERED)
                mine.message = f"it belongs at {other.row.seq}, where another row stands"
                self._open.append(mine)
                self._settle(home)
                return True
        return False

    def _put_before(self, other: _Open, row: Link, home: bytes, seq: int) -> bool:
        """Whether a row fits where another stands only because some were put in before it.

        All from there on do not fit then, and the one that stands there does not belong here.
        """
        between = sum(other.row.seq <= one.row.seq < row.seq for one in self._open)
        if between != row.seq - other.row.seq:
            return False
        return between > 1 or other.row.after(home, seq) not in {row.stored, other.row.stored}

    def _settle(self, home: bytes) -> None:
        """Rows that did not fit only because of the row that stood before them fit now."""
        for other in list(self._open):
            if not other.message and other.row.after(home, other.seq) == other.row.stored:
                self._open.remove(other)
                self.agree += 1

    def _renumbered(self, row: Link, previous: bytes, seq: int) -> int | None:
        """The number that it was linked with, if that is another one."""
        reach, known = FARTHEST, len(self._recent)
        if self._bytes < 0:
            reach, known = _NEAR, min(_NEAR, known)
        self._bytes -= len(row.document) * (2 * reach + known)
        for back in range(1, known + 1):
            number, stored = self._recent[-back]
            if number + 1 != seq and row.after(stored, number + 1) == row.stored:
                return number + 1
        for step in range(1, reach + 1):
            for number in (seq + step, seq - step):
                if number > 0 and row.after(previous, number) == row.stored:
                    return number
        return None

    def _shifted(self, row: Link, shift: int) -> Iterator[Finding]:
        """From here on rows had other numbers."""
        more, self.shift = shift - self.shift, shift
        self.agree += 1
        last = row.seq - 1
        if more > 0:
            if self._open and self._open[-1].row.seq == last and not self._open[-1].message:
                self._open.pop()  # it is the first one behind the hole: nothing is known of it
            yield at(last, What.REMOVED, _taken_out(more), row.place)
        else:
            first = row.seq + more
            for other in [o for o in self._open if first <= o.row.seq <= last]:
                self._open.remove(other)
            yield Finding(what=What.INSERTED, message=_put_in(-more), first_seq=first, last_seq=last)
        self._recent.clear()
        self._follow(row, row.seq + shift)

    @staticmethod
    def _close(found: _Open) -> Finding:
        return at(found.row.seq, found.what, found.message or EDITED, found.row.place)


def _are(count: int) -> str:
    return "1 row is" if count == 1 else f"{count:,} rows are"


def _renumbered(count: int) -> str:
    return f"this row and all that follow were renumbered by {count:,}; none is missing before it"


def _taken_out(count: int) -> str:
    rows = "a row was" if count == 1 else f"{count:,} rows were"
    return f"{rows} taken out before it, and all that follow were renumbered"


def _put_in(count: int) -> str:
    rows = "1 row was" if count == 1 else f"{count:,} rows were"
    return f"{rows} put in, and all that follow were renumbered"
