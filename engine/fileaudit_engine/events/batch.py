"""The unit of flow: events that arrived together, completed only where a rule may match.

A batch is columns, not objects. The one column that every batch has is `candidates`: for each event the
clauses of the kernel plan that it may satisfy, as a bit set, or `EVERY` where nobody has filtered. The live
source fills it from the kernel's answer. Whoever wants more of an event asks `complete` for it.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from fileaudit_engine.events.model import FileEvent

EVERY: Final = -1
"""The candidate set of an event that nobody has filtered: as a two's complement number, all bits set."""

BATCH_EVENTS: Final = 512
"""Events in one batch at the most: larger ones fall out of the cache, smaller ones cost per batch."""

BATCH_DELAY_S: Final = 0.005
"""How long the oldest event of a batch may wait for company."""


class Batch(Protocol):
    """Events in the order in which they happened, as far as their source knows it."""

    @property
    def candidates(self) -> Sequence[int]:
        """Per event, the clauses that may match (`EVERY`: not filtered). Its length is the batch's size."""

    def complete(self, index: int) -> FileEvent:
        """Event number `index` in full."""
