"""What a document must look like, by the schema of its type in `schemas/`, said in our own words.

The schemas are those that editors complete and explain by. Here they find what is missing or malformed; each
finding of `jsonschema` is turned into a diagnostic with the place of the node and a remedy. What stands
inside the detections is not reported from here: `detection` knows more about it.
"""

import datetime as dt
import functools
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

import jsonschema

from fileaudit_engine.diagnostics import Collector, InternalError, in_order
from fileaudit_engine.resources import schemas_dir
from fileaudit_engine.rules.fastcheck import Check, certainly_valid
from fileaudit_engine.rules.nodes import MapNode, at, key_at, plain
from fileaudit_engine.rules.wording import listed, nearest_of, quoted

DocumentKind = Literal["rule", "filter", "correlation"]
"""The types of document, each with a schema of this name."""

_SECTIONS: Final[Mapping[DocumentKind, str | None]] = {
    "rule": "detection",
    "filter": "filter",
    "correlation": None,
}
"""The attribute whose inside is not looked at here."""

_FAST: Final[frozenset[DocumentKind]] = frozenset({"rule", "filter"})
"""What there is much of: these go through the fast check first."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_PARTS = re.compile(r"([0-9]{4})[-/. ]?([0-9]{1,2})[-/. ]?([0-9]{1,2})")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MOST_ERRORS = 100
"""Findings of one document that are worded; more help nobody."""

_MOST_SLIPS = 20
"""Unknown attributes of one map that are compared with a missing one; likeness is costly to compute."""
_OR_REMOVE: Final = ", or remove it"
"""The end of a remedy, where what is to be mended may as well be left out."""

_TYPE_NAMES = {
    "string": "a text",
    "array": "a list",
    "object": "a map",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_EXAMPLES: Final = {
    "title": "add 'title: ', and a line that says what this is about",
    "logsource": "add 'logsource: {product: linux, category: file_access}'",
    "detection": "add 'detection:' with at least one named map and a 'condition'",
    "detection.condition": "add 'condition: selection', or whatever must match",
    "filter": "add 'filter:' with 'rules', at least one named map and a 'condition'",
    "filter.rules": "add 'rules: [name_of_a_rule]', or 'rules: any'",
    "filter.condition": "add 'condition: not selection', or whatever is to be kept",
    "correlation.rules": "add 'rules: [name_of_a_rule]'",
    "correlation.timespan": "add 'timespan: 5m', or however long",
    "correlation.group-by": "add 'group-by: [User]', or whatever must be the same; '[]' if nothing",
    "correlation.condition": "add 'condition: {gte: 10}', or another threshold",
    "correlation.condition.field": "add 'field: TargetFilename', or whatever is to be counted or summed up",
}
"""Remedies for what is missing, by its dotted place."""


def is_date(text: str) -> bool:
    """Whether `text` is a day of the calendar, written YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in its usual form, in upper or lower case."""
    return _UUID.fullmatch(text) is not None


FORMATS: Mapping[str, Callable[[str], bool]] = {"date": is_date, "uuid": is_uuid}
"""The values of `format` that the schemas use."""


@functools.cache
def schema_of(kind: DocumentKind) -> Mapping[str, Any]:
    """The schema of one type of document."""
    loaded: dict[str, Any] = json.loads((schemas_dir() / f"{kind}.schema.json").read_text(encoding="utf-8"))
    return loaded


@functools.cache
def known_attributes(kind: DocumentKind) -> frozenset[str]:
    """The attributes that Sigma gives a meaning; all others are custom ones."""
    return frozenset(schema_of(kind)["properties"])


@functools.cache
def frame_of(kind: DocumentKind) -> Mapping[str, Any]:
    """The schema without the inside of detections, of which `detection` knows more."""
    properties = dict(schema_of(kind)["properties"])
    section = _SECTIONS[kind]
    if section:
        properties[section] = {**properties[section], "additionalProperties": True}
    return {**schema_of(kind), "properties": properties}


@functools.cache
def _fast(kind: DocumentKind) -> Check:
    return certainly_valid(frame_of(kind), FORMATS)


@functools.cache
def _slow(kind: DocumentKind) -> jsonschema.Draft202012Validator:
    formats = jsonschema.FormatChecker(formats=())
    for name, check in FORMATS.items():
        formats.checks(name)(functools.partial(_text_format, check))
    return _Validator(frame_of(kind), format_checker=formats)


def _unique(
    _validator: object, wanted: object, instance: object, _schema: object
) -> Iterator[jsonschema.ValidationError]:
    """As jsonschema has it, whose own compares all entries with each other if they cannot be sorted."""
    if wanted and isinstance(instance, list):
        different = {json.dumps(item, sort_keys=True) for item in instance}
        if len(different) < len(instance):
            yield jsonschema.ValidationError("not unique")


_Validator: Final[type[jsonschema.Draft202012Validator]] = jsonschema.validators.extend(  # type: ignore[no-untyped-call] # its types come from elsewhere
    jsonschema.Draft202012Validator, {"uniqueItems": _unique}
)
"""The one that explains what is wrong, in time that grows with the document and not with its square."""


def _text_format(check: Callable[[str], bool], value: object) -> bool:
    return not isinstance(value, str) or check(value)


def validate(root: MapNode, kind: DocumentKind, found: Collector) -> None:
    """Note everything in a document that its schema refuses."""
    data = plain(root)
    if kind in _FAST and _fast(kind)(data):
        return
    own = Collector()
    for error in itertools.islice(_slow(kind).iter_errors(data), _MOST_ERRORS):
        _report(root, kind, error, own)
    found.extend(in_order(own.diagnostics))  # `required` is raised once for each attribute that is missing


def _report(root: MapNode, kind: DocumentKind, error: jsonschema.ValidationError, found: Collector) -> None:
    path = list(error.absolute_path)
    for code, message, remedy, key in _worded(error, _named(path, kind), path):
        possible = remedy.removesuffix(_OR_REMOVE) if _is_required(kind, path) else remedy
        found.error(code, message, key_at(root, path, key) if key else at(root, path), help=possible)


def _is_required(kind: DocumentKind, path: list[str | int]) -> bool:
    """Whether a document without what stands at `path` would be wrong."""
    if ".".join(map(str, path)) in _EXAMPLES:
        return True
    schema: Mapping[str, Any] = frame_of(kind)
    for step in path[:-1]:
        schema = schema.get("properties", {}).get(step, {})
    return bool(path) and path[-1] in schema.get("required", ())


def _named(path: list[str | int], kind: DocumentKind) -> str:
    """What a path is called in a message: the attribute, or the entry of a list."""
    names = [str(step) for step in path if isinstance(step, str)]
    name = quoted(".".join(names)) if names else f"the {kind}"
    return f"an entry of {name}" if path and isinstance(path[-1], int) else name


# What a keyword of a schema demands, and what a document has in its place, is Any by nature.
_Words = Callable[[str, Any, Any], tuple[str, str, str]]
"""Code, message and remedy, from the attribute's name, its value, and what the keyword demands."""


