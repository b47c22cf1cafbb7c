"""What a node has to know before records come: the shipped templates, fitted to the node, and compared.

The files in `schemas/elasticsearch` are bodies of requests. What only a full node has stands in one of them
and falls into *parts*, one for each type of field or setting that a node may lack; a node gets those that it
takes. Every template carries a mark: who made it, and the digest of its content, so that one can tell later
whether somebody has edited it or it is merely an older one.

A node gives templates back in other words than it was given (settings nested, numbers as texts, defaults
spelled out): both are brought into one form, dotted place to text, before anything is compared.
"""

import enum
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fileaudit_engine import __version__
from fileaudit_engine.resources import schemas_dir

Body = dict[str, Any]

OWNER: Final = "fileaudit-engine"
SETTINGS: Final = "fileaudit@settings"
MAPPINGS: Final = "fileaudit@mappings"
ENHANCED: Final = "fileaudit@enhanced"
INDEXES: Final = ("logs-fileaudit.alert", "logs-fileaudit.event")
POLICY: Final = "fileaudit"
LIFECYCLE: Final = "lifecycle"
"""The part that has to do with when new indices are begun."""

_DEFAULTS: Final = frozenset({("data_stream.hidden", "false"), ("data_stream.allow_custom_routing", "false")})
"""What nodes add to what they were given."""
_NOT_CONTENT: Final = frozenset(
    {"_meta", "version", "deprecated", "in_use_by"}
    | {"created_date", "created_date_millis", "modified_date", "modified_date_millis"}
)
_SAY_NOTHING: Final = frozenset(
    {"", "template", "template.aliases", "template.settings", "template.mappings"}
)
"""Where an empty object is as good as none."""


class Kind(enum.Enum):
    """What is put where."""

    POLICY = "policy", "/_ilm/policy/"
    COMPONENT = "component", "/_component_template/"
    INDEX = "template", "/_index_template/"

    def __init__(self, word: str, path: str) -> None:
        self.word = word
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Something that is put into a node.

    Attributes:
        kind: What it is.
        name: By which the node knows it.
        body: Of the request, with its mark.
    """

    kind: Kind
    name: str
    body: Body

    @property
    def path(self) -> str:
        """Where it is put."""
        return f"{self.kind.path}{self.name}"


def shipped(name: str) -> Body:
    """A file of `schemas/elasticsearch`."""
    found: Body = json.loads((schemas_dir() / "elasticsearch" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def parts() -> dict[str, Body]:
    """What only some nodes take, by what it needs: a type of field, or `lifecycle`; templates' insides."""
    template = shipped(ENHANCED)["template"]
    found: dict[str, Body] = {LIFECYCLE: {"settings": template["settings"]}}
    for place, mapping in _fields(template["mappings"]["properties"]):
        one = found.setdefault(mapping["type"], {"mappings": {"properties": {}}})
        node = one["mappings"]["properties"]
        for step in place[:-1]:
            node = node.setdefault(step, {"properties": {}})["properties"]
        node[place[-1]] = mapping
    return found


def _fields(properties: Body, outer: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Body]]:
    for key, mapping in properties.items():
        if "type" in mapping:
            yield (*outer, key), mapping
        else:
            yield from _fields(mapping["properties"], (*outer, key))


def core() -> Body:
    """The inside of a template that every node takes."""
    return merged(shipped(SETTINGS)["template"], shipped(MAPPINGS)["template"])


def merged(first: Body, second: Body) -> Body:
    """Two insides of templates, one on top of the other, as nodes do it: fields are replaced whole."""
    both = dict(first)
    for key, value in second.items():
        old = both.get(key)
        whole = not isinstance(old, dict) or not isinstance(value, dict) or "type" in value
        both[key] = value if whole or old is None else merged(old, value)
    return both


def templates(taken: Collection[str]) -> list[Template]:
    """What a node is given, in the order in which it is put: nothing refers to what is not there yet.

    Args:
        taken: The parts that the node takes.
    """
    found = [_component(SETTINGS, shipped(SETTINGS)), _component(MAPPINGS, shipped(MAPPINGS))]
    accepted = [part for name, part in parts().items() if name in taken]
    if accepted:
        inside: Body = {}
        for part in accepted:
            inside = merged(inside, part)
        found.append(_component(ENHANCED, shipped(ENHANCED) | {"template": inside}))
    found += [Template(kind=Kind.INDEX, name=name, body=_marked(shipped(name))) for name in INDEXES]
    if LIFECYCLE in taken:
        found.insert(0, Template(kind=Kind.POLICY, name=POLICY, body=shipped(POLICY)))
    return found


def marks(given: Collection[Template]) -> dict[str, str]:
    """What the mappings of an index say of the templates that it is made of: name to digest."""
    found: dict[str, str] = {}
    for template in given:
        found |= marks_in(template.body)
    return found


def marks_in(body: Mapping[str, Any]) -> dict[str, str]:
    """The same of one template, whoever has written it."""
    node: object = body
    for key in ("template", "mappings", "_meta"):
        node = node.get(key) if isinstance(node, dict) else None
    return {str(key): str(value) for key, value in node.items()} if isinstance(node, dict) else {}


def _component(name: str, body: Body) -> Template:
    """The digest stands in the mappings, too: every index says of which it was made."""
    marked = _marked(body)
    if "mappings" in body["template"]:
        meta = {"_meta": {name: marked["_meta"]["digest"]}}
        marked["template"] = merged(body["template"], {"mappings": meta})
    return Template(kind=Kind.COMPONENT, name=name, body=marked)


def _marked(body: Body) -> Body:
    mark = {"managed_by": OWNER, "version": __version__, "digest": digest_of(body)}
    return body | {"_meta": body.get("_meta", {}) | mark}


def digest_of(body: Mapping[str, Any]) -> str:
    """What tells one content from another, whoever spelled it."""
    lines = "\n".join(f"{place} {value}" for place, value in sorted(content_of(body).items()))
    return hashlib.sha256(lines.encode("utf-8", "replace")).hexdigest()[:32]


def content_of(body: Mapping[str, Any]) -> dict[str, str]:
    """What a template says, in one form: dotted place to text; marks and what nodes add are left out."""
    left = {key: value for key, value in body.items() if key not in _NOT_CONTENT}
    return dict(pair for pair in _flat(left, "") if pair not in _DEFAULTS)


def _flat(value: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if place == "data_stream" or (not value and place not in _SAY_NOTHING):
            yield place, "{}"
        for key, inner in value.items():
            if key != "_meta":
                yield from _flat(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        yield place, json.dumps([_word(one) for one in value], ensure_ascii=False)
    elif value is not None:
        yield place, _word(value)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
