"""Whether 32-bit programs run is found out by running one."""

import platform
import subprocess
import sys
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


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the filter is for x86")
def test_a_filter_that_we_are_under_is_not_taken_for_the_kernel() -> None:
    code = """
import ctypes, struct
from fileaudit_engine.sources.compat import takes_compat_calls
program = b"".join(struct.pack("=HBBI", *one) for one in (
    (0x20, 0, 0, 4),  # load the architecture
    (0x15, 0, 1, 0xC000003E),  # x86-64?
    (0x06, 0, 0, 0x7FFF0000),  # allow
    (0x06, 0, 0, 0x80000000),  # kill
))
buffer = ctypes.create_string_buffer(program, len(program))
filter = struct.pack("=HxxxxxxQ", 4, ctypes.addressof(buffer))
libc = ctypes.CDLL(None)
unfiltered = takes_compat_calls()
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter) == 0
assert takes_compat_calls() is unfiltered
"""
    subprocess.run([sys.executable, "-c", code], check=True)
