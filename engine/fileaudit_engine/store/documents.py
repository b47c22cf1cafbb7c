"""Documents as the store keeps them: each one zstandard frame, packed with a dictionary.

Documents of one host say the same again and again, but mostly across documents: by itself one of 2 KiB
packs to half, with a dictionary of what documents look like to a tenth. A frame names the dictionary that
it was packed with. That is kept in the store, so that a store can be read by itself and for ever, whatever
dictionary a later version packs with.
"""

import functools
import importlib.resources
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import zstandard

MAX_DOCUMENT_BYTES: Final = 64 << 20
"""What a frame may claim to unfold into: a damaged one claims anything."""

_LEVEL: Final = 3
"""With a dictionary 5 microseconds a document; a higher level gains little and takes twice the time."""

_Buffer = bytes | bytearray | memoryview
MANY: Final = 64
"""Documents from which on packing is worth a thread."""

_SAME: Final = "SELECT 1 FROM dictionaries WHERE id = ? AND content = ?"
_ADD: Final = "INSERT OR REPLACE INTO dictionaries (id, content) VALUES (?, ?)"


class Damaged(ValueError):
    """A frame that no document comes out of; the message says why."""


@functools.cache
def shipped() -> bytes:
    """The dictionary that new frames are packed with."""
    return importlib.resources.files(__package__).joinpath("documents.zdict").read_bytes()


def number_of(dictionary: bytes) -> int:
    """The number by which frames name a dictionary."""
    return zstandard.ZstdCompressionDict(dictionary).dict_id()


def add_shipped(connection: sqlite3.Connection) -> None:
    """See to it that the store has the dictionary that new frames are packed with.

    Its number follows from its content: whatever else stands there under that number is not what any frame
    was packed with, and makes place.
    """
    number, content = number_of(shipped()), shipped()
    if connection.execute(_SAME, (number, content)).fetchone() is None:
        connection.execute(_ADD, (number, content))


class Packer:
    """Packs documents, of many of them beside whatever else is done with them.

    Packing is a fifth of what a record costs on its way to the disk, and needs nothing of the interpreter: a
    thread does it on another core, where one is idle.
    """

    def __init__(self) -> None:
        dictionary = zstandard.ZstdCompressionDict(shipped())
        dictionary.precompute_compress(level=_LEVEL)
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, dict_data=dictionary, write_checksum=False)
        self._thread: ThreadPoolExecutor | None = None

    def begin(self, documents: list[bytes]) -> Callable[[], Iterable[bytes]]:
        """Begin to pack; what is returned gives the frames, in order, as soon as they are there."""
        if len(documents) < MANY:
            compress = self._compressor.compress
            return lambda: map(compress, documents)
        if self._thread is None:  # not before the engine has given up its privileges
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="packing")
        return self._thread.submit(self._pack, documents).result

    def close(self) -> None:
        """Let the thread end."""
        if self._thread is not None:
            self._thread.shutdown()

    def _pack(self, documents: list[bytes]) -> Iterable[bytes]:
        frames = self._compressor.multi_compress_to_buffer(list[_Buffer](documents))
        return [frames[number].tobytes() for number in range(len(frames))]


class Unpacker:
    """What unpacks the documents of a store; for one thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[int, zstandard.ZstdDecompressor] = {0: zstandard.ZstdDecompressor()}

    def __call__(self, frame: bytes) -> bytes:
        """The document in a frame, as JSON.

        Raises:
            Damaged: It is no frame of a document.
        """
        try:
            parameters = zstandard.get_frame_parameters(frame)
            if parameters.content_size > MAX_DOCUMENT_BYTES:  # "unknown" is a large number, too
                raise Damaged("no document has such a head")
            return self._of(parameters.dict_id).decompress(frame, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise Damaged(str(error)) from error

    def _of(self, dictionary: int) -> zstandard.ZstdDecompressor:
        if dictionary not in self._known:
            row = self._connection.execute(
                "SELECT content FROM dictionaries WHERE id = ?", (dictionary,)
            ).fetchone()
            if row is None:
                raise Damaged(f"the dictionary {dictionary} is not in the store")
            content = zstandard.ZstdCompressionDict(row[0])
            self._known[dictionary] = zstandard.ZstdDecompressor(dict_data=content)
        return self._known[dictionary]
