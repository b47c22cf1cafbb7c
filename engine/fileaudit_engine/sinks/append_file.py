"""A file of lines that only grows, and whose last line is whole.

Others may follow it while it grows. So what has been written stays as it is, with one exception: a piece of a
line, which a write leaves that finds the disk full, and a process that is killed in the middle of one. It is
cut off, at once or when the file is opened again.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.private import Private

_LOOK_BACK_BYTES: Final = 1 << 20
"""What is read at a time where the end of the last whole line is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of lines.

    Attributes:
        lines: How many of them are in the file.
        error: Why not the others; None if all are.
    """

    lines: int
    error: OSError | None = None


class AppendFile:
    """An open file.

    Attributes:
        descriptor: It.
        bytes: How long it is.
        changed_ns: When it was last written before it was opened, nanoseconds since the Unix epoch.
        cut: Bytes of a torn line that were cut off when it was opened.
    """

    def __init__(self, place: Path, private: Private) -> None:
        """Open it, or make it.

        Raises:
            UnusableInput: There is something else, or a file that others have a hand in.
            OSError: The system refuses.
        """
        self.descriptor = private.open_to_append(place)
        self._place = place
        try:
            found = os.fstat(self.descriptor)
            self._file = found.st_dev, found.st_ino
            self.changed_ns = found.st_mtime_ns
            self.bytes = whole_lines(self.descriptor, found.st_size)
            self.cut = found.st_size - self.bytes
            if self.cut:
                os.ftruncate(self.descriptor, self.bytes)
        except BaseException:
            os.close(self.descriptor)
            raise

    def is_there(self) -> bool:
        """Whether its name is still its own: others may have removed it, or have put another one there."""
        try:
            found = os.lstat(self._place)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._file

    def append(self, lines: Sequence[bytes]) -> Written:
        """Write lines, each with its line feed; none is written in part."""
        try:
            self._mend()
            data, done = b"".join(lines), 0
            while done < len(data):
                done += os.write(self.descriptor, data[done:] if done else data)
        except OSError as error:
            return self._taken_back(lines, error)
        self.bytes += done
        return Written(lines=len(lines))

    def close(self) -> None:
        """Let go of it; may be called once."""
        os.close(self.descriptor)

    def _mend(self) -> None:
        """Find out what others have done to it: cut it (a rotation by copying), or written to it."""
        length = os.fstat(self.descriptor).st_size
        if length != self.bytes:
            self.bytes = length if length < self.bytes else whole_lines(self.descriptor, length)
            if self.bytes < length:
                os.ftruncate(self.descriptor, self.bytes)

    def _taken_back(self, lines: Sequence[bytes], error: OSError) -> Written:
        """Keep of what has been written the lines that are whole."""
        kept = 0
        try:
            room = os.fstat(self.descriptor).st_size - self.bytes
            for line in lines:
                if len(line) > room:
                    break
                room -= len(line)
                self.bytes += len(line)
                kept += 1
            os.ftruncate(self.descriptor, self.bytes)
        except OSError:  # then `_mend` tries again, before anything else is written
            pass
        return Written(lines=kept, error=error)


def whole_lines(descriptor: int, length: int) -> int:
    """How much of a file of this length is whole lines."""
    end = length
    while end > 0:
        begin = max(0, end - _LOOK_BACK_BYTES)
        at = os.pread(descriptor, end - begin, begin).rfind(b"\n")
        if at >= 0:
            return begin + at + 1
        end = begin
    return 0
