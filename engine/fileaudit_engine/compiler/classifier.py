"""The kernel's classifier in Python: what `bpf/classify.h` does, said plainly.

It is the oracle that the kernel's answers are compared with, and the filter that every test case runs
through once. It knows of an event what the kernel knows: operation, access mode, outcome, and the path's
bytes or that they cannot be tested.

A path cannot be tested if it was cut off or not resolved by the kernel, or if it holds one of the two
characters outside ASCII whose case folding is an ASCII letter: a rule that says `shadow` matches
a name with a long s in its place, and a comparison of bytes would not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.compiler.plan import KEY_BYTES, SCAN_BYTES, KernelPlan, selector
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, Outcome, PathState
from fileaudit_engine.text import to_kernel

FOLDS_TO_ASCII: Final = ("\u017f".encode(), "\u212a".encode())
"""The bytes of the long s (folds to `s`) and of the Kelvin sign (folds to `k`)."""

_UNTESTABLE: Final = PathState.TRUNCATED | PathState.UNRESOLVED | PathState.FOLLOWED


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the classifier sees of an event; `path` is None where there is none to test."""

    operation: Operation
    access: AccessMode | None
    outcome: Outcome
    path: bytes | None


def facts_of(event: FileEvent) -> Facts:
    """What the kernel would have seen of a recorded event."""
    testable = event.path is not None and not event.path_state & _UNTESTABLE
    return Facts(
        operation=event.operation,
        access=event.access_mode,
        outcome=event.outcome,
        path=to_kernel(event.path) if testable and event.path is not None else None,
    )


def classify(plan: KernelPlan, facts: Facts) -> int:
    """The clauses that the event may satisfy, as a bit set; zero means that the kernel drops it."""
    candidates = plan.selectors[selector(facts.operation, facts.access, facts.outcome)]
    if not candidates or facts.path is None or _folds_to_ascii(facts.path):
        return candidates
    path = facts.path.lower()
    candidates &= plan.any_prefix | _longest(plan.prefixes, _beginnings(path))
    candidates &= plan.any_suffix | _longest(plan.suffixes, _endings(path))
    if len(path) <= SCAN_BYTES:
        candidates &= plan.any_component | _components(plan.components, path)
    return candidates


def _folds_to_ascii(path: bytes) -> bool:
    return any(sequence in path for sequence in FOLDS_TO_ASCII)


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
