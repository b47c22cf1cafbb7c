"""One rule document becomes a `Rule`, or diagnostics that say everything that keeps it from being one.

The checks do not wait for each other: the schema's findings, the log source, every detection and every
condition are looked at whatever the others say, so that one run of `check` shows all that is to be mended.
"""

from fileaudit_engine.diagnostics import has_errors
from fileaudit_engine.rules.ast import Rule
from fileaudit_engine.rules.attributes import attributes_of, check_taxonomy
from fileaudit_engine.rules.context import Context
from fileaudit_engine.rules.detection import DetectionReader
from fileaudit_engine.rules.log_source import read_log_source
from fileaudit_engine.rules.nodes import MapNode
from fileaudit_engine.rules.schema import validate
from fileaudit_engine.rules.section import read_section


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
    return Rule(
        **attributes_of(root, "rule"),
        logsource=logsource,
        detections=section.detections,
        conditions=section.conditions,
    )
