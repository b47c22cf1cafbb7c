"""Writing to a stream that may end before we do, in colours or without.

Whoever reads our output may close it (`| head`), its disk may be full, its encoding may lack our characters.
A sink answers to that with a value and does not raise.
"""

import errno
import io
import os
import unicodedata
from collections.abc import Sequence
from typing import Final, TextIO

from fileaudit_engine.detect.record import Record
from fileaudit_engine.sinks.base import Answer, Delivered, Retry

RESET: Final = "\x1b[0m"
BOLD: Final = "1"
DIM: Final = "2"
RED: Final = "31"
GREEN: Final = "32"
YELLOW: Final = "33"
BLUE: Final = "34"
MAGENTA: Final = "35"
CYAN: Final = "36"
WHITE_ON_RED: Final = "1;97;41"

CLOSED_PIPE: Final = "the reader has closed the pipe"
"""Why nothing can be written any more where the reader went away by itself."""


def painted(text: str, style: str, *, color: bool) -> str:
    """The text in a style (the parameters of an SGR sequence), if colours are wanted."""
    return f"\x1b[{style}m{text}{RESET}" if color and style and text else text


def padded(text: str, columns: int) -> str:
    """The text, filled up with spaces to a width on the terminal; a longer one is not cut."""
    return text + " " * max(0, columns - width(text))


def width(text: str) -> int:
    """Columns that a text takes on a terminal: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


class Output:
    """A text stream that answers instead of raising.

    Attributes:
        gone: Why nothing can be written any more; empty as long as it can.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.gone = ""

    def answer(self, text: str, records: Sequence[Record]) -> list[Answer]:
        """Write what the records look like; one answer for all of them."""
        if text:
            self.write(text)
        return [Retry(self.gone) if self.gone else Delivered()] * len(records)

    def write(self, text: str) -> None:
        """Write and flush; after the first failure, do nothing."""
        if self.gone:
            return
        try:
            self._write_all(self._encodable(text))
        except BrokenPipeError:
            self.gone = CLOSED_PIPE
        except OSError as error:
            self.gone = f"the output cannot be written: {error.strerror or error}"
        except ValueError:  # what a stream that was closed raises
            self.gone = "the output is closed"

    def close(self) -> None:
        """Flush; the stream belongs to whoever made it."""
        self.write("")

    def _write_all(self, text: str) -> None:
        """Python's own unbuffered streams (PYTHONUNBUFFERED) drop the rest where a full pipe takes a part."""
        stream = self._stream
        raw = getattr(stream, "buffer", None)
        if not isinstance(raw, io.RawIOBase):
            stream.write(text)
            stream.flush()
            return
        rest = memoryview(text.encode(stream.encoding, stream.errors or "strict"))
        while rest:
            written = raw.write(rest)
            if written is None:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            rest = rest[written:]

    def _encodable(self, text: str) -> str:
        """The text with what the stream's encoding lacks written as escapes."""
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        if text.isascii() or encoding.lower().replace("-", "") == "utf8":
            return text
        return text.encode(encoding, "backslashreplace").decode(encoding)
