"""Tags by namespace, as the tags appendix of the Sigma specification 2.1.0 defines them.

    attack.t1003.008     a technique of ATT&CK        cve.2021-44228       a vulnerability
    attack.stealth       one of its tactics           d3fend.d3-am         a countermeasure
    car.2016-04-005      an analytic of CAR           stp.3k               robustness of the detection
    detection.dfir       the type of rule             tlp.amber            to whom it may be passed on

Other namespaces are anybody's own. A tag of these namespaces that has not their form says nothing to whoever
reads it, so it is doubtful; the rule runs all the same.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.rules.attack import attack
from fileaudit_engine.rules.wording import listed, nearest_of, quoted

TYPES_OF_RULE: Final = ("dfir", "emerging-threats", "threat-hunting")
TLP: Final = ("red", "amber", "amber-strict", "green", "clear")
D3FEND_TACTICS: Final = ("model", "harden", "detect", "isolate", "deceive", "evict", "restore")
"""The appendix names all but the last, which D3FEND has had since."""

_TECHNIQUE: Final = re.compile(r"t[0-9]{4}(?:\.[0-9]{3})?")
_OTHER_IDS: Final = re.compile(r"(?:g|s|ds|m|a)[0-9]{4}")
"""Groups, software, data sources, mitigations and assets: thousands, of which no list is kept."""

_TACTIC_ID: Final = re.compile(r"(?i:ta[0-9]{4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class TagProblem:
    """Why a tag is doubtful.

    Attributes:
        code: FA043 for a technique that ATT&CK does not have (any more), FA044 for a wrong form.
        message: What is wrong.
        help: What to write.
    """

    code: str
    message: str
    help: str


def tag_problem(tag: str) -> TagProblem | None:
    """Why `tag` is doubtful; None if nothing is wrong with it."""
    namespace, _, name = tag.partition(".")
    check = _NAMESPACES.get(namespace)
    return check(tag, name) if check else None


def _malformed(tag: str, remedy: str) -> TagProblem:
    namespace = tag.partition(".")[0]
    return TagProblem(code="FA044", message=f"{quoted(tag)} is no tag of {_TITLES[namespace]}", help=remedy)


def _attack(tag: str, name: str) -> TagProblem | None:
    if _TECHNIQUE.fullmatch(name):
        return _technique(tag, name.upper())
    if _OTHER_IDS.fullmatch(name) or name in attack().tactics:
        return None
    return _malformed(tag, _attack_remedy(name))


def _technique(tag: str, technique: str) -> TagProblem | None:
    known = attack()
    if technique in known.techniques:
        return None
    if technique not in known.gone:
        message = f"{quoted(tag)}: ATT&CK {known.version} has no such technique"
        return TagProblem(code="FA043", message=message, help=_technique_remedy(technique))
    message = f"{quoted(tag)}: ATT&CK {known.version} does not have this technique any more"
    successor = known.gone[technique]
    remedy = f"write {_spelled(successor)}" if successor else "choose another one, or leave it out"
    return TagProblem(code="FA043", message=message, help=remedy)


def _technique_remedy(technique: str) -> str:
    parent = technique.partition(".")[0]
    if parent != technique and parent in attack().techniques:
        return f"its technique is {_spelled(parent)}"
    return "techniques are listed at https://attack.mitre.org/techniques/enterprise/"


def _spelled(technique: str) -> str:
    return f"'attack.{technique.lower()}' ({attack().name_of(technique)})"


def _attack_remedy(name: str) -> str:
    """What was most likely meant by what is neither an id nor a tactic."""
    folded = name.lower()
    tactics = attack().tactics
    if _TACTIC_ID.fullmatch(name):
        words = [word for word, (identifier, _) in tactics.items() if identifier == name.upper()]
        return f"tactics are written as words: {_either(words)}" if words else "tactics are written as words"
    if _TECHNIQUE.fullmatch(folded) or _OTHER_IDS.fullmatch(folded):
        return f"write 'attack.{folded}', in lower case"
    close = nearest_of(folded.replace("_", "-"), tactics)
    return f"did you mean {_either([close])}?" if close else f"the tactics are {listed(tactics, limit=20)}"


def _either(words: Iterable[str]) -> str:
    return " or ".join(f"'attack.{word}'" for word in words)


def _form(pattern: str, remedy: str) -> Callable[[str, str], TagProblem | None]:
    """A namespace whose names have a form."""
    expression = re.compile(pattern)

    def check(tag: str, name: str) -> TagProblem | None:
        return None if expression.fullmatch(name) else _malformed(tag, remedy)

    return check


def _word(namespace: str, words: tuple[str, ...]) -> Callable[[str, str], TagProblem | None]:
    """A namespace of a few names."""

    def check(tag: str, name: str) -> TagProblem | None:
        if name in words:
            return None
        close = nearest_of(name.replace("_", "-"), words)
        tags = [f"{namespace}.{word}" for word in words]
        return _malformed(
            tag, f"did you mean '{namespace}.{close}'?" if close else f"choose among {listed(tags)}"
        )

    return check


_TITLES: Final = {
    "attack": "ATT&CK",
    "car": "the Cyber Analytics Repository",
    "cve": "the CVE list",
    "d3fend": "D3FEND",
    "detection": "SigmaHQ's types of rule",
    "stp": "Summiting the Pyramid",
    "tlp": "the Traffic Light Protocol",
}
_NAMESPACES: Final[Mapping[str, Callable[[str, str], TagProblem | None]]] = {
    "attack": _attack,
    "car": _form(r"[0-9]{4}-[0-9]{2}-[0-9]{3}", "write 'car.2016-04-005': the number without 'CAR-'"),
    "cve": _form(
        r"[0-9]{4}[-.][0-9]{4,19}", "write 'cve.2021-44228': the year and a number of at least four digits"
    ),
    "d3fend": _form(
        rf"d3-[a-z]+|d3f-[A-Za-z0-9]+|{'|'.join(D3FEND_TACTICS)}",
        f"write 'd3fend.d3-am', 'd3fend.d3f-File', or a tactic: {listed(D3FEND_TACTICS)}",
    ),
    "detection": _word("detection", TYPES_OF_RULE),
    "stp": _form(r"[1-5][auk]?", "write 'stp.3' or 'stp.3k': 1 to 5, then a, u or k if it is known"),
    "tlp": _word("tlp", TLP),
}
