"""The forms of `top`: a screen that is redrawn, a block of lines an interval, or nothing until the end."""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol

from typing_extensions import Self

from fileaudit_engine.cli.top_screen import Screen
from fileaudit_engine.cli.top_text import KEYS
from fileaudit_engine.runtime.activity import Activity
from fileaudit_engine.sinks.output import Output


class Meter:
    """Ends the intervals of an activity, and knows how long they were.

    Args:
        activity: Whose intervals.
        interval_s: How long one is to be.
        clock_s: Monotonic seconds.

    Attributes:
        last_s: How long the interval was that ended last.
    """

    def __init__(
        self, activity: Activity, interval_s: float, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._activity = activity
        self._interval_s = interval_s
        self._clock_s = clock_s
        self._began_s = self._start_s = clock_s()
        self.last_s = 0.0

    @property
    def whole_s(self) -> float:
        """How long all intervals were that have ended."""
        return self._began_s - self._start_s

    def is_over(self) -> bool:
        """Whether the interval is over; then it is ended."""
        if self._clock_s() - self._began_s < self._interval_s:
            return False
        self.end()
        return True

    def end(self) -> None:
        """End the interval now."""
        now_s = self._clock_s()
        self._activity.end_interval()
        self.last_s, self._began_s = now_s - self._began_s, now_s


class View:
    """Nothing until the end; the others show more.

    Attributes:
        finished: Whether the user wants no more.
    """

    finished = False

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, whatever happened."""

    def news(self) -> None:
        """An interval has ended."""

    def idle(self) -> None:
        """Called often: look whether the user wants something."""


class Paper(View):
    """A block of lines for each interval.

    Args:
        output: Where to.
        lines: The block, as of now.
    """

    def __init__(self, output: Output, lines: Callable[[], Sequence[str]]) -> None:
        self._output = output
        self._lines = lines

    def news(self) -> None:
        """Print it."""
        self._output.write("".join(f"{line}\n" for line in self._lines()))


class Drawing(Protocol):
    """What is on the screen."""

    def __call__(self, order: str, *, whole: bool, columns: int, lines: int) -> Sequence[str]:
        """So many lines at the most, sorted by `order`, of the last interval or since the start."""


class Live(View):
    """A screen that is drawn anew after each interval, each key, and when its size changes.

    Args:
        screen: The terminal.
        drawing: What is on it, as of now.
        order: What rows are sorted by until a key says otherwise.
    """

    def __init__(self, screen: Screen, drawing: Drawing, order: str) -> None:
        self._screen = screen
        self._drawing = drawing
        self._order = order
        self._whole = False
        self._size = screen.size()

    def __enter__(self) -> Self:
        """Take the terminal, and draw at once: an empty screen would look like a hung command."""
        self._screen.__enter__()
        self.news()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back."""
        self._screen.__exit__(kind, error, trace)

    def news(self) -> None:
        """Draw."""
        columns, lines = self._size
        self._screen.draw(self._drawing(self._order, whole=self._whole, columns=columns, lines=lines))

    def idle(self) -> None:
        """Obey keys, follow the size."""
        keys, size = self._screen.keys(), self._screen.size()
        for key in keys:
            self._press(key)
        if keys or size != self._size:
            self._size = size
            self.news()

    def _press(self, key: str) -> None:
        if key in {"q", "Q"}:
            self.finished = True
        elif key == "t":
            self._whole = not self._whole
        else:
            self._order = KEYS.get(key, self._order)
