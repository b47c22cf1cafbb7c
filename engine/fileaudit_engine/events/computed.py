"""Fields that say again what others say, in the words that rules look for.

A rule may ask for a file's extension, for the image of any ancestor, or, in auditd's words, whether the
name was created: no event carries that, because all of it follows from what events do carry. Each function
here reads one such field from an event.
"""

from collections.abc import Iterator
from typing import Final

from fileaudit_engine.events.field import Getter, Value
from fileaudit_engine.events.flags import errno_name, open_flag_names
from fileaudit_engine.events.model import FileEvent, Operation, Process

FILE_TYPES: Final = {
    0o100000: "file",
    0o040000: "dir",
    0o120000: "symlink",
    0o020000: "char",
    0o060000: "block",
    0o010000: "fifo",
    0o140000: "socket",
}
"""The type of a file by the type bits of its mode; ECS has words for the first three only."""

_TYPE_BITS: Final = 0o170000
_PERMISSION_BITS: Final = 0o7777

NAME_TYPES: Final = {
    **dict.fromkeys(
        (Operation.CREATE, Operation.MKDIR, Operation.LINK, Operation.SYMLINK, Operation.RENAME), "CREATE"
    ),
    **dict.fromkeys((Operation.UNLINK, Operation.RMDIR), "DELETE"),
}
"""auditd's `nametype` of the file that an operation is about; of all others it is `NORMAL`."""

RECORD_TYPES: Final = ("SYSCALL", "CWD", "PATH", "PROCTITLE", "EXECVE")
"""The records that auditd would write about an event; the last one about an exec only."""


def command_line(args: tuple[str, ...] | None) -> str | None:
    """The arguments as one text, joined by single spaces: what Sigma's `CommandLine` is on Linux."""
    return None if args is None else " ".join(args)


def split_path(path: str) -> tuple[str, str, str | None]:
    """Folder, name and extension of a file; a name such as `.bashrc` has no extension."""
    directory, _, name = path.rpartition("/")
    stem, _, extension = name.rpartition(".")
    return directory or "/", name, extension if stem and extension else None


def file_name(event: FileEvent) -> Value:
    """The last component of the path."""
    return split_path(event.path)[1] if event.path else None


def file_directory(event: FileEvent) -> Value:
    """The path without its last component."""
    return split_path(event.path)[0] if event.path else None


def file_extension(event: FileEvent) -> Value:
    """What follows the last full stop of the name."""
    return split_path(event.path)[2] if event.path else None


def file_type(event: FileEvent) -> Value:
    """The type of the file in a word."""
    return None if event.mode is None else FILE_TYPES.get(event.mode & _TYPE_BITS)


def permissions_of(mode: int | None) -> str | None:
    """The permission bits of a mode in four octal digits."""
    return None if mode is None else f"{mode & _PERMISSION_BITS:04o}"


def permissions(event: FileEvent) -> Value:
    """The permission bits."""
    return permissions_of(event.mode)


def new_permissions(event: FileEvent) -> Value:
    """The permission bits that a chmod asks for."""
    return permissions_of(event.new_mode) if event.operation is Operation.CHMOD else None


def error_name(event: FileEvent) -> Value:
    """The name of the error, such as `EACCES`."""
    return errno_name(event.errno) if event.errno else None


def open_flags(event: FileEvent) -> Value:
    """The flags of an open by name."""
    if event.flags is None or event.operation not in {Operation.OPEN, Operation.CREATE}:
        return None
    return open_flag_names(event.flags)


def _ancestors(event: FileEvent) -> Iterator[Process]:
    """The parent, its parent and so on."""
    ancestor = event.process.parent
    while ancestor is not None:
        yield ancestor
        ancestor = ancestor.parent


def ancestor_images(event: FileEvent) -> Value:
    """The images of all ancestors that are known, the parent's first."""
    return tuple(process.executable for process in _ancestors(event) if process.executable) or None


def ancestor_names(event: FileEvent) -> Value:
    """The names of all ancestors that are known, the parent's first."""
    return tuple(process.name for process in _ancestors(event) if process.name) or None


def grandparent_image(event: FileEvent) -> Value:
    """The image of the parent's parent."""
    parent = event.process.parent
    return None if parent is None or parent.parent is None else parent.parent.executable


def argument_count(event: FileEvent) -> Value:
    """How many arguments there are; unknown where some were cut off."""
    process = event.process
    return None if process.args is None or process.args_truncated else len(process.args)


def argument(index: int) -> Getter:
    """A function that reads argument number `index` of a program that is started."""

    def get(event: FileEvent) -> Value:
        if event.operation is not Operation.EXEC:  # asked first: of most events nothing else is looked at
            return None
        args = event.process.args
        return args[index] if args is not None and index < len(args) else None

    return get


def record_types(event: FileEvent) -> Value:
    """The types of the records that auditd would write."""
    return RECORD_TYPES if event.operation is Operation.EXEC else RECORD_TYPES[:-1]


def name_type(event: FileEvent) -> Value:
    """What the operation does to the name: auditd's `nametype`."""
    return NAME_TYPES.get(event.operation, "NORMAL")


def success(event: FileEvent) -> Value:
    """Whether the call succeeded, as auditd says it."""
    return "no" if event.errno else "yes"


def device_numbers(event: FileEvent) -> Value:
    """The device as auditd writes it: major and minor number in hexadecimal."""
    return None if event.device is None else f"{event.device >> 20:02x}:{event.device & 0xFFFFF:02x}"


def octal_mode(event: FileEvent) -> Value:
    """Type and permission bits as auditd writes them: octal digits behind a zero."""
    return None if event.mode is None else f"0{event.mode:o}"
