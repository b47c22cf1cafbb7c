"""Holds what was raised against what was expected, as multisets.

Two expectations may both fit one alert, one of them more closely than the other. So expectations are not
taken one by one: as many of them as possible are paired with alerts (a maximum matching, by augmenting
paths), and only what is left over after that is missing or unexpected.
"""

import difflib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from fileaudit_engine.rules.ast import Scalar
from fileaudit_engine.ruletest.cases import Expectation
from fileaudit_engine.ruletest.dotted import members
from fileaudit_engine.ruletest.report import Raised
from fileaudit_engine.ruletest.wording import at, value

Expected = Scalar | tuple[Scalar, ...]


class Pairing:
    """The largest pairing of expectations with alerts; both are known by their positions."""

    def __init__(self, accepts: Sequence[Sequence[int]]) -> None:
        """Pair them: `accepts` has, per expectation, the alerts that would satisfy it."""
        self._accepts = accepts
        self.alert_of: dict[int, int] = {}
        self.expectation_of: dict[int, int] = {}
        for expectation in range(len(accepts)):
            self._augment(expectation)

    def _augment(self, start: int) -> None:
        """Give `start` an alert, moving other expectations to alternatives of theirs if that makes room."""
        came_by: dict[int, int] = {}
        queue = deque([start])
        while queue:
            expectation = queue.popleft()
            for alert in self._accepts[expectation]:
                if alert in came_by:
                    continue
                came_by[alert] = expectation
                if alert not in self.expectation_of:
                    self._hand_on(came_by, alert)
                    return
                queue.append(self.expectation_of[alert])

    def _hand_on(self, came_by: Mapping[int, int], free: int) -> None:
        """Move alerts along the path that ends in a free one; it begins with an expectation without any."""
        alert: int | None = free
        while alert is not None:
            expectation = came_by[alert]
            previous = self.alert_of.get(expectation)
            self.alert_of[expectation], self.expectation_of[alert] = alert, expectation
            alert = previous


def differences(expectation: Expectation, raised: Raised) -> Iterator[str]:
    """How an alert of the right rule differs from what was expected, one line each."""
    if expectation.level is not None and expectation.level != raised.record.level:
        yield f"its level is {raised.record.level}, expected {expectation.level}"
    if expectation.at_ns is not None and expectation.at_ns != raised.at_ns:
        yield f"it was raised {at(raised.at_ns)}, expected {at(expectation.at_ns)}"
    if expectation.fields:
        found = dict(members(raised.record.document))
        for name, expected in expectation.fields.items():
            if not _equal(expected, found.get(name)):
                yield _difference(name, expected, found)


def _difference(name: str, expected: Expected, found: Mapping[str, object]) -> str:
    if name in found:
        return f"{name} is {value(found[name])}, expected {value(expected)}"
    close = difflib.get_close_matches(name[:100], found, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return f"it has no {name}, expected {value(expected)}{hint}"


def _equal(expected: Expected, found: object) -> bool:
    """Whether a document's value is what a case wrote: texts compare as texts, so ids may be numbers.

    A list equals a list of equal members. A single value equals a list that holds it, as in a search.
    """
    if isinstance(expected, tuple):
        return isinstance(found, list) and len(found) == len(expected) and all(map(_equal, expected, found))
    if isinstance(found, list):
        return any(_equal(expected, member) for member in found)
    if expected is None or found is None:
        return expected is found
    return _text(expected) == _text(found)


def _text(scalar: object) -> str:
    return str(scalar).lower() if isinstance(scalar, bool) else str(scalar)
