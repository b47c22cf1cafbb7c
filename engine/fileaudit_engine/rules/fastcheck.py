"""A JSON Schema as one function that says 'certainly valid', fast.

`jsonschema` explains what is wrong, and takes a millisecond to find that nothing is. Nearly every rule is
right, so this module turns the schema into nested closures first. They may answer False for something that
is valid after all (then the slow validator has the last word), never True for what is not. A keyword that
they do not know stops the program when the schema is loaded, not when a rule slips through.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from fileaudit_engine.diagnostics import InternalError

Check = Callable[[Any], bool]

_ANNOTATIONS = frozenset(
    {
        "$schema",
        "$id",
        "$defs",
        "$comment",
        "title",
        "description",
        "markdownDescription",
        "default",
        "examples",
        "defaultSnippets",
        "patternErrorMessage",
    }
)
_TYPES: Mapping[str, Check] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in {int, float},
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


# JSON data and schemas are Any: their types are what is being checked.
def certainly_valid(schema: Mapping[str, Any], formats: Mapping[str, Check]) -> Check:
    """The function for `schema`; `formats` are the values of its `format` keyword and their checks.

    Raises:
        InternalError: The schema says something that this module does not know.
    """
    return _Compiler(schema, formats).check(schema)


class _Compiler:
    def __init__(self, root: Mapping[str, Any], formats: Mapping[str, Check]) -> None:
        self._root = root
        self._formats = formats
        self._keywords: Mapping[str, Callable[[Any], Check]] = {
            "type": self._type,
            "const": lambda wanted: lambda value: type(value) is type(wanted) and value == wanted,
            "enum": lambda wanted: lambda value: isinstance(value, str) and value in wanted,
            "oneOf": self._one_of,
            "$ref": self._reference,
            "required": lambda names: (
                lambda value: not isinstance(value, dict) or all(n in value for n in names)
            ),
            "properties": self._properties,
            "additionalProperties": lambda _: lambda _value: True,  # `properties` looks after it
            "items": self._items,
            "pattern": self._pattern,
            "format": lambda name: self._of_text(self._formats[name]),
            "minLength": lambda least: self._of_text(lambda text: len(text) >= least),
            "maxLength": lambda most: self._of_text(lambda text: len(text) <= most),
            "minItems": lambda least: lambda value: not isinstance(value, list) or len(value) >= least,
            "uniqueItems": lambda _: _unique_texts,
            "minProperties": lambda least: lambda value: not isinstance(value, dict) or len(value) >= least,
        }

    def check(self, schema: Mapping[str, Any]) -> Check:
        if unknown := schema.keys() - self._keywords.keys() - _ANNOTATIONS:
            raise InternalError(f"the fast schema check does not know {sorted(unknown)}")
        checks = [self._keywords[name](schema[name]) for name in schema if name in self._keywords]
        if "additionalProperties" in schema:
            checks.append(self._additional(schema["additionalProperties"], schema.get("properties", {})))
        return _all_of(checks)

    def _type(self, names: str | list[str]) -> Check:
        checks = [_TYPES[name] for name in ([names] if isinstance(names, str) else names)]
        return checks[0] if len(checks) == 1 else lambda value: any(check(value) for check in checks)

    def _one_of(self, branches: list[Mapping[str, Any]]) -> Check:
        checks = [self.check(branch) for branch in branches]
        return lambda value: sum(check(value) for check in checks) == 1

    def _reference(self, pointer: str) -> Check:
        target: Any = self._root
        for step in pointer.removeprefix("#/").split("/"):
            target = target[step]
        return self.check(target)

    def _properties(self, schemas: Mapping[str, Mapping[str, Any]]) -> Check:
        checks = {name: self.check(schema) for name, schema in schemas.items()}

        def properties(value: Any) -> bool:  # noqa: ANN401 - JSON data
            if isinstance(value, dict):
                for name, inner in value.items():
                    check = checks.get(name)
                    if check is not None and not check(inner):
                        return False
            return True

        return properties

    def _additional(self, schema: bool | Mapping[str, Any], known: Mapping[str, Any]) -> Check:  # noqa: FBT001 - JSON Schema's own form
        if isinstance(schema, bool):
            return lambda value: schema or not isinstance(value, dict) or value.keys() <= known.keys()
        check = self.check(schema)
        return lambda value: (
            not isinstance(value, dict)
            or all(check(inner) for name, inner in value.items() if name not in known)
        )

    def _items(self, schema: Mapping[str, Any]) -> Check:
        check = self.check(schema)
        return lambda value: not isinstance(value, list) or all(map(check, value))

    def _pattern(self, pattern: str) -> Check:
        search = re.compile(pattern).search
        return self._of_text(lambda text: search(text) is not None)

    def _of_text(self, check: Callable[[str], bool]) -> Check:
        return lambda value: not isinstance(value, str) or check(value)


def _all_of(checks: list[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def all_of(value: Any) -> bool:  # noqa: ANN401 - JSON data
        for check in checks:  # noqa: SIM110 - a generator would double the time of loading a pack
            if not check(value):
                return False
        return True

    return all_of


def _unique_texts(value: object) -> bool:
    if not isinstance(value, list):
        return True
    return all(isinstance(item, str) for item in value) and len(set(value)) == len(value)
