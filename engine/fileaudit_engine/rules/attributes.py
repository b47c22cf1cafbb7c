"""The attributes that rules and correlations share: who they are, what they are for, how much they matter."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

from typing_extensions import TypedDict

from fileaudit_engine.diagnostics import Collector, Location
from fileaudit_engine.rules.ast import Related
from fileaudit_engine.rules.nodes import ListNode, MapNode, ScalarNode, plain, text_of
from fileaudit_engine.rules.schema import DocumentKind, known_attributes
from fileaudit_engine.rules.wording import quoted

TAXONOMY: Final = "sigma"
"""The taxonomy that documents without a word about it are written in."""


class Attributes(TypedDict):
    """Those of `Rule` and of `Correlation` that have the same name and meaning in both."""

    key: str
    title: str
    id: str | None
    name: str | None
    related: tuple[Related, ...]
    taxonomy: str
    status: str | None
    description: str | None
    author: str | None
    date: str | None
    modified: str | None
    license: str | None
    references: tuple[str, ...]
    tags: tuple[str, ...]
    falsepositives: tuple[str, ...]
    fields: tuple[str, ...]
    scope: tuple[str, ...]
    level: str
    custom: Mapping[str, object]
    location: Location


def attributes_of(root: MapNode, kind: DocumentKind) -> Attributes:
    """The attributes of a document that fits its schema; what is missing is what its absence means."""
    name, identifier = text_of(root, "name"), text_of(root, "id")
    return Attributes(
        key=name or PurePath(root.source.file).stem,
        title=text_of(root, "title") or "",
        id=identifier.lower() if identifier else None,
        name=name,
        related=_related(root),
        taxonomy=text_of(root, "taxonomy") or TAXONOMY,
        status=text_of(root, "status"),
        description=text_of(root, "description"),
        author=text_of(root, "author"),
        date=text_of(root, "date"),
        modified=text_of(root, "modified"),
        license=text_of(root, "license"),
        references=texts_of(root, "references"),
        tags=texts_of(root, "tags"),
        falsepositives=texts_of(root, "falsepositives"),
        fields=texts_of(root, "fields"),
        scope=texts_of(root, "scope"),
        level=text_of(root, "level") or "medium",
        custom={
            name: plain(node) for name, node in root.values.items() if name not in known_attributes(kind)
        },
        location=next(iter(root.keys.values())).location,
    )


def check_taxonomy(root: MapNode, found: Collector) -> None:
    """Refuse names of fields and log sources that only a translation could give a meaning."""
    written = text_of(root, "taxonomy")
    if written not in {None, TAXONOMY}:
        found.error(
            "FA013",
            f"the taxonomy {quoted(written)} is not Sigma's own, and nothing here translates it",
            root.values["taxonomy"].location,
            help=f"use Sigma's names of fields and log sources, and write 'taxonomy: {TAXONOMY}'",
        )


def texts_of(root: MapNode, name: str) -> tuple[str, ...]:
    """The entries of a list, or the single text that stands in its place."""
    node = root.values.get(name)
    items = node.items if isinstance(node, ListNode) else [node]
    return tuple(str(item.value) for item in items if isinstance(item, ScalarNode))


def _related(root: MapNode) -> tuple[Related, ...]:
    node = root.values.get("related")
    entries = node.items if isinstance(node, ListNode) else []
    return tuple(
        Related(id=(text_of(entry, "id") or "").lower(), type=text_of(entry, "type") or "")
        for entry in entries
        if isinstance(entry, MapNode)
    )
