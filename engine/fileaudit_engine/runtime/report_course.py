"""When it happened: hours, days or months, as many as can be looked at."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Final

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.runtime.report_data import Bucket, Course

_HOUR_NS: Final = 3_600 * SECOND_NS
_UNITS: Final = (("hour", 13, 8 * 24 * _HOUR_NS), ("day", 10, 200 * 24 * _HOUR_NS))
"""How many characters of an hour (`2026-11-28T14`) name the unit, and up to which length it is used."""
_MONTH: Final = 7
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def course_of(hours: Mapping[str, int], span_ns: tuple[int, int]) -> Course:
    """Records in the course of a span.

    Args:
        hours: Records by hour and kind, as of the dimension HOUR.
        span_ns: Its first moment and the one behind it, nanoseconds since the Unix epoch.
    """
    first_ns, end_ns = span_ns
    fitting = (unit for unit in _UNITS if end_ns - first_ns <= unit[2])
    unit, characters, _ = next(fitting, ("month", _MONTH, 0))
    sums: Counter[tuple[str, str]] = Counter()
    for name, count in hours.items():
        hour, _, kind = name.rpartition(" ")
        sums[hour[:characters], kind] += count
    return Course(
        unit=unit,
        buckets=[
            Bucket(begins=name, alerts=sums[name, Kind.ALERT.value], events=sums[name, Kind.EVENT.value])
            for name in _names(first_ns, end_ns, characters)
        ],
    )


def _names(first_ns: int, end_ns: int, characters: int) -> Iterator[str]:
    """The names of the buckets, those without records too."""
    step = timedelta(hours=1) if characters > len("2026-11-28") else timedelta(days=1)
    moment = _EPOCH + timedelta(seconds=first_ns // SECOND_NS)
    moment = moment.replace(minute=0, second=0)
    if step.days:
        moment = moment.replace(hour=0)
    last = ""
    while (moment - _EPOCH) // timedelta(seconds=1) * SECOND_NS < end_ns:
        name = moment.isoformat()[:characters]
        if name != last:
            yield name
        last = name
        moment += step
