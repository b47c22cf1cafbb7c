"""The calls: what each does to its file, how it is made, and what the engine has to say of it.

One row a call, or a way to make it that means something else (flags, an empty path). `CALLS` of
`events/calls.py` is complete here; `test_table.py` holds that against it.
"""

import ctypes
import enum
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.kernel.table import raw
from tests.kernel.table.ways import Way

from fileaudit_engine.events.model import AccessMode, Operation

_O: Final = Operation
_NAME, _FOLLOWS, _OPENS, _CREATES, _DESCRIPTOR = (
    *(Way.NAME, Way.FOLLOWS, Way.OPENS, Way.CREATES, Way.DESCRIPTOR),
)


class Needs(enum.Enum):
    """What must be there under the name before the call."""

    FILE = "file"
    FOLDER = "folder"
    MOUNTED = "folder with a mount on it"
    PROGRAM = "program"
    NOTHING = "nothing"


class Slot(enum.Enum):
    """An argument that the naming gives."""

    NAME = "the file's name"
    NEW = "its new name"
    DIRECTORY = "the directory that names begin at"
    DESCRIPTOR = "a descriptor of the file"


NAME, NEW, DIRECTORY, DESCRIPTOR = Slot.NAME, Slot.NEW, Slot.DIRECTORY, Slot.DESCRIPTOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """What a child calls with."""

    directory: int
    name: bytes
    new: bytes
    descriptor: int = -1

    @property
    def values(self) -> Mapping[Slot, int | bytes]:
        """By the slots that they fill."""
        names = {Slot.NAME: self.name, Slot.NEW: self.new}
        return {**names, Slot.DIRECTORY: self.directory, Slot.DESCRIPTOR: self.descriptor}


Thunk = Callable[[], int]
"""Makes the one call that is observed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One row of the table.

    Attributes:
        operation: What the engine has to call it.
        syscall: The call.
        arguments: Given to it, where `ready` does not say more.
        ready: Prepares the call and returns it, where arguments are not enough.
        way: How it comes to the file (with two names: to the new one).
        source_way: With two names, how it comes to the old one.
        needs: What is there before it.
        new_exists: Whether the second name is taken.
        variant: Tells rows of one call apart.
        flags: How its descriptor is opened, where it takes one.
        result: What it returns; None for a number that is not known before.
        details: Further attributes of the event.
        nameless: Whether it is passed no name, though it has been opened by one.
        also: Whether it does another operation to the same file, which has a row of its own.
    """

    operation: Operation
    syscall: str
    arguments: tuple[Slot | raw.Argument, ...] = ()
    ready: Callable[[Spot], Thunk] | None = None
    way: Way
    source_way: Way | None = None
    needs: Needs = Needs.FILE
    new_exists: bool = False
    variant: str = ""
    flags: int = os.O_RDWR
    result: int | None = 0
    details: Mapping[str, object] = field(default_factory=dict)
    nameless: bool = False
    also: bool = False

    @property
    def name(self) -> str:
        """Begins the ids of its cells."""
        return "-".join((self.operation.value, "_".join(filter(None, (self.syscall, self.variant)))))

    @property
    def ways(self) -> set[Way]:
        """All of them."""
        return {self.way, *([self.source_way] if self.source_way else [])}

    @property
    def takes_directory(self) -> bool:
        """Whether names may begin at a descriptor."""
        return self.ready is not None or DIRECTORY in self.arguments or self.ways == {Way.DESCRIPTOR}

    def prepared(self, spot: Spot) -> Thunk:
        """The call, ready to be made."""
        if self.ready:
            return self.ready(spot)
        values = [self._value(argument, spot) for argument in self.arguments]
        return lambda: raw.call(self.syscall, *values)

    def _value(self, argument: Slot | raw.Argument, spot: Spot) -> raw.Argument:
        if isinstance(argument, Slot):
            return spot.values[argument]
        return argument


# --- opens ---------------------------------------------------------------------------------------------

_READ: Final = {"access_mode": AccessMode.READ, "flags": os.O_RDONLY}
_MADE: Final = os.O_RDWR | os.O_CREAT
_BOTH: Final = {"access_mode": AccessMode.READ_WRITE, "flags": _MADE}
_WRITTEN: Final = {"access_mode": AccessMode.WRITE}


def _how(flags: int, mode: int) -> ctypes.Array[ctypes.c_char]:
    return raw.packed("=QQQ", flags, mode, 0)


def _by_handle(spot: Spot) -> Thunk:
    handle = raw.handle_of(spot.directory, spot.name, raw.AT_SYMLINK_FOLLOW)
    start = raw.must("openat", spot.directory, spot.name, os.O_RDONLY, 0)  # any file of the same mount
    return lambda: raw.call("open_by_handle_at", start, handle, os.O_RDONLY)


def _opens(syscall: str, *arguments: Slot | raw.Argument, details: Mapping[str, object] = _READ) -> Call:
    return Call(
        operation=_O.OPEN, syscall=syscall, arguments=arguments, way=_OPENS, result=None, details=details
    )


