"""Signals: flags for a loop that looks at them between two batches."""

import os
import signal

import pytest

from fileaudit_engine.runtime.supervisor import Supervisor


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_to_stop(number: signal.Signals) -> None:
    with Supervisor() as supervisor:
        assert supervisor.proceed()
        send(number)
        assert not supervisor.proceed()
        assert supervisor.stopped_by is number


def test_the_second_signal_interrupts() -> None:
    with Supervisor():
        send(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGTERM)


def test_a_hangup_asks_for_one_reload_and_not_to_stop() -> None:
    with Supervisor(reloads=True) as supervisor:
        send(signal.SIGHUP)
        assert supervisor.proceed()
        assert supervisor.reload_asked
        assert supervisor.take_reload()
        assert not supervisor.take_reload()


def test_a_hangup_ends_what_cannot_reload() -> None:
    with Supervisor() as supervisor:
        send(signal.SIGHUP)
        assert not supervisor.proceed()
        assert not supervisor.reload_asked


def test_time_that_is_up_asks_to_stop() -> None:
    with Supervisor(duration_s=1e-9) as supervisor:
        assert supervisor.proceed(), "the clock has not been started"
        supervisor.start_clock()
        assert not supervisor.proceed()
        assert supervisor.stopped_by is None


def test_handlers_are_given_back() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    with Supervisor():
        pass
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)] == before
