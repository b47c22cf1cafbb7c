"""What tests of rules, plans and detection begin with: small tests, events and rules, in one line each."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fileaudit_engine.compiler.allowed import Constraint, OneOf, T
from fileaudit_engine.compiler.constraint import Clause
from fileaudit_engine.compiler.ir import Matches, Pattern, Predicate, Test, Wildcard
from fileaudit_engine.compiler.plan import UserRule
from fileaudit_engine.compiler.stages import simplified, within_log_source
from fileaudit_engine.diagnostics import Location
from fileaudit_engine.events.fields import BY_NAME, LogSource
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, Process
from fileaudit_engine.rules.ast import LogSourceSpec, Rule
from fileaudit_engine.text import fold

ANY, ONE = Wildcard.ANY, Wildcard.ONE


def matches(pattern: Pattern, *, cased: bool = False) -> Matches:
    """The check as `lower` makes it: literals of one that ignores case are folded."""
    if cased:
        return Matches(pattern=pattern, cased=True)
    return Matches(pattern=tuple(fold(t) if isinstance(t, str) else t for t in pattern), cased=False)


def text_test(field: str, *pattern: str | Wildcard, cased: bool = False) -> Test:
    return Test(field=BY_NAME[field], check=matches(pattern, cased=cased))


def path_test(*pattern: str | Wildcard, cased: bool = False) -> Test:
    return text_test("TargetFilename", *pattern, cased=cased)


def event(path: str | None = "/etc/shadow", **changes: object) -> FileEvent:
    """A successful open for reading, but for `changes`."""
    known: dict[str, object] = {
        "ts_ns": 1,
        "operation": Operation.OPEN,
        "access_mode": AccessMode.READ,
        "process": Process(pid=1),
        "path": path,
    }
    return FileEvent(**(known | changes))  # type: ignore[arg-type]  # a test names fields as it likes


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A batch that remembers which of its events were completed."""

    candidates: Sequence[int]
    events: Sequence[FileEvent]
    completed: list[int] = field(default_factory=list)

    def complete(self, index: int) -> FileEvent:
        self.completed.append(index)
        return self.events[index]


def user_rule(
    predicate: Predicate,
    *,
    key: str = "rule",
    logsource: LogSource = LogSource.FILE_ACCESS,
    selections: dict[str, Predicate] | None = None,
) -> UserRule:
    """A rule as the compiler's stages leave it."""
    place = Location(file=f"{key}.yml", line=1, column=1)
    rule = Rule(
        key=key,
        title=key,
        logsource=LogSourceSpec(category=logsource.value, product="linux", service=None, location=place),
        detections={},
        conditions=(),
        custom={},
        location=place,
    )
    made = UserRule(rule=rule, logsource=logsource, predicate=predicate, selections=selections or {})
    return simplified(within_log_source(made))


def values(constraint: Constraint[T]) -> frozenset[T]:
    """What a constraint that must be `OneOf` allows."""
    assert isinstance(constraint, OneOf)
    return constraint.values


def only(clauses: tuple[Clause, ...]) -> Clause:
    """The clause of a predicate that has exactly one."""
    (clause,) = clauses
    return clause
