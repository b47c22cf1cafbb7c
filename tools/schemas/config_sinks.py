"""The part of `config.schema.json` that says where records go: `routes` and `sinks`."""

import re
from typing import Final

from tools.schemas.config_values import LENGTH, LENGTH_OR_FOREVER, PATH, SIZE
from tools.schemas.parts import Schema, choice, described, map_of, text_like

from fileaudit_engine.config.elasticsearch_section import FINGERPRINT, NAMESPACE
from fileaudit_engine.config.reading import FOREVER
from fileaudit_engine.config.routes_section import ENGINE_FACTS, LEVELS, MOST_ROUTES, OBJECTS
from fileaudit_engine.config.secret_keys import VARIABLE
from fileaudit_engine.detect.places import PLACES
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.runtime.router import SINKS
from fileaudit_engine.sinks.settings import Begin, Compression, Rotation, SyslogFormat
from fileaudit_engine.sinks.syslog.words import FACILITIES

_ROTATIONS: Final = {
    Rotation.DAILY.value: "At midnight, UTC.",
    Rotation.HOURLY.value: "At every full hour.",
}
_COMPRESSIONS: Final = {
    Compression.ZSTD.value: "Compressed by zstandard: smallest and fastest.",
    Compression.GZIP.value: "Compressed by gzip: read by everything.",
    Compression.NONE.value: "As it is: for followers that may be away for long.",
}
_BEGINNINGS: Final = {
    Begin.NOW.value: "With what comes.",
    Begin.START.value: "With all that is in the store.",
}
_FROM: Final = described(
    "Where it begins if it is new beside a store that is not.", {**choice(_BEGINNINGS), "default": "now"}
)
_FORMATS: Final = {
    SyslogFormat.RFC5424.value: "A sentence, with structured data in front.",
    SyslogFormat.CEF.value: "ArcSight's common event format.",
    SyslogFormat.LEEF.value: "QRadar's log event extended format, 2.0.",
}
_KINDS: Final = {
    Kind.ALERT.value: "Alerts, those of the engine about itself among them.",
    Kind.EVENT.value: "Events of the audit trail.",
    Kind.ENGINE.value: "What the engine says about itself and alerts nobody by.",
}


def sinks() -> Schema:
    """`sinks`."""
    return map_of(
        {
            "json": described("The JSON log: one ECS document a line.", _json_log()),
            "elasticsearch": described(
                "Elasticsearch 8 or 9: data streams of ECS documents.", _elasticsearch()
            ),
            "syslog": described("A syslog receiver, such as a SIEM.", _syslog()),
        }
    )


def _json_log() -> Schema:
    return map_of(
        {
            "path": {**PATH, "description": "The folder of the files; made if need be, closed to others."},
            "rotate": described(
                "When a new file is begun, by the days or hours of UTC.",
                {**choice(_ROTATIONS), "default": "daily"},
            ),
            "max_size": described(
                "A file that is so large is followed by another one, too; 1MiB to 1TiB.",
                {**SIZE, "default": "1GiB"},
            ),
            "compress": described(
                "What becomes of a file that is not written any more, after some minutes.",
                {**choice(_COMPRESSIONS), "default": "zstd"},
            ),
            "retention": described(
                f"Older files are removed, 1h to 36500d; '{FOREVER}': they stay.",
                {**LENGTH_OR_FOREVER, "default": "90d"},
            ),
            "max_total": described(
                "Of more, all files together, the oldest are removed. Without it, there is no bound.",
                {**SIZE, "examples": ["50GiB"]},
            ),
            "from": _FROM,
        },
        required=["path"],
    )


def _elasticsearch() -> Schema:
    host = text_like(
        r"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\\]+:[0-9]{1,5}(/[A-Za-z0-9._~/-]*)?$", "write it as https://es:9200"
    )
    return map_of(
        {
            "hosts": described(
                "Nodes of one cluster; https, but for this host itself.",
                {"anyOf": [host, {"type": "array", "items": host, "minItems": 1, "uniqueItems": True}]},
            ),
            "namespace": described(
                "The last part of the data streams' names, as in logs-fileaudit.alert-default.",
                {
                    **text_like(f"^({NAMESPACE.pattern})$", "write lower-case letters, digits, '_' and '.'"),
                    "default": "default",
                },
            ),
            **_secret("api_key", "The API key, as Elasticsearch gives it out ('encoded')", "ES_KEY"),
            "username": described(
                "Who signs in, where there is no API key.",
                text_like(r"^[^:\x00-\x1f\x7f]{1,507}$", "write a text without ':'"),
            ),
            **_secret("password", "The password of 'username'", "ES_PASSWORD"),
            "ca_file": {
                **PATH,
                "description": "Certificates that those of the hosts must come from, PEM; without it, those"
                " that this host trusts.",
            },
            "ca_fingerprint": described(
                "SHA-256 of the certificate that they must come from, instead of 'ca_file'.",
                text_like(f"^({FINGERPRINT.pattern})$", "write 64 hexadecimal digits, in quotes"),
            ),
            "timeout": described(
                "How long an answer is waited for, 1s to 30s.", {**LENGTH, "default": "30s"}
            ),
            "max_bulk": described(
                "A request is not longer, unless one record alone is; 64KiB to 100MiB.",
                {**SIZE, "default": "5MiB"},
            ),
            "from": _FROM,
        },
        required=["hosts"],
    )


