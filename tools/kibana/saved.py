"""Saved objects, as Kibana's export writes them: an id, attributes, and references by name.

An object never holds the id of another: it holds the *name* of a reference, and the list of references says
which object that is. Whoever imports may then give objects other ids. What Kibana keeps as JSON in a text
(`panelsJSON`, `searchSourceJSON`) is text here, too.

Ids are words that stay the same from version to version: who imports again replaces what was there, and links
that people have kept lead where they led. The versions are those of Kibana 8.9, the first one that shows a
large number as the data view says; newer ones bring objects up to date when they import them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]

CORE_VERSION: Final = "8.8.0"
TYPE_VERSIONS: Final = {"index-pattern": "8.0.0", "search": "8.0.0", "dashboard": "8.9.0"}
PREFIX: Final = "fileaudit-"
"""What every id begins with."""
INDEX_NAME: Final = "kibanaSavedObjectMeta.searchSourceJSON.index"
"""The reference by which a search names its data view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """That an object needs another one.

    Attributes:
        name: What it calls it.
        type: The other one's type.
        id: The other one's id.
    """

    name: str
    type: str
    id: str

    def json(self) -> Json:
        """As exports have it."""
        return {"id": self.id, "name": self.name, "type": self.type}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedObject:
    """One line of an export.

    Attributes:
        type: `index-pattern` (a data view), `search` or `dashboard`.
        id: The same in every version.
        attributes: What is in it.
        references: What it needs.
    """

    type: str
    id: str
    attributes: Json
    references: Sequence[Reference] = field(default=())

    @property
    def title(self) -> str:
        """What people see."""
        return str(self.attributes.get("name") or self.attributes["title"])

    def line(self) -> str:
        """As exports have it."""
        return compact(
            {
                "attributes": self.attributes,
                "coreMigrationVersion": CORE_VERSION,
                "id": self.id,
                "managed": False,
                "references": [one.json() for one in self.references],
                "type": self.type,
                "typeMigrationVersion": TYPE_VERSIONS[self.type],
            }
        )


def compact(value: object) -> str:
    """JSON in one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def query(kql: str) -> Json:
    """A query as all objects hold it."""
    return {"query": kql, "language": "kuery"}


def search_source(kql: str, extra: Mapping[str, object] = {}) -> Json:
    """`kibanaSavedObjectMeta` of an object that filters."""
    return {"searchSourceJSON": compact({"query": query(kql), "filter": [], **extra})}
