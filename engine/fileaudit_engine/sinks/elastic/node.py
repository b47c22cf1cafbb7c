"""Questions to a node, one at a time, and what its answers are held to be.

What a node says is somebody else's word: an answer that is not of the form that was asked for is an error in
words, as is a node that cannot be reached, and no text of it is shown that could act on a terminal.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import msgspec

from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sinks.elastic.failures import why
from fileaudit_engine.sinks.settings import ElasticSettings
from fileaudit_engine.text import printable

T = TypeVar("T")

_HEADERS: Final = {"accept": "application/json", "content-type": "application/json"}
_LONGEST_REASON: Final = 400
"""Characters of what a node says: a reason can hold a whole mapping."""

_REFUSALS: Final = 400
"""A lower status is no refusal: what raises it is something else, such as another product."""
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
_PRIVILEGES: Final = (
    "it takes the cluster privileges manage_index_templates, manage_ilm and monitor, and view_index_metadata"
    " and manage on logs-fileaudit.*: let somebody who has them do it once"
)
_NOT_HERE: Final = frozenset({400, 405, 501})
"""What a node answers that does not have the interface at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a node answered.

    Attributes:
        status: Of HTTP.
        body: JSON, or a text.
    """

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300

    @property
    def lacking(self) -> bool:
        """Whether the node does not have what was asked for, at all."""
        return self.status in _NOT_HERE

    @property
    def reason(self) -> str:
        """Why it did not, printable: the innermost cause, which is the one that names the culprit."""
        error = self.body.get("error") if isinstance(self.body, dict) else self.body
        while isinstance(error, dict) and isinstance(error.get("caused_by"), dict):
            error = error["caused_by"]
        said = error.get("reason", error.get("type")) if isinstance(error, dict) else error
        words = said if isinstance(said, str) and said else f"status {self.status}"
        return printable(words[:_LONGEST_REASON])


class Node(Protocol):
    """Whom to ask."""

    @property
    def place(self) -> str:
        """Where it is, for messages."""

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Reply:
        """One question.

        Raises:
            MachineCannot: Nobody answers, or it is not an Elasticsearch; with the remedy.
        """


class NotAllowed(MachineCannot):
    """The node knows who asks, and does not let them."""


def told(reply: Reply, kind: type[T]) -> T:
    """The answer in a form.

    Raises:
        MachineCannot: The node refuses, or its answer has another form.
    """
    if not reply.ok:
        raise refused(reply)
    try:
        return msgspec.convert(reply.body, kind)
    except msgspec.ValidationError as error:
        raise _not_understood(printable(str(error)[:_LONGEST_REASON])) from error


def _not_understood(why_not: str) -> MachineCannot:
    remedy = "is there something in between that is no Elasticsearch?"
    return MachineCannot(f"the node's answer cannot be understood: {why_not}", remedy=remedy)


def refused(reply: Reply, doing: str = "") -> MachineCannot:
    """The refusal in words, with its remedy.

    Args:
        reply: What the node answered.
        doing: What was asked of it, as a clause.
    """
    what = f"the node refuses {doing}" if doing else "the node refuses"
    if reply.status == UNAUTHORIZED:
        remedy = "the credentials of `sinks.elasticsearch` are wrong, or of another cluster"
    elif reply.status == FORBIDDEN:
        return NotAllowed(f"{what}: {reply.status}: {reply.reason}", remedy=_PRIVILEGES)
    else:
        remedy = ""
    return MachineCannot(f"{what}: {reply.status}: {reply.reason}", remedy=remedy)


class ElasticNode:
    """A node behind the official client."""

    def __init__(self, client: Any, settings: ElasticSettings) -> None:  # noqa: ANN401 - see below
        """Ask by a client that is closed with this.

        Args:
            client: An `elasticsearch.Elasticsearch`; its module takes long to import.
            settings: What it was made of.
        """
        self._client = client
        self._settings = settings

    @property
    def place(self) -> str:
        """The hosts, as they are configured."""
        return printable(", ".join(self._settings.hosts))

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Reply:
        """See `Node.ask`."""
        from elasticsearch import ApiError, SerializationError, TransportError  # noqa: PLC0415 - 0.3 s

        try:
            answer = self._client.perform_request(method, path, headers=_HEADERS, body=body)
        except SerializationError as error:
            raise _not_understood(f"{self.place} does not answer in JSON") from error
        except ApiError as error:
            if error.meta.status < _REFUSALS:
                raise self._failed(error) from error
            return Reply(status=error.meta.status, body=error.body)
        except TransportError as error:
            raise self._failed(error) from error
        return Reply(status=answer.meta.status, body=answer.body)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _failed(self, error: Exception) -> MachineCannot:
        failure = why(error, self._settings)
        return MachineCannot(failure.detail, remedy=failure.remedy)


@contextlib.contextmanager
def connected(settings: ElasticSettings) -> Iterator[ElasticNode]:
    """The node of a configuration; nothing is sent yet.

    Raises:
        UnusableInput: A secret or a certificate that the configuration names cannot be used.
    """
    from fileaudit_engine.sinks.elastic.client import client_of  # noqa: PLC0415 - 0.3 s

    node = ElasticNode(client_of(settings), settings)
    try:
        yield node
    finally:
        node.close()
