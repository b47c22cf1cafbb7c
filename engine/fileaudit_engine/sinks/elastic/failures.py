"""Why a request came to nothing, in words with a remedy, and whether it makes sense to ask again.

What the other side says is cut and made printable; nothing of a secret is in any word.
"""

import http.client
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fileaudit_engine.diagnostics import MachineCannot, UnusableInput
from fileaudit_engine.sinks.elastic.trust import NoCertificates, NotShown
from fileaudit_engine.sinks.settings import ElasticSettings
from fileaudit_engine.text import printable

UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
TOO_LARGE: Final = 413
LONGEST: Final = 300
"""Characters of what others say."""

_MOST: Final = 10_000
_OUR_OWN: Final = re.compile(r" for REST request \[[^\]]*\]?")
"""What we have asked is known to who reads it."""
_EXPIRED: Final = 10
_UNTRUSTED: Final = frozenset({18, 19, 20, 21})
"""OpenSSL's numbers for a certificate of an authority that we do not know."""
_OTHER_NAME: Final = frozenset({62, 64})
_PRIVILEGES: Final = "give it 'auto_configure' and 'create_doc' on logs-fileaudit.*"


class TooLong(OSError):
    """An answer has more bytes than are read."""


class NoElasticsearch(OSError):
    """Somebody else answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a request came to nothing.

    Attributes:
        detail: What happened.
        remedy: What to do about it; empty if it may pass by itself.
        stops: Whether it makes no sense to ask again before somebody has changed something.
    """

    detail: str
    remedy: str = ""
    stops: bool = False

    @property
    def words(self) -> str:
        """All of it, in one line."""
        return f"{self.detail}; {self.remedy}" if self.remedy else self.detail


