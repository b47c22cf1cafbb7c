"""What the configuration says about a store: how long it keeps what it has, and where anchors of it go."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.events.times import UNITS_NS

ANCHOR_TARGETS: Final = ("journal", "syslog")
"""Where anchors can go beside the file, in the order in which people read of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """`store` of the configuration, without its path; the defaults are those of a file that says nothing.

    Attributes:
        retention_ns: Older records are removed, nanoseconds; None: whatever their age, they stay.
        max_bytes: Of more, the oldest are removed, except those that a sink has not had yet; None: no bound.
        hard_bytes: Of more, the oldest are removed even if a sink has not had them; None: no bound.
        anchor_file: The file of anchors; None: the one that goes with the store's place.
        anchor_every_ns: How long a record may wait for an anchor, nanoseconds.
        anchor_to: Which of `ANCHOR_TARGETS` get each anchor, too; one that this host lacks is passed over.
    """

    retention_ns: int | None = 90 * UNITS_NS["d"]
    max_bytes: int | None = None
    hard_bytes: int | None = None
    anchor_file: Path | None = None
    anchor_every_ns: int = 10 * UNITS_NS["m"]
    anchor_to: frozenset[str] = frozenset(ANCHOR_TARGETS)
