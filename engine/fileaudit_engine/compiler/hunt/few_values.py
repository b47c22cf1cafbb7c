"""Fields with few values: what a check makes of each is found by trying.

`type`, `nametype` and `success` say operation and outcome in other words, and an access mode counts as two:
documents have the one value that decides.
"""

from collections.abc import Callable, Mapping
from typing import Final

import re2

from fileaudit_engine.compiler.glob import compile_glob
from fileaudit_engine.compiler.hunt.columns import ACCESS, FOLLOWS, OPERATION, OUTCOME, one_of
from fileaudit_engine.compiler.hunt.conditions import ALWAYS, NEVER, Column, Present
from fileaudit_engine.compiler.hunt.numbers import absent
from fileaudit_engine.compiler.hunt.said import Said, exactly, nothing
from fileaudit_engine.compiler.ir import Check, EqualsBoolean, EqualsNumber, IsNull, Matches, Searches
from fileaudit_engine.events.fields import Field
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, Outcome, Process
from fileaudit_engine.text import fold

_EINVAL: Final = 22
"""Any error number makes a failure."""


def _example(
    operation: Operation = Operation.OPEN, errno: int = 0, mode: AccessMode | None = None
) -> FileEvent:
    return FileEvent(ts_ns=0, operation=operation, errno=errno, access_mode=mode, process=Process(pid=0))


_EXAMPLES: Final[Mapping[Column, Mapping[str, FileEvent]]] = {
    OPERATION: {o.value: _example(operation=o) for o in Operation},
    OUTCOME: {Outcome.SUCCESS.value: _example(), Outcome.FAILURE.value: _example(errno=_EINVAL)},
    ACCESS: {mode.value: _example(mode=mode) for mode in AccessMode},
}
"""An event for each value of a column."""


def enumerated(field: Field, check: Check) -> Said:
    """A check of a field of `FOLLOWS`."""
    column = FOLLOWS[field.name]
    if isinstance(check, IsNull):
        return exactly(absent(column) if column is ACCESS else NEVER)
    holds = holder(check)
    if holds is None:
        never = isinstance(check, EqualsNumber | EqualsBoolean)
        return exactly(NEVER) if never else nothing("the field cannot be compared in this way")
    examples = _EXAMPLES[column]
    words = [word for word, event in examples.items() if _any(holds, field.get(event))]
    if len(words) == len(examples):
        return exactly(Present(column=column) if column is ACCESS else ALWAYS)
    return exactly(one_of(column, words))


def _any(holds: Callable[[str], bool], value: object) -> bool:
    members = value if isinstance(value, tuple) else (value,)
    return any(holds(member) for member in members if isinstance(member, str))


def holder(check: Check) -> Callable[[str], bool] | None:
    """Whether a text passes; None for checks that are of no texts."""
    match check:
        case Matches(pattern=pattern, cased=cased):
            fits = compile_glob(pattern)
            return lambda text: fits(text if cased else fold(text))
        case Searches(expression=expression, flags=flags):
            compiled = re2.compile(f"(?{flags}){expression}" if flags else expression)
            return lambda text: compiled.search(text) is not None
        case _:
            return None
