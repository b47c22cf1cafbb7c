"""What becomes of a correlation, as data that `explain` shows to people and to programs.

Beside the condition itself, an author wants to know three things: which rules fall silent because of it, when
it tells (at the event, or only when something can no longer come), and what it remembers for that.

Phrases are printable (`text.printable`); keys and names of fields are as the rules have them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.compiler.correlation_wording import listed
from fileaudit_engine.compiler.listening import heard_through
from fileaudit_engine.compiler.plan import CorrelationPlan, UserCorrelation
from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.detect.crossing_words import wanted
from fileaudit_engine.detect.holding import RISING
from fileaudit_engine.rules.ast import Correlation, CorrelationType
from fileaudit_engine.rules.correlation_condition import named
from fileaudit_engine.text import printable

_GROWING: Final = frozenset(
    {
        CorrelationType.EVENT_COUNT,
        CorrelationType.VALUE_COUNT,
        CorrelationType.TEMPORAL,
        CorrelationType.TEMPORAL_ORDERED,
    }
)
"""The types whose number falls only when something leaves the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A rule or correlation that a correlation listens to.

    Attributes:
        key: Of it.
        chained: Whether it is a correlation.
        asked_for_by: The correlations with `generate: true` that refer to it; where there are none, it raises
            and records nothing by itself.
    """

    key: str
    chained: bool
    asked_for_by: tuple[str, ...]

    @property
    def silent(self) -> bool:
        """Whether it is heard only through correlations."""
        return not self.asked_for_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreeing:
    """A name of `group-by`.

    Attributes:
        name: As written.
        fields: By the key of each source, the field that the name means in its matches.
    """

    name: str
    fields: Mapping[str, str]

    @property
    def aliased(self) -> bool:
        """Whether it means another field than the one that it is called like."""
        return any(field != self.name for field in self.fields.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationExplanation:
    """One correlation.

    Attributes:
        correlation: As the compiler made it.
        condition: What it waits for, in words.
        listens_to: Its sources, in their order.
        group_by: What must agree; empty: everything counts together.
        tells: When it tells.
        remembers: What is held for it, and how much at most, a phrase each.
        lateness_ns: How far behind the newest one an event may be and still be put in its place.
        heard_through: The correlations that refer to it; it is silent by itself if `correlation` says so.
        blind_to: What it cannot see, a phrase each.
    """

    correlation: UserCorrelation
    condition: str
    listens_to: tuple[Heard, ...]
    group_by: tuple[Agreeing, ...]
    tells: str
    remembers: tuple[str, ...]
    lateness_ns: int
    heard_through: tuple[str, ...]
    blind_to: tuple[str, ...]


def explained_correlations(plan: CorrelationPlan, limits: Limits) -> tuple[CorrelationExplanation, ...]:
    """The explanations, in the order of the plan."""
    heard = heard_through(plan)
    generating = {one.rule.key for one in plan.correlations if one.rule.generate}
    return tuple(
        CorrelationExplanation(
            correlation=one,
            condition=wanted(one.rule),
            listens_to=tuple(
                Heard(
                    key=step.key,
                    chained=step.chained,
                    asked_for_by=tuple(key for key in heard[step.key] if key in generating),
                )
                for step in one.steps
            ),
            group_by=tuple(_agreeing(one)),
            tells=_tells(one.rule),
            remembers=tuple(_remembers(one.rule, limits)),
            lateness_ns=limits.lateness_ns,
            heard_through=heard.get(one.rule.key, ()),
            blind_to=tuple(_blind_to(one)),
        )
        for one in plan.correlations
    )


def _agreeing(one: UserCorrelation) -> Iterator[Agreeing]:
    for number, name in enumerate(one.rule.group_by):
        yield Agreeing(name=name, fields={step.key: step.group[number].name for step in one.steps})


def _tells(correlation: Correlation) -> str:
    absent = _excluded(correlation)
    if absent:
        names = " or ".join(map(printable, absent))
        return f"{correlation.timespan} after the event, when no {names} that counts can come any more"
    if _only_grows(correlation):
        return "at the event that makes it true"
    return "at the event that makes it true, or when the leaving of others makes it true"


def _excluded(correlation: Correlation) -> list[str]:
    """The sources that it does not want to hear."""
    condition = correlation.condition
    return sorted({name for name, negated in named(condition) if negated}) if condition else []


def _only_grows(correlation: Correlation) -> bool:
    """Whether only an event can make it true, and never the leaving of others."""
    rising = all(one.comparator in RISING for one in correlation.comparisons)
    return rising and correlation.type in _GROWING


def _remembers(correlation: Correlation, limits: Limits) -> Iterator[str]:
    yield f"of each group {_held(correlation, limits)}"
    groups = f"{limits.groups:,} groups, and " if correlation.group_by else ""
    yield (
        f"{groups}{limits.entries:,} events of all correlations together; of more, the least recently used "
        "group is forgotten, and counted"
    )


def _held(correlation: Correlation, limits: Limits) -> str:
    """What is held of a group."""
    told_apart = max((int(one.number) + 1 for one in correlation.comparisons), default=1)
    match correlation.type:
        case CorrelationType.EVENT_COUNT:
            return f"the newest {told_apart:,} events: older ones cannot change the answer"
        case CorrelationType.VALUE_COUNT:
            return f"the newest event of each of the newest {told_apart:,} values"
        case CorrelationType.TEMPORAL | CorrelationType.TEMPORAL_ORDERED if _excluded(correlation):
            return f"when each rule was seen last, and the newest {limits.events:,} events that wait"
        case CorrelationType.TEMPORAL | CorrelationType.TEMPORAL_ORDERED:
            return f"when each rule was seen last, and the newest {limits.events:,} events to be listed"
        case _:
            return f"the newest {limits.events:,} events; of more, the oldest is forgotten, and counted"


def _blind_to(one: UserCorrelation) -> Iterator[str]:
    names = [printable(step.key) for step in one.steps]
    yield f"what {listed(names, 'or')} cannot see"
    if one.rule.suspected:
        yield "events that are lost: it tells where they may hide what is missing ('suspected: true')"
    else:
        yield "events that are lost; an alert says so if they may have spoiled its window"