def _choice(name: str, value: Any, wanted: Any) -> tuple[str, str, str]:  # noqa: ANN401 - see _Words
    remedy = _choice_remedy(str(value), [branch["const"] for branch in wanted])
    return "FA013", f"{name} cannot be {quoted(value)}", remedy


def _format(name: str, value: Any, wanted: Any) -> tuple[str, str, str]:  # noqa: ANN401 - see _Words
    if wanted == "date":
        return "FA014", f"{name}: {quoted(value)} is no date", _date_remedy(value)
    return "FA015", f"{name}: {quoted(value)} is no UUID", "make one with 'uuidgen', and never reuse it"


_WORDS: Mapping[str, _Words] = {
    "type": lambda name, value, wanted: (
        "FA012",
        f"{name} must be {_types(wanted)}, not {_type_of(value)}",
        _type_remedy(value, wanted),
    ),
    "oneOf": _choice,
    "format": _format,
    "maxLength": lambda name, value, most: (
        "FA016",
        f"{name} has {len(value):,} characters, at most {most:,} are allowed",
        "shorten it",
    ),
    "minLength": lambda name, *_: ("FA016", f"{name} is empty", f"fill it in{_OR_REMOVE}"),
    "minItems": lambda name, *_: ("FA016", f"{name} is an empty list", f"fill it in{_OR_REMOVE}"),
    "minProperties": lambda name, *_: ("FA016", f"{name} is an empty map", f"fill it in{_OR_REMOVE}"),
    "maxItems": lambda name, value, most: (
        "FA016",
        f"{name} has {len(value):,} entries, at most {most:,} are allowed",
        "split the document",
    ),
    "maxProperties": lambda name, value, most: (
        "FA016",
        f"{name} has {len(value):,} entries, at most {most:,} are allowed",
        "remove those that are not needed",
    ),
    "uniqueItems": lambda name, *_: ("FA016", f"{name} has the same entry twice", "remove one"),
    "minimum": lambda name, value, least: ("FA016", f"{name} is {value}", f"at least {least} is possible"),
    "maximum": lambda name, value, most: ("FA016", f"{name} is {value}", f"at most {most} is possible"),
}


