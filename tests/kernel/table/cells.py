"""The table: every call by every way to name its file, and the cells that cannot be, with their reasons."""

import errno
from collections.abc import Callable, Mapping
from typing import Final

from tests.kernel.table import raw
from tests.kernel.table.calls import Call, Needs
from tests.kernel.table.changes import TABLE
from tests.kernel.table.namings import NAMINGS, Naming
from tests.kernel.table.ways import Way

from fileaudit_engine.events.model import Operation

Cell = tuple[Call, Naming]


def id_of(cell: Cell) -> str:
    """`rename-renameat2_exchange-symlinked_parent`."""
    call, naming = cell
    return f"{call.name}-{naming.name}"


_KERNEL_HAS: Final = {call.syscall: raw.exists(call.syscall) for call in TABLE}

_REASONS: Final[tuple[tuple[str, Callable[[Call, Naming], bool]], ...]] = (
    (
        "this kernel or architecture has no such call",
        lambda call, _: not _KERNEL_HAS[call.syscall],
    ),
    (
        "the call takes no descriptor of a directory",
        lambda call, naming: naming.name == "dirfd" and not call.takes_directory,
    ),
    (
        "what does not exist yet has one name only",
        lambda call, naming: naming.name == "hard_link" and call.needs is Needs.NOTHING,
    ),
    (
        "a folder has one name only",
        lambda call, naming: naming.name == "hard_link" and call.needs in {Needs.FOLDER, Needs.MOUNTED},
    ),
    (
        "a handle is of the file and not of a name: which of its names is found is the kernel's choice",
        lambda call, naming: naming.name == "hard_link" and call.syscall == "open_by_handle_at",
    ),
    (
        "an overlay gives no handles unless it is mounted for export",
        lambda call, naming: naming.name == "overlay" and call.syscall == "open_by_handle_at",
    ),
    (
        "refused at the link in /proc that it is named by: the path is that link's, which no rule watches",
        lambda call, naming: naming.name == "deleted" and call.name == "exec-execveat_nofollow",
    ),
    (
        "a mount keeps its folder from being removed, and nothing is mounted on a removed one",
        lambda call, naming: (
            naming.name == "deleted" and call.operation in {Operation.MOUNT, Operation.UMOUNT}
        ),
    ),
)


def _reason(call: Call, naming: Naming) -> str | None:
    return next((reason for reason, holds in _REASONS if holds(call, naming)), None)


ALL: Final[tuple[Cell, ...]] = tuple((call, naming) for call in TABLE for naming in NAMINGS)
CANNOT: Final[Mapping[str, str]] = {
    id_of(cell): reason for cell in ALL if (reason := _reason(*cell)) is not None
}
"""Cells that cannot be, and why."""
CELLS: Final = tuple(cell for cell in ALL if id_of(cell) not in CANNOT)
"""All others."""

_REFUSALS: Final[tuple[tuple[int, Callable[[Call, Naming], bool]], ...]] = (
    (
        errno.EINVAL,  # an overlay's own whiteouts are of another kind
        lambda call, naming: naming.name == "overlay" and call.variant == "whiteout",
    ),
    (
        errno.ENOENT,  # in a folder without a name there are no names
        lambda call, naming: naming.name == "deleted" and bool(call.ways & {Way.NAME, Way.CREATES}),
    ),
    (
        errno.EEXIST,  # the link's own name is taken
        lambda call, naming: naming.name == "symlink" and (call.way, call.needs) == (Way.NAME, Needs.NOTHING),
    ),
    (
        errno.ENOTDIR,  # a link is no folder, wherever it leads
        lambda call, naming: naming.name == "symlink" and call.operation is Operation.RMDIR,
    ),
    (
        errno.EINVAL,  # and nothing can be mounted on one
        lambda call, naming: (
            naming.name == "symlink"
            and call.way is Way.NAME
            and call.operation in {Operation.MOUNT, Operation.UMOUNT}
        ),
    ),
    (
        errno.EOPNOTSUPP,  # a link has no mode
        lambda call, naming: (
            naming.name == "symlink" and call.way is Way.NAME and call.operation is Operation.CHMOD
        ),
    ),
    (
        errno.ELOOP,  # to run a link without following it
        lambda call, naming: (
            naming.name in {"symlink", "deleted"}
            and call.operation is Operation.EXEC
            and call.variant == "nofollow"
        ),
    ),
)


def refusal(cell: Cell) -> int:
    """The error number with which the kernel refuses, 0 where it does what is asked."""
    return next((number for number, holds in _REFUSALS if holds(*cell)), 0)
