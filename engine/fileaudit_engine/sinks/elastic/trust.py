"""How a host proves that it is the one: a certificate for its name, from an authority that we trust.

There are three ways to say whom to trust: the authorities that this host knows, a file of certificates, or
the fingerprint of one. For a fingerprint the certificate is looked for among those that the hosts themselves
show, as whoever installs Elasticsearch is given nothing else; found, it is the only one that is trusted, and
chain and name are verified like with any other. (That some certificate of a chain has the fingerprint proves
nothing: certificates are public, and anybody can show them.)
"""

import hashlib
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from fileaudit_engine.plain_files import require_plain
from fileaudit_engine.sinks.elastic.dialling import CONNECT_S, dialled
from fileaudit_engine.sinks.handshake import shaken
from fileaudit_engine.sinks.settings import ElasticSettings

_HTTPS_PORT: Final = 443


class NotShown(Exception):
    """None of the hosts shows a certificate of the fingerprint."""


class NoCertificates(Exception):
    """The file cannot be used; says why."""


def context_of(settings: ElasticSettings) -> ssl.SSLContext | None:
    """What connections are verified with; None where all hosts are of http.

    With a fingerprint, hosts are asked for their certificates.

    Raises:
        NoCertificates: The file cannot be used.
        OSError: Hosts do not answer.
        NotShown: They do, and none shows the certificate.
    """
    addresses = [(url.hostname or "", url.port or _HTTPS_PORT) for url in _urls(settings)]
    if not addresses:
        return None
    if settings.ca_fingerprint is not None:
        context = ssl.create_default_context(cadata=_anchor(addresses, settings.ca_fingerprint))
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN  # it need not be its own issuer
    else:
        context = _trusting(settings.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _trusting(file: Path | None) -> ssl.SSLContext:
    try:
        if file is not None:
            require_plain(file)
        return ssl.create_default_context(cafile=file)
    except (OSError, ValueError) as error:
        words = None if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None)
        raise NoCertificates(words or "there is no certificate in PEM in it") from error


def _urls(settings: ElasticSettings) -> Iterator[SplitResult]:
    for host in settings.hosts:
        url = urlsplit(host)
        if url.scheme == "https":
            yield url


def _anchor(addresses: Sequence[tuple[str, int]], fingerprint: str) -> bytes:
    """The certificate, by its digest, from whoever shows it."""
    failure: OSError | None = None
    for address in addresses:
        try:
            shown = _shown(address)
        except OSError as error:
            failure = error
            continue
        for certificate in shown:
            if hashlib.sha256(certificate).hexdigest() == fingerprint:
                return certificate
    raise failure or NotShown


def _shown(address: tuple[str, int]) -> list[bytes]:
    """What a host shows of itself. Nothing is told to it, so it need not be trusted yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with dialled(*address) as plain:
        plain.settimeout(CONNECT_S)
        with shaken(context, plain, address[0]) as channel:
            return _chain(channel)


def _chain(channel: ssl.SSLSocket) -> list[bytes]:
    public: Any = getattr(channel, "get_unverified_chain", None)  # Python 3.13
    if public is not None:
        return [bytes(certificate) for certificate in public()]
    inner: Any = getattr(channel, "_sslobj", None)
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in inner.get_unverified_chain() or ()]
