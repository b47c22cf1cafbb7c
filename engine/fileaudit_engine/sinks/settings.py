"""What the configuration says about sinks that are more than a stream."""

import enum
from dataclasses import dataclass
from pathlib import Path

from fileaudit_engine.events.times import UNITS_NS


class Rotation(str, enum.Enum):
    """When a new file is begun, whatever its size; by the hours and days of UTC."""

    HOURLY = "hourly"
    DAILY = "daily"


class Compression(str, enum.Enum):
    """What becomes of a file that is not written any more."""

    ZSTD = "zstd"
    GZIP = "gzip"
    NONE = "none"


class Begin(str, enum.Enum):
    """Where a sink begins that has never had anything of a store."""

    START = "start"
    NOW = "now"


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLogSettings:
    """`sinks.json` of the configuration; the defaults are those of a file that names only the folder.

    Attributes:
        folder: Where the files are; nobody else may write there.
        rotate: When a new file is begun.
        max_bytes: A file that has so many is the next one's predecessor.
        compress: What becomes of a file that is not written any more.
        retention_ns: Files whose last line is older are removed, nanoseconds; None: they stay.
        max_total_bytes: Of more, all files together, the oldest are removed; None: no bound.
        begin: With what it begins in a store that was there before it.
    """

    folder: Path
    rotate: Rotation = Rotation.DAILY
    max_bytes: int = 1 << 30
    compress: Compression = Compression.ZSTD
    retention_ns: int | None = 90 * UNITS_NS["d"]
    max_total_bytes: int | None = None
    begin: Begin = Begin.NOW
