"""Rules and correlations by what others may call them: name, id or title."""

import difflib
from collections import defaultdict
from collections.abc import Iterable

from fileaudit_engine.rules.ast import Document
from fileaudit_engine.rules.schema import is_uuid
from fileaudit_engine.text import printable

_LONGEST_NAME = 200
"""Characters of a wrong name that are compared with the known ones; the comparison's cost is quadratic."""

_MOST_SHOWN = 12
"""Keys of documents with one title that are listed."""


class RuleNames:
    """Looks up rules, and correlations where they are given too."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._keys: dict[str, list[str]] = defaultdict(list)
        for one in documents:
            for name in names_of(one):
                self._keys[name].append(one.key)

    def keys(self, name: str) -> tuple[str, ...]:
        """Keys of what is called `name`: one, none, or several that share a title."""
        return tuple(self._keys.get(folded_name(name), ()))

    def key(self, name: str) -> str | None:
        """The key of the only one that is called `name`."""
        keys = self.keys(name)
        return keys[0] if len(keys) == 1 else None

    def nearest(self, name: str) -> str | None:
        """Key of what `name` was most likely meant to be."""
        # Who mistypes an id means an id: all ids are like each other, and like no name.
        alike = (known for known in self._keys if is_uuid(known) is is_uuid(name))
        found = difflib.get_close_matches(folded_name(name[:_LONGEST_NAME]), alike, n=1)
        return self._keys[found[0]][0] if found else None

    def problem(self, name: str) -> str | None:
        """Why `name` is not the name of one rule, in one line; None if it is."""
        keys = self.keys(name)
        if len(keys) == 1:
            return None
        if keys:
            return f"{len(keys)} rules are called '{printable(name)}'"
        return f"no rule is called '{printable(name)}'"

    def remedy(self, name: str) -> str:
        """What to write instead of a name with a problem."""
        if keys := self.keys(name):
            more = ", …" if len(keys) > _MOST_SHOWN else ""
            return f"write one of {', '.join(map(printable, keys[:_MOST_SHOWN]))}{more}"
        close = self.nearest(name)
        return f"did you mean '{printable(close)}'?" if close else "write the rule's name, id or title"


def names_of(document: Document) -> tuple[str, ...]:
    """What a document may be called, folded, each once."""
    names = (document.key, document.name, document.id, document.title)
    return tuple(dict.fromkeys(folded_name(name) for name in names if name))


def folded_name(name: str) -> str:
    """What names are compared by: ids are often pasted in capitals, and names differ in more than that."""
    return name.casefold()
