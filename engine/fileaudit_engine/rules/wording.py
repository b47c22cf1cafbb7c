"""How messages repeat what a rule says: quoted, and never longer than a line can bear."""

import difflib
from collections.abc import Iterable

MAX_SHOWN = 60
"""Characters of a name that a message repeats; comparing longer ones for likeness costs quadratic time."""


def quoted(name: object) -> str:
    """`name` in quotes, cut if it is long."""
    text = str(name)
    return f"'{text}'" if len(text) <= MAX_SHOWN else f"'{text[:MAX_SHOWN]}…'"


def nearest_of(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` was most likely meant to be, if any comes close."""
    known = {candidate.lower(): candidate for candidate in candidates}
    close = difflib.get_close_matches(name[:MAX_SHOWN].lower(), known, n=1)
    return known[close[0]] if close else None


def listed(names: Iterable[object], limit: int = 12) -> str:
    """The names in quotes, the last two joined by 'and'; beyond `limit` only how many more there are."""
    shown = [quoted(name) for name in names]
    if len(shown) > limit:
        shown[limit:] = [f"{len(shown) - limit} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
