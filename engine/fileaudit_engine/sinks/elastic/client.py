"""The official client, as the settings want it.

It is made when it is needed: it takes a third of a second to load, and its secrets are read then. It retries
nothing by itself (whoever asks has the records still), looks for no other nodes, and says nothing: its
loggers would print a line for each failure to standard error, where somebody reads what detection says.
"""

import base64
import logging
from typing import TYPE_CHECKING, Any, Final

from fileaudit_engine.diagnostics import unusable_file
from fileaudit_engine.sinks.elastic.failures import NoClient, why
from fileaudit_engine.sinks.elastic.trust import NoCertificates, NotShown, context_of
from fileaudit_engine.sinks.secrets import CODE, Secret
from fileaudit_engine.sinks.settings import ElasticSettings

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

_TALKATIVE: Final = ("elastic_transport", "elasticsearch")
_NEVER: Final = logging.CRITICAL + 1


def client_of(settings: ElasticSettings) -> "Elasticsearch":
    """A client; where a fingerprint is given, hosts are asked for their certificates first.

    Of several hosts, one that cannot be reached is passed over, and left alone for a while.

    Raises:
        UnusableInput: A secret cannot be used.
        NoClient: The file of certificates cannot be used, or no certificate of the fingerprint is there.
    """
    from elasticsearch import Elasticsearch  # noqa: PLC0415 - see above

    from fileaudit_engine.sinks.elastic.wire import BoundedNode  # noqa: PLC0415 - see above

    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(_NEVER)
    options = _who(settings)
    try:
        context = context_of(settings)
    except (OSError, NotShown, NoCertificates) as error:
        raise NoClient(why(error, settings)) from error
    if context is not None:
        options["ssl_context"] = context
    return Elasticsearch(
        list(settings.hosts),
        node_class=BoundedNode,
        http_compress=True,
        request_timeout=settings.timeout_s,
        max_retries=len(settings.hosts) - 1,
        retry_on_status=(),
        retry_on_timeout=False,
        **options,
    )


def _who(settings: ElasticSettings) -> dict[str, Any]:
    """Who we are there; nothing where it does not ask."""
    if settings.api_key is not None:
        return {"api_key": _api_key(settings.api_key)}
    if settings.username is not None and settings.password is not None:
        pair = f"{settings.username}:{settings.password.read()}"
        return {"basic_auth": base64.b64encode(pair.encode()).decode()}  # the client knows ASCII only
    return {}


def _api_key(secret: Secret) -> str | tuple[str, str]:
    """As Elasticsearch gives it out: its encoded form, or both parts with a colon between them."""
    key = secret.read()
    if not key.isascii() or " " in key:
        remedy = "write what Elasticsearch calls 'encoded', and nothing else, in one line"
        raise unusable_file(CODE, secret.place, "the secret is no API key", remedy)
    name, colon, value = key.partition(":")
    return (name, value) if colon else key
