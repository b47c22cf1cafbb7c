"""Putting templates into a node: look first, then change, and nothing half.

    look    which parts the node takes, what it has of each template, who else wants the data streams
    check   the whole is tried without changing anything (`installed.parts_taken`)
    put     policy, components, index templates: nothing refers to what is not there

What is as it should be is not put again, so that a second time changes nothing. The operator's own template
(`fileaudit@custom`) and an existing policy are never changed. What is put reaches what is written from the
next index on: a data stream that is there already gets it when it rolls over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sinks.elastic.custom import NAME as CUSTOM
from fileaudit_engine.sinks.elastic.custom import retyped
from fileaudit_engine.sinks.elastic.installed import (
    Rival,
    Standing,
    State,
    Stream,
    behind,
    parts_taken,
    rivals,
    standing_of,
    streams,
)
from fileaudit_engine.sinks.elastic.node import Node, refused
from fileaudit_engine.sinks.elastic.templates import content_of, marks, templates
from fileaudit_engine.text import printable

MOST_RETYPED: Final = 10
"""Fields that are told of."""
_ACKNOWLEDGED: Final = "acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a node has, and what it is going to be given.

    Attributes:
        parts: Each part: empty if the node takes it, else why not.
        standings: Each template and what there is of it, in the order in which they are put.
        rivals: Other templates that want our data streams.
        behind: Data streams whose next index will have other mappings than the present one.
        plain: Indices that have the names of our data streams.
        retyped: Fields that the operator's own template gives another type, with that.
    """

    parts: Mapping[str, str]
    standings: Sequence[Standing]
    rivals: Sequence[Rival]
    behind: Sequence[Stream]
    plain: Sequence[Stream]
    retyped: Sequence[str] = ()

    @property
    def hindrances(self) -> list[str]:
        """Why nothing can be put, each with what to do about it."""
        return [
            f"the index template {rival.name} is for {rival.stream} as well, with the same priority as ours:"
            " give it another priority, or delete it"
            for rival in self.rivals
            if rival.equal
        ]

    @property
    def warnings(self) -> list[str]:
        """What will not be as expected although everything is put."""
        return [
            *(
                f"the index template {rival.name} has a higher priority and decides about {rival.stream}:"
                " it should be composed of the components of fileaudit-engine"
                for rival in self.rivals
                if not rival.equal
            ),
            *(
                f"{printable(one.name)} is an index and no data stream: it was made before there were"
                " templates. Stop what writes into it, reindex it elsewhere if you need it, and delete it"
                for one in self.plain
            ),
            *(
                f"{CUSTOM} gives the field {one} another type: searches and hunts by it find nothing in new"
                " indices; take it out there"
                for one in self.retyped[:MOST_RETYPED]
            ),
        ]

    @property
    def to_put(self) -> list[Standing]:
        """What has to be put."""
        return [standing for standing in self.standings if standing.behind]


def plan_for(node: Node, namespace: str) -> Plan:
    """Look at a node and say what it is to be given; changes nothing.

    Args:
        node: Which.
        namespace: The last part of the data streams' names.

    Raises:
        MachineCannot: It cannot be asked, does not tell, or takes not even the portable core.
    """
    taken = parts_taken(node)
    given = templates([name for name, why_not in taken.items() if not why_not])
    standings = [standing_of(node, template) for template in given]
    decided = [standing.template for standing in standings if standing.state is not State.NEWER]
    found = streams(node)
    return Plan(
        parts=taken,
        standings=standings,
        rivals=rivals(node, namespace),
        behind=behind(found, marks(decided)),
        plain=[stream for stream in found if stream.plain],
        retyped=retyped(node),
    )


def put(node: Node, standing: Standing) -> None:
    """Put a template.

    Raises:
        MachineCannot: The node refuses.
    """
    template = standing.template
    reply = node.ask("PUT", template.path, template.body)
    if not reply.ok:
        raise refused(reply, f"the {template.kind.word} {template.name}")
    if not isinstance(reply.body, dict) or reply.body.get(_ACKNOWLEDGED) is not True:
        message = (
            f"the {template.kind.word} {template.name} was sent, and the node does not say that it has it"
        )
        raise MachineCannot(message, remedy="try again: what is there already is left as it is")


def roll_over(node: Node, stream: Stream) -> str:
    """Begin the next index of a data stream; returns its name, printable.

    Raises:
        MachineCannot: The node refuses.
    """
    reply = node.ask("POST", f"/{quote(stream.name, safe='')}/_rollover")
    if not reply.ok:
        raise refused(reply, f"to begin the next index of {printable(stream.name)}")
    new = reply.body.get("new_index") if isinstance(reply.body, dict) else None
    return printable(new) if isinstance(new, str) else ""


def differences(standing: Standing) -> Iterator[str]:
    """What is there and what there should be, a line each, in order of their places: `- place  value`."""
    wanted = content_of(standing.template.body)
    for place in sorted(wanted.keys() | standing.content.keys()):
        was, becomes = standing.content.get(place), wanted.get(place)
        if was == becomes:
            continue
        shown = _short(place)
        if was is not None:
            yield f"- {shown}  {printable(was[:200])}"
        if becomes is not None:
            yield f"+ {shown}  {printable(becomes[:200])}"


def _short(place: str) -> str:
    """A place as people know it: `mappings.file.path.type`."""
    return printable(place.removeprefix("template.").replace(".properties.", "."))
