"""`report.schema.json`: what `report --format json` prints, from the structures that it is made of.

Descriptions are those of the structures: the first paragraph of a class, and what it says of its attributes.
"""

import inspect
import re
from typing import Any, Final

import msgspec
from tools.schemas.parts import Schema, document

from fileaudit_engine.runtime import report_data
from fileaudit_engine.runtime.report_data import Report

_ATTRIBUTE: Final = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
"""An attribute in a docstring, with the lines that go on."""


def schema() -> Schema:
    """The schema of the JSON that `report` prints."""
    (_,), parts = msgspec.json.schema_components([Report], ref_template="#/$defs/{name}")
    whole = _told(parts.pop("Report"), Report)
    return document(
        "fileaudit-engine report",
        "What `report --format json` prints. Names are written as in documents, times are RFC 3339 in UTC."
        " New members may come; one that goes, or changes its meaning, raises `format`.",
        {
            **{key: value for key, value in whole.items() if key not in {"title", "description"}},
            "$defs": {name: _told(part, getattr(report_data, name)) for name, part in parts.items()},
        },
    )


def _told(part: dict[str, Any], struct: type) -> dict[str, Any]:
    """A structure with its docstring as descriptions."""
    text = inspect.cleandoc(struct.__doc__ or "")
    said = {name: " ".join(words.split()) for name, words in _ATTRIBUTE.findall(text)}
    properties = {
        name: _with_description(value, said.get(name) or _first_paragraph(value))
        for name, value in part["properties"].items()
    }
    return {**part, "description": _paragraph(text), "properties": properties}


def _with_description(value: dict[str, Any], words: str) -> dict[str, Any]:
    return {**value, "description": words} if words else value


def _first_paragraph(value: dict[str, Any]) -> str:
    """What a member is that is another structure, or a list of them."""
    name = (value.get("$ref") or value.get("items", {}).get("$ref") or "").removeprefix("#/$defs/")
    return _paragraph(inspect.cleandoc(getattr(report_data, name).__doc__ or "")) if name else ""


def _paragraph(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())
