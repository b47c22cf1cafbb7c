"""Signals and time limits of a command that runs until it is told to stop.

SIGTERM and SIGINT ask to drain and stop; a second one ends at once. SIGHUP asks a daemon to reload its
rules; a command that cannot reload ends by it, as every program does whose terminal goes away.
Handlers only set flags: the loop that owns the work looks at them between two batches.
"""

import signal
import time
from types import FrameType, TracebackType

from typing_extensions import Self


class Supervisor:
    """A context in which the process listens to signals."""

    def __init__(self, *, duration_s: float | None = None, reloads: bool = False) -> None:
        self._reloads = reloads
        self._duration_s = duration_s
        self._deadline: float | None = None
        self._before: dict[signal.Signals, object] = {}
        self.stopped_by: signal.Signals | None = None
        """The signal that asked to stop, if one did."""
        self.reload_asked = False
        """Whether a reload was asked for and not yet taken."""

    def __enter__(self) -> Self:
        """Install the handlers."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._stop)
        handler = self._hang_up if self._reloads else self._stop
        self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, handler)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal returned

    def start_clock(self) -> None:
        """The time that was asked for begins now, not while programs were being loaded."""
        if self._duration_s is not None:
            self._deadline = time.monotonic() + self._duration_s

    def proceed(self) -> bool:
        """Whether to go on: no signal to stop, and time is not up."""
        return self.stopped_by is None and (self._deadline is None or time.monotonic() < self._deadline)

    def take_reload(self) -> bool:
        """Whether a reload was asked for since the last call."""
        asked, self.reload_asked = self.reload_asked, False
        return asked

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if self.stopped_by is not None:
            raise KeyboardInterrupt
        self.stopped_by = signal.Signals(number)

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self.reload_asked = True
