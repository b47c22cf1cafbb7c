"""What Kibana says became of an import, object by object.

Kibana imports what it can, and nothing at all while anything is in conflict or needs what is not there. Its
answer is taken for what it is, somebody else's word: an object that it does not name is not imported, and an
answer whose numbers are not those of its lists is none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sinks.elastic.kibana_objects import KibanaObject
from fileaudit_engine.text import printable

ADDRESS: Final = "is --kibana its address, with the base path if it has one ('server.basePath')?"
"""What to ask oneself where something else answers."""
_LONGEST: Final = 300
"""Characters that are shown of what the other side says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of an object.

    Attributes:
        object: Which.
        trouble: Why it was not imported, printable; empty: it was.
        replaced: Whether there was one by this id.
        other_id: The id that Kibana gave it instead, printable; empty: it has its own.
    """

    object: KibanaObject
    trouble: str = ""
    replaced: bool = False
    other_id: str = ""


def outcomes(answer: object, objects: Sequence[KibanaObject], place: str) -> list[Imported]:
    """What an answer says of each object.

    Args:
        answer: The body, read.
        objects: What was sent.
        place: Who answered, for messages.

    Raises:
        MachineCannot: It does not say of each object what became of it, or contradicts itself.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("success"), bool):
        raise MachineCannot(f"{place}: the answer to the import cannot be understood", remedy=ADDRESS)
    taken = {(one.get("type"), one.get("id")): one for one in _objects_at(answer, "successResults")}
    failed: dict[tuple[Any, Any], list[str]] = {}
    for one in _objects_at(answer, "errors"):
        failed.setdefault((one.get("type"), one.get("id")), []).append(_trouble(one.get("error")))
    found = [_outcome(one, taken.get((one.type, one.id)), failed.get((one.type, one.id))) for one in objects]
    good = sum(not one.trouble for one in found)
    if answer["success"] != (good == len(found)) or answer.get("successCount") != good:
        count = shown(str(answer.get("successCount")))
        message = f"{place}: the answer contradicts itself: {count} are said to be imported, {good} are named"
        raise MachineCannot(message, remedy="look under Stack Management > Saved Objects for what is there")
    return found


def _outcome(one: KibanaObject, taken: Mapping[str, Any] | None, failed: Sequence[str] | None) -> Imported:
    if failed:
        return Imported(object=one, trouble="; ".join(failed))
    if taken is None:
        return Imported(object=one, trouble="held back, because others could not be imported")
    other = taken.get("destinationId")
    return Imported(
        object=one,
        replaced=taken.get("overwrite") is True,
        other_id=shown(other) if isinstance(other, str) and other != one.id else "",
    )


def _objects_at(answer: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    found = answer.get(name)
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict) and isinstance(one.get("type"), str) and isinstance(one.get("id"), str):
            yield one


def _trouble(error: object) -> str:
    """Why an object was not imported, in words."""
    kind = error.get("type") if isinstance(error, dict) else None
    if not isinstance(error, dict) or not isinstance(kind, str):
        return "Kibana does not say why"
    if kind == "missing_references":
        names = ", ".join(
            f"{shown(str(one.get('type')))} {shown(str(one.get('id')))}"
            for one in _objects_at(error, "references")
        )
        return f"it needs what is not there: {names}"
    if kind == "unsupported_type":
        return "this Kibana does not know the type, or its feature is off"
    if kind in {"conflict", "ambiguous_conflict"}:
        return "another object is in its way"
    said = error.get("message")
    return shown(said) if isinstance(said, str) and said else f"Kibana says: {shown(kind)}"


def shown(text: str) -> str:
    """What somebody else says, so that it can be printed."""
    return printable(text[:_LONGEST]) + ("…" if len(text) > _LONGEST else "")