def _creates(syscall: str, *arguments: Slot | raw.Argument, details: Mapping[str, object] = _BOTH) -> Call:
    return Call(
        operation=_O.CREATE,
        syscall=syscall,
        arguments=arguments,
        way=_CREATES,
        needs=Needs.NOTHING,
        result=None,
        details=details,
    )


def _mknod(syscall: str, variant: str, *arguments: Slot | raw.Argument) -> Call:
    return Call(
        operation=_O.CREATE,
        syscall=syscall,
        variant=variant,
        arguments=arguments,
        way=_NAME,
        needs=Needs.NOTHING,
    )


OPENS: Final = (
    _opens("open", NAME, os.O_RDONLY, 0),
    _opens("openat", DIRECTORY, NAME, os.O_RDONLY, 0),
    _opens("openat2", DIRECTORY, NAME, _how(os.O_RDONLY, 0), 24),
    _opens("creat", NAME, 0o600, details=_WRITTEN),
    Call(
        operation=_O.OPEN,
        syscall="open_by_handle_at",
        ready=_by_handle,
        way=_OPENS,
        result=None,
        details=_READ,
        nameless=True,
    ),
    _creates("open", NAME, _MADE, 0o600),
    _creates("openat", DIRECTORY, NAME, _MADE, 0o600),
    _creates("openat2", DIRECTORY, NAME, _how(_MADE, 0o600), 24),
    _creates("creat", NAME, 0o600, details=_WRITTEN),
    _mknod("mknod", "", NAME, stat.S_IFREG | 0o600, 0),
    _mknod("mknodat", "", DIRECTORY, NAME, stat.S_IFREG | 0o600, 0),
    _mknod("mknodat", "fifo", DIRECTORY, NAME, stat.S_IFIFO | 0o600, 0),
)

# --- reads and writes ----------------------------------------------------------------------------------

BYTES: Final = 7
"""That each transfer moves."""


_MOVED: Final = {"transferred_bytes": BYTES, "transfer_calls": 1}


def _transfer(syscall: str, *rest: int, operation: Operation) -> Call:
    """A call of the family of read(2) and write(2): a descriptor, memory, and what more it takes."""

    def ready(spot: Spot) -> Thunk:
        buffer = ctypes.create_string_buffer(BYTES)
        memory: tuple[raw.Argument, ...] = (raw.vector(buffer), 1) if "v" in syscall else (buffer, BYTES)
        return lambda: raw.call(syscall, spot.descriptor, *memory, *rest) if buffer else 0

    return _moves(operation, syscall, ready)


def _moves(operation: Operation, syscall: str, ready: Callable[[Spot], Thunk]) -> Call:
    return Call(
        operation=operation,
        syscall=syscall,
        ready=ready,
        way=_DESCRIPTOR,
        result=BYTES,
        details=_MOVED,
        also=syscall == "copy_file_range",
    )


def _sendfile_from(spot: Spot) -> Thunk:
    return lambda: raw.call("sendfile", os.memfd_create("other"), spot.descriptor, None, BYTES)


def _sendfile_into(spot: Spot) -> Thunk:
    other = os.memfd_create("other")
    os.pwrite(other, b"0123456789", 0)
    return lambda: raw.call("sendfile", spot.descriptor, other, None, BYTES)


def _splice_from(spot: Spot) -> Thunk:
    _, into = os.pipe()
    return lambda: raw.call("splice", spot.descriptor, None, into, None, BYTES, 0)


def _splice_into(spot: Spot) -> Thunk:
    out_of, into = os.pipe()
    os.write(into, b"0123456")
    return lambda: raw.call("splice", out_of, None, spot.descriptor, None, BYTES, 0)


def _copy_within(spot: Spot) -> Thunk:
    """From one part of the file into another: it wants both on one file system."""
    start = raw.packed("=q", 0)
    end = raw.packed("=q", 64)
    return lambda: raw.call("copy_file_range", spot.descriptor, start, spot.descriptor, end, BYTES, 0)


def _map(spot: Spot) -> Thunk:
    protection = raw.PROT_READ | raw.PROT_WRITE
    return lambda: raw.call("mmap", None, 4096, protection, raw.MAP_SHARED, spot.descriptor, 0)


TRANSFERS: Final = (
    _transfer("read", operation=_O.READ),
    _transfer("pread64", 1, operation=_O.READ),
    _transfer("readv", operation=_O.READ),
    _transfer("preadv", 1, 0, operation=_O.READ),
    _transfer("preadv2", 1, 0, 0, operation=_O.READ),
    _transfer("write", operation=_O.WRITE),
    _transfer("pwrite64", 1, operation=_O.WRITE),
    _transfer("writev", operation=_O.WRITE),
    _transfer("pwritev", 1, 0, operation=_O.WRITE),
    _transfer("pwritev2", 1, 0, 0, operation=_O.WRITE),
    _moves(_O.READ, "sendfile", _sendfile_from),
    _moves(_O.WRITE, "sendfile", _sendfile_into),
    _moves(_O.READ, "splice", _splice_from),
    _moves(_O.WRITE, "splice", _splice_into),
    _moves(_O.READ, "copy_file_range", _copy_within),
    _moves(_O.WRITE, "copy_file_range", _copy_within),
    Call(operation=_O.WRITE, syscall="mmap", ready=_map, way=_DESCRIPTOR, result=None),
)
