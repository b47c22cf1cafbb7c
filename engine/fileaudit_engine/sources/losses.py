"""Counters of what found no room in the ring, as events: how many, of what, and in which time."""

import time
from collections.abc import Callable
from typing import Final

from fileaudit_engine.events.model import OPERATIONS, Loss
from fileaudit_engine.sources.maps import CounterTotals

LOOK_S: Final = 0.1
"""How often the counters are read."""


class LossWatch:
    """Turns counters that grew into `Loss` events, looking at them every tenth of a second."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._looked_ns = time.time_ns()

    def news(self, totals: Callable[[], CounterTotals], *, at_once: bool) -> Loss | None:
        """What was lost since the last look, if anything and if it is time."""
        now = time.time_ns()
        if not at_once and 0 <= now - self._looked_ns < LOOK_S * 1e9:
            return None
        lost = lost_by_name(totals())
        grown = {name: count - self._known.get(name, 0) for name, count in lost.items()}
        first, self._looked_ns, self._known = self._looked_ns, now, lost
        new = {name: count for name, count in grown.items() if count}
        return Loss(first_ns=first, last_ns=now, counts=new) if new else None


def lost_by_name(totals: CounterTotals) -> dict[str, int]:
    """What was lost so far: by operation, and `process` for records of processes."""
    lost = {op.value: count for op, count in zip(OPERATIONS, totals.lost, strict=False) if count}
    if totals.lost_process_records:
        lost["process"] = totals.lost_process_records
    return lost
