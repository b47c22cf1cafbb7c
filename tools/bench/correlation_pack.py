"""Twenty rules, twenty correlations of every type over them, and streams of events that match the rules.

Each rule speaks of writes below one folder. In a pack that is *apart* every correlation listens to rules of
its own, so that an event feeds one or two of them; in one that is *together* all listen to the first rule,
which every event matches, and an event feeds all twenty. All windows are a minute wide, so that the number of
events in a minute is what a window has to hold.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.events.model import FileEvent, Operation, Process

RULES: Final = 20
TIMESPAN_NS: Final = 60_000_000_000
BEGIN_NS: Final = 1_795_860_000_000_000_000
"""When the first event happens: 2026-11-28, 10:00 UTC."""

PROCESS: Final = ("ProcessId", "ProcessStart")
USER: Final = ("User",)

_ROOT: Final = "/srv/bench/"
_SELDOM: Final = (11, 13, 14)
"""Rules that hardly anything matches, without which what happens together would be an alert each time."""
_COMMON_SHARE: Final = 50
"""How often each of the others matches for one match of those."""
_NAMES: Final = 5_000
"""Files in each folder."""
_PROGRAMS: Final = 40
_ASIDE_SHARE: Final = 0.05
"""Of the events of a pack that is together, those that match a second rule."""
_DELAYED_SHARE: Final = 0.02
_DELAY_NS: Final = 100_000_000
"""Some events come this much late at the most; the engine waits twice as long."""
_BYTES: Final = 100_000
"""A write has up to so many bytes, evenly spread: a threshold above 99 % of it is crossed seldom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A correlation to write down.

    Attributes:
        name: Its name.
        type: Sigma's word.
        rules: Numbers of the rules; the first one is the common rule where the pack is together.
        group: What it groups by.
        condition: As YAML takes it; in a text, `{0}` is the name of the first rule.
        chained: The correlation that stands in front of the rules.
    """

    name: str
    type: str
    rules: tuple[int, ...]
    group: tuple[str, ...]
    condition: Mapping[str, object] | str | None = None
    chained: str = ""


SHAPES: Final = (
    Shape(name="count_50", type="event_count", rules=(0,), group=PROCESS, condition={"gte": 50}),
    Shape(name="count_500", type="event_count", rules=(1,), group=PROCESS, condition={"gt": 500}),
    Shape(name="count_two", type="event_count", rules=(2, 3), group=PROCESS, condition={"gte": 100}),
    Shape(name="count_user", type="event_count", rules=(4,), group=USER, condition={"gte": 1000}),
    Shape(
        name="count_range", type="event_count", rules=(5,), group=PROCESS, condition={"gte": 40, "lte": 60}
    ),
    Shape(
        name="files_50",
        type="value_count",
        rules=(6,),
        group=PROCESS,
        condition={"field": "TargetFilename", "gte": 50},
    ),
    Shape(
        name="files_user",
        type="value_count",
        rules=(7,),
        group=USER,
        condition={"field": "TargetFilename", "gte": 1000},
    ),
    Shape(
        name="programs_user",
        type="value_count",
        rules=(8,),
        group=USER,
        condition={"field": "Image", "gte": 35},
    ),
    Shape(
        name="pairs",
        type="value_count",
        rules=(9,),
        group=PROCESS,
        condition={"field": ["Image", "TargetFilename"], "gte": 200},
    ),
    Shape(name="both", type="temporal", rules=(10, 11), group=PROCESS),
    Shape(name="two_of_three", type="temporal", rules=(10, 12, 13), group=PROCESS, condition={"gte": 3}),
    Shape(
        name="without",
        type="temporal",
        rules=(11, 12, 13),
        group=PROCESS,
        condition="{0} and {1} and not {2}",
    ),
    Shape(name="in_order", type="temporal_ordered", rules=(13, 14), group=PROCESS),
    Shape(name="in_order_user", type="temporal_ordered", rules=(14, 15, 16), group=USER),
    Shape(
        name="sum",
        type="value_sum",
        rules=(15,),
        group=PROCESS,
        condition={"field": "Bytes", "gt": 50_000_000},
    ),
    Shape(
        name="average",
        type="value_avg",
        rules=(16,),
        group=PROCESS,
        condition={"field": "Bytes", "gt": 99_000},
    ),
    Shape(
        name="median",
        type="value_median",
        rules=(17,),
        group=PROCESS,
        condition={"field": "Bytes", "gt": 99_000},
    ),
    Shape(
        name="percentile",
        type="value_percentile",
        rules=(18,),
        group=PROCESS,
        condition={"field": "Bytes", "percentile": 95, "gt": 99_900},
    ),
    Shape(
        name="share", type="value_percentile", rules=(19,), group=USER, condition={"field": "Image", "lte": 1}
    ),
    Shape(name="chain", type="temporal_ordered", rules=(1,), group=PROCESS, chained="count_50"),
)
"""All types, twenty in all; the last one waits for another one, and then for a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Events to make.

    Attributes:
        count: How many.
        groups: By how many processes; there is a tenth as many users.
        window: How many happen in one minute.
        together: Whether all match the first rule.
        evenly: Every process in turn, and nothing of it kept, so that a million of them take no room here.
        seed: Same seed, same events.
    """

    count: int
    groups: int = 10_000
    window: int = 50_000
    together: bool = False
    evenly: bool = False
    seed: int = 1


def write_pack(
    folder: Path,
    *,
    together: bool = False,
    only: Sequence[str] = (),
    correlated: bool = True,
    alone: bool = False,
) -> None:
    """The rules, one a file, and the correlations in one.

    Args:
        folder: Where to.
        together: Whether all correlations listen to the first rule.
        only: Names of the correlations; empty: all.
        correlated: False leaves the correlations out.
        alone: Whether the rules alert by themselves, too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(RULES):
        (folder / f"rule_{number:02}.yml").write_text(_rule(number, together=together), encoding="utf-8")
    if correlated:
        chosen = [shape for shape in SHAPES if shape.name in only or not only]
        texts = [_correlation(shape, together=together, alone=alone) for shape in chosen]
        (folder / "correlations.yml").write_text("---\n".join(texts), encoding="utf-8")


