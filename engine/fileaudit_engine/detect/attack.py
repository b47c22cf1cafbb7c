"""MITRE ATT&CK, as rules over files name it: from Sigma tags to ECS `threat.*`.

Sigma writes `attack.t1003.008` and `attack.credential-access` (or, as older rules do, with underscores). An
id that the shipped version does not have is kept without its name: tags outlive tables.
"""

import functools
import re
from collections.abc import Mapping
from typing import Final

from fileaudit_engine.rules.attack import attack

_TECHNIQUE = re.compile(r"attack\.(t[0-9]{4})(\.[0-9]{3})?")
_FRAMEWORK: Final = "MITRE ATT&CK"


@functools.lru_cache(maxsize=4096)
def threat_of(tags: tuple[str, ...]) -> Mapping[str, object]:
    """ECS `threat.*` for a rule's tags; empty where none of them is ATT&CK's.

    All alerts of a rule share what is returned here; it is not for changing.
    """
    tactics: dict[str, tuple[str, str]] = {}
    techniques: dict[str, None] = {}
    subtechniques: dict[str, None] = {}
    for tag in (tag.lower() for tag in tags):
        tactic = attack().tactics.get(tag.removeprefix("attack.").replace("_", "-"))
        found = _TECHNIQUE.fullmatch(tag)
        if tactic and tag.startswith("attack."):
            tactics[tactic[0]] = tactic
        elif found:
            techniques[found[1].upper()] = None
            if found[2]:
                subtechniques[(found[1] + found[2]).upper()] = None
    if not tactics and not techniques:
        return {}
    threat: dict[str, object] = {"framework": _FRAMEWORK}
    if tactics:
        threat["tactic"] = {
            "id": list(tactics),
            "name": [name for _, name in tactics.values()],
        }
    if techniques:
        below = {"subtechnique": _named(subtechniques)} if subtechniques else {}
        threat["technique"] = {**_named(techniques), **below}
    return threat


def _named(ids: dict[str, None]) -> dict[str, object]:
    names = attack().techniques
    return {
        "id": list(ids),
        "name": [names[key] for key in ids if key in names],
    }
