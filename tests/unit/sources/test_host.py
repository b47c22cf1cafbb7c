"""Which host an event is from."""

import platform
from pathlib import Path

import pytest

from fileaudit_engine.sources.host import this_host


def machine_id(folder: Path, raw: bytes) -> str | None:
    (folder / "machine-id").write_bytes(raw)
    return this_host(folder / "machine-id").id


def test_a_host_has_the_name_that_the_kernel_has(tmp_path: Path) -> None:
    assert this_host(tmp_path / "none").name == platform.node()


def test_a_machine_id_is_read_without_its_line_end(tmp_path: Path) -> None:
    assert machine_id(tmp_path, b"0123456789abcdef0123456789abcdef\n") == "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("raw", [b"", b"uninitialized\n", b"\xff" * 32, b"0" * 31, b"a" * 1000])
def test_what_is_no_machine_id_is_none(tmp_path: Path, raw: bytes) -> None:
    assert machine_id(tmp_path, raw) is None


def test_a_host_without_the_file_has_no_machine_id(tmp_path: Path) -> None:
    assert this_host(tmp_path / "none").id is None
