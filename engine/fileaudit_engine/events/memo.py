"""Answers that are remembered.

Events come in floods, and most of what is to be said of them was said a moment ago. Where the subject is an
object that many share, a process say, it is known by its identity: asking by value would compare its whole
line of ancestors. What was asked about is kept alive with its answer, so that no other object can come to
stand in its place.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

Subject = TypeVar("Subject")
Answer = TypeVar("Answer")


class ByIdentity(Generic[Subject, Answer]):
    """A function of immutable objects that remembers its last answers.

    Args:
        make: The function.
        limit: Answers that are remembered at the most; then all are forgotten.
    """

    __slots__ = ("_known", "_limit", "_make")

    def __init__(self, make: Callable[[Subject], Answer], *, limit: int) -> None:
        self._make = make
        self._limit = limit
        self._known: dict[int, tuple[Subject, Answer]] = {}

    def __call__(self, subject: Subject) -> Answer:
        """The answer for this very object; shared by all who ask, so it is not for changing."""
        found = self._known.get(id(subject))
        if found is not None:
            return found[1]
        answer = self._make(subject)
        if len(self._known) >= self._limit:
            self._known.clear()
        self._known[id(subject)] = subject, answer
        return answer


class ByFacts(Generic[Subject, Answer]):
    """A function of some facts of its subjects, that remembers its last answers by these.

    Args:
        facts: Reads the facts, all that `make` goes by.
        make: The function.
        limit: Answers that are remembered at the most; then all are forgotten.
    """

    __slots__ = ("_facts", "_known", "_limit", "_make")

    def __init__(
        self,
        facts: Callable[[Subject], tuple[object, ...]],
        make: Callable[[Subject], Answer],
        *,
        limit: int,
    ) -> None:
        self._facts = facts
        self._make = make
        self._limit = limit
        self._known: dict[tuple[object, ...], Answer] = {}

    def __call__(self, subject: Subject) -> Answer:
        """The answer for these facts; shared by all who ask, so it is not for changing."""
        facts = self._facts(subject)
        known = self._known
        if facts in known:
            return known[facts]
        if len(known) >= self._limit:
            known.clear()
        answer = known[facts] = self._make(subject)
        return answer


class ByValue(dict[Subject, Answer]):
    """A function that remembers all its answers; as fast as a dictionary, for as long as somebody has it.

    Ask by its `__getitem__`.
    """

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[Subject], Answer]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, subject: Subject) -> Answer:
        """The answer to what nobody has asked yet."""
        answer = self[subject] = self._make(subject)
        return answer
