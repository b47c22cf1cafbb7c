"""The Elasticsearch sink: rows of the store as documents in data streams.

It has no state but what it would have to send twice otherwise. A node that refuses us for good is left alone
until somebody has changed something: `refresh`, a secret or certificates in their files, or five minutes
(rights are given over there, and nobody tells us).
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.sinks.base import Answer, Retry, Row
from fileaudit_engine.sinks.elastic.blame import Blame
from fileaudit_engine.sinks.elastic.bulk import Item, Maker
from fileaudit_engine.sinks.elastic.client import client_of
from fileaudit_engine.sinks.elastic.failures import Failure, why
from fileaudit_engine.sinks.elastic.sending import Sending
from fileaudit_engine.sinks.gate import Gate
from fileaudit_engine.sinks.secrets import stamp_of
from fileaudit_engine.sinks.settings import ElasticSettings

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

REDUCED_S: Final = 600.0
"""How long requests stay smaller after one was refused as too large."""


class ElasticSink:
    """Takes rows of the store; a `runtime.follower.StoreSink`. Nothing is sent before the first delivery.

    Args:
        settings: Where to and how.
        clock_s: Monotonic seconds.
        clock_ns: Nanoseconds since the Unix epoch.
    """

    def __init__(
        self,
        settings: ElasticSettings,
        *,
        clock_s: Callable[[], float] = time.monotonic,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._settings = settings
        self._clock_s = clock_s
        self._clock_ns = clock_ns
        self._maker = Maker(settings.namespace)
        self._gate = Gate(self._have_changed, clock_s)
        self._ca_read: object = None
        self._blame = Blame(clock_s)
        self._client: Elasticsearch | None = None
        self._most_bytes = settings.max_bulk_bytes
        self._reduced_until_s = 0.0
        self._settled: Mapping[int, Answer] = {}
        """What became of rows behind the first one that has to be told again, by their numbers."""

    def deliver(self, records: Sequence[Row]) -> list[Answer]:
        """One answer a row, in order."""
        if self._gate.opened():
            self._let_go()
        if self._gate.reason:
            return [Retry(self._gate.reason, stopped=True)] * len(records)
        made = list(self._made(records))
        sent, failure = self._send([one for one in made if isinstance(one, Item)])
        rest = Retry("it was not sent") if failure is None else Retry(failure.words, stopped=failure.stops)
        answers = [next(sent, rest) if isinstance(one, Item) else one for one in made]
        self._remember(records, answers)
        return answers

    def refresh(self) -> None:
        """Somebody may have changed something: try again. May be called by another thread."""
        self._gate.refreshed = True

    def close(self) -> None:
        """Let go of the connections."""
        self._let_go()

    def _made(self, records: Sequence[Row]) -> Iterator[Item | Answer]:
        """What is to be sent of each row, or what is known of it already."""
        sent = rfc3339(self._clock_ns())
        for record in records:
            settled = self._settled.get(record.seq)
            yield settled if settled is not None else self._maker.item(record, sent)

    def _send(self, items: Sequence[Item]) -> tuple[Iterator[Answer], Failure | None]:
        if not items:
            return iter(()), None
        try:
            client = self._client = self._client or self._made_client()
        except Exception as error:  # noqa: BLE001 - whatever the client library raises, the records stay
            return iter(()), self._noted(why(error, self._settings))
        if self._clock_s() >= self._reduced_until_s:
            self._most_bytes = self._settings.max_bulk_bytes
        sending = Sending(client, self._settings, self._most_bytes, self._blame)
        sending.send(items)
        if sending.most_bytes < self._most_bytes:
            self._most_bytes, self._reduced_until_s = sending.most_bytes, self._clock_s() + REDUCED_S
        return iter(sending.answers), self._noted(sending.failure)

    def _made_client(self) -> "Elasticsearch":
        self._ca_read = self._stamp_of_ca()
        return client_of(self._settings)

    def _noted(self, failure: Failure | None) -> Failure | None:
        if failure is not None and failure.stops:
            self._gate.shut(failure.words)
        return failure

    def _remember(self, records: Sequence[Row], answers: Sequence[Answer]) -> None:
        """Behind the first row that is told again, what is settled need not be sent again."""
        first = next((n for n, answer in enumerate(answers) if isinstance(answer, Retry)), len(answers))
        pairs = zip(records[first:], answers[first:], strict=True)
        self._settled = {row.seq: answer for row, answer in pairs if not isinstance(answer, Retry)}

    def _have_changed(self) -> bool:
        secrets = (self._settings.api_key, self._settings.password)
        changed = any(secret is not None and secret.changed() for secret in secrets)
        return changed or self._ca_read != self._stamp_of_ca()

    def _stamp_of_ca(self) -> object:
        return None if self._settings.ca_file is None else stamp_of(self._settings.ca_file)

    def _let_go(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()
