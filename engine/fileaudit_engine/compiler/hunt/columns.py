"""Which columns of the index a field has."""

from collections.abc import Iterable
from typing import Final

from fileaudit_engine.compiler.hunt.conditions import NEVER, Column, Condition, Texts, Whole
from fileaudit_engine.compiler.hunt.texts import TextColumns
from fileaudit_engine.events.fields import Field, FieldType

EVENT_ID: Final = Column(name="fileaudit.event_id")
"""Every document of an event has it, and no other one."""
OPERATION: Final = Column(name="event.action")
OUTCOME: Final = Column(name="event.outcome")
ACCESS: Final = Column(name="fileaudit.access_mode")
MODE: Final = Column(name="file.mode")
ALWAYS_THERE: Final = frozenset(
    {OPERATION, OUTCOME, Column(name="fileaudit.errno"), Column(name="process.pid")}
)
"""What no document of an event lacks."""

FOLLOWS: Final = {
    **dict.fromkeys(("Operation", "type", "nametype"), OPERATION),
    **dict.fromkeys(("Outcome", "success"), OUTCOME),
    "AccessMode": ACCESS,
}
"""Fields with few values -> the column that decides which one it is."""

_TEXTS: Final = frozenset({FieldType.KEYWORD, FieldType.PATH, FieldType.PATHS})
_IN_DOCUMENT: Final = frozenset(
    {"FileBaseName", "FileDirectory", "FileExtension", "ErrorName", "OpenFlagNames"}
)
"""Computed fields that documents carry."""
_GATHERED: Final = frozenset({"AncestorImages", "AncestorProcessNames"})
"""Computed fields that the templates gather from others."""


def columns_of(field: Field) -> TextColumns | None:
    """The columns of a field of texts; None for one that is not there as texts."""
    stored = not field.computed or field.name in _IN_DOCUMENT | _GATHERED
    if field.type not in _TEXTS or not stored or field.name in FOLLOWS:
        return None
    many = field.type is FieldType.PATHS
    return TextColumns(
        exact=Column(name=field.ecs, many=many),
        caseless=Column(name=f"{field.ecs}.caseless", many=many),
        filled=field.name in _GATHERED,
    )


def column_of(field: Field) -> Column | None:
    """The column that holds the value of a field as it is, for grouping and counting; None: there is none."""
    if field.name in FOLLOWS and field.name not in {"Operation", "Outcome"}:
        return None
    if field.computed and field.name not in _IN_DOCUMENT:
        return None
    return None if field.type is FieldType.PATHS or field.name == "PathState" else Column(name=field.ecs)


def one_of(column: Column, words: Iterable[str]) -> Condition:
    """The column has one of the words."""
    forms = tuple(Whole(word) for word in words)
    return Texts(column=column, forms=forms) if forms else NEVER
