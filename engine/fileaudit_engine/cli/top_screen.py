"""A whole terminal for ourselves: the other screen, keys without Enter, and everything as it was afterwards.

Plain ANSI sequences that every terminal of the last thirty years knows; no curses, which would want to know
the terminal's name. Nothing is read or changed where stdin is no terminal, or one that another job has.
"""

import contextlib
import os
import re
import select
import termios
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

from typing_extensions import Self

from fileaudit_engine.sinks.output import Output

_ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J"
"""Other screen, no cursor, no wrapping of long lines, empty."""
_LEAVE: Final = "\x1b[?7h\x1b[?25h\x1b[?1049l"
_HOME: Final = "\x1b[H"
_EMPTY_LINE: Final = "\x1b[K"
_REST_OF_SCREEN: Final = "\x1b[J"
_SPECIAL_KEY: Final = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]?|O.?|.)?", re.DOTALL)
"""What arrows and function keys send; its letters are no keys of ours."""
_LARGEST: Final = 1_000
"""Columns and lines that are drawn at the most; a terminal may claim to have 65,535."""
_USUAL: Final = (80, 24)


class Screen:
    """A context in which the terminal shows nothing but what is drawn.

    Args:
        output: The terminal.
        terminal: Its descriptor, to ask for its size.
        keyboard: The descriptor that keys come from; None where there is none.
    """

    def __init__(self, output: Output, *, terminal: int, keyboard: int | None) -> None:
        self._output = output
        self._terminal = terminal
        usable = keyboard is not None and os.isatty(keyboard) and is_in_front(keyboard)
        self._keyboard = keyboard if usable else None
        self._before: list[Any] | None = None

    @property
    def has_keys(self) -> bool:
        """Whether somebody can press keys."""
        return self._keyboard is not None

    def __enter__(self) -> Self:
        """Take the terminal."""
        if self._keyboard is not None:
            self._before = termios.tcgetattr(self._keyboard)
            termios.tcsetattr(self._keyboard, termios.TCSADRAIN, _without_lines(self._keyboard))
        self._output.write(_ENTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back, even if it is gone already."""
        self._output.write(_LEAVE)
        if self._keyboard is not None and self._before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._keyboard, termios.TCSADRAIN, self._before)

    def size(self) -> tuple[int, int]:
        """Columns and lines, as of now."""
        try:
            columns, lines = os.get_terminal_size(self._terminal)
        except OSError:
            return _USUAL
        return min(columns or _USUAL[0], _LARGEST), min(lines or _USUAL[1], _LARGEST)

    def keys(self) -> str:
        """The keys that were pressed since the last call; special ones (arrows) are left out."""
        if self._keyboard is None or not select.select([self._keyboard], [], [], 0)[0]:
            return ""
        try:
            raw = os.read(self._keyboard, 64)
        except OSError:
            raw = b""
        if not raw:  # the terminal has gone away; from now on it would be readable without end
            self._keyboard = None
        return _SPECIAL_KEY.sub(b"", raw).decode("ascii", "ignore")

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines and nothing else."""
        text = "\r\n".join(
            f"{_EMPTY_LINE}{line}" for line in lines
        )  # erased first: behind a full one is no place
        rest = f"\r\n{_REST_OF_SCREEN}" if len(lines) < self.size()[1] else ""
        self._output.write(f"{_HOME}{text}{rest}")


def is_in_front(terminal: int) -> bool:
    """Whether no other job has the terminal (`top &`): where there are none, everybody is in front."""
    try:
        return os.tcgetpgrp(terminal) in {
            0,
            os.getpgrp(),
        }  # 0: a job of another pid namespace, as in a container
    except OSError:
        return True


def _without_lines(descriptor: int) -> list[Any]:
    """Settings in which each key comes at once and is not shown; Ctrl-C works, Ctrl-Z does not.

    Who is stopped by Ctrl-Z leaves the other screen behind him.
    """
    settings = termios.tcgetattr(descriptor)
    settings[3] &= ~(termios.ICANON | termios.ECHO)
    settings[6][termios.VMIN] = 1
    settings[6][termios.VTIME] = 0
    settings[6][termios.VSUSP] = b"\0"
    return settings