class NoClient(MachineCannot):
    """No client can be made.

    Attributes:
        failure: Why.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail, remedy=failure.remedy)
        self.failure = failure


def why(error: Exception, settings: ElasticSettings) -> Failure:
    """What an exception of making or using a client means.

    Args:
        error: It.
        settings: What the client was made of.
    """
    from elasticsearch import ApiError, TransportError, UnsupportedProductError  # noqa: PLC0415 - takes 0.3 s

    if isinstance(error, UnsupportedProductError):
        return _of_another(_at(error.meta), stops=True)
    if isinstance(error, ApiError):
        return refusal(error.meta.status, error.body, settings, where=_at(error.meta))
    if isinstance(error, TransportError):
        if isinstance(error.__cause__, NoElasticsearch):
            others = all(isinstance(one.__cause__, NoElasticsearch) for one in error.errors)
            return _of_another(cut(str(error.message)), stops=others)
        return _of_way(error.__cause__ or error, settings, cut(str(error.message)))
    if isinstance(error, NoClient):
        return error.failure
    return _of_making(error, settings)


def _of_another(where: str, *, stops: bool) -> Failure:
    remedy = "name the hosts of an Elasticsearch of version 8 or 9; OpenSearch is another product"
    return Failure(detail=f"{where}: what answers there is no Elasticsearch", remedy=remedy, stops=stops)


def _of_making(error: Exception, settings: ElasticSettings) -> Failure:
    """Of a client that could not even be made, or of what nobody has thought of."""
    if isinstance(error, UnusableInput):
        remedies = [finding.help for finding in error.diagnostics if finding.help]
        return Failure(detail=cut(str(error)), remedy="; ".join(remedies), stops=True)
    if isinstance(error, NoCertificates):
        detail = f"'ca_file' {printable(str(settings.ca_file))} cannot be used: {cut(str(error))}"
        remedy = "it must be certificates in PEM that the engine can read"
        return Failure(detail=detail, remedy=remedy, stops=True)
    hosts = cut(", ".join(settings.hosts))
    if isinstance(error, NotShown):
        remedy = (
            "let the hosts show their authority's certificate behind their own, or use 'ca_file';"
            " if it is another one now, set 'ca_fingerprint' to that"
        )
        detail = f"{hosts}: no certificate that is shown there has the 'ca_fingerprint'"
        return Failure(detail=detail, remedy=remedy, stops=True)
    return _of_way(error, settings, hosts)


def refusal(status: int, body: object, settings: ElasticSettings, *, where: str) -> Failure:
    """What an answer means that is none of success.

    Args:
        status: Of HTTP.
        body: Out of JSON, or a text.
        settings: Who asked.
        where: Who answered.
    """
    said = reason_of(body) or http.client.responses.get(status, "")
    told = f"{status}: {said}" if said else str(status)
    if status == UNAUTHORIZED:
        return Failure(detail=f"{where}: {_shown(settings)} {told}", remedy=_renew(settings), stops=True)
    if status == FORBIDDEN:
        who = "the API key" if settings.api_key else f"user {printable(settings.username or '?')}"
        return Failure(detail=f"{where}: {who} may not write: {told}", remedy=_PRIVILEGES, stops=True)
    return Failure(detail=f"{where}: it answers {told}")


def _shown(settings: ElasticSettings) -> str:
    if settings.api_key is not None:
        return f"the API key in {printable(settings.api_key.place)} is refused:"
    if settings.password is not None:
        user = printable(settings.username or "")
        return f"the password of {user} in {printable(settings.password.place)} is refused:"
    return "it asks who we are:"


def _renew(settings: ElasticSettings) -> str:
    secret = settings.api_key or settings.password
    if secret is None:
        return "set 'api_key_file', or 'username' and 'password_file'"
    if secret.file is None:
        return "start the engine with a valid one there"
    return "write a valid one there: the engine looks again by itself"


def _of_way(error: BaseException, settings: ElasticSettings, where: str) -> Failure:
    """What happened to a connection."""
    if isinstance(error, ssl.SSLCertVerificationError):
        detail, remedy = _of_certificate(error, settings)
        return Failure(detail=f"{where}: {detail}", remedy=remedy, stops=True)
    detail, remedy = _of_connection(error)
    if isinstance(error, ConnectionResetError) and where.startswith("http:"):
        remedy = "does it speak TLS there? Then write https://"
    return Failure(detail=f"{where}: {detail}", remedy=remedy)


def _of_connection(error: BaseException) -> tuple[str, str]:
    """In words, and what to do."""
    if isinstance(error, TimeoutError):
        return "no answer in time", ""
    if isinstance(error, ssl.SSLError):
        if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}:
            return "it does not speak TLS", "give the port where it does"
        return f"TLS fails: {cut(error.reason or str(error))}", ""
    if isinstance(error, socket.gaierror):
        return f"the name cannot be resolved: {cut(error.strerror or '')}", "is it right, and is DNS there?"
    if isinstance(error, _NO_HTTP):
        return _OTHER_TALK
    return _KNOWN.get(type(error)) or (_plainly(error), "")


_OTHER_TALK: Final = ("what answers there does not speak HTTP", "is that the port of Elasticsearch?")
_NO_HTTP: Final = (http.client.UnknownProtocol, http.client.LineTooLong)
_KNOWN: Final[Mapping[type[BaseException], tuple[str, str]]] = {
    ConnectionRefusedError: ("nobody listens there", "is Elasticsearch running?"),
    ConnectionResetError: ("the connection was reset", ""),
    BrokenPipeError: ("the connection was reset", ""),
    http.client.BadStatusLine: (
        "what answers there does not speak HTTP",
        "is that the port of Elasticsearch?",
    ),
    http.client.RemoteDisconnected: ("the connection was ended without an answer", ""),
}


def _plainly(error: BaseException) -> str:
    """Words of the operating system where there are some."""
    words = error.strerror if isinstance(error, OSError) else None
    return cut(words or str(error) or type(error).__name__)


def _of_certificate(error: ssl.SSLCertVerificationError, settings: ElasticSettings) -> tuple[str, str]:
    code = error.verify_code
    if code in _OTHER_NAME:
        return (
            "its certificate is for another name",
            "write the name that it is for into 'hosts', or give the node one for this name",
        )
    if code == _EXPIRED:
        return "its certificate has expired", "renew it there"
    if code in _UNTRUSTED:
        if settings.ca_fingerprint is not None:
            whom, remedy = "the one of 'ca_fingerprint'", "set 'ca_fingerprint' to that of its authority"
        else:
            whom = f"one in {settings.ca_file}" if settings.ca_file else "one that this host trusts"
            remedy = "set 'ca_file' to the certificate of its authority"
        return f"its certificate does not come from {printable(whom)}", remedy
    return f"its certificate is refused: {cut(error.verify_message)}", ""


def reason_of(body: object) -> str:
    """What an answer gives as its reason, printable."""
    error: Any = body.get("error") if isinstance(body, dict) else body
    if isinstance(error, dict):
        said = [error.get("type"), error.get("reason")]
        cause = error.get("caused_by")
        said += [cause.get("reason")] if isinstance(cause, dict) else []
        error = ": ".join(one for one in said if isinstance(one, str) and one)
    return cut(_OUR_OWN.sub("", " ".join(error[:_MOST].split()))) if isinstance(error, str) else ""


def cut(text: str) -> str:
    """What others say, printable and not too long."""
    return printable(text[:LONGEST])


def _at(meta: Any) -> str:  # noqa: ANN401 - of the client, which is not imported
    node = meta.node
    host = f"[{node.host}]" if ":" in node.host else node.host
    return printable(f"{node.scheme}://{host}:{node.port}")
