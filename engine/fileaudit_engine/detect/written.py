"""Small parts of a saved state: values, events and losses as JSON has them, and back."""

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, Final

import msgspec

from fileaudit_engine.detect.keys import Key
from fileaudit_engine.detect.windows import Scalar, Truth, Values
from fileaudit_engine.diagnostics import Location
from fileaudit_engine.events.document import document_of
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.events.reader import event_of
from fileaudit_engine.text import from_document, to_document

_MOST_NS: Final = 1 << 63
Ns = Annotated[int, msgspec.Meta(ge=-_MOST_NS, le=_MOST_NS - 1)]
"""A time as it is saved, nanoseconds since the Unix epoch."""

_NUMBER: Final = "number"
"""The member of an object that stands for a number which JSON's readers would round."""
_LARGEST: Final = 1 << 53


class BadState(ValueError):
    """A saved state is not what was saved."""


def written_value(value: Values) -> object:
    """A value, or a combination of some, for JSON."""
    if isinstance(value, tuple):
        return [written_value(member) for member in value]
    if isinstance(value, str):
        return to_document(value)
    if isinstance(value, Truth):
        return value.value
    if value is None or (isinstance(value, int) and abs(value) < _LARGEST):
        return value
    return {_NUMBER: str(value)}


def read_value(written: object) -> Values:
    """The value that `written_value` wrote.

    Raises:
        BadState: It wrote nothing like this.
    """
    if isinstance(written, list):
        return tuple(map(_read_scalar, written))
    if isinstance(written, dict):
        return _read_number(written)
    return _read_scalar(written)


def _read_scalar(written: object) -> Scalar:
    if isinstance(written, str):
        return from_document(written)
    if isinstance(written, bool):
        return Truth(written)
    if written is None or isinstance(written, int):
        return written
    if isinstance(written, dict) and isinstance(number := _read_number(written), int):
        return number
    raise BadState(f"{written!r:.40} is no value")


def _read_number(written: dict[str, object]) -> int | Fraction:
    try:
        number = Fraction(str(written[_NUMBER]))
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise BadState(f"{written!r:.40} is no number") from error
    return number.numerator if number.denominator == 1 else number


def read_key(written: object, names: int) -> Key:
    """What a group is known by that has so many names, as `written_value` wrote it.

    Raises:
        BadState: It is none.
    """
    key = read_value(written)
    if isinstance(key, Fraction) or (len(key) if isinstance(key, tuple) else 1) != names:
        raise BadState(f"{written!r:.40} is no group")
    return key


def written_event(event: FileEvent) -> object:
    """An event whole: its document, and beside it what only the user knows of, which may be any text."""
    document = document_of(event if event.extra is None else msgspec.structs.replace(event, extra=None))
    return [document, _deep(event.extra, to_document)]


def read_event(written: Any) -> FileEvent:  # noqa: ANN401 - whatever JSON holds
    """The event of such a document.

    Raises:
        BadState: It is none.
    """
    if not isinstance(written, list) or len(written) != 2 or not isinstance(written[0], dict):
        raise BadState("an event is missing")
    document, extra = written
    if not isinstance(extra, dict | None):
        raise BadState("an event is not whole")
    found = event_of(document, _nowhere)
    if not isinstance(found, FileEvent):
        raise BadState("an event is not whole")
    return msgspec.structs.replace(found, extra=_deep(extra, from_document)) if extra else found


def _deep(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The value with every text in it changed."""
    match value:
        case str():
            return change(value)
        case dict():
            return {_deep(key, change): _deep(member, change) for key, member in value.items()}
        case list() | tuple():
            return [_deep(member, change) for member in value]
        case _:
            return value


def _nowhere(_name: str) -> Location:
    return Location(file="<state>")


def written_loss(loss: Loss) -> object:
    """A loss."""
    return [loss.first_ns, loss.last_ns, dict(loss.counts)]


def read_loss(written: Any) -> Loss:  # noqa: ANN401 - whatever JSON holds
    """The same, read.

    Raises:
        BadState: It is none.
    """
    loss: Loss = checked(
        lambda: Loss(
            first_ns=read_ns(written[0]),
            last_ns=read_ns(written[1]),
            counts={str(name): int(count) for name, count in written[2].items()},
        )
    )
    return loss


def read_ns(written: object) -> int:
    """A time.

    Raises:
        BadState: It is none.
    """
    if not isinstance(written, int) or not -_MOST_NS <= written < _MOST_NS:
        raise BadState(f"{written!r:.40} is no time")
    return written


def checked(read: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is read
    """What `read` returns; its failures are the state's.

    Raises:
        BadState: Something is missing, or is not what it should be.
    """
    try:
        return read()
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise BadState(str(error)[:80]) from error
