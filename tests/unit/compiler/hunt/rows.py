"""A document as the columns that the templates make of it: what Elasticsearch would index."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

TEMPLATE: Final = Path(__file__).parents[4] / "schemas" / "elasticsearch" / "fileaudit@mappings.json"
_LONGS: Final = range(-(2**63), 2**63)


def mapping() -> Mapping[str, Any]:
    """The properties of the portable core."""
    return dict(json.loads(TEMPLATE.read_text())["template"]["mappings"]["properties"])


def row_of(document: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The columns of a document."""
    row: dict[str, list[Any]] = {}
    leaves = dict(_leaves(properties, ""))
    for name, values in _members(document, ""):
        if name in leaves:
            for value in values:
                _index(row, name, value, leaves[name], leaves)
    return {name: _held(values) for name, values in row.items()}


def _held(values: list[Any]) -> list[Any]:
    """Columns hold each value once, in order."""
    return sorted(set(values))


def _leaves(properties: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, found in properties.items():
        if "properties" in found:
            yield from _leaves(found["properties"], f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", found


def _members(found: Any, name: str) -> Iterator[tuple[str, list[Any]]]:
    match found:
        case dict():
            for key, value in found.items():
                yield from _members(value, f"{name}.{key}" if name else key)
        case list():
            for value in found:
                yield from _members(value, name)
        case _:
            yield name, [found]


def _index(
    row: dict[str, list[Any]], name: str, value: Any, leaf: Mapping[str, Any], leaves: Mapping[str, Any]
) -> None:
    made = _made(value, leaf)
    row.setdefault(name if made is not None else "_ignored", []).append(name if made is None else made)
    for key, inner in leaf.get("fields", {}).items():
        _index(row, f"{name}.{key}", value, inner, {})
    for target in leaf.get("copy_to", ()):
        _index(row, target, value, leaves[target], {})


def _made(value: Any, leaf: Mapping[str, Any]) -> Any:
    """What is held of a value; None where it is passed over."""
    match leaf["type"]:
        case "keyword":
            text = str(value)
            if len(text.encode("utf-16-le")) // 2 > leaf["ignore_above"]:
                return None
            return _lower(text) if leaf.get("normalizer") else text
        case "long":
            return int(value) if int(value) in _LONGS else None
        case "date":
            return f"{value[:23]}+00:00"
        case _:
            return value


def _lower(text: str) -> str:
    """Java's lower case, character by character."""
    return "".join(c.lower() if len(c.lower()) == 1 else "i" for c in text)
