"""What live capture cannot see, operation by operation, in words.

`explain` says of each rule what it will miss on a host. ARCHITECTURE.md has the whole list, with the cases
that are too narrow for a page about a rule.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from fileaudit_engine.compiler.captured import NOT_CAPTURED
from fileaudit_engine.compiler.classifier import ON_NAMES
from fileaudit_engine.compiler.constraint import Clause, OneOf
from fileaudit_engine.compiler.plan import CAPTURED_OPERATIONS
from fileaudit_engine.events.model import Operation, Outcome

_O: Final = Operation
_CHANGES: Final = frozenset({_O.TRUNCATE, _O.CHMOD, _O.CHOWN, _O.UTIMES, _O.SETXATTR, _O.REMOVEXATTR})
"""Operations by name, which follow the last link, or by descriptor."""
_BY_NAME: Final = ON_NAMES | _CHANGES | {_O.MOUNT, _O.UMOUNT}

_ALWAYS: Final = (
    # No system call tracepoint that we use fires. Any program can go through that gate, a 64-bit one too.
    "operations through io_uring, and calls by the 32-bit gate, of whose use you are told",
)
_OF_SOME: Final = (
    (
        frozenset({_O.READ, _O.WRITE}),
        "reads and writes of files that were open when the engine started, or loaded programs for new rules",
    ),
    (frozenset({_O.READ, _O.WRITE}), "reads and writes by native AIO (io_submit)"),
    (
        frozenset({_O.WRITE}),
        "writes by ioctl (FICLONE) or fallocate, and to a mapping that was made writable later",
    ),
    (
        frozenset({_O.OPEN, _O.CREATE}) | _CHANGES,
        "the right file, where another thread swaps its descriptor before the call has returned",
    ),
    (_BY_NAME, "the right name, where another thread swaps its text before the call has returned"),
    (
        _BY_NAME,
        "folders and links exchanged between the call and the look at them: such a path says so in PathState",
    ),
)
_CUT: Final = "the front of a path that was cut: over 4,096 bytes or 128 levels"
_FAILED: Final = (
    frozenset({_O.OPEN, _O.CREATE}) | _BY_NAME | {_O.EXEC},
    "links in the name of a failed call: its path is the one that was asked for",
)
_AFTERWARDS: Final = (
    (_O.CHMOD, frozenset({"FileMode", "FileType", "Permissions", "mode"}), "the permissions before a chmod"),
    (
        _O.CHOWN,
        frozenset({"FileOwner", "FileOwnerId", "FileGroup", "FileGroupId"}),
        "owner and group before a chown",
    ),
)


def blind_to(
    operations: Sequence[Operation], clauses: Sequence[Clause], fields: Collection[str]
) -> Iterator[str]:
    """What a rule cannot see, a phrase each.

    Args:
        operations: Those that it speaks of.
        clauses: What the kernel filters by for it.
        fields: The fields that it names.
    """
    yield from _missing(operations, fields)
    if not operations:
        return
    yield from _ALWAYS
    for some, phrase in (*_OF_SOME, *(_failed_ones(clauses))):
        if not some.isdisjoint(operations):
            yield phrase
    for operation, asked, phrase in _AFTERWARDS:
        if operation in operations and not asked.isdisjoint(fields):
            yield f"{phrase}: the file is looked at when the call has returned"
    yield _CUT


def _failed_ones(clauses: Sequence[Clause]) -> Iterator[tuple[frozenset[Operation], str]]:
    if any(not isinstance(c.outcome, OneOf) or Outcome.FAILURE in c.outcome.values for c in clauses):
        yield _FAILED


def _missing(operations: Sequence[Operation], fields: Collection[str]) -> Iterator[str]:
    missing = [operation.value for operation in operations if operation not in CAPTURED_OPERATIONS]
    if missing:
        captured = ", ".join(operation.value for operation in Operation if operation in CAPTURED_OPERATIONS)
        yield f"{', '.join(missing)} on a live host: this version captures only {captured}"
    unfilled = sorted(NOT_CAPTURED.intersection(fields))
    if unfilled:
        yield f"{', '.join(unfilled)} on a live host: this version's capture does not fill it in"
