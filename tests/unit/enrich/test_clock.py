"""Whether the host's clock is kept right, beside what a program that has nothing of ours is told."""

import ctypes
import subprocess
from types import SimpleNamespace

import pytest

from fileaudit_engine.enrich import clock
from fileaudit_engine.enrich.clock import ClockState, clock_state

ASKED = """
my $timex = "\\0" x 208;
my $answer = syscall(159, $timex);
my (undef, $offset, $frequency, $most, $estimated, $status) = unpack("L x4 q q q q l", $timex);
print join(" ", $answer, $status & 64 ? "no" : "yes", $most, $estimated);
"""
"""adjtimex is call 159 of x86-64; Perl is part of every Debian and Ubuntu."""


def test_the_kernel_says_the_same_to_another_program() -> None:
    told = subprocess.run(["perl", "-e", ASKED], capture_output=True, text=True, check=True).stdout.split()
    state = clock_state()
    assert state is not None
    assert told[1] == ("yes" if state.synchronized else "no")
    assert 0 < int(told[2]) <= state.max_error_us <= 16_000_000  # it grows with time
    assert state.estimated_error_us == int(told[3])


def libc(status: int, answer: int = 0) -> SimpleNamespace:
    def adjtimex(place: object) -> int:
        timex = ctypes.cast(place, ctypes.POINTER(clock._Timex)).contents  # type: ignore[arg-type]
        timex.status, timex.max_error, timex.estimated_error = status, 2_500, 40
        return answer

    return SimpleNamespace(adjtimex=adjtimex)


def test_a_clock_that_somebody_keeps_is_synchronized(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_libc", lambda: libc(0x2001))
    assert clock_state() == ClockState(synchronized=True, max_error_us=2_500, estimated_error_us=40)
    monkeypatch.setattr(clock, "_libc", lambda: libc(0x2041))
    assert clock_state() == ClockState(synchronized=False, max_error_us=2_500, estimated_error_us=40)


def test_who_may_not_ask_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_libc", lambda: libc(0, answer=-1))
    assert clock_state() is None
