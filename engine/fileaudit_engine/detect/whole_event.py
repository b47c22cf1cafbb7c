"""All texts of an event, for keywords: gathered and folded once, however many keywords ask for them.

Keyword rules come in dozens, each with several words, and all that are candidates for an event are asked one
after the other. So the texts of the last event are kept until another event is asked about.
"""

from typing import Final

from fileaudit_engine.events.fields import WHOLE_EVENT
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.text import fold

_Texts = tuple[str, ...]

_last: Final[list[tuple[FileEvent, _Texts, _Texts]]] = []
"""At most one: the event, its texts, and those folded."""


def texts_of(event: FileEvent, *, folded: bool) -> _Texts:
    """Every text of an event, as it is or folded."""
    known = _last[0] if _last else None
    if known is None or known[0] is not event:
        found = WHOLE_EVENT.get(event)
        texts = found if isinstance(found, tuple) else ()
        known = (event, texts, tuple(map(fold, texts)))
        _last[:] = [known]
    return known[2] if folded else known[1]
