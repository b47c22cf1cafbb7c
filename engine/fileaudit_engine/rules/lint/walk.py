"""What several checks need: every field test of a document."""

from collections.abc import Iterator

from fileaudit_engine.rules.ast import Detecting, Detection, DetectionItem, DetectionList, DetectionMap


def items_of(rule: Detecting) -> Iterator[DetectionItem]:
    """Every item of every detection, in the order of the document."""
    for detection in rule.detections.values():
        yield from items_in(detection)


def items_in(detection: Detection) -> Iterator[DetectionItem]:
    """Every item of one detection."""
    match detection:
        case DetectionItem():
            yield detection
        case DetectionMap(items=items):
            yield from items
        case DetectionList(members=members):
            for member in members:
                yield from items_in(member)
