"""A receiver that has refused us for good is left alone until something has changed."""

from fileaudit_engine.sinks.gate import LOOK_S, REFUSED_S, Gate


class Bench:
    """A gate, a clock that stands still, and files that change when they are told to."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.looks = 0
        self.changed = False
        self.gate = Gate(self._look, lambda: self.now_s)

    def _look(self) -> bool:
        self.looks += 1
        return self.changed

    def after(self, seconds: float) -> bool:
        self.now_s += seconds
        return self.gate.opened()


def test_a_gate_that_was_never_shut_is_open_and_looks_at_nothing() -> None:
    bench = Bench()
    assert not bench.after(REFUSED_S)
    assert (bench.gate.reason, bench.looks) == ("", 0)


def test_shut_it_stays_until_a_file_has_changed_and_looks_every_ten_seconds() -> None:
    bench = Bench()
    bench.gate.shut("no")
    bench.changed = True
    assert not bench.after(LOOK_S - 1)
    assert bench.looks == 0
    assert bench.after(1)
    assert (bench.gate.reason, bench.looks) == ("", 1)
    assert not bench.after(0)


def test_what_has_not_changed_is_tried_after_five_minutes_all_the_same() -> None:
    bench = Bench()
    bench.gate.shut("no")
    opened = [bench.after(LOOK_S) for _ in range(int(REFUSED_S / LOOK_S))]
    assert opened == [False] * (len(opened) - 1) + [True]


def test_whoever_asks_is_heard_at_once_and_once() -> None:
    bench = Bench()
    bench.gate.shut("no")
    bench.gate.refreshed = True
    assert bench.after(0)
    bench.gate.shut("still no")
    assert not bench.after(0)
    assert bench.gate.reason == "still no"
