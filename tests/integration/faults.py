"""What happens to receivers and to the way to them: the table of faults.

Each is begun while alerts come, shows an effect, and ends; what holds then is told in `test_faults.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from tests.integration.harness import Engine
from tests.integration.proxy import Proxy, Side

_UNDERWAY: Final = 8_000
"""Bytes that a sink has said when something happens in the middle of what it says; some are packed."""


class Receiver(Protocol):
    """A server that can be ended and started again at the same place."""

    def start(self) -> None:
        """Again, with what it had."""

    def stop(self) -> None:
        """As an administrator does."""

    def kill(self) -> None:
        """As a crash does."""

    def pause(self) -> None:
        """It keeps its connections and does nothing."""

    def resume(self) -> None:
        """It goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where it happens.

    Attributes:
        engine: Makes alerts and delivers them.
        receiver: To this.
        proxy: Through this.
    """

    engine: Engine
    receiver: Receiver
    proxy: Proxy

    def is_in_trouble(self) -> bool:
        """Whether the sink says so."""
        return bool(self.engine.troubles())

    def said_more_than(self, count: int) -> Callable[[], bool]:
        """Whether the sink has said so many bytes since this was asked for."""
        before = self.proxy.said[Side.CLIENT]
        return lambda: self.proxy.said[Side.CLIENT] - before > count


Step = Callable[[Scene], None]


def _nothing(_scene: Scene) -> None:
    """It ends by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A row of the table.

    Attributes:
        begins: Is done before the alerts come that it hits.
        hits: Whether it has had its effect.
        ends: Is done then.
        repeats: Whether what was delivered comes twice afterwards, to receivers that do not know ids.
    """

    begins: Step
    hits: Callable[[Scene], Callable[[], bool]]
    ends: Step = _nothing
    repeats: bool = False


def _trouble(scene: Scene) -> Callable[[], bool]:
    return scene.is_in_trouble


def _cut(scene: Scene) -> Callable[[], bool]:
    before = scene.proxy.cuts
    return lambda: scene.proxy.cuts > before


def _killed_when_underway(scene: Scene) -> Callable[[], bool]:
    """Kill the receiver while it is told something; true when the sink has noticed."""
    underway = scene.said_more_than(_UNDERWAY)
    done: list[bool] = []

    def has_happened() -> bool:
        if not done and underway():
            scene.receiver.kill()
            done.append(True)
        return bool(done) and scene.is_in_trouble()

    return has_happened


def _restart(scene: Scene) -> None:
    scene.receiver.start()


EVERYWHERE: Final = {
    "the receiver is stopped for a while": Fault(
        begins=lambda scene: scene.receiver.stop(), hits=_trouble, ends=_restart
    ),
    "it is killed in the middle of what it is told": Fault(
        begins=_nothing, hits=_killed_when_underway, ends=_restart, repeats=True
    ),
    "the connection is reset in the middle of what the sink says": Fault(
        begins=lambda scene: scene.proxy.cuts_after(_UNDERWAY, Side.CLIENT), hits=_cut, repeats=True
    ),
    "connections are refused": Fault(
        begins=lambda scene: scene.proxy.refuses(),
        hits=_trouble,
        ends=lambda scene: scene.proxy.forwards(),
    ),
    "connections are reset as soon as they are made": Fault(
        begins=lambda scene: scene.proxy.resets(),
        hits=_trouble,
        ends=lambda scene: scene.proxy.forwards(),
    ),
    "all is slow": Fault(
        begins=lambda scene: scene.proxy.delays(0.05),
        hits=lambda scene: scene.said_more_than(_UNDERWAY),
        ends=lambda scene: scene.proxy.forwards(),
    ),
}
"""Of every receiver that is spoken to over a connection."""

OF_WHO_ANSWERS: Final = {
    "the connection is reset in the middle of an answer": Fault(
        begins=lambda scene: scene.proxy.cuts_after(60, Side.SERVER), hits=_cut
    ),
    "answers are lost": Fault(
        begins=lambda scene: scene.proxy.loses_answers(),
        hits=_trouble,
        ends=lambda scene: scene.proxy.forwards(),
    ),
    "requests are lost": Fault(
        begins=lambda scene: scene.proxy.swallows(), hits=_trouble, ends=lambda scene: scene.proxy.forwards()
    ),
    "nobody reads (a host that hangs)": Fault(
        begins=lambda scene: scene.proxy.is_deaf(), hits=_trouble, ends=lambda scene: scene.proxy.forwards()
    ),
    "the receiver stands still (SIGSTOP)": Fault(
        begins=lambda scene: scene.receiver.pause(),
        hits=_trouble,
        ends=lambda scene: scene.receiver.resume(),
    ),
}
"""Of receivers that say for each record what has become of it: silence is noticed within the timeout."""


def _power_cut(scene: Scene) -> None:
    scene.proxy.resets_once()
    scene.proxy.forwards()


def seconds_gone_by(engine: Engine, seconds: float) -> Callable[[], bool]:
    """Where there is nothing else to go by: the kernel of a host that hangs still acknowledges what fits."""
    until_s = engine.now_s() + seconds
    return lambda: engine.now_s() >= until_s


OF_WHO_IS_SILENT: Final = {
    "nobody reads, then the connection is reset (a host that was switched off)": Fault(
        begins=lambda scene: scene.proxy.is_deaf(),
        hits=lambda scene: seconds_gone_by(scene.engine, 2.0),
        ends=_power_cut,
        repeats=True,
    ),
    "the receiver stands still for a while (SIGSTOP)": Fault(
        begins=lambda scene: scene.receiver.pause(),
        hits=lambda scene: scene.said_more_than(_UNDERWAY),
        ends=lambda scene: scene.receiver.resume(),
    ),
}
"""Of receivers that never answer: what they have taken is known when a connection has ended in good order."""