def _secret(key: str, meaning: str, variable: str) -> Schema:
    """The two keys that say where a secret stands."""
    name = text_like(f"^({VARIABLE.pattern})$", "write capital letters, digits and '_'")
    return {
        f"{key}_file": {**PATH, "description": f"{meaning}: the file that it stands in, alone."},
        f"{key}_env": described(
            f"{meaning}: the variable of the environment that holds it.",
            {**name, "examples": [f"FILEAUDIT_{variable}"]},
        ),
    }


def _syslog() -> Schema:
    address = text_like(
        r"^([Uu][Dd][Pp]|[Tt][Cc][Pp]|[Tt][Ll][Ss])://[^/?#@\\]+/?$|^[Ll][Oo][Cc][Aa][Ll]:///[^@]+$",
        "write it as udp://siem:514, tcp://siem:601, tls://siem:6514 or local:///dev/log",
    )
    return map_of(
        {
            "address": described(
                "Where to, and by which way; TCP and TLS know what has arrived.",
                {**address, "examples": ["tls://siem:6514", "local:///dev/log"]},
            ),
            "facility": described(
                "Syslog's word for what messages are about, or its number.",
                {
                    "anyOf": [{"enum": list(FACILITIES)}, {"type": "integer", "minimum": 0, "maximum": 23}],
                    "default": "authpriv",
                },
            ),
            "format": described(
                "What the message of a frame is; the frame is RFC 5424 always.",
                {**choice(_FORMATS), "default": "rfc5424"},
            ),
            "max_frame": described(
                "A frame is not longer, 480B to 65000B; of what is too long, receivers make two records.",
                {**SIZE, "default": "8096B"},
            ),
            "ca_file": {
                **PATH,
                "description": "For TLS: certificates that the receiver's must come from, PEM; without it,"
                " those that this host trusts.",
            },
            "cert_file": {**PATH, "description": "For TLS: the certificate that the engine shows, PEM."},
            "key_file": {**PATH, "description": "The key to it, PEM, where it is not in the same file."},
            "server_name": described(
                "For TLS: the name that the receiver's certificate must be for, if it is not the host's.",
                {"type": "string", "minLength": 1},
            ),
            "from": _FROM,
        },
        required=["address"],
    )


def routes() -> Schema:
    """`routes`."""
    value: Schema = {"type": ["string", "number", "boolean"]}
    text: Schema = {"type": ["string", "number", "boolean"], "minLength": 1}
    engine = re.escape(ENGINE_FACTS)
    place: Schema = {
        "anyOf": [
            {"enum": sorted(PLACES - OBJECTS)},
            {"type": "string", "pattern": rf"^(fileaudit\.extra\.|{engine})"},
        ]
    }
    route = map_of(
        {
            "level": described("Of these levels.", _some({"enum": list(LEVELS)})),
            "kind": described("Of these kinds.", _some(choice(_KINDS))),
            "rule": described("Of rules with such a name, id or title; * stands for anything.", _some(text)),
            "tag": described("Of rules with such a tag; * stands for anything.", _some(text)),
            "fields": described(
                "With such values at a place of their document; * stops at a slash, ** does not.",
                {
                    "type": "object",
                    "propertyNames": place,
                    "minProperties": 1,
                    "additionalProperties": _some(value),
                    "examples": [{"user.name": "root", "file.path": "/etc/**"}],
                },
            ),
            "to": described(
                "Which sinks get them; none: nowhere but the store.",
                {
                    "anyOf": [
                        {"enum": list(SINKS)},
                        {"type": "array", "items": {"enum": list(SINKS)}, "uniqueItems": True},
                    ]
                },
            ),
            "continue": described(
                "Whether the routes behind it are asked, too.", {"type": "boolean", "default": False}
            ),
        },
        required=["to"],
    )
    return {"type": "array", "items": route, "maxItems": MOST_ROUTES}


def _some(item: Schema) -> Schema:
    """One, or a list of them."""
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}
