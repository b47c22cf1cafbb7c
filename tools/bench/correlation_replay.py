"""The `replay` command over one file of events, with rules alone and with correlations over them.

One event in ten matches a rule. Without correlations every match is an alert of its own; with them the rules
are silent, unless the correlations let them speak (`generate`): then the same alerts come out and what is
told is what correlation adds.
"""

import json
import statistics
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from children import run
from correlation_pack import BEGIN_NS, Stream, events, write_pack
from engines import HERE
from generated_events import Mix
from generated_events import events as ordinary_events

from fileaudit_engine.events.model import FileEvent

PROGRAM: Final = HERE.parent.parent / ".venv" / "bin" / "fileaudit-engine"
MATCHING: Final = 10
"""One event in so many matches."""
_STEP_NS: Final = 250_000
_MATCHES_A_MINUTE: Final = 60_000_000_000 // (_STEP_NS * MATCHING)


def replayed(folder: Path, count: int, rounds: int, seed: int) -> Mapping[str, float]:
    """Events a second by pack: the median of the rounds, what starts and loads taken off."""
    folder.mkdir(parents=True, exist_ok=True)
    recording, single = folder / "events.ndjson", folder / "one.ndjson"
    with recording.open("wb") as file:
        file.writelines(lines(count, seed))
    with single.open("wb") as file:
        file.writelines(lines(1, seed))
    packs = _packs(folder)
    seconds: dict[str, list[float]] = {name: [] for name in packs}
    for _ in range(rounds):
        for name, rules in packs.items():
            seconds[name].append(_seconds(rules, recording) - _seconds(rules, single))
    return {name: count / statistics.median(taken) for name, taken in seconds.items()}


def _packs(folder: Path) -> dict[str, Path]:
    packs = {
        "rules alone": folder / "rules",
        "correlations instead": folder / "instead",
        "correlations beside (generate)": folder / "beside",
    }
    alone, instead, beside = packs.values()
    write_pack(alone, correlated=False)
    write_pack(instead)
    write_pack(beside, alone=True)
    return packs


def _seconds(rules: Path, recording: Path) -> float:
    """CPU time of the whole command."""
    return run([PROGRAM, "replay", recording, "--rules", rules, "--format", "none"]).cpu_s


def lines(count: int, seed: int) -> Iterator[bytes]:
    """Events as lines of JSON, one in `MATCHING` below the folders that the rules speak of."""
    matching = events(Stream(count=count, window=_MATCHES_A_MINUTE, seed=seed))
    ordinary = ordinary_events(Mix(load="repeating", seed=seed), count)
    for number, other in enumerate(ordinary):
        document = other if number % MATCHING else _document(next(matching)[1])
        document["@timestamp"] = _time(BEGIN_NS + number * _STEP_NS)
        yield json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _document(event: FileEvent) -> dict[str, object]:
    """The fields that count, by Sigma's names."""
    process = event.process
    return {
        "Operation": event.operation.value,
        "TargetFilename": event.path,
        "Outcome": "success",
        "Bytes": event.transferred_bytes,
        "Image": process.executable,
        "CommandLine": " ".join(process.args or ()),
        "ProcessId": process.pid,
        "ProcessStart": process.start_ns,
        "User": event.user_name,
    }


def _time(ts_ns: int) -> str:
    """RFC 3339, to the microsecond."""
    seconds, rest_ns = divmod(ts_ns, 1_000_000_000)
    whole = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{rest_ns // 1000:06}Z"
