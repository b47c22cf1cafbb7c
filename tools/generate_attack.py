"""Writes `schemas/attack.json` from a STIX bundle of MITRE ATT&CK's enterprise matrix.

    python -m tools.generate_attack enterprise-attack.json

The bundle is the one that MITRE publishes (`mitre-attack/attack-stix-data`, 50 MB). What is kept of it is
what tags name: tactics, techniques and sub-techniques with their names, and for ids that are revoked or
deprecated what became of them. MITRE allows copies that carry its copyright designation and its license: both
are in the file.
"""

import argparse
import datetime as dt
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tools.schemas.parts import rendered

TARGET: Final = Path(__file__).resolve().parent.parent / "schemas" / "attack.json"

NOTICE: Final = (
    "© {year} The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE"
    " Corporation."
)
LICENSE: Final = (
    "The MITRE Corporation (MITRE) hereby grants you a non-exclusive, royalty-free license to use ATT&CK® for"
    " research, development, and commercial purposes. Any copy you make for such purposes is authorized"
    " provided that you reproduce MITRE's copyright designation and this license in any such copy."
)
TERMS: Final = "https://attack.mitre.org/resources/legal-and-branding/terms-of-use/"
FORMER_TACTICS: Final = {"defense-evasion": ("TA0005", "Defense Evasion")}
"""Tactics that Sigma 2.1 names and newer versions of ATT&CK have split or renamed: rules keep their tags."""

# STIX objects are JSON: Any by nature.
_Object = Mapping[str, Any]


def attack_of(bundle: _Object) -> dict[str, object]:
    """The file's content.

    Raises:
        ValueError: The bundle has no version or no techniques: it is not ATT&CK's.
    """
    objects = list(bundle["objects"])
    versions = [each["x_mitre_version"] for each in objects if each["type"] == "x-mitre-collection"]
    techniques = [each for each in objects if each["type"] == "attack-pattern"]
    if not versions or not techniques:
        raise ValueError("this is no bundle of ATT&CK")
    return {
        "notice": NOTICE.format(year=_year(objects)),
        "license": LICENSE,
        "terms": TERMS,
        "version": versions[0],
        "tactics": dict(sorted({**FORMER_TACTICS, **dict(_tactics(objects))}.items())),
        "techniques": {_id(each): each["name"] for each in sorted(techniques, key=_id) if not _gone(each)},
        "gone": dict(sorted(_successors(objects, techniques))),
    }


def _tactics(objects: list[_Object]) -> Iterator[tuple[str, tuple[str, str]]]:
    for each in objects:
        if each["type"] == "x-mitre-tactic" and not _gone(each):
            yield each["x_mitre_shortname"], (_id(each), each["name"])


def _successors(objects: list[_Object], techniques: list[_Object]) -> Iterator[tuple[str, str | None]]:
    """The ids that are revoked or deprecated, each with the id that is in use now; None if there is none."""
    by_ref = {each["id"]: each for each in techniques}
    revoked_by = {
        each["source_ref"]: each["target_ref"]
        for each in objects
        if each["type"] == "relationship" and each.get("relationship_type") == "revoked-by"
    }
    in_use = {_id(each) for each in techniques if not _gone(each)}
    for each in techniques:
        if _gone(each) and _id(each) not in in_use:
            ref, seen = each["id"], set()
            while ref in revoked_by and ref not in seen:
                seen.add(ref)
                ref = revoked_by[ref]
            last = by_ref.get(ref)
            yield _id(each), _id(last) if last and not _gone(last) else None


def _gone(each: _Object) -> bool:
    return bool(each.get("revoked") or each.get("x_mitre_deprecated"))


def _id(each: _Object) -> str:
    references = each["external_references"]
    return str(next(r["external_id"] for r in references if r["source_name"] == "mitre-attack"))


def _year(objects: list[_Object]) -> int:
    days = [each["modified"][:10] for each in objects if "modified" in each]
    return dt.date.fromisoformat(max(days)).year


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Write schemas/attack.json from a STIX bundle of ATT&CK.")
    parser.add_argument("bundle", type=Path, help="enterprise-attack.json")
    bundle = json.loads(parser.parse_args().bundle.read_text(encoding="utf-8"))
    TARGET.write_text(f"{rendered(attack_of(bundle))}\n", encoding="utf-8")
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
