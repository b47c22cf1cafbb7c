"""What becomes of the files of a rotated log that are not written any more.

They are compressed, and removed when they are too old or too much. Whatever was half done when the engine
was stopped is finished first. A file stays as it is for a while, the youngest one longest: who follows the
log may not have read it to its end, and does not find it again under another name with another content.
"""

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.sinks.packing import is_same, pack
from fileaudit_engine.sinks.rotated import ACTIVE, ENDINGS, Rotated, rotated_in, unfinished_in
from fileaudit_engine.sinks.settings import Compression, JsonLogSettings
from fileaudit_engine.text import counted

REST_NS: Final = UNITS_NS["m"]
"""How long a file stays as it is. Followers look for new files every ten seconds or less; of many files in a
minute, none is to be gone before it is found."""

LONG_REST_NS: Final = 10 * UNITS_NS["m"]
"""How long the youngest one does: what followers take that are restarted."""

_KINDS: Final = {ending: kind for kind, ending in ENDINGS.items()}


@dataclass(slots=True, kw_only=True)
class Swept:
    """What a sweep has done.

    Attributes:
        packed: How many files it has compressed.
        removed: The names of those that it has removed.
        removed_bytes: How much they took.
        trouble: What it could not do, in words; empty if nothing.
    """

    packed: int = 0
    removed: list[str] = field(default_factory=list)
    removed_bytes: int = 0
    trouble: str = ""

    @property
    def words(self) -> str:
        """What was removed, in words; empty if nothing was."""
        if not self.removed:
            return ""
        first, last = self.removed[0], self.removed[-1]
        which = first if first == last else f"{first} to {last}"
        return f"{counted(len(self.removed), 'file')} removed, {self.removed_bytes:,} bytes: {which}"


def sweep(folder: Path, settings: JsonLogSettings, now_ns: int, *, proceed: Callable[[], bool]) -> Swept:
    """Bring the files into the order that the settings ask for.

    Args:
        folder: Where they are.
        settings: What is asked for.
        now_ns: Nanoseconds since the Unix epoch.
        proceed: Asked every few milliseconds of compression: whether to go on.
    """
    swept = Swept()
    steps: Sequence[Callable[[], None]] = (
        lambda: _finish(folder),
        lambda: _remove_old(folder, settings, now_ns, swept),
        lambda: _pack_all(folder, settings, now_ns, swept, proceed),
        lambda: _remove_excess(folder, settings, swept),
    )
    for step in steps:  # a disk that is too full to compress is no reason to remove nothing
        swept.trouble = _tried(step, folder) or swept.trouble
    return swept


def _tried(step: Callable[[], None], folder: Path) -> str:
    """Why a step could not be done, in words; empty if it could."""
    try:
        step()
    except OSError as error:
        name = os.fsdecode(error.filename) if error.filename else str(folder)
        return f"{name}: {error.strerror or error}"
    return ""


def _finish(folder: Path) -> None:
    """Finish what was half done: of a file that is there twice, one goes."""
    for name in unfinished_in(folder):
        (folder / name).unlink(missing_ok=True)
    files = rotated_in(folder)
    plain = {(file.period, file.number): file for file in files if not file.ending}
    for file in files:
        twin = plain.get((file.period, file.number)) if file.ending else None
        if twin is not None:
            whole = is_same(folder / twin.name, folder / file.name, _KINDS[file.ending])
            (folder / (twin if whole else file).name).unlink(missing_ok=True)


def _remove_old(folder: Path, settings: JsonLogSettings, now_ns: int, swept: Swept) -> None:
    if settings.retention_ns is not None:
        before_ns = now_ns - settings.retention_ns
        for file, found in _found(folder, rotated_in(folder)):
            if found.st_mtime_ns < before_ns:
                _remove(folder, file, found.st_size, swept)


def _remove_excess(folder: Path, settings: JsonLogSettings, swept: Swept) -> None:
    if settings.max_total_bytes is None:
        return
    files = _found(folder, rotated_in(folder))
    active = folder / ACTIVE
    total = sum(found.st_size for _, found in files) + (active.stat().st_size if active.exists() else 0)
    for file, found in files:
        if total <= settings.max_total_bytes:
            return
        _remove(folder, file, found.st_size, swept)
        total -= found.st_size


def _remove(folder: Path, file: Rotated, size: int, swept: Swept) -> None:
    (folder / file.name).unlink(missing_ok=True)
    swept.removed.append(file.name)
    swept.removed_bytes += size


def _pack_all(
    folder: Path, settings: JsonLogSettings, now_ns: int, swept: Swept, proceed: Callable[[], bool]
) -> None:
    """Compress what is not compressed yet and has rested."""
    ending = ENDINGS.get(settings.compress, "")
    if settings.compress is Compression.NONE:
        return
    files = _found(folder, rotated_in(folder))
    for file, found in files:
        rest_ns = LONG_REST_NS if file == files[-1][0] else REST_NS
        if file.ending or abs(now_ns - found.st_mtime_ns) < rest_ns:
            continue
        packed = Rotated(period=file.period, number=file.number, ending=ending)
        places = folder / file.name, folder / packed.unfinished, folder / packed.name
        if not pack(*places, settings.compress, proceed=proceed):
            return
        swept.packed += 1


def _found(folder: Path, files: Iterable[Rotated]) -> list[tuple[Rotated, os.stat_result]]:
    """Those of the files that are still there, and plain files; what else has such a name is not ours."""
    found = []
    for file in files:
        try:
            status = (folder / file.name).lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(status.st_mode):
            found.append((file, status))
    return found
