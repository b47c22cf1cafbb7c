"""Rules that ask for something in every dimension of the kernel's classifier, and events to match them."""

import random
from collections.abc import Sequence

from hypothesis import strategies as st
from tests.unit.compiler.examples import event, matches
from tests.unit.compiler.strategies import few_valued_tests, literals, testable_patterns

from fileaudit_engine.compiler.ir import (
    All,
    AnyOf,
    EqualsNumber,
    Matches,
    Negation,
    Pattern,
    Predicate,
    Test,
    Wildcard,
)
from fileaudit_engine.events.fields import BY_NAME, Field
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, PathState, Process

PATH, SOURCE = BY_NAME["TargetFilename"], BY_NAME["SourceFilename"]
USER, USER_ID = BY_NAME["User"], BY_NAME["UserId"]
PID, COMM = BY_NAME["ProcessId"], BY_NAME["ProcessName"]

USERS = ("root", "Alice", "bob", "\u017fam", "0", "\u00c9mile", "")
USER_IDS = (0, 1000, 1001, 4294967295)
PIDS = (1, 7, 4711)
COMMS = ("vim", "SSHD", "kworker/0:1", "fifteen-letters", "sixteen-letters-", "caf\u00e9", "")
ODD_NUMBERS = (-1, 0.5, 2**32, 10**30)
STATES = (
    *([PathState.RESOLVED] * 6),
    PathState.UNRESOLVED,
    PathState.UNRESOLVED | PathState.FOLLOWED,
    PathState.FOLLOWED,
    *(PathState.TRUNCATED, PathState.DELETED, PathState.UNREACHABLE),
)
ODD_ENDS = ("", "", "", "", "/", "/.", "/..", "/x", "x", "\u017f", "\udcff", "\n")


@st.composite
def path_tests(draw: st.DrawFn, field: Field = PATH) -> Test:
    pattern = draw(st.one_of(testable_patterns(), literals().map(lambda text: (text,))))
    return Test(field=field, check=matches(pattern, cased=draw(st.sampled_from((False, False, True)))))


def caller_tests() -> st.SearchStrategy[Test]:
    """A user by name or number, a process, a thread's name; a few that no table can hold."""

    def texts(field: Field, values: Sequence[str]) -> st.SearchStrategy[Test]:
        return st.builds(
            lambda value, cased: Test(field=field, check=matches((value,) if value else (), cased=cased)),
            st.sampled_from(values),
            st.booleans(),
        )

    def numbers(field: Field, values: Sequence[int]) -> st.SearchStrategy[Test]:
        return st.sampled_from((*values, *values, *ODD_NUMBERS)).map(
            lambda number: Test(field=field, check=EqualsNumber(number=number))
        )

    kinds = (
        *(texts(USER, USERS), numbers(USER_ID, USER_IDS), texts(USER_ID, ("0", "1000", "01000"))),
        *(numbers(PID, PIDS), numbers(PID, PIDS), texts(COMM, COMMS), texts(COMM, COMMS)),
    )
    return st.sampled_from(range(len(kinds))).flatmap(kinds.__getitem__)


@st.composite
def rules(draw: st.DrawFn) -> Predicate:
    """Alternatives, each of two or three conditions of different kinds, and an exclusion."""
    kinds = (
        path_tests(),
        path_tests(),
        path_tests(SOURCE),
        few_valued_tests(),
        caller_tests(),
        caller_tests(),
    )
    alternatives: list[Predicate] = []
    for _ in range(draw(st.integers(1, 3))):
        parts: list[Predicate] = [
            AnyOf(operands=tuple(draw(st.lists(kind, min_size=1, max_size=2))))
            for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))
        ]
        excluded = draw(st.lists(st.one_of(*kinds), max_size=1))
        parts += [Negation(operand=test) for test in excluded]
        alternatives.append(All(operands=tuple(parts)))
    return AnyOf(operands=tuple(alternatives))


def tests_of(predicate: Predicate) -> list[Test]:
    match predicate:
        case Test():
            return [predicate]
        case Negation(operand=operand):
            return tests_of(operand)
        case All(operands=operands) | AnyOf(operands=operands):
            return [test for operand in operands for test in tests_of(operand)]


def events_for(predicates: Sequence[Predicate], *, seed: int, count: int) -> list[FileEvent]:
    """`count` events of all operations, each aimed at what some alternative of a predicate asks."""
    chance = random.Random(seed)
    alternatives = [a for p in predicates for a in (p.operands if isinstance(p, AnyOf) else (p,))]
    return [_event(tests_of(chance.choice(alternatives)), chance) for _ in range(count)]


def _event(tests: Sequence[Test], chance: random.Random) -> FileEvent:
    asked: dict[Field, list[str]] = {}
    for test in tests:
        asked.setdefault(test.field, []).append(_written(test, chance))

    def text(field: Field, others: Sequence[str]) -> str:
        wanted = asked.get(field)
        return chance.choice(wanted) if wanted and chance.random() < 0.9 else chance.choice(others)

    operations = [o for o in Operation if any(o.value == word.lower() for word in asked.get(_OPERATION, ()))]
    operation = chance.choice(operations or [*Operation])
    return event(
        _odd(text(PATH, ("/etc/a", "/a/b/secrets")), chance),
        operation=operation,
        access_mode=chance.choice((*AccessMode, None)),
        errno=chance.choice((0, 0, 13)),
        path_state=chance.choice(STATES),
        source_path=chance.choice((None, text(SOURCE, ("/tmp/x",)))),
        container_path=chance.choice((None, None, "/inside/a")),
        alias_path=chance.choice((None, None, "/other/name", "/other/\u212a")),
        user_name=chance.choice((None, text(USER, USERS))),
        user_id=chance.choice((None, *(int(n) for n in asked.get(USER_ID, ()) if n.isdigit()), *USER_IDS)),
        process=Process(
            pid=chance.choice((*(int(n) for n in asked.get(PID, ()) if n.isdigit()), *PIDS)),
            name=chance.choice((None, text(COMM, COMMS), text(COMM, COMMS))),
        ),
    )


_OPERATION = BY_NAME["Operation"]


def _written(test: Test, chance: random.Random) -> str:
    """A text that passes the test, or one that is close to it."""
    if not isinstance(test.check, Matches):
        return str(getattr(test.check, "number", ""))
    pattern: Pattern = test.check.pattern
    change = chance.choice((str, str, str, str.upper, str.swapcase, _folding))
    return "".join(
        change(token) if isinstance(token, str) else chance.choice(_STANDS_FOR.get(token, ("x",)))
        for token in pattern
    )


_STANDS_FOR = {Wildcard.ANY: ("", "x", "/a/", "/\u00e9", "/" + "f" * 300)}


def _folding(text: str) -> str:
    return text.replace("s", "\u017f").replace("k", "\u212a")


def _odd(path: str, chance: random.Random) -> str | None:
    return None if chance.random() < 0.02 else path + chance.choice(ODD_ENDS)
