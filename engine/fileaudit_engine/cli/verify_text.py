"""What `verify` prints: findings, what was checked, and the verdict."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.sinks.output import BOLD, GREEN, RED, painted
from fileaudit_engine.store.verify_anchors import AnchorCheck
from fileaudit_engine.store.verify_finding import Finding, Place, What
from fileaudit_engine.store.verify_walk import Checked
from fileaudit_engine.text import counted, printable

_INDENT: Final = "          "
_LONGEST: Final = 160
"""Characters of a path in a line; the JSON output has all of it."""


def finding_lines(finding: Finding, *, color: bool) -> Iterator[str]:
    """A finding for people: where, what the row says, and what is wrong."""
    what = painted(f"✗ {finding.what.value}", RED, color=color)
    yield f"{what}  {painted(_where(finding), BOLD, color=color)}{_says(finding.place)}"
    yield f"{_INDENT}{finding.message}"


def summary_lines(checked: Checked, path: Path, counts: Counter[What], *, color: bool) -> Iterator[str]:
    """What was checked, and the verdict."""
    identity = f" · {checked.identity.hex()}" if checked.identity else ""
    yield f"store     {printable(str(path))}{identity}"
    yield f"rows      {_rows(checked)}"
    yield f"chain     {_of(checked.links, checked.rows, 'row')} fit their links"
    yield f"index     {counted(checked.indexed, 'row')} and {counted(checked.blocks, 'block')} compared"
    if checked.anchors is not None:
        yield f"anchors   {_anchors(checked.anchors, checked.last_seq)}"
    if not checked.complete:
        yield "          not everything could be looked at"
    yield f"verdict   {_verdict(checked, counts, color=color)}"


def document_of(
    checked: Checked, path: Path, findings: Sequence[Finding], counts: Counter[What]
) -> dict[str, object]:
    """The same for programs."""
    total = counts.total()
    return {
        "store": printable(str(path)),
        "identity": checked.identity.hex() if checked.identity else None,
        "verdict": "altered" if total else "intact",
        "complete": checked.complete,
        "rows": {
            "checked": checked.rows,
            "first": checked.first_seq or None,
            "last": checked.last_seq or None,
            "from": rfc3339(checked.first_ns) if checked.rows else None,
            "to": rfc3339(checked.last_ns) if checked.rows else None,
            "removed_until": checked.removed_seq,
        },
        "links": {"fit": checked.links},
        "index": {"rows": checked.indexed, "blocks": checked.blocks},
        "anchors": _anchors_document(checked.anchors),
        "findings": [_finding_document(finding) for finding in findings],
        "findings_total": total,
        "findings_by_kind": {what.value: count for what, count in sorted(counts.items())},
    }


def _where(finding: Finding) -> str:
    first, last = finding.first_seq, finding.last_seq
    if first is None:
        return "the store"
    return f"row {first:,}" if last in {None, first} else f"rows {first:,} to {last:,}"


def _says(place: Place | None) -> str:
    if place is None:
        return ""
    parts = (rfc3339(place.ts_ns), place.kind, place.rule, place.path)
    return "".join(f"  {printable(part[:_LONGEST])}{'…' * (len(part) > _LONGEST)}" for part in parts if part)


def _rows(checked: Checked) -> str:
    removed = f"; retention has removed those up to {checked.removed_seq:,}" if checked.removed_seq else ""
    if not checked.rows:
        return f"none{removed}"
    times = f"{rfc3339(checked.first_ns)} to {rfc3339(checked.last_ns)}"
    return f"{checked.rows:,}, from {checked.first_seq:,} to {checked.last_seq:,}, of {times}{removed}"


def _of(some: int, number: int, noun: str) -> str:
    return (
        f"{'all ' * (some > 1)}{counted(number, noun)}"
        if some == number
        else f"{some:,} of {number:,} {noun}s"
    )


def _anchors(anchors: AnchorCheck, head: int) -> str:
    if not (anchors.own or anchors.foreign):
        return "none"
    parts = ["1 agrees" if anchors.agree == 1 else f"{anchors.agree:,} agree"]
    if anchors.last is not None:
        parts[0] += f", the newest with row {anchors.last.seq:,} of {rfc3339(anchors.last.time_ns)}"
        if head > anchors.last.seq:
            parts.append(f"{counted(head - anchors.last.seq, 'row')} behind it not anchored")
    if anchors.disagree:
        parts.append(f"{anchors.disagree:,} disagree")
    if anchors.removed:
        parts.append(f"{anchors.removed:,} of rows that retention has removed")
    if anchors.foreign:
        parts.append(f"{anchors.foreign:,} of other stores")
    return "; ".join(parts)


def _verdict(checked: Checked, counts: Counter[What], *, color: bool) -> str:
    if not counts:
        anchored = checked.anchors is not None and checked.anchors.agree
        limit = "" if anchored else ", as far as can be seen without anchors"
        return painted(f"✓ nothing was altered{limit}", GREEN, color=color)
    kinds = ", ".join(f"{count:,} {what.value}" for what, count in counts.most_common())
    return painted(f"✗ {counted(counts.total(), 'finding')}: {kinds}", RED, color=color)


def _anchors_document(anchors: AnchorCheck | None) -> dict[str, object] | None:
    if anchors is None:
        return None
    last = anchors.last
    return {
        "agree": anchors.agree,
        "disagree": anchors.disagree,
        "of_removed_rows": anchors.removed,
        "of_other_stores": anchors.foreign,
        "newest_that_agrees": None if last is None else {"row": last.seq, "time": rfc3339(last.time_ns)},
    }


def _finding_document(finding: Finding) -> dict[str, object]:
    place = finding.place
    return {
        "kind": finding.what.value,
        "first": finding.first_seq,
        "last": finding.last_seq,
        "message": finding.message,
        "time": rfc3339(place.ts_ns) if place else None,
        "record_kind": place.kind or None if place else None,
        "rule": place.rule or None if place else None,
        "path": place.path or None if place else None,
    }
