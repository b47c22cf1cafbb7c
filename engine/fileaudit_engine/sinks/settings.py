"""What the configuration says about sinks that are more than a stream."""

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.sinks.secrets import Secret


class Rotation(str, enum.Enum):
    """When a new file is begun, whatever its size; by the hours and days of UTC."""

    HOURLY = "hourly"
    DAILY = "daily"


class Compression(str, enum.Enum):
    """What becomes of a file that is not written any more."""

    ZSTD = "zstd"
    GZIP = "gzip"
    NONE = "none"


class Begin(str, enum.Enum):
    """Where a sink begins that has never had anything of a store."""

    START = "start"
    NOW = "now"


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLogSettings:
    """`sinks.json` of the configuration; the defaults are those of a file that names only the folder.

    Attributes:
        folder: Where the files are; nobody else may write there.
        rotate: When a new file is begun.
        max_bytes: A file that has so many is the next one's predecessor.
        compress: What becomes of a file that is not written any more.
        retention_ns: Files whose last line is older are removed, nanoseconds; None: they stay.
        max_total_bytes: Of more, all files together, the oldest are removed; None: no bound.
        begin: With what it begins in a store that was there before it.
    """

    folder: Path
    rotate: Rotation = Rotation.DAILY
    max_bytes: int = 1 << 30
    compress: Compression = Compression.ZSTD
    retention_ns: int | None = 90 * UNITS_NS["d"]
    max_total_bytes: int | None = None
    begin: Begin = Begin.NOW


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticSettings:
    """`sinks.elasticsearch` of the configuration; the defaults are those of a file that names only the hosts.

    At most one of `api_key` and `username` is given, and `password` goes with `username`.

    Attributes:
        hosts: URLs without a path at the end, `https://es:9200`; http for this host alone.
        namespace: The last part of the data streams' names.
        api_key: The key, as Elasticsearch gives it out ("encoded").
        username: Who signs in.
        password: With what.
        ca_file: Certificates that those of the hosts must come from, PEM; None: those that the host trusts.
        ca_fingerprint: SHA-256 of the certificate that they must come from, 64 lower-case hex digits.
        timeout_s: How long an answer is waited for, seconds.
        max_bulk_bytes: A request is not longer, unless one record alone is.
        begin: With what it begins in a store that was there before it.
    """

    hosts: tuple[str, ...]
    namespace: str = "default"
    api_key: Secret | None = None
    username: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None
    ca_fingerprint: str | None = None
    timeout_s: float = 30.0
    max_bulk_bytes: int = 5 << 20
    begin: Begin = Begin.NOW


class Transport(str, enum.Enum):
    """How frames go to a syslog receiver."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    LOCAL = "local"
    """The socket of this host's own receiver."""


class SyslogFormat(str, enum.Enum):
    """What the message of a frame is; the frame is RFC 5424 always."""

    RFC5424 = "rfc5424"
    CEF = "cef"
    LEEF = "leef"


AUTHPRIV: Final = 10
"""Security messages that not everybody may read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogSettings:
    """`sinks.syslog` of the configuration; the defaults are those of a file that names only the address.

    Attributes:
        transport: How.
        host: Where to: a name, or an address (that of IPv6 without brackets); empty for `LOCAL`.
        port: Where to; 0 for `LOCAL`.
        path: The socket, for `LOCAL`.
        facility: 0 to 23.
        format: What the message of a frame is.
        max_frame: Bytes of a frame; rsyslog takes about so many unless told otherwise, and makes two records
            of what is longer.
        ca_file: For TLS: certificates that the receiver's must come from, PEM; None: those of the host.
        cert_file: For TLS: the certificate that we show, PEM; None: none.
        key_file: The key to it, PEM.
        server_name: For TLS: the name that the receiver's certificate must be for; None: `host`.
        begin: With what it begins in a store that was there before it.
    """

    transport: Transport
    host: str = ""
    port: int = 0
    path: Path = Path("/dev/log")
    facility: int = AUTHPRIV
    format: SyslogFormat = SyslogFormat.RFC5424
    max_frame: int = 8_096
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str | None = None
    begin: Begin = Begin.NOW
