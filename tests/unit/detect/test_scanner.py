"""What a column is looked through for, at its edges."""

import pytest

from fileaudit_engine.detect.scanner import Scanner, anchored
from fileaudit_engine.events.fields import BY_NAME


@pytest.mark.parametrize("column", [["file"], ["a", "b", ""], [""], ["x"] * 600, [None, "y"]])
@pytest.mark.parametrize(("starts", "ends"), [(True, False), (False, True)])
def test_an_empty_text_is_in_every_value_and_in_none_behind_the_last(
    column: list[str | None], *, starts: bool, ends: bool
) -> None:
    scanner = Scanner(
        BY_NAME["FileType"], literals=[(anchored("", starts=starts, ends=ends), [0])], automata={}, lengths=[]
    )
    there = [place for place, value in enumerate(column) if value is not None]
    assert list(scanner.classes(column)) == there
