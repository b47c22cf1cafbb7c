"""What to say to somebody who names a field that the field table does not know."""

from typing import Final

from fileaudit_engine.events.fields import FIELDS, nearest
from fileaudit_engine.events.unprovided import UNPROVIDED
from fileaudit_engine.rules.wording import listed

_NAMES: Final = tuple(field.name for field in FIELDS)
_FOLDED: Final = {name.lower(): reason for name, reason in UNPROVIDED.items()}
_SHOWN: Final = 9
_OPTION: Final = "--allow-unknown-fields takes it as it is"


def remedy(name: str) -> str:
    """Why nobody provides the field, if that is known; else the nearest name, or what there is instead."""
    close = nearest(name)
    reason = UNPROVIDED.get(name) or _FOLDED.get(name.lower())
    if reason and (name in UNPROVIDED or close is None or close.lower() != name.lower()):
        return reason
    if close:
        return f"did you mean '{close}'?"
    return f"the fields are {listed(_NAMES, limit=_SHOWN)}; {_OPTION}"
