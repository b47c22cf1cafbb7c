"""Which rules may match which events of a batch that nobody has filtered: the kernel's idea in user space.

Rules are indexed by their witnesses (`compiler.witness`): groups of literals, one of each of which an event
must have. Each field that some group names is a column of the batch; a `scanner` turns it into a column of
classes, small numbers for sets of groups. The classes of one event side by side say all groups that it has:

    TargetFilename   /etc/shadow    /tmp/x    /etc/vimrc          3   0   1
    Image            /usr/bin/cat   /bin/vi   /bin/vi             0   2   2
                                                    rules that may match:
                                              (3, 0)  shadow_read     (0, 2)  none     (1, 2)  edit_in_etc

Few combinations ever come up, so the rules of each are looked up once and remembered. Events with no
combination of interest are never completed.

There is a **plan** per family of log sources that share operations (files, deletions, executions), so that
no event is scanned for what only other log sources have. The law, `matches(rule, event) ⇒ candidate(rule,
event)`, is the same as the kernel's; tests hold it against an oracle that asks every rule of every event.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Final

from fileaudit_engine.compiler.witness import Alternative, Group, Length, Literal, alternatives
from fileaudit_engine.detect.runnable import RunnableRule
from fileaudit_engine.detect.scanner import Automata, Scanner, anchored
from fileaudit_engine.events.batch import Columns
from fileaudit_engine.events.fields import (
    BY_NAME,
    KEYWORD_FIELDS,
    WHOLE_EVENT,
    Field,
    FieldType,
    LogSource,
    Value,
)
from fileaudit_engine.events.model import Operation
from fileaudit_engine.text import fold

_OPERATION: Final = BY_NAME["Operation"]

_COMBINATIONS: Final = 65_536
"""Combinations of classes remembered; past that they are forgotten, all at once."""

_SAMPLE: Final = 32
"""Events of a batch by which the share of a family is guessed; a wrong guess costs time only."""

_KEYWORD_FIELDS: Final = tuple(field for field in KEYWORD_FIELDS if field.type is not FieldType.INTEGER)
"""Where keywords are looked for: no witness is made of digits only, so numbers need no scanning."""

Candidates = Iterator[tuple[int, tuple[RunnableRule, ...]]]
"""Places of events in a batch, ascending, with the rules that may match them, in the order of the plan."""


class MatchIndex:
    """Rules by their witnesses."""

    def __init__(self, rules: Sequence[RunnableRule]) -> None:
        self._plan_of: dict[Value, _Plan] = {}
        automata: Automata = {}
        for family in families():
            plan = _Plan(family, rules, automata)
            self._plan_of.update((operation.value, plan) for operation in family)

    def candidates(self, batch: Columns) -> Candidates:
        """The events that some rule may match, with those rules."""
        operations = batch.column(_OPERATION) or ()
        present = dict.fromkeys(map(self._plan_of.__getitem__, set(operations)))
        sample = [self._plan_of[operation] for operation in operations[:_SAMPLE]]
        parts = []
        for plan in present:
            if not plan.asks:
                continue
            if 2 * sample.count(plan) > len(sample):  # others are in the way; sorting them out costs more
                parts.append(plan.candidates(batch, range(len(operations)), operations))
            else:
                places = [place for place, one in enumerate(operations) if self._plan_of[one] is plan]
                own = [operations[place] for place in places]
                parts.append(plan.candidates(batch.only(places), places, own))
        found = chain.from_iterable(parts)
        return iter(sorted(found, key=itemgetter(0))) if len(parts) > 1 else found


def families() -> Iterable[frozenset[Operation]]:
    """The operations, in sets that share log sources; sources of all operations aside."""
    everything = frozenset(Operation)
    found: list[frozenset[Operation]] = [frozenset({operation}) for operation in Operation]
    for source in LogSource:
        if source.operations != everything:
            touched = [family for family in found if family & source.operations]
            found = [family for family in found if family not in touched]
            found.append(frozenset().union(*touched))
    return found


class _Plan:
    """The index of one family of operations."""

    def __init__(
        self, operations: frozenset[Operation], rules: Sequence[RunnableRule], automata: Automata
    ) -> None:
        self._rules = rules
        self.operations = operations
        ways = [
            _Way(rule=number, groups=alternative.groups)
            for number, rule in enumerate(rules)
            if rule.plan.logsource.operations & operations
            for alternative in alternatives(rule.plan.predicate)
            if _can_be_of(alternative, operations)
        ]
        self._index(_indexed(ways), automata)
        self._answers: dict[tuple[int, ...], _Answers] = {}
        self._generation = 0

    def _index(self, ways: Sequence["_Way"], automata: Automata) -> None:
        numbers: dict[Group, int] = {}
        self._unconditional: list[int] = []
        self._by_witness: dict[int, list[tuple[int, int]]] = {}
        for way in ways:
            bits = [numbers.setdefault(group, len(numbers)) for group in way.groups]
            if bits:
                needed = sum(1 << bit for bit in bits)
                self._by_witness.setdefault(bits[0], []).append((needed, way.rule))
            else:
                self._unconditional.append(way.rule)
        self._witnesses = sum(1 << bit for bit in self._by_witness)
        self._scanners = _scanners(numbers, self.operations, automata)
        self._of_operation = _groups_of_operations(numbers, self.operations)
        self._always = frozenset(o for o, groups in self._of_operation.items() if self.rules_with(groups))

    @property
    def asks(self) -> bool:
        """Whether there is any rule for these operations."""
        return bool(self._unconditional or self._by_witness)

    def candidates(self, batch: Columns, places: Sequence[int], operations: Sequence[Value]) -> Candidates:
        """The events of this family that some rule may match.

        Args:
            batch: Events, mostly of this family.
            places: What they are called in the answer.
            operations: Their operations.
        """
        classes: list[Mapping[int, int]] = []
        active: list[int] = []
        for number, scanner in enumerate(self._scanners):
            values = batch.column(scanner.field)
            found = scanner.classes(values) if values is not None else None
            if found:
                classes.append(found)
                active.append(number)
        touched = set().union(*classes)
        if self._always and not self._always.isdisjoint(operations):
            touched.update(i for i, operation in enumerate(operations) if operation in self._always)
        answers = self._answers_for(tuple(active))
        for index in sorted(touched):
            key = (operations[index], *[found.get(index, 0) for found in classes])
            rules = answers[key]
            if rules:
                yield places[index], rules

    def _answers_for(self, active: tuple[int, ...]) -> "_Answers":
        """What is remembered for combinations of the columns that have any class."""
        generation = sum(scanner.generation for scanner in self._scanners)
        if generation != self._generation or sum(map(len, self._answers.values())) > _COMBINATIONS:
            self._answers.clear()
            self._generation = generation
        known = self._answers.get(active)
        if known is None:
            scanners = [self._scanners[number] for number in active]
            known = self._answers[active] = _Answers(self, self._of_operation, scanners)
        return known

    def rules_with(self, groups: int) -> tuple[RunnableRule, ...]:
        """The rules that may match an event with these groups, a bit set."""
        found = set(self._unconditional)
        present = groups & self._witnesses
        while present:
            lowest = present & -present
            for needed, rule in self._by_witness[lowest.bit_length() - 1]:
                if needed & groups == needed:
                    found.add(rule)
            present ^= lowest
        return tuple(self._rules[number] for number in sorted(found))


class _Answers(dict[tuple[Value, ...], tuple[RunnableRule, ...]]):
    """Rules by operation and combination of classes, worked out on demand."""

    def __init__(self, plan: _Plan, of_operation: Mapping[Value, int], scanners: Sequence[Scanner]) -> None:
        super().__init__()
        self._plan = plan
        self._of_operation = of_operation
        self._scanners = scanners

    def __missing__(self, key: tuple[Value, ...]) -> tuple[RunnableRule, ...]:
        operation, *classes = key
        rules: tuple[RunnableRule, ...] = ()
        groups = self._of_operation.get(operation)
        if groups is not None:  # it is of this family
            for scanner, number in zip(self._scanners, classes, strict=True):
                groups |= scanner.groups(number)  # type: ignore[arg-type] # behind the operation stand classes
            rules = self._plan.rules_with(groups)
        self[key] = rules
        return rules


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One way in which a rule can match.

    Attributes:
        rule: Its number.
        groups: What the event must have one literal of each of; the first is the witness.
    """

    rule: int
    groups: tuple[Group, ...]


