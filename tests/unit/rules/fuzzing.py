"""Rule files that nobody would write, and what must be true of reading them.

Three ways to make one, from the wildest to the most cunning: any bytes; a rule that is right after some
accidents (`torn_files`); and a document built by the grammar with values at the edge (`built_files`).

`survives` is the law: whatever the bytes are, reading them ends, in bounded time and memory, with rules and
findings and never with an exception; every finding has a code and a place inside the file and can be shown;
and what was accepted can be compiled and run.
"""

import contextlib
import json
import re
import resource
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from hypothesis import strategies as st
from tests.unit.events.examples import HOSTILE, SHADOW
from tests.unit.rules.built_files import built_files
from tests.unit.rules.torn_files import torn_files

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.alert import record_of
from fileaudit_engine.detect.correlate import Correlator
from fileaudit_engine.detect.correlating import Correlating
from fileaudit_engine.detect.crossing_alert import record_of_crossing
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.diagnostics import Diagnostic, SourceText, has_errors, render
from fileaudit_engine.events.batch import EventBatch
from fileaudit_engine.events.model import FileEvent, Operation, Process
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import LoadedRules, load_rules, parse_text
from fileaudit_engine.text import from_kernel

HANG_S = 30
"""After so long one file is taken to hang. It is no measure of speed: reading one takes milliseconds."""

MEMORY_BYTES = 1 << 30
"""Address space that reading a file of some kilobytes may add before it counts as running away."""

_CODE = re.compile(r"FA[0-9]{3}")

OPTIONS = (
    RuleOptions(),
    RuleOptions(allow_unknown_fields=True),
    RuleOptions(
        allow_unknown_fields=True,
        placeholders={"a": ("x", "*", ""), "b": ("\\*", "?" * 50), "Administrators": ("root",)},
        timezone="Europe/Berlin",
    ),
)

EVENTS = (
    SHADOW,
    FileEvent(ts_ns=0, operation=Operation.UNLINK, process=Process(pid=1)),
    FileEvent(
        ts_ns=1,
        operation=Operation.OPEN,
        process=Process(pid=2, executable=HOSTILE, args=(HOSTILE, "", "-a /b"), name="\0"),
        path=HOSTILE + "a" * 5_000,
        extra={"EventTime": "2026-02-30", "SourceIp": "::ffff:10.0.0.1%x", "a": {"b": [1, None, "x", 1e300]}},
    ),
)


class HangError(Exception):
    """Reading one file took longer than anything of its size may take."""


@contextlib.contextmanager
def watched(memory_bytes: int = MEMORY_BYTES) -> Iterator[None]:
    """A hang, or memory without end, is an exception inside the block."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + memory_bytes, before[1]))
    handler = signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(HANG_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)


def _hangs(_signal: int, _frame: FrameType | None) -> None:
    raise HangError(f"not done after {HANG_S} seconds")


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    return pages * resource.getpagesize()


def survives(raw: bytes, options: RuleOptions, file: Path) -> LoadedRules:
    """Read `raw` as a file and as a text, show what was found, compile and run what was accepted."""
    file.write_bytes(raw)
    with watched():
        loaded = load_rules([file], options)
        _read_alike(loaded, parse_text(from_kernel(raw), str(file), options))
        _can_be_shown(loaded.diagnostics, loaded.sources)
        _can_be_run(loaded)
    return loaded


def _read_alike(from_file: LoadedRules, from_text: LoadedRules) -> None:
    assert from_file.diagnostics == from_text.diagnostics
    assert from_file.rules == from_text.rules
    assert from_file.correlations == from_text.correlations


def _can_be_shown(diagnostics: Sequence[Diagnostic], sources: Mapping[str, SourceText]) -> None:
    for found in diagnostics:
        assert _CODE.fullmatch(found.code)
        assert found.message
        where, source = found.location, sources.get(found.location.file)
        if source is not None and where.line:
            line = source.line(where.line)
            assert line is not None, found
            assert 1 <= where.column <= where.end_column <= len(line) + 2, found
    shown = render(diagnostics, sources)
    assert all(line.isprintable() for line in shown.split("\n"))


def _can_be_run(loaded: LoadedRules) -> None:
    compiled = compile_rules(loaded.rules, loaded.correlations)
    assert not has_errors(compiled.diagnostics)
    _can_be_shown(compiled.diagnostics, loaded.sources)
    detector = Detector(compiled.user, compiled.kernel)
    for finding in detector.findings(EventBatch(events=EVENTS)):
        json.dumps(record_of(finding, host="h").document).encode()
    correlator = Correlator(compiled.correlations, compiled.user)
    _, crossings = Correlating(detector, correlator, compiled.correlations).take(EventBatch(events=EVENTS))
    for crossing in [*crossings, *correlator.finish()]:
        json.dumps(record_of_crossing(crossing, host="h").document).encode()


files = st.one_of(
    torn_files(), torn_files(), built_files(), built_files(), built_files(), st.binary(max_size=300)
)
"""Any file."""
