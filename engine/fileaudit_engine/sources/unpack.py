"""Files of recorded events as streams of lines, decompressed by their names' endings, in bounded memory.

A compressed file is hostile until shown otherwise: a few kilobytes may unfold into gigabytes, and a file
that was cut off may look as if it had ended well. gzip's reader copes with both. zstandard's own stream
reader takes a cut-off file for a whole one, so its frames are fed here in pieces so small that what each can
unfold into is bounded.
"""

import contextlib
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import zstandard
from typing_extensions import Buffer

STDIN: Final = "-"
MAX_LINE_BYTES: Final = 16 << 20
"""A longer line is no event: the kernel's longest path and arguments together take less than 1 MiB."""

_READ_BYTES: Final = 256 << 10
_PIECE_BYTES: Final = 1 << 10
"""Four bytes of a zstandard frame can stand for one block of 128 KiB, so a piece is at most 32 MiB."""
_WINDOW_BYTES: Final = 128 << 20
"""What `zstd --long` uses, and the most that a frame may ask us to keep."""

UNREADABLE: Final = (OSError, EOFError, zlib.error, zstandard.ZstdError)
"""What reading a file may raise; `why` says it in words."""


class Lines(Protocol):
    """Something to read lines from."""

    def readline(self, size: int, /) -> bytes:
        """The next line, or at most `size` bytes of it; empty at the end."""


@contextlib.contextmanager
def opened(path: str) -> Iterator[Lines]:
    """The file, decompressed if its name ends in `.gz` or `.zst`; `-` is the standard input.

    Raises:
        OSError: It cannot be read. Reading may raise whatever `UNREADABLE` names.
    """
    with contextlib.ExitStack() as stack:
        if path == STDIN:
            yield sys.stdin.buffer
            return
        raw = stack.enter_context(Path(path).open("rb"))
        if path.endswith(".gz"):
            yield stack.enter_context(gzip.GzipFile(fileobj=raw, mode="rb"))
        elif path.endswith(".zst"):
            yield stack.enter_context(io.BufferedReader(_ZstandardFrames(raw), _READ_BYTES))
        else:
            yield raw


def lines(stream: Lines) -> Iterator[bytes | None]:
    """Every line; None for one that is too long, of which no more than a piece is kept in memory."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        if len(line) <= MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line
            continue
        del line
        yield None
        while (rest := stream.readline(_READ_BYTES)) and not rest.endswith(b"\n"):
            pass


def why(error: Exception) -> str:
    """What went wrong with a file, for a message."""
    if isinstance(error, OSError) and error.strerror:
        return f"the file cannot be read: {error.strerror}"
    if isinstance(error, EOFError):
        return "the compressed file ends in the middle"
    return f"the compressed file is damaged: {error}"


class _ZstandardFrames(io.RawIOBase):
    """The content of all frames of a file, one after the other."""

    def __init__(self, raw: BinaryIO) -> None:
        super().__init__()
        self._raw = raw
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._packed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill the buffer as far as what is ready reaches; 0 at the end.

        Raises:
            EOFError: The file ends within a frame.
        """
        while not self._ready and self._advance():
            pass
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _advance(self) -> bool:
        """Unpack one piece; False at the end of the file."""
        packed = self._packed or self._raw.read(_PIECE_BYTES)
        if not packed:
            if self._frame is not None:
                raise EOFError
            return False
        if self._frame is None:
            self._frame = self._unpacker.decompressobj()
        self._ready = memoryview(self._frame.decompress(packed))
        self._packed = self._frame.unused_data if self._frame.eof else b""
        if self._frame.eof:
            self._frame = None
        return True