def _worded(
    error: jsonschema.ValidationError, name: str, path: list[str | int]
) -> Iterator[tuple[str, str, str, str]]:
    """Code, message, remedy and key of each thing that one error of the validator says.

    The key is empty where what stands at `path` is to be marked, not a key in it.
    """
    keyword, wanted, value = str(error.validator), error.validator_value, error.instance
    if keyword == "required" and isinstance(wanted, list) and isinstance(value, dict):
        for missing in wanted:
            if missing not in value:
                place = ".".join(str(step) for step in [*path, missing])
                message = f"the attribute {quoted(missing)} is missing"
                slip = nearest_of(missing, _unknown(value, error.schema)) or ""
                remedy = f"did you mean {quoted(missing)} by {quoted(slip)}?" if slip else ""
                yield "FA011", message, remedy or _EXAMPLES.get(place, "add it"), slip
    elif keyword == "oneOf" and not isinstance(value, str):
        return  # `type`, beside it, says so
    elif keyword == "pattern" and isinstance(error.schema, Mapping):
        # The words under which editors show it, too: the schema knows the form, we do not.
        yield "FA016", f"{name}: {quoted(value)} has the wrong form", error.schema["patternErrorMessage"], ""
    elif keyword == "additionalProperties" and isinstance(error.schema, Mapping) and isinstance(value, dict):
        known = error.schema["properties"]
        for extra in value.keys() - known.keys():
            yield (
                "FA016",
                f"{name} has no attribute {quoted(extra)}",
                _choice_remedy(extra, list(known)),
                extra,
            )
    elif keyword in _WORDS:
        yield (*_WORDS[keyword](name, value, wanted), "")
    else:
        raise InternalError(f"the schema uses {keyword}, which has no message")


def _unknown(value: Mapping[str, object], schema: object) -> list[str]:
    """Keys of a map that its schema does not know, as many as are worth comparing."""
    known = schema.get("properties") if isinstance(schema, Mapping) else None
    if known is None:  # a part of a schema that only adds demands
        return []
    return list(itertools.islice((key for key in value if key not in known), _MOST_SLIPS))


def _types(wanted: str | list[str]) -> str:
    return " or ".join(_TYPE_NAMES[name] for name in ([wanted] if isinstance(wanted, str) else wanted))


def _type_of(value: object) -> str:
    kinds = ((bool, "boolean"), (str, "string"), (dict, "object"), (list, "array"), (int, "integer"))
    found = next((name for kind, name in kinds if isinstance(value, kind)), "number")
    return _TYPE_NAMES["null" if value is None else found]


def _type_remedy(value: object, wanted: str | list[str]) -> str:
    if value is None:
        return f"give it a value{_OR_REMOVE}"
    if "string" in wanted and not isinstance(value, (dict, list)):
        return "put it in quotes"
    return f"write it as {_types(wanted)}"


def _choice_remedy(value: str, choices: list[str]) -> str:
    close = nearest_of(value, choices)
    return f"did you mean {quoted(close)}?" if close else f"choose among {listed(choices)}"


def _date_remedy(value: str) -> str:
    parts = _DATE_PARTS.fullmatch(value.strip())
    if parts:
        proper = f"{parts[1]}-{int(parts[2]):02d}-{int(parts[3]):02d}"
        if is_date(proper):
            return f"write '{proper}'"
    return "write a day of the calendar as YYYY-MM-DD, such as 2026-01-31"
