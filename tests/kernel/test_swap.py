"""Rules that are replaced while files are opened: no event between two plans is missed."""

import os
import time
from pathlib import Path

import pytest
from tests.kernel.capture import ANY, Capture, asks, begins, by, contains, ends, made

from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.events.model import Loss

pytestmark = pytest.mark.kernel

OPENS = 20_000
GROUP = 50
PAUSE_S = 0.005
SWAPS = 50


def opened(path: Path) -> int:
    """A child process that opens the file again and again, in small groups; its id."""
    pid = os.fork()
    if pid == 0:
        for number in range(OPENS):
            os.close(os.open(path, os.O_RDONLY))
            if number % GROUP == 0:
                time.sleep(PAUSE_S)
        os._exit(0)
    return pid


def test_no_open_of_a_watched_file_is_missed_while_rules_are_replaced(capture: Capture, place: Path) -> None:
    path = made(place / "watched" / "file")
    ways = (
        *(asks(str(path)), begins(place), ends("/watched/file"), contains("/watched/")),
        *(by("UserId", "0", begins(place)), asks(str(place), ANY, "e")),
    )
    others = [begins("/nowhere"), ends("/nothing"), contains("/none/"), by("ProcessName", "nobody")]
    plans = [kernel_plan([*others[: n % 5], ways[n % len(ways)]]) for n in range(SWAPS)]
    assert capture.source.replace_plan(plans[0])
    capture.drain()
    pid = opened(path)
    found, swaps, ended = 0, 0, False
    for item in capture.source.batches():
        if isinstance(item, Loss):
            capture.losses.append(item)
            continue
        if not item.candidates and ended:
            break
        ended = ended or os.waitpid(pid, os.WNOHANG) != (0, 0)
        for number in range(len(item.candidates)):
            event = item.complete(number)
            found += event.process.pid == pid and event.path == str(path)
        if not ended:
            assert capture.source.replace_plan(plans[swaps % SWAPS])
            swaps += 1
    assert swaps >= SWAPS
    assert [loss.counts for loss in capture.losses if "open" in loss.counts] == []
    assert found == OPENS
