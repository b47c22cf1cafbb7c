"""Calls that the kernel refuses: names that lead nowhere, through a file, into a locked folder; taken names.

They are namings, too: what is reported of a call that came to nothing is the name that was asked for.
"""

# Names are bytes here, and no Path can hold them.
# ruff: noqa: PTH101, PTH103, PTH118, PTH211

import contextlib
import dataclasses
import errno
import os
from collections.abc import Iterator
from typing import Final

from tests.kernel.table.calls import Call, Needs
from tests.kernel.table.changes import TABLE
from tests.kernel.table.namings import Ground, Naming, Subject
from tests.kernel.table.stage import make
from tests.kernel.table.ways import Way

from fileaudit_engine.events.model import Operation

NOBODY: Final = 65534
_MOUNTS: Final = {Operation.MOUNT, Operation.UMOUNT}


class Refusal(Naming):
    """A naming by which nothing can be done.

    Attributes:
        number: The error number.
    """

    number: int = 0

    def refuses(self, call: Call) -> int:
        """The error number that a call gets; 0 if it is not refused, or not for this."""
        return self.number if _by_name(call) else 0

    def staged(self, call: Call) -> Call:
        """The call, with what is there before it when it is refused."""
        return call


def _by_name(call: Call) -> bool:
    """Whether a call needs nothing before it but a name."""
    return Way.DESCRIPTOR not in call.ways and not call.nameless and call.syscall != "move_mount"


class Missing(Refusal):
    name = "missing"
    number = errno.ENOENT
    empty = True

    def refuses(self, call: Call) -> int:
        makes = call.needs is Needs.NOTHING or call.syscall == "creat"
        return 0 if makes else super().refuses(call)


class MissingFolder(Refusal):
    name = "missing_folder"
    number = errno.ENOENT
    empty = True

    def asked(self, it: Subject) -> bytes:
        return os.path.join(it.ground.seen, b"none", it.leaf)

    def path(self, it: Subject) -> bytes:
        return self.asked(it)


class ThroughFile(Refusal):
    """A file stands where a folder should."""

    name = "through_a_file"
    number = errno.ENOTDIR
    empty = True

    @contextlib.contextmanager
    def prepared(self, ground: Ground) -> Iterator[None]:
        os.makedirs(ground.seen)
        make(os.path.join(ground.seen, b"plain"), Needs.FILE)
        yield

    def asked(self, it: Subject) -> bytes:
        return os.path.join(it.ground.seen, b"plain", it.leaf)

    def path(self, it: Subject) -> bytes:
        return self.asked(it)


class Denied(Refusal):
    """An ordinary user, and a folder that he may not enter."""

    name = "denied"
    number = errno.EACCES

    def folder(self, ground: Ground) -> bytes:
        return os.path.join(ground.seen, b"locked")

    def enter(self, it: Subject) -> None:
        os.chmod(self.folder(it.ground), 0o700)
        os.setgid(NOBODY)
        os.setuid(NOBODY)


class DeniedBehindLink(Denied):
    """The same through a link: the folder that he was kept out of is the true one."""

    name = "denied_behind_a_link"

    @contextlib.contextmanager
    def prepared(self, ground: Ground) -> Iterator[None]:
        os.makedirs(self.folder(ground))
        os.makedirs(ground.unseen)
        os.symlink(self.folder(ground), os.path.join(ground.unseen, b"detour"))
        yield

    def asked(self, it: Subject) -> bytes:
        return os.path.join(it.ground.unseen, b"detour", it.leaf)


class NotOwner(Refusal):
    """An ordinary user, and a file of somebody else in a folder that he may enter."""

    name = "not_owner"
    number = errno.EPERM

    def enter(self, _it: Subject) -> None:
        os.setgid(NOBODY)
        os.setuid(NOBODY)

    def refuses(self, call: Call) -> int:
        changes = {
            *(Operation.CHMOD, Operation.CHOWN, Operation.UTIMES),
            *(Operation.SETXATTR, Operation.REMOVEXATTR, *_MOUNTS),
        }
        return super().refuses(call) if call.operation in changes else self._not_writable(call)

    def _not_writable(self, call: Call) -> int:
        names = {Operation.OPEN, Operation.EXEC, Operation.LINK}
        return errno.EACCES if super().refuses(call) and call.operation not in names else 0


class Taken(Refusal):
    """The name that is to be made is there already."""

    name = "taken"
    number = errno.EEXIST

    def staged(self, call: Call) -> Call:
        if call.source_way is not None:
            return dataclasses.replace(call, new_exists=True)
        return dataclasses.replace(call, needs=Needs.FILE)

    def refuses(self, call: Call) -> int:
        makes = {Operation.MKDIR, Operation.SYMLINK, Operation.LINK}
        is_node = call.operation is Operation.CREATE and call.way is Way.NAME
        takes = call.operation in makes or is_node or call.variant == "noreplace"
        return super().refuses(call) if takes else 0


REFUSALS: Final[tuple[Refusal, ...]] = (
    *(Missing(), MissingFolder(), ThroughFile(), Denied(), DeniedBehindLink(), NotOwner(), Taken()),
)
REFUSED: Final = tuple(
    (refusal.staged(call), refusal) for call in TABLE for refusal in REFUSALS if refusal.refuses(call)
)
"""All cells that the kernel refuses, with the refusal as their naming."""
