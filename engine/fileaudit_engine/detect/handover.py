"""From one set of rules to the next: what stays the same goes on with its windows as they are.

Windows know nothing of the numbers that rules and correlations have in a plan, so they are handed over as
they stand. What waits for its turn does know them, and is told them anew.
"""

import heapq
from typing import TYPE_CHECKING

import msgspec

from fileaudit_engine.detect.crossing import Match
from fileaudit_engine.text import counted

if TYPE_CHECKING:  # it is what calls this
    from fileaudit_engine.detect.correlate import Correlator
    from fileaudit_engine.detect.tracking import Tracked


def unlike(before: "Correlator", after: "Correlator") -> list[str]:
    """The keys of the correlations that do not go on: they are gone, or ask for something else."""
    staying = {tracked.plan.rule.key for _, tracked in _pairs(before, after)}
    return [one.plan.rule.key for one in before.tracked if one.plan.rule.key not in staying]


def take_over(before: "Correlator", after: "Correlator") -> list[str]:
    """Go on with another's windows, which it loses; returns in words what begins anew or is gone.

    Args:
        before: With the rules that were in force.
        after: A new one.
    """
    others = set(unlike(before, after))
    told = [
        f"{one.plan.rule.key} is gone, or was changed, and lets go of {counted(len(one.groups), 'group')}"
        for one in before.tracked
        if one.plan.rule.key in others and one.groups
    ]
    after.newest_ns, after.late = before.newest_ns, before.late
    after.turns, after.taken, after.taken_ns = before.turns, before.taken, before.taken_ns
    after.whole.take_over(before.whole)
    after.losses.kept += before.losses.kept
    after.losses.unjudged += before.losses.unjudged
    numbers: dict[int, int] = {}
    for old, new in _pairs(before, after):
        new.take_over(old)
        numbers[old.number] = new.number
    after.timers += [
        (at_ns, kind, numbers[number], turn, key, window)
        for at_ns, kind, number, turn, key, window in before.timers
        if number in numbers and window.turn == turn
    ]
    heapq.heapify(after.timers)
    after.pending += _renumbered(before, after)
    return told


def _pairs(before: "Correlator", after: "Correlator") -> "list[tuple[Tracked, Tracked]]":
    """The correlations that mean the same in both."""
    known = {one.plan.rule.key: one for one in before.tracked}
    return [
        (old, new)
        for new in after.tracked
        if (old := known.get(new.plan.rule.key)) is not None
        and before.meanings.of(old.number) == after.meanings.of(new.number)
    ]


def _renumbered(before: "Correlator", after: "Correlator") -> list[Match]:
    numbers = {key: number for number, key in enumerate(after.rules)}
    found = []
    for match in before.pending:
        keys = (before.rules[rule] for rule in match.rules)
        rules = tuple(sorted(numbers[key] for key in keys if key in numbers))
        if rules:
            found.append(msgspec.structs.replace(match, rules=rules))
    return found
