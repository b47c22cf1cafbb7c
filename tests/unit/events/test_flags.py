"""Flags and error numbers by name."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fileaudit_engine.events.flags import errno_name, open_flag_names


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (0, ("O_RDONLY",)),
        (os.O_WRONLY | os.O_CREAT | os.O_TRUNC, ("O_WRONLY", "O_CREAT", "O_TRUNC")),
        (os.O_RDWR | os.O_CLOEXEC, ("O_RDWR", "O_CLOEXEC")),
        (os.O_SYNC, ("O_RDONLY", "O_SYNC")),
        (os.O_DSYNC, ("O_RDONLY", "O_DSYNC")),
        (os.O_TMPFILE | os.O_WRONLY, ("O_WRONLY", "O_TMPFILE")),
        (os.O_DIRECTORY, ("O_RDONLY", "O_DIRECTORY")),
        (os.O_PATH | os.O_NOFOLLOW, ("O_NOFOLLOW", "O_PATH")),
        (3, ("O_ACCMODE",)),
        (1 << 40, ("O_RDONLY", "0x10000000000")),
    ],
)
def test_open_flags_have_their_names(flags: int, names: tuple[str, ...]) -> None:
    assert open_flag_names(flags) == names


@given(st.integers(0, 2**64 - 1))
@settings(derandomize=True, database=None, deadline=None)
def test_any_number_has_names(flags: int) -> None:
    assert open_flag_names(flags)


@pytest.mark.parametrize(
    ("number", "name"),
    [(2, "ENOENT"), (13, "EACCES"), (35, "EDEADLK"), (95, "EOPNOTSUPP"), (9999, "9999")],
)
def test_error_numbers_have_their_names(number: int, name: str) -> None:
    assert errno_name(number) == name
