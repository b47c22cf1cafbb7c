"""Holding a chain against anchors: whether its end is its end, and whether it is the chain that was there.

A chain that was written anew from some row on is whole by itself, and so is one whose newest rows were cut
off. Anchors tell: up to the last one that agrees nothing was altered, before the first one that does not,
something was.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.store.anchors import Anchor
from fileaudit_engine.store.verify_finding import Finding, What, at

CONTRADICTION: Final = "two anchors of this row have different links: one of them was forged"


class AnchorCheck:
    """Takes rows in their order, and yields what anchors say otherwise.

    Attributes:
        agree: Anchors whose row has their link.
        disagree: Anchors whose row has another one, or is not there.
        removed: Anchors of rows that retention has removed: they cannot be checked any more.
        foreign: Anchors of other stores.
        last: The newest row that an anchor agrees with.
    """

    def __init__(self, anchors: Iterable[Anchor], identity: bytes | None) -> None:
        """Check against these.

        Args:
            anchors: In any order, repeated or not.
            identity: Of the store; None if that is not known: then all anchors are another store's.
        """
        found = set(anchors)
        own = {anchor for anchor in found if anchor.store == identity}
        self.agree = self.disagree = self.removed = 0
        self.foreign = len(found) - len(own)
        self.last: Anchor | None = None
        self._due = sorted(own, key=lambda anchor: (-anchor.seq, -anchor.time_ns))
        """The next one is the last of the list."""
        self._in_doubt = False
        """Whether a finding has said that the rows from here on are not those that were anchored."""
        self._began = 0

    @property
    def own(self) -> int:
        """Anchors of this store."""
        return self.agree + self.disagree + self.removed + len(self._due)

    def begin(self, seq: int, link: bytes | None) -> Iterator[Finding]:
        """The chain begins, or goes on, behind a row that retention has removed.

        Args:
            seq: Its number.
            link: What the store says that its link was; None if it says nothing.
        """
        while self._due and self._due[-1].seq < seq:
            self._due.pop()
            self.removed += 1
        self._began = max(self._began, seq)
        if link is not None:
            yield from self.take(seq, link)

    def take(self, seq: int, link: bytes) -> Iterator[Finding]:
        """The next row."""
        while self._due and self._due[-1].seq < seq:
            self._due.pop()
            self.disagree += 1  # its row is not there, which the chain has found
        here: list[Anchor] = []
        while self._due and self._due[-1].seq == seq:
            here.append(self._due.pop())
        if here:
            yield from self._compare(here, seq, link)

    def finish(self, head: int) -> Iterator[Finding]:
        """There are no rows behind this one."""
        beyond = [anchor for anchor in self._due if anchor.seq > head]
        self.disagree += len(self._due)
        self._due.clear()
        if beyond:
            newest = max(beyond, key=lambda anchor: anchor.seq)
            first = min(beyond, key=lambda anchor: anchor.seq)
            yield Finding(
                what=What.CUT_OFF,
                message=f"the newest rows are gone: the anchor of {rfc3339(newest.time_ns)} is of row"
                f" {newest.seq:,}; the first anchor behind the end is of {rfc3339(first.time_ns)}",
                first_seq=head + 1,
                last_seq=newest.seq,
            )

    def _compare(self, here: list[Anchor], seq: int, link: bytes) -> Iterator[Finding]:
        right = [anchor for anchor in here if anchor.link == link]
        wrong = [anchor for anchor in here if anchor.link != link]
        self.agree += len(right)
        self.disagree += len(wrong)
        if right and wrong:
            yield at(seq, What.REWRITTEN, CONTRADICTION)
        elif wrong and not self._in_doubt:
            yield self._rewritten(wrong[0])
        self._in_doubt = bool(wrong) and not right
        if right:
            self.last = right[0]

    def _rewritten(self, wrong: Anchor) -> Finding:
        since = self.last.seq if self.last else self._began
        said = f"row {wrong.seq:,} is not the one that was anchored at {rfc3339(wrong.time_ns)}"
        if self.last:
            said += f"; row {since:,} is the one that was anchored at {rfc3339(self.last.time_ns)}"
        return Finding(
            what=What.REWRITTEN,
            message=f"{said}: the chain was written anew from a row in between",
            first_seq=min(since + 1, wrong.seq),
            last_seq=wrong.seq,
        )
