"""The files of a rotated log, and what their names say.

fileaudit.ndjson                      is being written
fileaudit-2026-11-28.2.ndjson         was, until it was full or its day was over
fileaudit-2026-11-28.1.ndjson.zst     the one before it, compressed
.fileaudit-2026-11-27.1.ndjson.zst    is being compressed; who follows the log does not see it
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.events.times import UNITS_NS
from fileaudit_engine.sinks.settings import Compression, Rotation

ACTIVE: Final = "fileaudit.ndjson"
"""The file that is being written."""

ENDINGS: Final = {Compression.ZSTD: ".zst", Compression.GZIP: ".gz"}
"""What is put behind the name of a file that has been compressed."""

_NAME: Final = re.compile(
    r"fileaudit-([0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2})?)\.([1-9][0-9]{0,8})\.ndjson(\.zst|\.gz)?"
)
_FORMS: Final = {Rotation.DAILY: "%Y-%m-%d", Rotation.HOURLY: "%Y-%m-%dT%H"}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Rotated:
    """A file that is not written any more; their order is that of their lines.

    Attributes:
        period: The hour or day that it is of, such as `2026-11-28T14`.
        number: Which of that time's it is, from 1.
        ending: What its compression has put behind its name; empty if it is not compressed.
    """

    period: str
    number: int
    ending: str = ""

    @property
    def name(self) -> str:
        """Of the file."""
        return f"fileaudit-{self.period}.{self.number}.ndjson{self.ending}"

    @property
    def unfinished(self) -> str:
        """Of the file while it is not whole yet."""
        return f".{self.name}"


def period_of(ts_ns: int, rotation: Rotation) -> str:
    """The hour or day of UTC that a time is in."""
    moment = dt.datetime.fromtimestamp(ts_ns // UNITS_NS["s"], tz=dt.timezone.utc)
    return moment.strftime(_FORMS[rotation])


def rotated_in(folder: Path) -> list[Rotated]:
    """The files of a folder that are ours and not written any more, the oldest first.

    Raises:
        OSError: The folder cannot be read.
    """
    return sorted(_named(place.name for place in folder.iterdir()))


def unfinished_in(folder: Path) -> list[str]:
    """The names of files that were being compressed when somebody stopped.

    Raises:
        OSError: The folder cannot be read.
    """
    names = [place.name for place in folder.iterdir()]
    return [name for name in names if name.startswith(".") and _NAME.fullmatch(name[1:])]


def following(period: str, files: Iterable[Rotated]) -> Rotated:
    """The next one of an hour or day."""
    numbers = [file.number for file in files if file.period == period]
    return Rotated(period=period, number=max(numbers, default=0) + 1)


def _named(names: Iterable[str]) -> Iterator[Rotated]:
    for name in names:
        if found := _NAME.fullmatch(name):
            yield Rotated(period=found[1], number=int(found[2]), ending=found[3] or "")