def rule_name(number: int) -> str:
    """What a rule is called."""
    return f"rule_{number:02}"


def _rule(number: int, *, together: bool) -> str:
    path = _ROOT if together and number == 0 else f"{_ROOT}{number:02}/"
    return _yaml(
        {
            "title": rule_name(number),
            "name": rule_name(number),
            "level": "low",
            "logsource": {"product": "linux", "category": "file_event"},
            "detection": {
                "selection": {"Operation": "write", "TargetFilename|startswith": path},
                "condition": "selection",
            },
        }
    )


def _correlation(shape: Shape, *, together: bool, alone: bool) -> str:
    numbers = (0, *shape.rules[1:]) if together else shape.rules
    names = [*([shape.chained] if shape.chained else []), *map(rule_name, numbers)]
    correlation: dict[str, object] = {
        "type": shape.type,
        "rules": names,
        "group-by": list(shape.group),
        "timespan": "1m",
    }
    if isinstance(shape.condition, str):
        correlation["condition"] = shape.condition.format(*names)
    elif shape.condition is not None:
        correlation["condition"] = dict(shape.condition)
    if alone:
        correlation["generate"] = True
    return _yaml({"title": shape.name, "name": shape.name, "level": "high", "correlation": correlation})


def _yaml(document: Mapping[str, object]) -> str:
    """JSON is YAML; one attribute a line, so that messages have a place to point to."""
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in document.items())


def events(stream: Stream) -> Iterator[tuple[int, FileEvent]]:
    """The events in order of arrival, each with the number of the folder that it is in."""
    rng = random.Random(f"correlated {stream.seed}")
    processes = [] if stream.evenly else [_process(number) for number in range(stream.groups)]
    users = max(stream.groups // 10, 1)
    step_ns = TIMESPAN_NS // stream.window
    for number in range(stream.count):
        delay_ns = rng.randrange(_DELAY_NS) if rng.random() < _DELAYED_SHARE else 0
        place = _folder(rng, together=stream.together)
        process = rng.choice(processes) if processes else _process(number % stream.groups)
        yield (
            place,
            FileEvent(
                ts_ns=BEGIN_NS + number * step_ns - delay_ns,
                operation=Operation.WRITE,
                process=process,
                path=f"{_ROOT}{place:02}/file-{rng.randrange(_NAMES)}.dat",
                user_name=f"user{process.pid % users}",
                user_id=1_000 + process.pid % users,
                transferred_bytes=rng.randrange(_BYTES),
                transfer_calls=1,
            ),
        )


def _folder(rng: random.Random, *, together: bool) -> int:
    if together and rng.random() >= _ASIDE_SHARE:
        return 0
    return rng.choice(_FOLDERS)


_FOLDERS: Final = [
    number for number in range(RULES) for _ in range(1 if number in _SELDOM else _COMMON_SHARE)
]


def _process(number: int) -> Process:
    """A process of one of the programs, the first of which run far more often than the last."""
    dice = number * 0x9E3779B1 % (1 << 32) / (1 << 32)
    image = f"/usr/bin/program{int(_PROGRAMS * dice**2)}"
    return Process(
        pid=1_000 + number,
        start_ns=number * 1_000_003,
        executable=image,
        name=image[9:24],
        args=(image, "--all", str(number)),
        parent_pid=1,
    )
