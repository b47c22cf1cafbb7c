"""Recorded events as the events of a case: `events_from: pam_login.ndjson`.

A recording is moved in time as a whole, so that its earliest event happens at the case's start; distances
stay as they were. A `start` that is the recording's own makes `test` see what `replay` sees. The file's
defaults do not apply to it: what was recorded is what happened.

Whoever may change a test file must not be able to make its reader open anything else on the machine: the
path is relative to the test file and may not lead out of the folder of fixtures, links included.
"""

import itertools
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from fileaudit_engine.diagnostics import Collector, Location
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.times import LAST_NS
from fileaudit_engine.ruletest.cases import CaseEvent
from fileaudit_engine.ruletest.nodes import shown
from fileaudit_engine.sources.replay import ReplaySource

MAX_RECORDED: Final = 100_000
"""Events of one recording; all of them are in memory at once. A few KB of `.gz` could hold more than fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """Reads recordings for the cases of one file.

    Attributes:
        folder: Where the test file is.
        root: What no recording may lie outside of.
        allow_unknown_fields: Keep what the field table does not know in `FileEvent.extra`.
    """

    folder: Path
    root: Path
    allow_unknown_fields: bool = False

    def read(self, name: str, place: Location, found: Collector, *, start_ns: int) -> tuple[CaseEvent, ...]:
        """The events of a recording, named at `place`; none if something is wrong, after it was noted.

        Args:
            name: The path, as written.
            place: Where it is written.
            found: Where findings go.
            start_ns: When the earliest of them is to happen, nanoseconds since the Unix epoch.
        """
        if not self._is_allowed(name, place, found):
            return ()
        path = os.path.join(self.folder, name)  # noqa: PTH118 - Path would make '-' of './-'
        source = ReplaySource([path], allow_unknown_fields=self.allow_unknown_fields)
        try:
            events = list(itertools.islice(source.events(), MAX_RECORDED + 1))
        finally:
            source.close()
        if source.diagnostics:
            found.diagnostics.extend(source.diagnostics)
            return ()
        if not 0 < len(events) <= MAX_RECORDED:
            found.error(
                "FA067",
                f"the recording has more than {MAX_RECORDED:,} events"
                if events
                else "the recording has no events",
                place,
                help="record only what the case is about",
            )
            return ()
        return _moved(events, place, start_ns, found)

    def _is_allowed(self, name: str, place: Location, found: Collector) -> bool:
        """Whether `name` means a regular file that lies where it may; says so if not."""
        inside = self.root.resolve()
        try:
            path = (self.folder / name).resolve()
            if Path(name).is_absolute() or not path.is_relative_to(inside):
                found.error(
                    "FA067",
                    f"'{shown(name)}' leads out of the folder of fixtures",
                    place,
                    help="keep recordings beside the test file, and name them relative to it",
                )
                return False
            regular = stat.S_ISREG(path.stat().st_mode)
        except (OSError, ValueError, RuntimeError):  # no such file; a NUL in its name; links in a circle
            regular = False
        if not regular:
            found.error(
                "FA067", f"'{shown(name)}' is not a file", place, help="its path is relative to the test file"
            )
        return regular


def _moved(
    events: list[FileEvent], place: Location, start_ns: int, found: Collector
) -> tuple[CaseEvent, ...]:
    first_ns = min(event.ts_ns for event in events)
    if start_ns + max(event.ts_ns for event in events) - first_ns > LAST_NS:
        message = "from this start the recording lasts until after the year 2262"
        found.error("FA062", message, place, help="choose an earlier 'start'")
        return ()
    return tuple(
        CaseEvent(
            event=msgspec.structs.replace(event, ts_ns=start_ns + event.ts_ns - first_ns),
            at_ns=event.ts_ns - first_ns,
            location=place,
        )
        for event in events
    )
