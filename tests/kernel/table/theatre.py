"""Where all cells are played: their grounds, and the capture that watches them."""

import contextlib
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from tests.kernel.capture import ANY, Capture, Seen, named
from tests.kernel.table.calls import Call
from tests.kernel.table.expected import describe, expected, surprises
from tests.kernel.table.namings import Ground, Naming, mounted
from tests.kernel.table.stage import Stage

from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.sources import bpf

_MOUNT_KNOWN_S: Final = 0.3
"""The engine looks for new mounts ten times a second; names of files by way of them wait for that."""


@dataclass(frozen=True)
class Theatre:
    """All cells' grounds, in memory and on a disk, and the capture that watches them."""

    capture: Capture
    root: Path
    disk: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def watch(self) -> None:
        """Put the rules in force; again, if another test has asked for others meanwhile."""
        self.capture.watch(named(f"{self.root}/seen/", ANY), named(f"{self.disk}/seen/", ANY))

    def surprises(self, call: Call, naming: Naming, refused: int = 0) -> list[str]:
        """Play a cell; in words: what is not as it should be.

        Args:
            call: Its row.
            naming: Its column.
            refused: The error number that the kernel has to answer.
        """
        stage = Stage(call=call, naming=naming, ground=self.ground())
        told = stage.play(self.events_of)
        if max(0, -told.result) != refused:
            return [describe(call, told.result)]
        events = [event for event in told.events if event.operation is call.operation or not call.also]
        return surprises(events, expected(stage, told, refused), told.inode)

    def ground(self) -> Ground:
        """Ground that is still empty."""
        number = next(self.numbers)
        return Ground(
            seen=b"%s/seen/%d" % (bytes(self.root), number),
            unseen=b"%s/unseen/%d" % (bytes(self.root), number),
            disk=b"%s/seen/%d" % (bytes(self.disk), number),
        )

    def events_of(self, pid: int) -> list[FileEvent]:
        """What has arrived of a process, as far as a rule for the watched folders matches it.

        A rule that matches a call under one of its file's names is not asked again.
        """
        found: list[FileEvent] = []
        asked: set[int] = set()
        for seen in [seen for seen in self.capture.arrived() if seen.event.process.pid == pid]:
            asked = asked if seen.again else set()
            matched = self._matching(seen) - asked
            asked |= matched
            found += [seen.event] if matched else []
        return found

    def _matching(self, seen: Seen) -> set[int]:
        """The rules that the event is a candidate of and that are true of it."""
        paths = [path for path in (seen.event.path, seen.event.source_path) if path]
        folders = (f"{self.root}/seen/", f"{self.disk}/seen/")
        return {rule for rule in seen.rules & {0, 1} if any(path.startswith(folders[rule]) for path in paths)}


@contextlib.contextmanager
def opened(capture: Capture, root: Path, disk: Path) -> Iterator[Theatre]:
    """A theatre in these folders, which are true paths; rules watch it until it is closed."""
    for folder in {root, disk, root.parent, disk.parent}:
        folder.chmod(0o755)  # ordinary users play, too
    with mounted(b"none", bytes(root), b"tmpfs", 0), pytest.MonkeyPatch.context() as patch:
        patch.setattr(bpf, "BATCH_DELAY_S", 0)  # nothing more is coming that would fill a batch
        theatre = Theatre(capture, root, disk)
        time.sleep(_MOUNT_KNOWN_S)
        theatre.watch()
        yield theatre
