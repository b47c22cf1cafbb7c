"""The kernel's classifier in Python: what `bpf/classify.h` does, said plainly.

It is the oracle that the kernel's answers are compared with, and the filter that every test case runs
through once. It knows of an event what the kernel knows: operation, access mode, outcome, who does it, and
the bytes of the file's names, or that they cannot be tested.

A name cannot be tested if it was cut off or not resolved by the kernel, or if it holds one of the two
characters outside ASCII whose case folding is an ASCII letter: a rule that says `shadow` matches
a name with a long s in its place, and a comparison of bytes would not.

Some calls act on a name itself and follow no link that stands there (`unlink`). Where the kernel could not be
sure of the folders above, it is sure of the last component, and tests that. All other calls follow the link,
and what it led to is known only of open files.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from fileaudit_engine.compiler.plan import KEY_BYTES, SCAN_BYTES, KernelPlan, selector
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, Outcome, PathState
from fileaudit_engine.text import fold, to_kernel

FOLDS_TO_ASCII: Final = ("\u017f".encode(), "\u212a".encode())
"""The bytes of the long s (folds to `s`) and of the Kelvin sign (folds to `k`)."""

ON_NAMES: Final = frozenset(
    {
        Operation.UNLINK,
        Operation.RMDIR,
        Operation.RENAME,
        Operation.MKDIR,
        Operation.SYMLINK,
        Operation.LINK,
    }
)
"""Operations on a name: a link that stands there is not followed."""

_UNTESTABLE: Final = PathState.TRUNCATED
_NOT_FOLLOWED: Final = PathState.UNRESOLVED | PathState.FOLLOWED
_NO_NAMES: Final = frozenset({b"", b".", b".."})


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name of the file.

    Attributes:
        path: Its bytes.
        whole: Whether all of it is certain, or the last component only.
    """

    path: bytes
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the classifier sees of an event.

    Attributes:
        names: All names of the file, each of which may be the one that a rule asks for; none if one of them
            cannot be tested, or there is none to test.
        user_id: The real user; None where nobody knows. `user_name` is its name, which user space knows.
        pid: The process.
        comm: The thread's name.
    """

    operation: Operation
    access: AccessMode | None
    outcome: Outcome
    names: tuple[Name, ...] = field(default=())
    user_id: int | None = None
    user_name: str | None = None
    pid: int | None = None
    comm: bytes | None = None


def facts_of(event: FileEvent) -> Facts:
    """What the kernel would have seen of a recorded event.

    The worst is assumed of `path`, by which rules judge: the kernel knew no more of it than its state tells.
    Of the event's further names the best, that they were tested; a name more can only let more pass.
    """
    return Facts(
        operation=event.operation,
        access=event.access_mode,
        outcome=event.outcome,
        names=_names_of(event),
        user_id=event.user_id,
        user_name=event.user_name,
        pid=event.process.pid,
        comm=None if event.process.name is None else to_kernel(event.process.name),
    )


def _names_of(event: FileEvent) -> tuple[Name, ...]:
    first = _testable(event)
    if first is None:
        return ()
    further = (event.source_path, event.container_path, event.alias_path)
    names = (first, *(Name(path=to_kernel(path)) for path in further if path is not None))
    return () if any(_folds_to_ascii(name.path) for name in names) else names


def _testable(event: FileEvent) -> Name | None:
    """The event's path, as far as it can be tested."""
    if event.path is None or event.path_state & _UNTESTABLE:
        return None
    path = to_kernel(event.path)
    if not event.path_state & _NOT_FOLLOWED:
        return Name(path=path)
    last = path.rpartition(b"/")[2]
    return None if event.operation not in ON_NAMES or last in _NO_NAMES else Name(path=path, whole=False)


def classify(plan: KernelPlan, facts: Facts) -> int:
    """The clauses that the event may satisfy, as a bit set; zero means that the kernel drops it."""
    candidates = plan.selectors[selector(facts.operation, facts.access, facts.outcome)]
    candidates &= _of_user(plan, facts)
    if facts.pid is not None:
        candidates &= plan.any_pid | plan.pids.get(facts.pid, 0)
    if facts.comm is not None and not _folds_to_ascii(facts.comm):
        candidates &= plan.any_comm | plan.comms.get(facts.comm.lower(), 0)
    if not candidates or not facts.names:
        return candidates
    passing = 0
    for name in facts.names:
        passing |= of_whole(plan, name.path) if name.whole else of_last(plan, name.path)
    return candidates & passing


def of_whole(plan: KernelPlan, path: bytes) -> int:
    """The clauses that a path may satisfy of which all is certain."""
    path = path.lower()
    accepted = plan.any_prefix | _longest(plan.prefixes, _beginnings(path + b"\0"))
    accepted &= plan.any_suffix | _longest(plan.suffixes, _endings(path))
    if len(path) <= SCAN_BYTES:
        accepted &= plan.any_component | _components(plan.components, path)
    return accepted


def of_last(plan: KernelPlan, path: bytes) -> int:
    """The clauses that a path may satisfy of which only the last component is certain."""
    last = path.lower().rpartition(b"/")[2]
    return plan.any_suffix | _longest(plan.suffixes, _endings(b"\0/" + last))


def _of_user(plan: KernelPlan, facts: Facts) -> int:
    """A number without a name may get one at any moment: it may be anybody who is asked for by name."""
    if facts.user_id is None and facts.user_name is None:
        return -1
    accepted = plan.any_user
    if facts.user_id is not None:
        accepted |= plan.users.get(facts.user_id, 0)
    if facts.user_name is not None:
        return accepted | plan.users.get(fold(facts.user_name), 0)
    for user, clauses in plan.users.items():
        accepted |= clauses if isinstance(user, str) else 0
    return accepted


def _folds_to_ascii(text: bytes) -> bool:
    return any(sequence in text for sequence in FOLDS_TO_ASCII)


def _beginnings(path: bytes) -> Iterator[bytes]:
    return (path[:length] for length in range(min(len(path), KEY_BYTES), 0, -1))


def _endings(path: bytes) -> Iterator[bytes]:
    return (path[-length:] for length in range(min(len(path), KEY_BYTES), 0, -1))


def _longest(table: Mapping[bytes, int], keys: Iterator[bytes]) -> int:
    return next((table[key] for key in keys if key in table), 0)


def _components(table: Mapping[bytes, int], path: bytes) -> int:
    found = 0
    for component in path.split(b"/")[1:-1]:
        found |= table.get(component, 0)
    return found
