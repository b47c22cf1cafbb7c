"""Files of recorded events as blocks of lines, decompressed by their names' endings, in bounded memory.

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
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import zstandard
from typing_extensions import Buffer

STDIN: Final = "-"
MAX_LINE_BYTES: Final = 16 << 20
"""A longer line is no event: the kernel's longest path and arguments together take less than 1 MiB."""

MAX_SKIPPED_BYTES: Final = 256 << 20
"""How much of a line that is too long is passed over: a file without any line, such as `/dev/zero`, ends."""

_READ_BYTES: Final = 256 << 10
BLOCK_BYTES: Final = 192 << 10
"""Some five hundred lines: enough to work on columns, little enough for a processor's cache."""
_PIECE_BYTES: Final = 1 << 10
"""Four bytes of a zstandard frame can stand for one block of 128 KiB, so a piece is at most 32 MiB."""
_WINDOW_BYTES: Final = 128 << 20
"""What `zstd --long` uses, and the most that a frame may ask us to keep."""

UNREADABLE: Final = (OSError, EOFError, zlib.error, zstandard.ZstdError)
"""What reading a file may raise; `why` says it in words."""


class Stream(Protocol):
    """Something to read lines from."""

    def read1(self, size: int, /) -> bytes:
        """What is there, at most `size` bytes of it; waits only if that is nothing. Empty at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Lines that stand together.

    Attributes:
        lines: Each with its line feed, but for the last one of a file.
        first_line: The number of the first, counted from 1.
        size: Bytes of all.
        escaped: Whether there may be a backslash in them.
    """

    lines: list[bytes]
    first_line: int
    size: int
    escaped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlong:
    """A line that is too long to be an event.

    Attributes:
        line: Its number.
        endless: It did not end where everybody's patience does: nothing behind it is read.
    """

    line: int
    endless: bool = False


@contextlib.contextmanager
def opened(path: str) -> Iterator[Stream]:
    """The file, decompressed if its name ends in `.gz` or `.zst`; `-` is the standard input.

    Raises:
        OSError: It cannot be read. Reading may raise whatever `UNREADABLE` names.
    """
    with contextlib.ExitStack() as stack:
        if path == STDIN:
            yield sys.stdin.buffer  # type: ignore[misc]  # typed as a mere BinaryIO, which it never is
            return
        raw = stack.enter_context(Path(path).open("rb"))
        if path.endswith(".gz"):
            yield stack.enter_context(gzip.GzipFile(fileobj=raw, mode="rb"))
        elif path.endswith(".zst"):
            yield stack.enter_context(io.BufferedReader(_ZstandardFrames(raw), _READ_BYTES))
        else:
            yield raw


def never_waits(path: str) -> bool:
    """Whether all of the file is there already, so that a block can be filled before it is looked at."""
    return path != STDIN and Path(path).is_file()


def blocks(stream: Stream, *, full: bool) -> Iterator[Block | Overlong]:
    """The lines of a stream, many at a time.

    Args:
        stream: Where they come from.
        full: Wait for whole blocks; else whatever has come is handed on.

    Raises:
        OSError: And whatever else `UNREADABLE` names, behind the last whole line that could be read.
    """
    cutter = _Cutter()
    for piece in _pieces(stream, full=full):
        yield from cutter.cut(piece)
        if cutter.endless:
            return
    yield from cutter.last()


def _pieces(stream: Stream, *, full: bool) -> Iterator[bytes]:
    while True:
        parts: list[bytes] = []
        wanted, failure = BLOCK_BYTES, None
        try:
            while wanted > 0 and (part := stream.read1(wanted)):
                parts.append(part)
                wanted -= len(part) if full else wanted
        except UNREADABLE as error:
            failure = error
        if parts:
            yield b"".join(parts)
        if failure is not None:
            raise failure
        if wanted > 0:
            return


class _Cutter:
    """Cuts pieces of a stream into whole lines, and keeps the beginning of the one that is not whole.

    Only the first line that ends in a piece may be too long: a piece is much shorter than `MAX_LINE_BYTES`.

    Attributes:
        endless: Too much was passed over already.
    """

    def __init__(self) -> None:
        self.endless = False
        self._line = 1
        self._begun: list[bytes] = []
        self._size = 0
        """Of the line that has begun, whether it is kept or passed over."""

    def cut(self, piece: bytes) -> Iterator[Block | Overlong]:
        """What ends in the piece."""
        lines = io.BytesIO(piece).readlines()
        rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
        begun, self._begun = self._begun, []
        size, self._size = self._size, 0 if lines else self._size
        if lines and size + len(lines[0]) - 1 > MAX_LINE_BYTES:
            yield Overlong(line=self._line)
            self._line += 1
            size = -len(lines[0])
            del lines[0]
        elif lines:
            lines[0] = b"".join((*begun, lines[0]))
        else:
            self._begun = begun
        yield from self._whole(lines, size + len(piece) - len(rest), piece)
        yield from self._begin(rest)

    def last(self) -> Iterator[Block | Overlong]:
        """The line that the stream ends with, if it has no line feed."""
        if self._size > MAX_LINE_BYTES:
            yield Overlong(line=self._line)
        elif self._begun:
            yield from self._whole([b"".join(self._begun)], self._size, b"")

    def _begin(self, part: bytes) -> Iterator[Overlong]:
        if not part:
            return
        self._size += len(part)
        self.endless = self._size > MAX_LINE_BYTES + MAX_SKIPPED_BYTES
        if self._size <= MAX_LINE_BYTES:
            self._begun.append(part)
        else:
            self._begun = []
        if self.endless:
            yield Overlong(line=self._line, endless=True)

    def _whole(self, lines: list[bytes], size: int, piece: bytes) -> Iterator[Block]:
        if lines:
            escaped = b"\\" in piece or b"\\" in lines[0]
            yield Block(lines=lines, first_line=self._line, size=size, escaped=escaped)
            self._line += len(lines)


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
