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
from fileaudit_engine.sinks.settings import ElasticSettings
from fileaudit_engine.text import printable

T = TypeVar("T")

_HEADERS: Final = {"accept": "application/json", "content-type": "application/json"}
_LONGEST_REASON: Final = 400
"""Characters of what a node says: a reason can hold a whole mapping."""

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
        message = f"the node's answer cannot be understood: {printable(str(error)[:_LONGEST_REASON])}"
        raise MachineCannot(
            message, remedy="is there something in between that is no Elasticsearch?"
        ) from error


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

    def __init__(self, client: Any, hosts: tuple[str, ...]) -> None:  # noqa: ANN401 - see `client`
        """Ask by a client that retries nothing; the hosts are only for messages.

        Args:
            client: An `elasticsearch.Elasticsearch`; its module is not imported here, which takes long.
            hosts: What it was made with.
        """
        self._client = client
        self._hosts = hosts

    @property
    def place(self) -> str:
        """The hosts, as they are configured."""
        return printable(", ".join(self._hosts))

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Reply:
        """See `Node.ask`."""
        from elasticsearch import ApiError, TransportError, UnsupportedProductError  # noqa: PLC0415 - 0.3 s

        try:
            answer = self._client.perform_request(method, path, headers=_HEADERS, body=body)
        except UnsupportedProductError as error:
            message = f"{self.place}: what answers there is no Elasticsearch"
            remedy = "name the hosts of an Elasticsearch of version 8 or 9; OpenSearch is another product"
            raise MachineCannot(message, remedy=remedy) from error
        except ApiError as error:
            return Reply(status=error.meta.status, body=error.body)
        except TransportError as error:
            raise self._unreachable(error) from error
        return Reply(status=answer.meta.status, body=answer.body)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _unreachable(self, error: Exception) -> MachineCannot:
        from elasticsearch import ConnectionTimeout, SSLError  # noqa: PLC0415 - as above

        words = printable(_cause(error)[:_LONGEST_REASON])
        if isinstance(error, SSLError) and "WRONG_VERSION_NUMBER" in words:
            remedy = (
                "write http:// in `sinks.elasticsearch.hosts` (for this host alone), or have it speak TLS"
            )
            return MachineCannot(f"{self.place}: what answers there speaks no TLS", remedy=remedy)
        if isinstance(error, SSLError):
            remedy = (
                "the certificate must be for the host's name, and come from `sinks.elasticsearch.ca_file`"
                " or have `ca_fingerprint`"
            )
            return MachineCannot(f"{self.place}: the connection is not to be trusted: {words}", remedy=remedy)
        if isinstance(error, ConnectionTimeout):
            remedy = "is the node overloaded, or does a firewall swallow what is sent?"
            return MachineCannot(f"{self.place}: no answer in time", remedy=remedy)
        remedy = "is it running, and is `sinks.elasticsearch.hosts` right?"
        return MachineCannot(f"{self.place}: cannot be reached: {words}", remedy=remedy)


def _cause(error: BaseException) -> str:
    """What the system said, where it said something; else the client's words."""
    words, seen = str(error), error
    while seen.__cause__ is not None or seen.__context__ is not None:
        seen = seen.__cause__ or seen.__context__ or seen
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror
        words = str(seen) or words
    return words


@contextlib.contextmanager
def connected(settings: ElasticSettings) -> Iterator[ElasticNode]:
    """The node of a configuration; nothing is sent yet.

    Raises:
        UnusableInput: A secret or a certificate that the configuration names cannot be used.
    """
    from fileaudit_engine.sinks.elastic.client import client_of  # noqa: PLC0415 - 0.3 s

    node = ElasticNode(client_of(settings), settings.hosts)
    try:
        yield node
    finally:
        node.close()
