"""What brings frames to a receiver: streams, or datagrams."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of frames.

    Attributes:
        count: So many of the first ones went out.
        reason: Why the next one did not, in words; empty if all did.
        too_long: It is longer than a datagram may be.
    """

    count: int
    reason: str = ""
    too_long: bool = False


class Carrier(Protocol):
    """Carries frames, and knows which of them will stay."""

    @property
    def kept(self) -> int:
        """Up to which row what was carried is the receiver's."""

    def carry(self, frames: Sequence[bytes]) -> Carried:
        """Send frames, in order.

        Raises:
            Refused: It will not work until somebody has changed something.
        """

    def again(self) -> bool:
        """Whether what was carried behind `kept` may be lost. Says so once."""

    def keep(self, seq: int) -> None:
        """All up to a row is carried: find out whether the receiver has it."""

    def hurry(self) -> None:
        """Somebody may have changed something: try at once what is being waited with."""

    def close(self) -> None:
        """Let go, in good order if that does not take long."""
