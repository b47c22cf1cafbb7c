"""All texts of an event, for keywords: gathered and folded once, however many keywords ask for them.

Keyword rules come in dozens, each with several words, and all that are candidates for an event are asked one
after the other. So the texts of the last event are kept until another event is asked about. A plain word is
looked for in all of them at once, joined by a character that no such word holds.
"""

from dataclasses import dataclass
from typing import Final

from fileaudit_engine.events.fields import WHOLE_EVENT
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.text import fold

SEPARATOR: Final = "\0"
"""Stands between the texts of an event when they are one."""


@dataclass(slots=True)
class _Gathered:
    """The texts of one event.

    Attributes:
        event: Which.
        texts: Every one.
        joined: As one.
        folded: As one, folded; empty until somebody asks.
    """

    event: FileEvent
    texts: tuple[str, ...]
    joined: str
    folded: str = ""


_last: Final[list[_Gathered]] = []
"""At most one."""


def texts_of(event: FileEvent, *, folded: bool) -> tuple[str, ...]:
    """Every text of an event, as it is or folded."""
    texts = _gathered(event).texts
    return tuple(map(fold, texts)) if folded else texts


def joined_texts_of(event: FileEvent, *, folded: bool) -> str:
    """The same as one text, with `SEPARATOR` between them."""
    found = _gathered(event)
    if not folded:
        return found.joined
    found.folded = found.folded or fold(found.joined)
    return found.folded


def _gathered(event: FileEvent) -> _Gathered:
    known = _last[0] if _last else None
    if known is None or known.event is not event:
        found = WHOLE_EVENT.get(event)
        texts = found if isinstance(found, tuple) else ()
        known = _Gathered(event, texts, SEPARATOR.join(texts))
        _last[:] = [known]
    return known
