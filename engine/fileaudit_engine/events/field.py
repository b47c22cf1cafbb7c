"""What one row of the field table says of a field; the table itself is `fields`."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from fileaudit_engine.events.model import FileEvent, Operation

Value = str | int | bool | tuple[str, ...] | None
"""What a rule sees of a field; None where the event does not have it."""

Getter = Callable[[FileEvent], Value]


def spelled(value: object) -> str:
    """A number or truth value as a rule writes it; a text as it is."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class FieldType(enum.Enum):
    """What a field holds, and with it how Elasticsearch maps it and how documents spell it."""

    KEYWORD = "keyword"
    PATH = "path"
    """A file name: bytes survive, see `fileaudit_engine.text`."""
    PATHS = "paths"
    """A list of such texts."""
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    """A moment: nanoseconds since the Unix epoch in `FileEvent`, RFC 3339 in UTC for rules and documents."""


class Dimension(enum.Enum):
    """A dimension of the kernel's classifier that a field is tested by."""

    PATH = "path"
    SOURCE = "source"
    """The other name of a rename or a link."""
    OPERATION = "operation"
    ACCESS = "access"
    OUTCOME = "outcome"
    USER_ID = "user id"
    USER_NAME = "user name"
    """By the numbers that have the name."""
    PROCESS = "process"
    COMM = "comm"


class Provider(enum.Enum):
    """What a field's value is known from."""

    CALL = "the system call"
    PROCESS_TABLE = "the process table"
    ACCOUNTS = "the host's users and groups"
    CONTAINER_RUNTIME = "the container runtime"
    HOST = "the host"
    OTHER_FIELDS = "other fields"
    """It is computed: no event has it of its own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """One row. There is one object for each, so two are equal if they are the same: rules hash a lot of them.

    Attributes:
        name: Sigma's name, or ours in Sigma's style.
        ecs: Dotted place in an ECS document.
        attribute: Dotted place in `FileEvent`; of a computed field its own name.
        type: What it holds.
        get: Reads it from an event, as rules see it.
        aliases: Other names that mean the same.
        dimension: The kernel dimension that can test it, if any.
        values: All values it can have, where they are few.
        meaning: One line for the reference and the editor.
        provider: What it is known from.
        operations: Those whose events can have it; None for all.
    """

    name: str
    ecs: str
    attribute: str
    type: FieldType
    get: Getter
    meaning: str
    aliases: tuple[str, ...] = ()
    dimension: Dimension | None = None
    values: tuple[str, ...] = ()
    provider: Provider = Provider.CALL
    operations: frozenset[Operation] | None = None

    @property
    def computed(self) -> bool:
        """Whether its value follows from other fields.

        No document has to carry it. One that does has to agree with the rest of itself.
        """
        return self.provider is Provider.OTHER_FIELDS

    @property
    def folded(self) -> bool:
        """Whether its text is compared without regard to case (numbers and truth values are not)."""
        return self.type in {FieldType.KEYWORD, FieldType.PATH, FieldType.PATHS}
