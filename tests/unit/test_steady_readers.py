"""Whoever reads credentials without a pause hides nothing by it: what comes between two reads is seen."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from tests.unit.ruletest.packs import one_case

from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.resources import rules_dir
from fileaudit_engine.rules.parser import load_rules
from fileaudit_engine.ruletest.runner import CaseRunner

PAUSE_MS = 900
READS = 735
"""For eleven minutes."""
LAST_MS = PAUSE_MS * (READS - 1)
THEN_MS = LAST_MS + 500

PROCESS = "ProcessId: 4242, ProcessStart: 90000000000, SessionId: 7, CgroupId: 4711"
PARENT = "ParentProcessId: 4000, ParentImage: /usr/sbin/nginx"
CHILD = "ProcessId: 4300, ParentProcessId: 4242, ParentImage: /usr/bin/dash"
READ = "Operation: open, AccessMode: read, TargetFilename: /home/bob/.ssh/id_rsa, Image: /usr/bin/cat"
ARCHIVE = "Operation: create, AccessMode: write, TargetFilename: /tmp/x.tgz, Image: /usr/bin/python3.11"
SHELL = "Operation: exec, TargetFilename: /usr/bin/dash, Image: /usr/bin/dash"


@cache
def pack() -> Compiled:
    loaded = load_rules([rules_dir()])
    return compile_rules(loaded.rules, loaded.correlations)


@pytest.mark.parametrize(
    ("rule", "reader", "then", "alert_ms"),
    [
        ("credentials_archived", PROCESS, f"{ARCHIVE}, {PROCESS.replace('4242', '4243')}", THEN_MS),
        ("credentials_packed", PROCESS, f"{ARCHIVE}, {PROCESS}", THEN_MS),
        ("secrets_read_by_web_child", PROCESS, f"{SHELL}, {PROCESS}, {PARENT}", LAST_MS + PAUSE_MS),
        ("secrets_read_by_web_grandchild", CHILD, f"{SHELL}, {PROCESS}, {PARENT}", LAST_MS + PAUSE_MS),
    ],
)
def test_eleven_minutes_of_reading_make_no_rule_blind(
    tmp_path: Path, rule: str, reader: str, then: str, alert_ms: int
) -> None:
    times = [number * PAUSE_MS for number in range(READS + 1)]
    reads = tuple(f"{{at: {ms}ms, {READ}, {reader}}}" for ms in times)
    deed = f"{{at: {THEN_MS}ms, {then}}}"
    expected = f"{{rule: {rule}, level: high, at: {alert_ms}ms}}"
    case = one_case(tmp_path, events=(*reads[:-1], deed, reads[-1]), alerts=(expected,))
    result = CaseRunner(pack().user, pack().kernel, pack().correlations).run(case)
    assert not result.missing
    raised = Counter(one.raised.record.rule for one in result.unexpected)
    assert raised["ssh_private_key_read"] == len(reads)
