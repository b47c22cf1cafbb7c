"""`-k`: which cases a pattern selects."""

from pathlib import Path

import pytest
from tests.unit.ruletest.packs import loaded

from fileaudit_engine.ruletest.select import selected

NAMES = ("Reading shadow", "Writing shadow", "A log is deleted [weekly]")


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [
        (None, NAMES),
        ("shadow", NAMES[:2]),
        ("READ", NAMES[:1]),
        ("read*shadow", NAMES[:1]),
        ("*shadow", NAMES[:2]),
        ("?riting shadow", NAMES[1:2]),
        ("reading*x", ()),
        ("", NAMES),
        ("nothing", ()),
    ],
)
def test_a_pattern_is_a_part_of_the_name_or_describes_all_of_it(
    tmp_path: Path, pattern: str | None, chosen: tuple[str, ...]
) -> None:
    text = "tests:\n" + "".join(
        f"  - {{name: {name!r}, events: [{{Operation: open}}], alerts: []}}\n" for name in NAMES
    )
    assert tuple(case.name for case in selected(loaded(tmp_path, text).cases, pattern)) == chosen