def _indexed(ways: Sequence[_Way]) -> list[_Way]:
    """The ways with the groups that are looked for: the witness, and what costs no column more."""
    scanned = {_OPERATION}
    for way in ways:
        if way.groups:
            scanned |= {literal.field for literal in way.groups[0]}
    return [
        dataclasses.replace(
            way,
            groups=way.groups[:1]
            + tuple(g for g in way.groups[1:] if all(literal.field in scanned for literal in g)),
        )
        for way in ways
    ]


def _scanners(
    numbers: Mapping[Group, int], operations: frozenset[Operation], automata: Automata
) -> list[Scanner]:
    """One for each field that some group names and that these operations can have, with all its literals."""
    wanted: dict[Field, dict[str, set[int]]] = {}
    lengths: dict[Field, list[tuple[int, int]]] = {}
    for group, number in numbers.items():
        for sign in group:
            for field in _KEYWORD_FIELDS if sign.field is WHOLE_EVENT else (sign.field,):
                if isinstance(sign, Length):
                    lengths.setdefault(field, []).append((sign.characters, number))
                    wanted.setdefault(field, {})
                    continue
                text = anchored(sign.text, starts=sign.starts, ends=sign.ends)
                if field is not _OPERATION and _can_have(field, text, operations):
                    wanted.setdefault(field, {}).setdefault(text, set()).add(number)
    return [
        Scanner(
            field,
            [(text, sorted(groups)) for text, groups in literals.items()],
            automata,
            lengths=lengths.get(field, ()),
        )
        for field, literals in wanted.items()
    ]


def _can_have(field: Field, text: str, operations: frozenset[Operation]) -> bool:
    """Whether a field can hold an anchored literal: some have few values, computed ones few operations."""
    if field.computed and field.operations is not None and operations.isdisjoint(field.operations):
        return False
    return not field.values or any(
        text in anchored(fold(value), starts=True, ends=True) for value in field.values
    )


def _can_be_of(alternative: Alternative, operations: Iterable[Operation]) -> bool:
    """Whether what is asked of the operation alone leaves any of these."""
    return all(
        any(_is_in(group, operation.value) for operation in operations)
        for group in alternative.groups
        if all(literal.field is _OPERATION for literal in group)
    )


def _groups_of_operations(numbers: Mapping[Group, int], operations: Iterable[Operation]) -> dict[Value, int]:
    """The groups, as a bit set, of which the operation itself is a literal."""
    return {
        operation.value: sum(
            1 << number for group, number in numbers.items() if _is_in(group, operation.value)
        )
        for operation in operations
    }


def _is_in(group: Group, operation: str) -> bool:
    return any(isinstance(sign, Literal) and _stands_in(sign, operation) for sign in group)


def _stands_in(literal: Literal, operation: str) -> bool:
    if literal.field is not WHOLE_EVENT and literal.field is not _OPERATION:
        return False
    text = anchored(literal.text, starts=literal.starts, ends=literal.ends)
    return text in anchored(operation, starts=True, ends=True)
