"""Why a frame did not get anywhere, in words with a remedy."""

import errno
import socket
import ssl
from typing import Final

from fileaudit_engine.sinks.settings import SyslogSettings, Transport
from fileaudit_engine.text import printable

_REASON_CHARACTERS: Final = 300
_ALERTS: Final = (
    "CERTIFICATE_REQUIRED",
    "BAD_CERTIFICATE",
    "UNKNOWN_CA",
    "CERTIFICATE_UNKNOWN",
    "ACCESS_DENIED",
)
"""What a receiver answers that does not like our certificate, or the want of one."""
_UNTRUSTED: Final = frozenset({18, 19, 20, 21})
"""OpenSSL's numbers for a certificate of an authority that we do not know."""
_NOBODY_READS: Final = "the receiver reads nothing; is the syslog daemon well?"
_NOBODY_ANSWERS: Final = "nobody answers; is the address right, and does a firewall let it through?"
_EXPIRED: Final = 10
_OTHER_NAME: Final = frozenset({62, 64})


class Refused(Exception):
    """It will not work until somebody has changed something; the words tell what."""


class Unreachable(Exception):
    """Not now.

    Attributes:
        answered: Whether somebody is there, and had no room for us.
    """

    answered = False

    def but_there(self) -> "Unreachable":
        """The same of a receiver that is there."""
        self.answered = True
        return self


def target(settings: SyslogSettings) -> str:
    """The receiver as the configuration names it."""
    if settings.transport is Transport.LOCAL:
        return printable(str(settings.path))
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{settings.transport.value}://{printable(host)}:{settings.port}"


def unreachable(settings: SyslogSettings, error: OSError) -> Unreachable:
    """Why there is no connection, or no datagram gets out."""
    return Unreachable(f"{target(settings)}: {_reason(settings, error)}")


def refused(settings: SyslogSettings, error: ssl.SSLError) -> Refused | None:
    """What of TLS does not mend itself; None for what may."""
    where = target(settings)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refused(f"{where}: {_of_certificate(settings, error)}")
    reason = error.reason or ""
    if any(alert in reason for alert in _ALERTS):
        shown = f"that in {settings.cert_file}" if settings.cert_file else "none is shown"
        remedy = "set 'cert_file' and 'key_file' to a certificate that it accepts"
        return Refused(f"{where}: the receiver wants another certificate of ours ({shown}); {remedy}")
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNSUPPORTED_PROTOCOL"}:
        remedy = "give the port where it takes TLS 1.2 or newer, or 'tcp://' if it has none"
        return Refused(f"{where}: the receiver does not speak TLS there; {remedy}")
    return None


def _of_certificate(settings: SyslogSettings, error: ssl.SSLCertVerificationError) -> str:
    name = printable(settings.server_name or settings.host)
    code = error.verify_code
    if code == _EXPIRED:
        return "the receiver's certificate has expired; renew it there"
    if code in _OTHER_NAME:
        remedy = "set 'server_name' to the name that it is for, or give the receiver one for this name"
        return f"the receiver's certificate is not for {name}; {remedy}"
    if code in _UNTRUSTED:
        place = f"{settings.ca_file}" if settings.ca_file else "this host's trusted authorities"
        remedy = "set 'ca_file' to the certificate of the authority that issued it"
        return f"the receiver's certificate is of none of the authorities in {place}; {remedy}"
    return f"the receiver's certificate is refused: {cut_words(error.verify_message)}"


def _reason(settings: SyslogSettings, error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"TLS fails: {cut_words(error.reason or str(error))}"
    if isinstance(error, socket.gaierror):
        words = cut_words(error.strerror or "?")
        return f"the name cannot be resolved ({words}); is it right, and is DNS there?"
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return _NOBODY_READS if settings.transport is Transport.LOCAL else _NOBODY_ANSWERS
    if error.errno == errno.ECONNREFUSED:
        return "nobody listens there; is the receiver running?"
    if error.errno == errno.ENOENT and settings.transport is Transport.LOCAL:
        return "there is no such socket; is a syslog daemon running?"
    return cut_words(error.strerror or str(error))


def cut_words(text: str) -> str:
    """What others say, printable and not too long."""
    return printable(text[:_REASON_CHARACTERS])
