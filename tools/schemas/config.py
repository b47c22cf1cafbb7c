"""`config.schema.json`: the configuration, as far as this version takes it."""

from typing import Final

from tools.schemas.config_sinks import routes, sinks
from tools.schemas.config_values import LENGTH, LENGTH_OR_FOREVER, PATH, SIZE
from tools.schemas.parts import Schema, described, document, map_of, text_like

from fileaudit_engine.config import LIMITS
from fileaudit_engine.config.reading import FOREVER
from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.detect.places import PLACES
from fileaudit_engine.store.settings import ANCHOR_TARGETS

_NAME: Final = text_like(
    r"^[\w.-]+$", "use letters, digits, '_', '-' and '.'; the percent signs stand in rules only"
)

_MEANINGS: Final = {
    "groups": "Groups of one correlation that are remembered; of more, the least recently used is forgotten.",
    "events": "Events of one group, where all are needed; of more, the oldest is forgotten.",
    "entries": "Events of all groups of all correlations together.",
    "listed": "Events that one alert lists.",
    "held": "Events that are kept in full until an alert needs them; of older ones only ids are.",
    "waiting": "Events that wait for earlier ones; of more, the oldest do not wait for the lateness to pass.",
}


def _suppress() -> Schema:
    place: Schema = {"$ref": "#/$defs/place"}
    several: Schema = {"type": "array", "items": place, "minItems": 1, "uniqueItems": True}
    return map_of(
        {
            "by": described(
                "Alerts are the same if their documents agree at these places; a missing value is one, too.",
                {
                    "anyOf": [place, several],
                    "examples": [["rule.uuid", "process.executable", "file.path"]],
                },
            ),
            "for": described(
                "How far from the first alert its repeats may be, 1ms to 30d.",
                {**LENGTH, "examples": ["10m"]},
            ),
        },
        required=["by", "for"],
    )


def _correlation() -> Schema:
    defaults = Limits()
    numbers = {
        name: described(
            _MEANINGS[name],
            {"type": "integer", "minimum": least, "maximum": most, "default": getattr(defaults, name)},
        )
        for name, (least, most, _) in LIMITS.items()
    }
    lateness = described(
        "How far behind the newest one an event may be and still be put in its place; every alert of a"
        " correlation waits that long. At most 10m.",
        {**LENGTH, "default": f"{defaults.lateness_ns // 1_000_000}ms"},
    )
    return map_of({"lateness": lateness, **numbers})


def _store() -> Schema:
    target: Schema = {"enum": list(ANCHOR_TARGETS)}
    return map_of(
        {
            "path": {
                **PATH,
                "description": "The file; its folder is made if need be.",
                "default": "/var/lib/fileaudit/fileaudit.db",
            },
            "retention": described(
                f"Older records are removed, 1h to 36500d; '{FOREVER}': they stay.",
                {**LENGTH_OR_FOREVER, "default": "90d"},
            ),
            "max_size": described(
                "Of more, the oldest records are removed, except those that a sink has not had yet; 16MiB to"
                " 1024TiB. Without it, there is no bound.",
                {**SIZE, "examples": ["20GiB"]},
            ),
            "hard_limit": described(
                "Of more, the oldest records are removed even if a sink has not had them. Without it, there"
                " is no bound.",
                {**SIZE, "examples": ["40GiB"]},
            ),
            "anchors": described(
                "Where the end of the chain is noted beside the store, so that cutting it off is found out.",
                map_of(
                    {
                        "file": {
                            **PATH,
                            "description": "The file of anchors; best on another disk than the store.",
                        },
                        "every": described(
                            "How long a record may wait for an anchor, 1s to 1d.",
                            {**LENGTH, "default": "10m"},
                        ),
                        "to": described(
                            "Where anchors go beside the file; what the host lacks is passed over.",
                            {
                                "anyOf": [target, {"type": "array", "items": target}],
                                "default": list(ANCHOR_TARGETS),
                            },
                        ),
                    }
                ),
            ),
        }
    )


def schema() -> Schema:
    """The whole schema."""
    path: Schema = {"type": "string", "minLength": 1}
    value: Schema = {"type": ["string", "number"]}
    place: Schema = {
        "anyOf": [{"enum": sorted(PLACES)}, {"type": "string", "pattern": r"^fileaudit\.extra\."}]
    }
    return document(
        "fileaudit-engine configuration",
        "Relative paths are relative to the configuration file.",
        {
            **map_of(
                {
                    "rules": described(
                        "Rule files and folders; without it, the shipped rules.",
                        {
                            "anyOf": [
                                {"$ref": "#/$defs/path"},
                                {"type": "array", "items": {"$ref": "#/$defs/path"}},
                            ],
                            "examples": [["rules/"]],
                        },
                    ),
                    "store": described(
                        "The embedded store of alerts and audit events.",
                        _store(),
                    ),
                    "placeholders": described(
                        "What `%name%` stands for in rules under the modifier `expand`: a value, or a list"
                        " of which any may be meant. Wildcards work as in rules.",
                        {
                            "type": "object",
                            "propertyNames": _NAME,
                            "additionalProperties": {
                                "anyOf": [value, {"type": "array", "items": value, "minItems": 1}]
                            },
                            "examples": [{"admins": ["alice", "bob"], "backup": "/usr/sbin/backupd"}],
                        },
                    ),
                    "timezone": described(
                        "What the modifiers `minute`, `hour`, `day` and their like are counted in.",
                        {
                            "type": "string",
                            "minLength": 1,
                            "default": "UTC",
                            "examples": ["UTC", "Europe/Berlin", "America/New_York"],
                        },
                    ),
                    "suppress": described(
                        "Which alerts repeat another one: they are counted and told of together.", _suppress()
                    ),
                    "correlation": described("How much correlations may hold.", _correlation()),
                    "routes": described(
                        "Which sink gets what: the first route that fits a record decides. A sink that no"
                        " route names gets all (syslog and the terminal: alerts).",
                        routes(),
                    ),
                    "sinks": described("Where records go beside the store.", sinks()),
                }
            ),
            "type": ["object", "null"],
            "$defs": {"path": path, "place": place},
        },
    )
