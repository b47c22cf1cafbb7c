"""Whether a record is to blame for a refusal, or the node and what is configured there.

A node says why it refuses a record, and is believed, as long as it takes others: a mapping that fits no
record, a pipeline that fails on each, refuse them one by one with the same words as for a single bad one. If
all were believed, a spool of millions would become dead letters in minutes. So few are believed in a row,
then the rest waits, and somebody is told, until the data stream takes something.

What the words do not put down to the record is believed only of a stream that is known to take others.

Whoever can make records that are refused must not silence the whole host: after a while those that hold the
others up are believed to be to blame, those of one delivery at a time.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

ALL: Final = 16
"""So many records refused in a row, and none taken: it is not them."""
WAIT_S: Final = 600.0
"""How long records may hold others up of which nobody knows whether they are to blame, seconds."""


class Blame:
    """What is known of each data stream, from one delivery to the next.

    Args:
        clock_s: Monotonic seconds.
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._takes: set[str] = set()
        self._refused: Counter[str] = Counter()
        self._since_s: dict[str, float] = {}

    def took(self, dataset: str) -> None:
        """Its stream has taken a record."""
        self._takes.add(dataset)
        self._refused.pop(dataset, None)
        self._since_s.pop(dataset, None)

    def judge(self, dataset: str, certain: Sequence[bool]) -> list[bool]:
        """Which records of a delivery are to blame, of which the stream has taken none.

        Args:
            dataset: Whose stream.
            certain: For each that was refused, whether the node puts it down to the record.
        """
        now_s = self._clock_s()
        waited = now_s - self._since_s.setdefault(dataset, now_s) >= WAIT_S
        if self._refused[dataset] + len(certain) >= ALL:
            if waited:
                self._refused[dataset], self._since_s[dataset] = 0, now_s
            return [waited] * len(certain)
        known = waited or dataset in self._takes
        found = [one or known for one in certain]
        self._refused[dataset] += sum(found)
        return found
