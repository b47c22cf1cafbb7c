"""FA055: a path that begins with the name of a directory, as in `TargetFilename: 'etc/*'`.

Paths of events are absolute, whatever the program asked for. What names no directory may be something else
that has no path (`pipe:[4711]`), and a wildcard at the beginning may be the root.
"""

import re
from typing import Final

from fileaudit_engine.diagnostics import Collector
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.rules.ast import Detecting
from fileaudit_engine.rules.chains import resolve
from fileaudit_engine.rules.lint.walk import items_of
from fileaudit_engine.rules.nodes import MapNode
from fileaudit_engine.rules.wording import quoted

ABSOLUTE: Final = frozenset(
    {
        *("TargetFilename", "ContainerFilename", "SourceFilename", "FileDirectory", "CurrentDirectory"),
        *("Image", "ParentImage", "GrandParentImage"),
    }
)
"""Fields whose paths are resolved; the text of a symbolic link and what a program asked for are not."""

_WITH_DIRECTORY: Final = re.compile(r"[\w.-]+/")
_FROM_THE_START: Final = frozenset({"plain", "startswith", "path"})


def check(rule: Detecting, root: MapNode, found: Collector) -> None:  # noqa: ARG001 - the form of every check
    """Warn of each relative path that a resolved one is compared with."""
    for item in items_of(rule):
        field, modifiers = BY_NAME.get(item.field or ""), resolve(item.modifiers)
        if field is None or field.name not in ABSOLUTE or modifiers.transforms or modifiers.reference:
            continue
        for value in item.values if modifiers.kind in _FROM_THE_START else ():
            if isinstance(value.value, str) and _WITH_DIRECTORY.match(value.value):
                found.warning(
                    "FA055",
                    f"{field.name} is an absolute path, and {quoted(value.value)} is none",
                    value.location,
                    help="begin with '/', or with '*/' for any directory",
                )
