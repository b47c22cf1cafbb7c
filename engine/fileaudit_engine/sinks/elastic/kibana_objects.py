"""What is imported into Kibana: data views, searches and dashboards, as the package ships them.

Spaces share one name space of ids. An object whose id another space has already gets a made-up one on import,
and links that stand in texts lead nowhere. So whatever goes into another space than the default one has the
name of the space behind its ids.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.resources import schemas_dir

FILE: Final = Path("kibana") / "fileaudit.ndjson"
"""Below the folder of schemas: what Kibana's import takes, by this program or by hand."""
DEFAULT_SPACE: Final = "default"
SPACE: Final = re.compile(r"[a-z0-9_-]{1,100}")
"""How spaces are called in addresses."""
TYPES: Final = {"index-pattern": "data view", "search": "search", "dashboard": "dashboard"}
"""What people call the types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KibanaObject:
    """An object of the file.

    Attributes:
        type: As Kibana calls it.
        id: In the space that it is for.
        title: What people see.
    """

    type: str
    id: str
    title: str

    @property
    def word(self) -> str:
        """The type as people call it."""
        return TYPES.get(self.type, self.type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What is imported.

    Attributes:
        content: The file that is sent.
        objects: What is in it, in order.
    """

    content: bytes
    objects: Sequence[KibanaObject]


def bundle_for(space: str) -> Bundle:
    """The objects for a space; its name is that of addresses."""
    text = (schemas_dir() / FILE).read_text(encoding="utf-8")
    if space != DEFAULT_SPACE:
        ids = sorted((one.id for one in _objects(text)), key=len, reverse=True)
        whole = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, ids))})(?![\w-])")
        text = whole.sub(lambda found: f"{found[0]}-{space}", text)
    return Bundle(content=text.encode(), objects=tuple(_objects(text)))


def _objects(text: str) -> Iterator[KibanaObject]:
    for line in text.splitlines():
        one = json.loads(line)
        attributes = one["attributes"]
        yield KibanaObject(
            type=one["type"], id=one["id"], title=attributes.get("name") or attributes["title"]
        )
