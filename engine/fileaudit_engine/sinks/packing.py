"""A file is compressed beside itself, and removed only when the other one is whole and on the disk.

Whoever is stopped in between leaves the file itself, or both: a compressed file has its name only when it is
whole.
"""

import errno
import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, cast

import zstandard

from fileaudit_engine.private import FILE_MODE
from fileaudit_engine.sinks.settings import Compression

_CHUNK_BYTES: Final = 1 << 20
"""Some milliseconds of compression: as long as what waits for the same thread has to wait."""
_GZIP_LEVEL: Final = 6
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_KNOWN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def pack(
    plain: Path, unfinished: Path, packed: Path, kind: Compression, *, proceed: Callable[[], bool]
) -> bool:
    """Put a compressed file in a file's place, with the same times.

    Args:
        plain: The file.
        unfinished: What the compressed one is called until it is whole; there is none of that name.
        packed: What it is called then.
        kind: How to compress.
        proceed: Asked every few milliseconds; may do something else meanwhile.

    Returns:
        Whether it is done; if not, since `proceed` did not want to, everything is as it was.

    Raises:
        OSError: The disk or the memory is full, or the system refuses; everything is as it was.
    """
    try:
        with _opened(plain, _KNOWN, "rb") as source, _opened(unfinished, _NEW, "wb") as target:
            if not _compress(source, target, kind, proceed):
                unfinished.unlink()
                return False
            found = os.fstat(source.fileno())
            os.utime(target.fileno(), ns=(found.st_atime_ns, found.st_mtime_ns))
            os.fsync(target.fileno())
        unfinished.rename(packed)
    except (MemoryError, zstandard.ZstdError) as error:
        unfinished.unlink(missing_ok=True)
        raise OSError(errno.ENOMEM, f"it cannot be compressed: {error}", str(plain)) from error
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    force_names(packed.parent)
    plain.unlink()
    return True


def is_same(plain: Path, packed: Path, kind: Compression) -> bool:
    """Whether a compressed file holds what a file holds."""
    try:
        with _opened(plain, _KNOWN, "rb") as one, _opened(packed, _KNOWN, "rb") as file:
            other = _unpacking(file, kind)
            while chunk := one.read(_CHUNK_BYTES):
                if _read(other, len(chunk)) != chunk:
                    return False
            return not other.read(1)
    except (OSError, EOFError, zstandard.ZstdError):  # what a damaged file makes gzip, or zstandard, raise
        return False


def force_names(folder: Path) -> None:
    """Make sure that what has been renamed stays so, even over a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _opened(place: Path, flags: int, mode: str) -> IO[bytes]:
    return os.fdopen(os.open(place, flags, FILE_MODE), mode)


def _compress(source: IO[bytes], target: IO[bytes], kind: Compression, proceed: Callable[[], bool]) -> bool:
    with _packing(target, kind) as packing:
        while chunk := source.read(_CHUNK_BYTES):
            packing.write(chunk)
            if not proceed():
                return False
    target.flush()
    return True


def _packing(target: IO[bytes], kind: Compression) -> IO[bytes]:
    if kind is Compression.GZIP:
        # No name and no time: the file's own are there already.
        packing = gzip.GzipFile(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=target, mtime=0)
        return cast("IO[bytes]", packing)
    return zstandard.ZstdCompressor(write_checksum=True).stream_writer(target, closefd=False)


def _unpacking(file: IO[bytes], kind: Compression) -> IO[bytes]:
    if kind is Compression.GZIP:
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    return zstandard.ZstdDecompressor().stream_reader(file)


def _read(stream: IO[bytes], length: int) -> bytes:
    """So many bytes, or all there are: a reader may give fewer at a time."""
    return b"".join(_chunks(stream, length))


def _chunks(stream: IO[bytes], length: int) -> Iterator[bytes]:
    while length and (chunk := stream.read(length)):
        length -= len(chunk)
        yield chunk
