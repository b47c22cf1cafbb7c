"""One delivery: items in requests, each as large as the node takes it.

A request that is refused as a whole, as too large (413) or as no request (400), is halved until it is known
which record is the cause. Whether a record that is refused is to blame is settled at the end: if its data
stream has taken another one, it is; else `Blame` decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from fileaudit_engine.sinks.base import Answer, Delivered, Reject, Retry
from fileaudit_engine.sinks.elastic.blame import ALL, Blame
from fileaudit_engine.sinks.elastic.bulk import FILTER, Item, Outcome, Untrue, outcome_of, portions
from fileaudit_engine.sinks.elastic.failures import TOO_LARGE, Failure, TooLong, refusal, why
from fileaudit_engine.sinks.settings import ElasticSettings

SMALL: Final = 64 << 10
"""Bytes that every node takes: one that does not take so many has another reason."""

_MALFORMED: Final = 400
_PARAMETER: Final = "require_data_stream"
"""Of requests: without it a node without templates would make indices of its own."""


class Interrupted(Exception):
    """Nothing further can be sent now."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.words)
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suspect:
    """A record that was refused.

    Attributes:
        place: Among the answers.
        verdict: Its answer if it is to blame.
        certain: Whether the node puts it down to the record.
    """

    place: int
    verdict: Reject
    certain: bool


class Sending:
    """Sends the items of one delivery.

    Args:
        client: An `elasticsearch.Elasticsearch`, which is not imported here.
        settings: What it was made of.
        most_bytes: Of a request.
        blame: What is known from the deliveries before.

    Attributes:
        answers: Those that there are, in the order of the items.
        failure: What has ended it before its end; None: nothing has.
        most_bytes: Of a request, as far as is known now.
    """

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - see above
        settings: ElasticSettings,
        most_bytes: int,
        blame: Blame,
    ) -> None:
        self._client = client
        self._settings = settings
        self.answers: list[Answer] = []
        self.failure: Failure | None = None
        self.most_bytes = most_bytes
        self._blame = blame
        self._taken: set[str] = set()
        """The datasets whose streams have taken a record."""
        self._suspects: dict[str, list[_Suspect]] = {}
        """By their datasets."""
        self._alone = 0

    def send(self, items: Sequence[Item]) -> None:
        """Send all, or as many as is possible now."""
        try:
            for portion in portions(items, self.most_bytes):
                self._send(portion)
        except Interrupted as end:
            self.failure = end.failure
        for dataset in self._taken:
            self._blame.took(dataset)
        for dataset, suspects in self._suspects.items():
            self._judge(dataset, suspects)

    def _judge(self, dataset: str, suspects: Sequence[_Suspect]) -> None:
        certain = [one.certain for one in suspects]
        guilty = [True] * len(suspects) if dataset in self._taken else self._blame.judge(dataset, certain)
        for one, is_guilty in zip(suspects, guilty, strict=True):
            if is_guilty:
                self.answers[one.place] = one.verdict

    def _send(self, items: Sequence[Item]) -> None:
        try:
            body = self._asked(items)
        except Exception as error:  # noqa: BLE001 - whatever the client raises, the records stay in the store
            self._failed(items, error)
            return
        try:
            outcome = outcome_of(body, items)
        except Untrue as error:
            raise Interrupted(Failure(detail=f"its answer makes no sense: {error}")) from error
        self._note(items, outcome)
        if outcome.refused is not None:
            self._stop(len(items), *outcome.refused)
        if outcome.overwhelmed:
            raise Interrupted(Failure(detail="it has too much to do"))

    def _note(self, items: Sequence[Item], outcome: Outcome) -> None:
        """Answers are believed, but for rejections, which are judged at the end."""
        for place, (item, answer) in enumerate(zip(items, outcome.answers, strict=True)):
            if isinstance(answer, Reject) and place not in outcome.kept:
                self._suspect(item, answer, answer.reason, certain=place not in outcome.doubtful)
                continue
            if isinstance(answer, Delivered):
                self._taken.add(item.dataset)
            self.answers.append(answer)

    def _stop(self, count: int, status: int, said: str) -> NoReturn:
        """We may not write: what of the last items is told again is so because of that."""
        failure = refusal(status, said, self._settings, where=self._settings.hosts[0])
        again = Retry(failure.words, stopped=True)
        last = self.answers[-count:]
        self.answers[-count:] = [again if isinstance(answer, Retry) else answer for answer in last]
        raise Interrupted(failure)

    def _suspect(self, item: Item, verdict: Reject, reason: str, *, certain: bool) -> None:
        suspect = _Suspect(place=len(self.answers), verdict=verdict, certain=certain)
        self._suspects.setdefault(item.dataset, []).append(suspect)
        self.answers.append(Retry(reason))

    def _asked(self, items: Sequence[Item]) -> object:
        lines = [line for item in items for line in (item.action, item.document)]
        wait = f"{int(self._settings.timeout_s * 800)}ms"
        parameters: dict[str, Any] = {"filter_path": FILTER, _PARAMETER: True, "timeout": wait}
        return self._client.bulk(operations=lines, **parameters).body

    def _failed(self, items: Sequence[Item], error: Exception) -> None:
        """Halve what is refused as a whole; go on if a record is the cause."""
        failure = why(error, self._settings)
        status = _status_of(error)
        if status == _MALFORMED and f"[{_PARAMETER}]" in failure.detail:
            remedy = "Elasticsearch 8.13 or a later one is needed"
            raise Interrupted(Failure(detail=failure.detail, remedy=remedy, stops=True)) from error
        if status not in {TOO_LARGE, _MALFORMED} and not isinstance(error.__cause__, TooLong):
            raise Interrupted(failure) from error
        if len(items) == 1:
            self._refused_alone(items[0], status, failure)
            return
        if status == TOO_LARGE:
            self.most_bytes = max(sum(item.size for item in items) // 2, SMALL)
        half = len(items) // 2
        self._send(items[:half])
        self._send(items[half:])

    def _refused_alone(self, item: Item, status: int, failure: Failure) -> None:
        verdict = Reject(f"alone it has {item.size:,} bytes, and {failure.detail}")
        if status == TOO_LARGE and item.size > SMALL:
            self.answers.append(verdict)
            return
        self._suspect(item, verdict, failure.words, certain=False)
        self._alone += 1
        if self._alone >= ALL and not self._taken:
            raise Interrupted(failure)


def _status_of(error: Exception) -> int:
    status: object = getattr(getattr(error, "meta", None), "status", 0)
    return status if isinstance(status, int) else 0
