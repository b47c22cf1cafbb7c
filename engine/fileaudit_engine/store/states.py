"""Saved states as the store keeps them: one zstandard frame with a checksum.

States are JSON with a lot of repetition, of which a tenth or less remains. The checksum tells a damaged one
from a whole one, so that whoever wrote it need not ask whether what he reads is what he wrote.
"""

from typing import Final

import zstandard

PACKING: Final = 1
"""The version of what this module does."""

MAX_PACKED_BYTES: Final = 256 << 20
"""A state that is written again every few seconds must not fill the disk, nor its log."""

MAX_STATE_BYTES: Final = 2 << 30
"""What a frame may claim to unfold into: a damaged one claims anything."""

_LEVEL: Final = 1
"""Nothing goes on while a state is written: the fastest."""


def packed(state: bytes) -> bytes:
    """A state as it is kept.

    Raises:
        ValueError: It is too large; the message says how large.
    """
    if len(state) > MAX_STATE_BYTES:
        raise ValueError(f"it takes {len(state) >> 20:,} MiB, more than {MAX_STATE_BYTES >> 20:,} MiB")
    kept = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(state)
    if len(kept) > MAX_PACKED_BYTES:
        raise ValueError(f"it takes {len(kept) >> 20:,} MiB, more than {MAX_PACKED_BYTES >> 20:,} MiB")
    return kept


def unpacked(version: int, kept: bytes) -> bytes:
    """The inverse of `packed`.

    Raises:
        ValueError: It is of another version, or damaged; the message says which.
    """
    if version != PACKING:
        raise ValueError(f"it has version {version}, this engine knows version {PACKING}")
    try:
        parameters = zstandard.get_frame_parameters(kept)
        if not parameters.has_checksum or parameters.content_size > MAX_STATE_BYTES:
            raise ValueError("it is damaged: no such head is ever written")
        if not parameters.content_size and kept != packed(b""):  # the library would not look any further
            raise ValueError("it is damaged: it says that it is empty")
        return zstandard.ZstdDecompressor().decompress(kept, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ValueError(f"it is damaged: {error}") from error
