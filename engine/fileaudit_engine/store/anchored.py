"""A quick look at the start: does a store still have what anchors say that it had?

`verify` computes the whole chain anew, which takes minutes. Here only the rows are looked up that anchors
speak of, from the newest anchor back to the first that agrees. That is enough to notice a store that was cut
off, written anew, put back to an older copy, or replaced by another one.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from fileaudit_engine.store.anchors import Anchor
from fileaudit_engine.store.store import Store


class Wrong(str, enum.Enum):
    """What an anchor and a store do not agree about."""

    CUT_OFF = "cut off"
    """The row is not there any more, nor are those behind it."""
    MISSING = "missing"
    """The row is not there, though others are behind it."""
    ALTERED = "altered"
    """The row, or one before it, is not what it was."""
    UNANNOUNCED = "unannounced"
    """Rows are said to be removed by retention, which has announced nothing of the kind."""
    REPLACED = "replaced"
    """The anchors are of another store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """That a store does not have what anchors say.

    Attributes:
        what: How.
        anchor: The earliest one that does not agree; with `UNANNOUNCED` and `REPLACED` the newest one.
        agreed_seq: Up to here the store is what it was, as far as anchors are there; None: none agrees.
    """

    what: Wrong
    anchor: Anchor
    agreed_seq: int | None


def held_against(store: Store, anchors: Sequence[Anchor]) -> Disagreement | None:
    """What is wrong with a store by anchors, in the order in which they were made; None if nothing is.

    Raises:
        UnusableInput: The store is damaged.
        MachineCannot: It cannot be read.
    """
    own = [anchor for anchor in anchors if anchor.store == store.identity]
    if anchors and not own:
        return Disagreement(what=Wrong.REPLACED, anchor=anchors[-1], agreed_seq=None)
    found: tuple[Wrong, Anchor] | None = None
    removed_seq = store.removed_seq
    if own and removed_seq > max(anchor.start for anchor in own):
        return Disagreement(what=Wrong.UNANNOUNCED, anchor=own[-1], agreed_seq=None)
    agreed_seq: int | None = None
    for anchor in reversed(own):
        if anchor.seq < removed_seq:  # of what retention has removed, nothing can be said
            break
        wrong = _wrong(store, anchor)
        if wrong is None:
            agreed_seq = anchor.seq
            break
        found = wrong, anchor
    return None if found is None else Disagreement(what=found[0], anchor=found[1], agreed_seq=agreed_seq)


def _wrong(store: Store, anchor: Anchor) -> Wrong | None:
    query = (
        "SELECT link FROM records WHERE seq = ?1 UNION ALL"
        " SELECT removed_link FROM chain WHERE removed_seq = ?1 LIMIT 1"
    )
    row = next(store.rows(query, anchor.seq), None)
    if row is not None:
        return None if row[0] == anchor.link else Wrong.ALTERED
    return Wrong.CUT_OFF if anchor.seq > store.head.seq else Wrong.MISSING
