"""An event in plain words, for the message of an alert and for the terminal.

Names in these words are printable (`text.printable`): a message is one line, whatever the file is called.
"""

import shlex
from collections.abc import Callable, Mapping
from typing import Final

from fileaudit_engine.events.computed import permissions_of
from fileaudit_engine.events.flags import errno_name
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, Process
from fileaudit_engine.text import printable

_VERBS: Final = {
    Operation.OPEN: ("opened", "open"),
    Operation.CREATE: ("created", "create"),
    Operation.READ: ("read", "read"),
    Operation.WRITE: ("wrote to", "write to"),
    Operation.TRUNCATE: ("truncated", "truncate"),
    Operation.MKDIR: ("made the folder", "make the folder"),
    Operation.RMDIR: ("removed the folder", "remove the folder"),
    Operation.UNLINK: ("deleted", "delete"),
    Operation.RENAME: ("renamed", "rename"),
    Operation.LINK: ("linked", "link"),
    Operation.SYMLINK: ("made the symbolic link", "make the symbolic link"),
    Operation.CHMOD: ("changed the mode of", "change the mode of"),
    Operation.CHOWN: ("changed the owner of", "change the owner of"),
    Operation.UTIMES: ("changed the times of", "change the times of"),
    Operation.SETXATTR: ("set an attribute of", "set an attribute of"),
    Operation.REMOVEXATTR: ("removed an attribute of", "remove an attribute of"),
    Operation.MOUNT: ("mounted", "mount"),
    Operation.UMOUNT: ("unmounted", "unmount"),
    Operation.EXEC: ("ran", "run"),
}
"""What somebody did, and what somebody tried to do."""

_PURPOSES: Final = {
    AccessMode.READ: "for reading",
    AccessMode.WRITE: "for writing",
    AccessMode.READ_WRITE: "for reading and writing",
    AccessMode.PATH: "without reading or writing",
}
_OPENING: Final = frozenset({Operation.OPEN, Operation.CREATE})


def verb(event: FileEvent) -> str:
    """`opened`, or `tried to open` where it failed."""
    done, wanted = _VERBS[event.operation]
    return f"tried to {wanted}" if event.errno else done


def purpose(event: FileEvent) -> str:
    """What an open was for; empty for anything else."""
    return _PURPOSES[event.access_mode] if event.access_mode and event.operation in _OPENING else ""


def failure(event: FileEvent) -> str:
    """The name of the error; empty on success."""
    return errno_name(event.errno) if event.errno else ""


def file_of(event: FileEvent) -> str:
    """The file's path; what the caller asked for where there is none."""
    return printable(event.path or event.asked_path or "an unknown file")


def person(event: FileEvent) -> str:
    """The user, and who logged in if that is somebody else."""
    if event.user_name is not None:
        user = printable(event.user_name)
    else:
        user = "somebody" if event.user_id is None else f"uid {event.user_id}"
    login = login_of(event)
    return f"{user} (login {login})" if login else user


def login_of(event: FileEvent) -> str:
    """Who logged in, if that is not the acting user; else empty."""
    if event.login_user_id is not None and event.login_user_id == event.user_id:
        return ""
    if event.login_user_name not in {None, event.user_name}:
        return printable(event.login_user_name or "")
    return "" if event.login_user_id is None or event.login_user_name else f"uid {event.login_user_id}"


def program(process: Process) -> str:
    """The program's path, or the best that is known in its place."""
    return printable(process.executable or process.name or f"process {process.pid}")


def command_line(process: Process) -> str:
    """The arguments as one could type them into a shell; empty where they are not known."""
    if not process.args:
        return ""
    cut = " …" if process.args_truncated else ""
    return printable(shlex.join(process.args)) + cut


def _renamed(event: FileEvent) -> str:
    return f"{printable(event.source_path)} to {file_of(event)}" if event.source_path else file_of(event)


def _linked(event: FileEvent) -> str:
    return f"{printable(event.source_path)} as {file_of(event)}" if event.source_path else file_of(event)


def _symbolically(event: FileEvent) -> str:
    return f"{file_of(event)} to {printable(event.link_target)}" if event.link_target else file_of(event)


def _moded(event: FileEvent) -> str:
    mode = permissions_of(event.new_mode)
    return f"{file_of(event)} to {mode}" if mode else file_of(event)


def _owned(event: FileEvent) -> str:
    owner = _named(event.new_owner_name, event.new_owner_id)
    group = _named(event.new_owner_group_name, event.new_owner_group_id)
    return f"{file_of(event)} to {owner}{':' if group else ''}{group}" if owner or group else file_of(event)


def _named(name: str | None, number: int | None) -> str:
    """A user or a group as chown takes them."""
    return printable(name) if name is not None else "" if number is None else str(number)


def _attributed(event: FileEvent) -> str:
    name = event.attribute_name
    return f"{file_of(event)} ({printable(name)})" if name else file_of(event)


def _mounted(event: FileEvent) -> str:
    return f"{printable(event.mount_source)} on {file_of(event)}" if event.mount_source else file_of(event)


_OBJECTS: Final[Mapping[Operation, Callable[[FileEvent], str]]] = {
    Operation.RENAME: _renamed,
    Operation.LINK: _linked,
    Operation.SYMLINK: _symbolically,
    Operation.CHMOD: _moded,
    Operation.CHOWN: _owned,
    Operation.SETXATTR: _attributed,
    Operation.REMOVEXATTR: _attributed,
    Operation.MOUNT: _mounted,
}
"""What an operation was done to, with the other thing that it is about; of all others it is the file."""


def sentence(event: FileEvent) -> str:
    """Who did what to which file with which program."""
    parts = (
        person(event),
        verb(event),
        _OBJECTS.get(event.operation, file_of)(event),
        purpose(event),
        f"with {program(event.process)}",
        f"({failure(event)})" if event.errno else "",
    )
    return " ".join(part for part in parts if part)
