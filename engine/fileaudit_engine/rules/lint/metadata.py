"""FA045: odd attributes: given up, related to itself, showing unknown fields, or without a false positive."""

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.events.fields import BY_NAME, nearest
from fileaudit_engine.events.unprovided import UNPROVIDED
from fileaudit_engine.rules.ast import Document, kind_of
from fileaudit_engine.rules.nodes import MapNode, at
from fileaudit_engine.rules.wording import quoted

_GIVEN_UP = {
    "deprecated": "load the rule that took its place, and leave this one out",
    "unsupported": "mend it and change its status, or leave it out",
}
_MOST_GUESSES = 20
"""Unknown fields that are compared with all known ones, for the nearest."""


def check(rule: Document, root: MapNode, found: Collector) -> None:
    """Warn of each of these."""
    _status(rule, root, found)
    _related(rule, root, found)
    _fields(rule, root, found)
    _false_positives(rule, root, found)


def _status(rule: Document, root: MapNode, found: Collector) -> None:
    if rule.status in _GIVEN_UP:
        message = f"the {kind_of(rule)} is {rule.status}, and runs all the same"
        found.warning("FA045", message, at(root, ["status"]), help=_GIVEN_UP[rule.status])


def _related(rule: Document, root: MapNode, found: Collector) -> None:
    for index, related in enumerate(rule.related):
        if related.id == rule.id:
            message = f"the {kind_of(rule)} names itself as {quoted(related.type)}"
            place = at(root, ["related", index, "id"])
            found.warning("FA045", message, place, help="write the other rule's id, or remove the entry")


def _fields(rule: Document, root: MapNode, found: Collector) -> None:
    unknown = [(index, name) for index, name in enumerate(rule.fields) if name not in BY_NAME]
    for count, (index, name) in enumerate(unknown):
        close = nearest(name) if count < _MOST_GUESSES else None
        remedy = f"did you mean '{close}'?" if close else "remove it, or write the name of a field"
        found.warning(
            "FA045",
            f"no event has the field {quoted(name)}, which the {kind_of(rule)} wants to be shown",
            at(root, ["fields", index]),
            help=UNPROVIDED.get(name, remedy),
        )


def _false_positives(rule: Document, root: MapNode, found: Collector) -> None:
    for index, text in enumerate(rule.falsepositives):
        if text.strip(" .").lower() == "none":
            found.warning(
                "FA045",
                "no rule is known to have no false positives",
                at(root, ["falsepositives", index]),
                help="write what else may match, 'Unknown', or remove it",
            )
