"""What was measured, as numbers, and as a table for people."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from engines import Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One pack under one load.

    Attributes:
        pack: What the rules are called.
        rules: How many there are.
        load: What the events are called.
        rounds: By engine, its runs; one that did not run is not there.
    """

    pack: str
    rules: int
    load: str
    rounds: Mapping[str, Sequence[Measured]] = field(default_factory=dict)

    def rate(self, engine: str) -> float | None:
        """Median of the events a second."""
        runs = self.rounds.get(engine)
        return statistics.median(run.rate for run in runs) if runs else None

    def times(self, engine: str, other: str) -> float | None:
        """How many times as fast the engine is as the other."""
        mine, theirs = self.rate(engine), self.rate(other)
        return mine / theirs if mine and theirs else None

    def as_json(self) -> dict[str, object]:
        """Everything, in JSON's types."""
        return {
            "pack": self.pack,
            "rules": self.rules,
            "load": self.load,
            "engines": {name: _engine_json(runs) for name, runs in self.rounds.items()},
        }


def _engine_json(runs: Sequence[Measured]) -> dict[str, object]:
    return {
        "events_per_s": [round(run.rate) for run in runs],
        "events_per_s_median": round(statistics.median(run.rate for run in runs)),
        "events": runs[0].events,
        "load_s_median": statistics.median(run.load_s for run in runs),
        "load_parts_s": dict(runs[0].parts),
        "peak_mib_median": statistics.median(run.peak_bytes for run in runs) / (1 << 20),
        "matches": None if runs[0].counts is None else sum(runs[0].counts.values()),
    }


def table(rows: Sequence[Row], ours: Sequence[str]) -> Iterator[str]:
    """Rates in thousand events a second with their spread, one line a pack and load, one column an engine.

    Args:
        rows: What was measured.
        ours: The engines that the others are compared with; the first one is.
    """
    names = list(dict.fromkeys(name for row in rows for name in row.rounds))
    others = [name for name in names if name not in ours]
    heads = [f"{name} k/s" for name in names] + [f"x {name}" for name in others]
    yield f"{'rules':>22} {'load':11}" + "".join(f" {head:>22}" for head in heads)
    for row in rows:
        cells = [_spread([run.rate / 1e3 for run in row.rounds.get(name, ())]) for name in names]
        cells += [_ratio(row.times(ours[0], other)) for other in others]
        yield f"{row.pack:>22} {row.load:11}" + "".join(f" {cell:>22}" for cell in cells)


def load_table(rows: Sequence[Row]) -> Iterator[str]:
    """Seconds of loading and peak memory of each engine, one line a pack and engine."""
    yield f"{'rules':>22} {'engine':18} {'load s':>22} {'MiB':>7}  parts"
    for pack, of_pack in groupby(rows, key=lambda row: row.pack):
        runs: dict[str, list[Measured]] = {}
        for row in of_pack:
            for name, some in row.rounds.items():
                runs.setdefault(name, []).extend(some)
        for name, all_runs in runs.items():
            peak = max(run.peak_bytes for run in all_runs) / (1 << 20)
            parts = "  ".join(f"{part} {seconds:.2f}" for part, seconds in all_runs[0].parts.items())
            load = _spread([run.load_s for run in all_runs], digits=2)
            yield f"{pack:>22} {name:18} {load:>22} {peak:7.0f}  {parts}"


def growth(rows: Sequence[Row], engine: str) -> Iterator[str]:
    """Of each load, how much slower the largest pack is than the smallest."""
    loads = dict.fromkeys(row.load for row in rows)
    for load in loads:
        of_load = sorted((row for row in rows if row.load == load), key=lambda row: row.rules)
        small, large = of_load[0], of_load[-1]
        fast, slow = small.rate(engine), large.rate(engine)
        if small.rules < large.rules and fast and slow:
            yield f"{load}: {large.rules:,} rules take {fast / slow:.2f} times as long as {small.rules:,}"


def differences(
    ours: Mapping[str, int], theirs: Mapping[str, int], titles: Mapping[str, str], engine: str
) -> Iterator[str]:
    """Rules of which two engines count different numbers of matches."""
    for rule in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(rule, 0), theirs.get(rule, 0)
        if mine != other:
            yield f"{titles.get(rule, rule)}: {mine} matches, {engine} {other}"


def _spread(values: Sequence[float], digits: int = 1) -> str:
    """`median (least-most)`."""
    if not values:
        return "-"
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({least:.{digits}f}-{most:.{digits}f})"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
