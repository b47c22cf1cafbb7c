"""One rule document becomes a `Rule`, or diagnostics that say everything that keeps it from being one.

The checks do not wait for each other: the schema's findings, the log source, every detection and every
condition are looked at whatever the others say, so that one run of `check` shows all that is to be mended.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

from fileaudit_engine.diagnostics import Collector, has_errors
from fileaudit_engine.rules.ast import LogSourceSpec, Related, Rule
from fileaudit_engine.rules.context import Context
from fileaudit_engine.rules.detection import DetectionReader
from fileaudit_engine.rules.log_source import read_log_source
from fileaudit_engine.rules.nodes import ListNode, MapNode, ScalarNode, plain, text_of
from fileaudit_engine.rules.schema import known_attributes, validate
from fileaudit_engine.rules.section import Section, read_section
from fileaudit_engine.rules.wording import quoted

TAXONOMY: Final = "sigma"
"""The taxonomy that documents without a word about it are written in."""


def read_rule(root: MapNode, context: Context) -> Rule | None:
    """The rule that `root` describes; None if it is not usable, which the context then says.

    Its `key` is its name or the file's stem; whoever has all rules makes it unique.
    """
    found = context.found
    before = len(found.diagnostics)
    validate(root, "rule", found)
    check_taxonomy(root, found)
    logsource = read_log_source(root, found)
    reader = DetectionReader(context=context)
    section = read_section(root, Rule.SECTION, reader)
    if has_errors(found.diagnostics[before:]) or logsource is None:
        return None
    return _rule(root, logsource, section)


def check_taxonomy(root: MapNode, found: Collector) -> None:
    """Refuse names of fields and log sources that only a translation could give a meaning."""
    written = text_of(root, "taxonomy")
    if written not in {None, TAXONOMY}:
        found.error(
            "FA013",
            f"the taxonomy {quoted(written)} is not Sigma's own, and nothing here translates it",
            root.values["taxonomy"].location,
            help=f"use Sigma's names of fields and log sources, and write 'taxonomy: {TAXONOMY}'",
        )


def _rule(root: MapNode, logsource: LogSourceSpec, section: Section) -> Rule:
    name, identifier = text_of(root, "name"), text_of(root, "id")
    return Rule(
        key=name or PurePath(root.source.file).stem,
        title=text_of(root, "title") or "",
        id=identifier.lower() if identifier else None,
        name=name,
        related=_related(root),
        taxonomy=text_of(root, "taxonomy") or TAXONOMY,
        status=text_of(root, "status"),
        description=text_of(root, "description"),
        author=text_of(root, "author"),
        date=text_of(root, "date"),
        modified=text_of(root, "modified"),
        license=text_of(root, "license"),
        references=_texts(root, "references"),
        tags=_texts(root, "tags"),
        falsepositives=_texts(root, "falsepositives"),
        fields=_texts(root, "fields"),
        scope=_texts(root, "scope"),
        level=text_of(root, "level") or "medium",
        logsource=logsource,
        detections=section.detections,
        conditions=section.conditions,
        custom=_custom(root),
        location=next(iter(root.keys.values())).location,
    )


def _texts(root: MapNode, name: str) -> tuple[str, ...]:
    """The entries of a list, or the single text that stands in its place."""
    node = root.values.get(name)
    items = node.items if isinstance(node, ListNode) else [node]
    return tuple(str(item.value) for item in items if isinstance(item, ScalarNode))


def _related(root: MapNode) -> tuple[Related, ...]:
    node = root.values.get("related")
    entries = node.items if isinstance(node, ListNode) else []
    return tuple(
        Related(id=(text_of(entry, "id") or "").lower(), type=text_of(entry, "type") or "")
        for entry in entries
        if isinstance(entry, MapNode)
    )


def _custom(root: MapNode) -> Mapping[str, object]:
    known = known_attributes("rule")
    return {name: plain(node) for name, node in root.values.items() if name not in known}
