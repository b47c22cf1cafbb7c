"""One delivery: items in requests, each as large as the node takes it.

A request that is refused as a whole, as too large (413) or as no request (400), is halved until it is known
which record is the cause. A record that is refused alone is the cause if it is large, or if the same node has
taken another one; a node, or something in front of it, that refuses everything has another trouble, and the
records wait.
"""

from collections.abc import Sequence
from typing import Any, Final

from fileaudit_engine.sinks.base import Answer, Delivered, Reject, Retry
from fileaudit_engine.sinks.elastic.bulk import FILTER, Item, Untrue, outcome_of, portions
from fileaudit_engine.sinks.elastic.failures import TOO_LARGE, Failure, refusal, why
from fileaudit_engine.sinks.settings import ElasticSettings

SMALL: Final = 64 << 10
"""Bytes that every node takes: one that does not take so many has another reason."""
_MALFORMED: Final = 400
_MOST_SUSPECTS: Final = 16
"""So many records alone, and none taken: it is not them."""


class Interrupted(Exception):
    """Nothing further can be sent now."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.words)
        self.failure = failure


class Sending:
    """Sends the items of one delivery.

    Args:
        client: An `elasticsearch.Elasticsearch`, which is not imported here.
        settings: What it was made of.
        most_bytes: Of a request.

    Attributes:
        answers: Those that there are, in the order of the items.
        failure: What has ended it before its end; None: nothing has.
        most_bytes: Of a request, as far as is known now.
    """

    def __init__(self, client: Any, settings: ElasticSettings, most_bytes: int) -> None:  # noqa: ANN401 - see above
        self._client = client
        self._settings = settings
        self.answers: list[Answer] = []
        self.failure: Failure | None = None
        self.most_bytes = most_bytes
        self._taken = False
        self._suspects: dict[int, Reject] = {}

    def send(self, items: Sequence[Item]) -> None:
        """Send all, or as many as is possible now."""
        try:
            for portion in portions(items, self.most_bytes):
                self._send(portion)
        except Interrupted as end:
            self.failure = end.failure
        if self._taken:
            for place, verdict in self._suspects.items():
                self.answers[place] = verdict

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
        self.answers += outcome.answers
        self._taken |= any(isinstance(answer, Delivered) for answer in outcome.answers)
        if outcome.refused is not None:
            status, said = outcome.refused
            raise Interrupted(refusal(status, said, self._settings, where=self._settings.hosts[0]))
        if outcome.overwhelmed:
            raise Interrupted(Failure(detail="it has too much to do"))

    def _asked(self, items: Sequence[Item]) -> object:
        lines = [line for item in items for line in (item.action, item.document)]
        wait = f"{int(self._settings.timeout_s * 800)}ms"
        answer = self._client.bulk(
            operations=lines, filter_path=FILTER, require_data_stream=True, timeout=wait
        )
        return answer.body

    def _failed(self, items: Sequence[Item], error: Exception) -> None:
        """Halve what is refused as a whole; go on if a record is the cause."""
        failure = why(error, self._settings)
        status = _status_of(error)
        if status not in {TOO_LARGE, _MALFORMED}:
            raise Interrupted(failure) from error
        if len(items) > 1:
            if status == TOO_LARGE:
                self.most_bytes = max(sum(item.size for item in items) // 2, SMALL)
            half = len(items) // 2
            self._send(items[:half])
            self._send(items[half:])
            return
        self._alone(items[0], status, failure)

    def _alone(self, item: Item, status: int, failure: Failure) -> None:
        verdict = Reject(f"alone it has {item.size:,} bytes, and {failure.detail}")
        if status == TOO_LARGE and item.size > SMALL:
            self.answers.append(verdict)
            return
        self._suspects[len(self.answers)] = verdict
        self.answers.append(Retry(failure.words))
        if len(self._suspects) >= _MOST_SUSPECTS and not self._taken:
            raise Interrupted(failure)


def _status_of(error: Exception) -> int:
    status: object = getattr(getattr(error, "meta", None), "status", 0)
    return status if isinstance(status, int) else 0
