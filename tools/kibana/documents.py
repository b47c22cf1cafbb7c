"""Which fields a panel may name, and what Elasticsearch can do with each.

What happened stands in the field table, and its rows say what they hold. What a record adds (its rule, its
level, what the engine says about itself) is listed here, each with the type that its mapping has. A test
holds both against the index templates, and against documents that the engine writes.

Computed fields are not here unless documents carry them: a panel over a field that no document has is empty.
"""

import enum
from collections.abc import Mapping
from typing import Final

from fileaudit_engine.events.fields import FIELDS, KEYWORD_IN_DOCUMENT, OCTAL_IN_DOCUMENT, Field, FieldType


class Kind(enum.Enum):
    """What a field can be used for."""

    WORD = "word"
    """Terms, filters, unique counts."""
    NUMBER = "number"
    """Besides, sums and extremes."""
    MOMENT = "moment"
    FLAG = "flag"
    PROSE = "prose"
    """To be read and searched; there are no terms of it."""


_KINDS: Final = {
    FieldType.KEYWORD: Kind.WORD,
    FieldType.PATH: Kind.WORD,
    FieldType.PATHS: Kind.WORD,
    FieldType.INTEGER: Kind.NUMBER,
    FieldType.BOOLEAN: Kind.FLAG,
    FieldType.DATE: Kind.MOMENT,
}
_WORDS_IN_DOCUMENT: Final = KEYWORD_IN_DOCUMENT | OCTAL_IN_DOCUMENT | {"PathState", "Device"}
"""Integers of the table that documents spell as words, or that ECS has as words."""

_ADDED: Final[Mapping[Kind, str]] = {
    Kind.WORD: """
        data_stream.dataset data_stream.namespace
        event.category event.dataset event.id event.kind event.module event.type
        file.directory file.extension file.name file.type
        fileaudit.correlation.files fileaudit.correlation.rules fileaudit.correlation.type
        fileaudit.engine.previous.how fileaudit.engine.reason fileaudit.engine.sink fileaudit.engine.version
        fileaudit.errno_name fileaudit.event_id fileaudit.flags_names fileaudit.retention.reason
        fileaudit.rule.level
        log.level
        related.hosts related.user
        rule.category rule.id rule.name rule.uuid
        tags
        threat.tactic.id threat.tactic.name threat.technique.id threat.technique.name
        threat.technique.subtechnique.id threat.technique.subtechnique.name
    """,
    Kind.NUMBER: """
        event.sequence event.severity
        fileaudit.correlation.total
        fileaudit.engine.behind fileaudit.engine.delivered fileaudit.engine.lag_seconds
        fileaudit.engine.previous.unwatched_seconds fileaudit.engine.rejected fileaudit.engine.rules_total
        fileaudit.losses.total fileaudit.retention.removed
    """,
    Kind.MOMENT: "event.ingested",
    Kind.PROSE: "message",
}
"""What records have beside the event that they are about."""


def _kind(field: Field) -> Kind:
    return Kind.WORD if field.name in _WORDS_IN_DOCUMENT else _KINDS[field.type]


KNOWN: Final[Mapping[str, Kind]] = {
    **{field.ecs: _kind(field) for field in FIELDS if not field.computed},
    **{name: kind for kind, names in _ADDED.items() for name in names.split()},
}
"""Every field that may be named, by its dotted place in a document."""


def known(name: str, *kinds: Kind) -> str:
    """The name itself, if documents have such a field, of one of these kinds if any are given.

    Raises:
        ValueError: No document has it, or not as is asked for.
    """
    kind = KNOWN.get(name)
    if kind is None:
        raise ValueError(f"no document has a field {name}")
    if kinds and kind not in kinds:
        raise ValueError(f"{name} is a {kind.value}: {' or '.join(one.value for one in kinds)} is asked for")
    return name
