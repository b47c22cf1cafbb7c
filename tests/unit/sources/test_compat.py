"""Whether 32-bit programs run is found out by running one."""

import platform
import subprocess
from pathlib import Path

import pytest

from fileaudit_engine.sources import compat


def test_this_kernel_says_whether_it_runs_32_bit_programs() -> None:
    assert compat.takes_compat_calls() in {True, False}


def test_the_program_runs_wherever_it_is_said_to(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(compat._elf(*compat._PROGRAMS[platform.machine()]))
    program.chmod(0o755)
    try:
        runs = subprocess.run([program], check=False).returncode == compat._STATUS
    except OSError:
        runs = False
    assert runs is compat.takes_compat_calls()


def test_a_program_of_no_known_machine_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert compat.takes_compat_calls() is None


def test_a_program_that_the_kernel_does_not_take_is_told_from_one_that_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sparc = (2, 0, b"")
    monkeypatch.setitem(compat._PROGRAMS, platform.machine(), sparc)
    assert compat.takes_compat_calls() is False
