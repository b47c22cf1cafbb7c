"""Documents as nested objects, and how members get into them."""

Document = dict[str, object]
"""A nested JSON object; only JSON types inside."""

Part = dict[str, dict[str, object]]
"""Some of a document's objects with some of their members."""


def merge(document: "Document | Part", place: str, members: Document) -> None:
    """Add members to the object at a dotted place, making the objects on the way."""
    first, *others = place.split(".")
    node = member_of(document, first)
    for key in others:
        node = member_of(node, key)
    node.update(members)


def member_of(document: "Document | Part", key: str) -> Document:
    """The object that is this member; made if it is not there."""
    found = document.get(key)
    if isinstance(found, dict):
        return found
    made: Document = {}
    document[key] = made
    return made


def add(document: "Document | Part", part: Part) -> None:
    """Add a part that others share: its objects are copied, their members are not."""
    for place, members in part.items():
        mine = document.get(place)
        if isinstance(mine, dict):
            mine.update(members)
        else:
            document[place] = members.copy()
