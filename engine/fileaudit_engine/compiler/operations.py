"""What tests of computed fields say about operations and outcomes, said so that the kernel understands it.

Some computed fields are a function of the operation or of the outcome alone: `type: EXECVE` is true of every
exec and of nothing else. Others are there for some operations only: whatever `a0|startswith: py` is true of,
it is an exec. The kernel knows neither field, but it tests operations first of all; a rule in auditd's words
would else need every event of the host.

    type: EXECVE           ->  Operation: exec
    nametype: DELETE       ->  Operation: [rmdir, unlink]
    success: 'no'          ->  Outcome: failure
    a0: insmod             ->  a0: insmod, Operation: exec

Both sides are true of the same events. Rules keep the fields that they name: only what is compiled changes.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.compiler.glob import compile_glob
from fileaudit_engine.compiler.ir import TRUE, All, AnyOf, Matches, Negation, Predicate, Searches, Test
from fileaudit_engine.events.fields import BY_NAME, FIELDS, Field
from fileaudit_engine.events.model import FileEvent, Operation, Outcome, Process
from fileaudit_engine.text import fold

_OPERATION: Final = BY_NAME["Operation"]
_OUTCOME: Final = BY_NAME["Outcome"]
_EINVAL: Final = 22
"""Any error number makes a failure."""


def _example(operation: Operation = Operation.OPEN, errno: int = 0) -> FileEvent:
    """An event of which nothing else is known."""
    return FileEvent(ts_ns=0, operation=operation, errno=errno, process=Process(pid=0))


_BY_OPERATION: Final[Mapping[str, FileEvent]] = {o.value: _example(operation=o) for o in Operation}
_BY_OUTCOME: Final[Mapping[str, FileEvent]] = {
    Outcome.SUCCESS.value: _example(),
    Outcome.FAILURE.value: _example(errno=_EINVAL),
}
_FOLLOWS: Final[Mapping[str, tuple[Field, Mapping[str, FileEvent]]]] = {
    "type": (_OPERATION, _BY_OPERATION),
    "nametype": (_OPERATION, _BY_OPERATION),
    "success": (_OUTCOME, _BY_OUTCOME),
}
"""Computed field -> the field that decides its value, and an event for each value of that one."""
_SAYING: Final = frozenset(
    row for row in FIELDS if row.name in _FOLLOWS or (row.computed and row.operations is not None)
)
"""Fields of which a test says something about operations or outcomes."""


def in_operations(predicate: Predicate) -> Predicate:
    """The predicate in terms that the kernel can test, as far as there are any."""
    match predicate:
        case Test(field=field):
            return _of_test(predicate) if field in _SAYING else predicate
        case Negation(operand=operand):
            return Negation(operand=in_operations(operand))
        case All(operands=operands):
            return All(operands=tuple(map(in_operations, operands)))
        case AnyOf(operands=operands):
            return AnyOf(operands=tuple(map(in_operations, operands)))
        case _ as never:
            assert_never(never)


def _of_test(test: Test) -> Predicate:
    field, check = test.field, test.check
    if field.name in _FOLLOWS and isinstance(check, Matches):
        other, examples = _FOLLOWS[field.name]
        holds = _accepts(check)
        return _one_of(
            other, [word for word, event in examples.items() if holds(field.get(event))], len(examples)
        )
    if field.operations is not None and isinstance(check, Matches | Searches):
        words = [operation.value for operation in Operation if operation in field.operations]
        return All(operands=(_one_of(_OPERATION, words, len(Operation)), test))
    return test


def _accepts(check: Matches) -> Callable[[object], bool]:
    """Whether a value, or a member of a list of them, passes."""
    fits = compile_glob(check.pattern)

    def holds(value: object) -> bool:
        members = value if isinstance(value, tuple) else (value,)
        return any(
            fits(member if check.cased else fold(member)) for member in members if isinstance(member, str)
        )

    return holds


def _one_of(field: Field, words: Iterable[str], total: int) -> Predicate:
    """The field has one of the words; true where these are all that there are."""
    tests = tuple(Test(field=field, check=Matches(pattern=(word,), cased=True)) for word in words)
    return TRUE if len(tests) == total else AnyOf(operands=tests)
