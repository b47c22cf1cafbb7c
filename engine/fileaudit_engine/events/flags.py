"""Names for the numbers that a call carries: open flags and error numbers.

The flag values are those of the generic kernel headers, which x86-64 uses.
"""

import errno as _errno
from collections.abc import Mapping
from typing import Final

_ACCESS_MASK = 0o3
_ACCESS_NAMES = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")
"""The fourth is what drivers know as 'ioctl only': neither readable nor writable."""

_O_PATH = 0o10000000

# Names that cover several bits stand before the names of their parts.
_BITS: Final = (
    (0o100, "O_CREAT"),
    (0o200, "O_EXCL"),
    (0o400, "O_NOCTTY"),
    (0o1000, "O_TRUNC"),
    (0o2000, "O_APPEND"),
    (0o4000, "O_NONBLOCK"),
    (0o4010000, "O_SYNC"),
    (0o10000, "O_DSYNC"),
    (0o20000, "O_ASYNC"),
    (0o40000, "O_DIRECT"),
    (0o100000, "O_LARGEFILE"),
    (0o20200000, "O_TMPFILE"),
    (0o200000, "O_DIRECTORY"),
    (0o400000, "O_NOFOLLOW"),
    (0o1000000, "O_NOATIME"),
    (0o2000000, "O_CLOEXEC"),
    (_O_PATH, "O_PATH"),
)

ERRNO_NAMES: Final[Mapping[int, str]] = {**_errno.errorcode, 35: "EDEADLK", 95: "EOPNOTSUPP"}
"""Error numbers by name; for two that have aliases, the name that the manual pages use."""

ERRNO_NUMBERS: Final[Mapping[str, int]] = {name: number for number, name in ERRNO_NAMES.items()}


def open_flag_names(flags: int) -> tuple[str, ...]:
    """The flags of an open by name, the access mode first; bits without a name as one hexadecimal number.

    With `O_PATH` the kernel ignores the access mode, and so does this.
    """
    names = [] if flags & _O_PATH else [_ACCESS_NAMES[flags & _ACCESS_MASK]]
    rest = flags & ~_ACCESS_MASK
    for bits, name in _BITS:
        if rest & bits == bits:
            names.append(name)
            rest &= ~bits
    if rest:
        names.append(hex(rest))
    return tuple(names)


def errno_name(number: int) -> str:
    """`ENOENT` for 2; the digits where the number has no name."""
    return ERRNO_NAMES.get(number) or str(number)
