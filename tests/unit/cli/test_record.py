"""A recording tells of each call once, and replays to the same alerts."""

import io
import json
from collections.abc import Sequence

from tests.unit.events.named import Named

from fileaudit_engine.cli.record import Recording
from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.events.batch import Batch, EventBatch
from fileaudit_engine.events.model import FileEvent, Loss, Operation, Process
from fileaudit_engine.rules.parser import parse_text

RULES = """
title: etc
name: etc
logsource: {product: linux, category: file_access}
detection: {selection: {TargetFilename: /etc/*}, condition: selection}
---
title: srv
name: srv
logsource: {product: linux, category: file_access}
detection: {selection: {TargetFilename: /srv/*}, condition: selection}
---
title: shadow
name: shadow
logsource: {product: linux, category: file_access}
detection: {selection: {TargetFilename: '*/shadow'}, condition: selection}
"""


def opened(*paths: str) -> list[FileEvent]:
    """One call under these names."""
    return [FileEvent(ts_ns=1, operation=Operation.OPEN, path=path, process=Process(pid=7)) for path in paths]


def recorded(*items: Batch | Loss) -> Sequence[str]:
    """The paths of the events that are written; `loss` for a loss."""
    output = io.BytesIO()
    plan = compile_rules(parse_text(RULES, "rules").rules)
    recording = Recording(output, Detector(plan.user, plan.kernel))
    for item in items:
        recording.write(item)
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    assert recording.lines == len(lines)
    return [line["file"]["path"] if "file" in line else "loss" for line in lines]


def test_a_call_under_two_names_is_written_once_under_the_first() -> None:
    assert recorded(Named(opened("/etc/x", "/etc/y"), opened("/etc/z"))) == ["/etc/x", "/etc/z"]


def test_a_name_that_a_rule_knows_is_written_and_not_the_one_before_it() -> None:
    assert recorded(Named(opened("/mnt/x", "/srv/x", "/home/x"))) == ["/srv/x"]


def test_the_name_that_all_these_rules_know_is_written() -> None:
    assert recorded(Named(opened("/mnt/shadow", "/srv/shadow"))) == ["/srv/shadow"]


def test_rules_that_know_no_name_together_have_one_each() -> None:
    assert recorded(Named(opened("/etc/x", "/mnt/x", "/srv/x"))) == ["/etc/x", "/srv/x"]


def test_a_call_that_no_rule_matches_is_written_under_its_first_name() -> None:
    assert recorded(Named(opened("/mnt/x", "/mnt/y"))) == ["/mnt/x"]


def test_names_without_candidates_are_not_written() -> None:
    batch = Named(opened("/etc/x", "/srv/x"), opened("/etc/y", "/srv/y"), candidates=[0, 2, 0, 0])
    assert recorded(batch) == ["/srv/x"]


def test_calls_with_one_name_are_written_as_they_come_and_losses_too() -> None:
    loss = Loss(first_ns=1, last_ns=2, counts={"open": 3})
    assert recorded(EventBatch(events=opened("/etc/x", "/b")), loss) == ["/etc/x", "/b", "loss"]
