"""What users see, whole: `tests/golden/diagnostics/NAME.yml` gives `NAME.txt`.

After a change that is meant, write them anew with `UPDATE_GOLDEN=1 pytest tests/unit/rules`, and read them.
"""

import os
from pathlib import Path

import pytest

from fileaudit_engine.diagnostics import render, summary
from fileaudit_engine.rules.parser import parse_text

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "diagnostics"
CASES = sorted(path.stem for path in FOLDER.glob("*.yml"))


def shown(name: str) -> str:
    loaded = parse_text((FOLDER / f"{name}.yml").read_text(encoding="utf-8"), f"{name}.yml")
    return f"{render(loaded.diagnostics, loaded.sources)}\n\n{summary(loaded.diagnostics)}\n"


@pytest.mark.parametrize("name", CASES)
def test_diagnostics_are_shown_as_recorded(name: str) -> None:
    golden = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(shown(name), encoding="utf-8")
    assert shown(name) == golden.read_text(encoding="utf-8")


def test_every_golden_file_belongs_to_a_case() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == CASES
