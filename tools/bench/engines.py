"""The engines that are measured side by side: each takes a folder of rules and a file of events.

Every engine reads the same files, JSON included, on the same CPU. What they spend on loading the rules is
told apart: by their own clock where they have one, else by a run over a single event.

Others do not know log sources by operation: a rule for `file_event` is held against every event. So that
matches can be compared, they are counted by rule and operation, and `in_log_source` leaves those out that
the rule is not about.
"""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from children import Child, run

HERE: Final = Path(__file__).resolve().parent

Operations = Mapping[str, frozenset[str]]
"""By rule id, the operations of its log source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of one engine.

    Attributes:
        events: How many were evaluated.
        seconds: CPU time that it took.
        load_s: CPU time that the rules took before.
        peak_bytes: The largest resident set.
        counts: Matches by rule id, within the rule's log source; None where this run did not tell.
        parts: Names and seconds of what `load_s` is made of.
    """

    events: int
    seconds: float
    load_s: float
    peak_bytes: int
    counts: Mapping[str, int] | None = None
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds if self.seconds > 0 else 0.0


class Engine(Protocol):
    """Something that evaluates Sigma rules."""

    @property
    def name(self) -> str:
        """As the table calls it."""

    def measure(self, rules: Path, events: Path) -> Measured:
        """One cold run, timed."""

    def count(self, rules: Path, events: Path, operations: Operations) -> Mapping[str, int]:
        """Matches by rule id, within the rules' log sources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """This engine; `mode` as in `measured.py`."""

    name: str = "fileaudit"
    mode: str = "json"
    limit_s: float = 60.0
    allow_unknown_fields: bool = False

    def measure(self, rules: Path, events: Path) -> Measured:
        """One cold run, timed."""
        command: list[str | Path] = [sys.executable, HERE / "measured.py", self.mode, rules, events]
        command += ["--limit", str(self.limit_s)]
        if self.allow_unknown_fields:
            command.append("--allow-unknown-fields")
        child = run(command, timeout_s=600 + self.limit_s)
        report = json.loads(child.output)
        parts = {name: report[f"{name}_s"] for name in ("parse", "compile", "build")}
        return Measured(
            events=report["events"],
            seconds=report["seconds"],
            load_s=sum(parts.values()),
            peak_bytes=child.peak_bytes,
            counts=report["counts"] if report["complete"] else None,
            parts=parts,
        )

    def count(self, rules: Path, events: Path, _operations: Operations) -> Mapping[str, int]:
        """Matches by rule id; log sources are this engine's own business."""
        patient = Ours(mode="json", limit_s=3600, allow_unknown_fields=self.allow_unknown_fields)
        return patient.measure(rules, events).counts or {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rsigma:
    """rsigma, in Rust: `rsigma engine eval`."""

    program: Path
    name: str = "rsigma"

    def measure(self, rules: Path, events: Path) -> Measured:
        """One cold run, timed, less one over a single event."""
        load_s = run(self._command(rules, _one_event_of(events))).cpu_s
        child = run(self._command(rules, events))
        return Measured(
            events=lines_in(events),
            seconds=child.cpu_s - load_s,
            load_s=load_s,
            peak_bytes=child.peak_bytes,
        )

    def count(self, rules: Path, events: Path, operations: Operations) -> Mapping[str, int]:
        """Matches by rule id, within the rules' log sources."""
        child = run([*self._command(rules, events), "--include-event"])
        found = (json.loads(line) for line in child.output.splitlines())
        return in_log_source(
            ((one["rule_id"], one["event"].get("Operation"), 1) for one in found), operations
        )

    def _command(self, rules: Path, events: Path) -> list[str | Path]:
        arguments: list[str | Path] = ["-r", rules, "-e", f"@{events}", "--input-format", "json"]
        return [self.program, "engine", "eval", *arguments, "--output-format", "ndjson", "--quiet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PySigmaSqlite:
    """pySigma with its SQLite backend, in a Python that has both."""

    python: Path
    name: str = "pySigma/SQLite"

    def measure(self, rules: Path, events: Path) -> Measured:
        """One cold run, timed."""
        child = run(self._command(rules, events), timeout_s=3600)
        report = json.loads(child.output)
        return Measured(
            events=report["events"],
            seconds=report["seconds"],
            load_s=report["load_s"],
            peak_bytes=child.peak_bytes,
        )

    def count(self, rules: Path, events: Path, operations: Operations) -> Mapping[str, int]:
        """Matches by rule id, within the rules' log sources."""
        report = json.loads(run(self._command(rules, events), timeout_s=3600).output)
        return in_log_source(map(tuple, report["matches"]), operations)

    def _command(self, rules: Path, events: Path) -> list[str | Path]:
        return [self.python, HERE / "sqlite_rules.py", rules, events]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zircolite:
    """Zircolite, in Python over SQLite; `command` is how it is started."""

    command: Sequence[str]
    name: str = "zircolite"

    def measure(self, rules: Path, events: Path) -> Measured:
        """One cold run, timed, less one over a single event."""
        load_s = self._run(rules, _one_event_of(events))[0].cpu_s
        child, _ = self._run(rules, events)
        return Measured(
            events=lines_in(events),
            seconds=child.cpu_s - load_s,
            load_s=load_s,
            peak_bytes=child.peak_bytes,
        )

    def count(self, rules: Path, events: Path, operations: Operations) -> Mapping[str, int]:
        """Matches by rule id, within the rules' log sources."""
        _, found = self._run(rules, events)
        return in_log_source(
            ((rule["id"], match.get("Operation"), 1) for rule in found for match in rule["matches"]),
            operations,
        )

    def _run(self, rules: Path, events: Path) -> tuple[Child, list[dict[str, Any]]]:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "found.json"
            command: list[str | Path] = [*self.command, "-e", events, "-r", rules, "-o", target]
            command += ["-l", Path(folder) / "log", "--json-input", "--no-event-filter", "-q"]
            home = Path(self.command[-1]).resolve().parent  # where it looks for its configuration
            child = run(command, folder=home, timeout_s=3600)
            return child, json.loads(target.read_bytes())


def _one_event_of(events: Path) -> Path:
    """A file of only the first event: what is left of a run over it is what comes before all events."""
    target = events.with_name("one-event.ndjson")
    with events.open("rb") as stream:
        target.write_bytes(stream.readline())
    return target


def in_log_source(
    matches: Iterable[tuple[str, str | None, int]], operations: Operations
) -> Mapping[str, int]:
    """Numbers of matches by rule, of those (rule, operation, number) that the rule is about."""
    counts: Counter[str] = Counter()
    for rule, operation, number in matches:
        if rule not in operations or operation in operations[rule]:
            counts[rule] += number
    return counts


def lines_in(events: Path) -> int:
    """How many events a file holds."""
    with events.open("rb") as stream:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b""))
