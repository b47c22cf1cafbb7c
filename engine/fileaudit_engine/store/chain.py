"""The hash chain over everything that is kept.

Each row has a link: the SHA-256 of the link of the row before it and of all that the row says. Whoever
alters, removes, inserts or moves a row would have to compute every later link anew, and the last one has been
told elsewhere by then (`anchors.py`).

    genesis(store) -> link of row 1 -> link of row 2 -> …

What stands in the columns of a row beside its document follows from the document, and is held against it by
`verify`.
"""

import hashlib
import struct
from typing import Final

LINK_BYTES: Final = 32
STORE_ID_BYTES: Final = 16

_BEGINNING: Final = b"fileaudit-engine chain 1\0"
_HEAD: Final = struct.Struct(">qqB")
"""Number and time of a row, and how many bytes its id has."""


def genesis(store_id: bytes) -> bytes:
    """What the first row of a store is linked to: two stores never have a row in common."""
    return hashlib.sha256(_BEGINNING + store_id).digest()


def link(previous: bytes, seq: int, ts_ns: int, record_id: bytes, document: bytes) -> bytes:
    """The link of a row.

    Args:
        previous: The link of the row before it.
        seq: Its number.
        ts_ns: Its time, nanoseconds since the Unix epoch.
        record_id: Its id as it is kept, at most 255 bytes.
        document: Its document, as JSON.
    """
    head = _HEAD.pack(seq, ts_ns, len(record_id))
    return hashlib.sha256(b"".join((previous, head, record_id, document))).digest()
