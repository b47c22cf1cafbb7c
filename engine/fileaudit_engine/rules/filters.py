"""Filter documents: what is no match, said once for many rules.

    title: The backup reads everything          A filter names rules (or `any`), and has detections and a
    logsource: {product: linux}                 condition of its own. It never matches by itself: it takes
    filter:                                     matches away from the rules that it names.
      rules: [shadow_file_read]
      selection: {Image: /usr/sbin/backupd}
      condition: not selection

**Which way round?** The specification says that filters *suppress matches*, and its example suppresses the
administrators by `condition: selection`: the condition says what to drop. The project's own documentation,
and every engine that has filters, join the condition to the rule's by `and`, and write `not selection`: the
condition says what to keep. Both are in use, and whoever mistakes one for the other loses every alert but
the accepted ones. But one thing holds for any filter that suppresses: an event that *none* of its detections
matches is none of its business, and must be kept. So we ask the condition about such an event:

    none of the detections matches  ->  the condition is true   ->  it says what to keep
                                    ->  the condition is false  ->  it says what to drop

Read that way, both spellings of both sources suppress the same. What cannot be written is a filter that keeps
only what its detections match; such a restriction belongs into the rule. Since other engines would read
`condition: selection` as just that, it is a warning with the spelling that everybody reads alike.
"""

from typing import Final

from typing_extensions import assert_never

from fileaudit_engine.diagnostics import Collector, has_errors
from fileaudit_engine.rules.ast import (
    And,
    Condition,
    Filter,
    Identifier,
    LogSourceSpec,
    Not,
    Or,
    Quantified,
    RuleReference,
)
from fileaudit_engine.rules.attributes import check_taxonomy
from fileaudit_engine.rules.condition import spelled_condition
from fileaudit_engine.rules.context import Context
from fileaudit_engine.rules.detection import DetectionReader
from fileaudit_engine.rules.nodes import ListNode, MapNode, ScalarNode, at, text_of
from fileaudit_engine.rules.schema import validate
from fileaudit_engine.rules.section import read_section
from fileaudit_engine.rules.wording import quoted

EVERY_RULE: Final = frozenset({"any", "all"})
"""Words in the place of the rules' names, in upper or lower case: every rule of the log source."""

_RESERVED: Final = frozenset({"rules"})


def read_filter(root: MapNode, context: Context) -> Filter | None:
    """The filter that `root` describes; None if it is not usable, which the context then says."""
    found = context.found
    before = len(found.diagnostics)
    validate(root, "filter", found)
    check_taxonomy(root, found)
    logsource = _log_source(root, found)
    reader = DetectionReader(context=context)
    section = read_section(root, Filter.SECTION, reader, reserved=_RESERVED)
    if has_errors(found.diagnostics[before:]) or logsource is None:
        return None
    (condition,) = section.conditions
    _warn_of_the_other_reading(root, condition, found)
    identifier = text_of(root, "id")
    return Filter(
        title=text_of(root, "title") or "",
        id=identifier.lower() if identifier else None,
        description=text_of(root, "description"),
        date=text_of(root, "date"),
        modified=text_of(root, "modified"),
        rules=_references(root),
        logsource=logsource,
        detections=section.detections,
        conditions=(suppressed(condition),),
        location=next(iter(root.keys.values())).location,
    )


def suppressed(condition: Condition) -> Condition:
    """What a filter drops, from its condition as written."""
    if not _without_any_match(condition):
        return condition
    return condition.operand if isinstance(condition, Not) else Not(operand=condition)


def _without_any_match(condition: Condition) -> bool:
    """What a condition says of an event that no detection matches."""
    match condition:
        case Identifier() | Quantified():
            return False
        case Not(operand=operand):
            return not _without_any_match(operand)
        case And(operands=operands):
            return all(map(_without_any_match, operands))
        case Or(operands=operands):
            return any(map(_without_any_match, operands))
        case _ as never:
            assert_never(never)


def _warn_of_the_other_reading(root: MapNode, condition: Condition, found: Collector) -> None:
    if not _without_any_match(condition):
        found.warning(
            "FA042",
            "other Sigma engines keep nothing but what this condition matches; here it says what to suppress",
            at(root, [Filter.SECTION, "condition"]),
            help=f"write {quoted(spelled_condition(Not(operand=condition)))}, which is read alike everywhere",
        )


def _log_source(root: MapNode, found: Collector) -> LogSourceSpec | None:
    """The log source, which may leave open what it does not care for, but not everything."""
    node = root.values.get("logsource")
    if not isinstance(node, MapNode):
        return None
    spec = LogSourceSpec(
        category=text_of(node, "category"),
        product=text_of(node, "product"),
        service=text_of(node, "service"),
        location=root.keys["logsource"].location,
    )
    if spec.category or spec.product or spec.service:
        return spec
    found.error(
        "FA041",
        "the log source says nothing",
        spec.location,
        help="add 'product: linux', and a category if the filter is only for one",
    )
    return None


def _references(root: MapNode) -> tuple[RuleReference, ...] | None:
    """The rules that the filter names; None for every rule."""
    section = root.values[Filter.SECTION]
    node = section.values["rules"] if isinstance(section, MapNode) else None
    if isinstance(node, ScalarNode) and node.text.lower() in EVERY_RULE:
        return None
    items = node.items if isinstance(node, ListNode) else [node]
    return tuple(
        RuleReference(name=item.text, location=item.location)
        for item in items
        if isinstance(item, ScalarNode)
    )
