import json
import random
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from children import ChildFailed, run
from engines import Measured, in_log_source
from generated_events import LOADS, Mix, events, lines
from generated_rules import GeneratedRule, pack, write_pack
from hits import Hit, hits
from results import Row, differences, growth

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.diagnostics import Severity
from fileaudit_engine.events.model import Loss
from fileaudit_engine.rules.parser import load_rules, parse_text
from fileaudit_engine.sources.replay import ReplaySource

COUNT = 4_000


def salt(rules: Iterable[GeneratedRule]) -> list[Hit]:
    rng = random.Random(7)
    return [hit for rule in rules for hit in hits(rule.text, rng)]


def mix(load: str, rules: Iterable[GeneratedRule] = ()) -> Mix:
    return Mix(load=load, hits=salt(rules))


def test_a_seed_gives_the_same_rules_again_and_another_seed_others() -> None:
    assert pack(50) == pack(50)
    assert pack(50) != pack(50, seed=2)


def test_a_pack_holds_the_smaller_ones() -> None:
    assert pack(60)[:20] == pack(20)


def test_a_tenth_of_the_rules_search_for_words_if_asked_for() -> None:
    with_words = [rule for rule in pack(250, keyword_share=0.1) if "keywords:" in rule.text]
    assert len(with_words) == 25


def test_generated_rules_load_without_a_finding(tmp_path: Path) -> None:
    write_pack(pack(400, keyword_share=0.1), tmp_path)
    loaded = load_rules([tmp_path])
    assert not [found for found in loaded.diagnostics if found.severity is Severity.ERROR]
    assert len(loaded.rules) == 400
    assert len({rule.id for rule in loaded.rules}) == 400


@pytest.mark.parametrize("load", LOADS)
def test_a_seed_gives_the_same_events_again(load: str) -> None:
    rules = pack(20)
    assert list(lines(mix(load, rules), 200)) == list(lines(mix(load, rules), 200))
    assert list(lines(mix(load, rules), 200)) != list(lines(Mix(load=load, hits=salt(rules), seed=2), 200))


@pytest.mark.parametrize("load", LOADS)
def test_events_have_about_ten_keys_and_350_bytes(load: str) -> None:
    written = list(lines(mix(load, pack(20)), COUNT))
    assert 300 < sum(map(len, written)) / COUNT < 400
    assert {len(json.loads(line)) for line in written} <= {9, 10, 11}


def new_values(load: str, field: str) -> float:
    """The share of events whose value of a field is the first of its kind."""
    return len({event[field] for event in events(mix(load), COUNT)}) / COUNT


def test_loads_differ_in_what_is_new() -> None:
    assert new_values("repeating", "TargetFilename") < 0.6
    assert new_values("new-paths", "TargetFilename") == 1
    assert new_values("new-paths", "CommandLine") < 0.1
    for field in ("TargetFilename", "CommandLine", "Image", "User"):
        assert new_values("new-fields", field) == 1


@pytest.mark.parametrize("load", LOADS)
def test_about_one_event_in_a_hundred_matches(load: str, tmp_path: Path) -> None:
    rules = pack(60)
    target = tmp_path / "events.ndjson"
    target.write_bytes(b"".join(lines(mix(load, rules), COUNT)))
    compiled = compile_rules(parse_text("---\n".join(rule.text for rule in rules)).rules)
    detector = Detector(compiled.user, compiled.kernel)
    source = ReplaySource([target])
    batches = (batch for batch in source.batches() if not isinstance(batch, Loss))
    found = Counter(finding.rule.rule.key for batch in batches for finding in detector.findings(batch))
    assert source.diagnostics == []
    assert source.counters().delivered == COUNT
    assert 0.004 < sum(found.values()) / COUNT < 0.02
    assert len(found) > 10


def test_a_hit_is_made_for_anchors_lists_expressions_and_words() -> None:
    rule = """
logsource: {product: linux, category: file_delete}
detection:
    selection:
        TargetFilename|startswith: /a
        TargetFilename|endswith: z
        Image|re: ^/b[0-9]{2}(c|c)$
        CommandLine|contains|all: [one, two]
    filter_main: {User: root}
    condition: selection and not 1 of filter_*
"""
    (hit,) = hits(rule, random.Random(1), ways=1)
    assert hit.operation in {"unlink", "rmdir"}
    assert hit.values == {
        "TargetFilename": "/a\0\0z",
        "Image": "/b00c",
        "CommandLine": "\0one\0\0two\0",
    }
    (words,) = hits("detection: {keywords: [one], condition: keywords}", random.Random(1), ways=1)
    assert words.values == {"CommandLine": "\0 one \0"}


def test_matches_outside_the_log_source_do_not_count() -> None:
    operations = {"r": frozenset({"open"})}
    matches = [("r", "open", 2), ("r", "unlink", 5), ("unknown", "unlink", 1)]
    assert in_log_source(matches, operations) == {"r": 2, "unknown": 1}


def measured(seconds: float) -> Measured:
    return Measured(events=1000, seconds=seconds, load_s=0.0, peak_bytes=0)


def test_ratios_are_of_medians() -> None:
    rounds = {"us": [measured(s) for s in (9, 1, 2)], "them": [measured(s) for s in (4, 8, 4)]}
    row = Row(pack="p", rules=1, load="repeating", rounds=rounds)
    assert row.rate("us") == 500
    assert row.times("us", "them") == 2
    assert row.times("us", "absent") is None


def test_growth_compares_the_largest_pack_with_the_smallest() -> None:
    rows = [
        Row(pack=str(size), rules=size, load="repeating", rounds={"us": [measured(size / 10)]})
        for size in (20, 10, 30)
    ]
    assert list(growth(rows, "us")) == ["repeating: 30 rules take 3.00 times as long as 10"]


def test_differences_name_the_rule_and_both_counts() -> None:
    found = list(differences({"a": 1, "b": 2}, {"a": 1, "c": 3}, {"b": "Bee"}, "other"))
    assert found == ["Bee: 2 matches, other 0", "c: 0 matches, other 3"]


def test_a_child_tells_what_it_printed_and_what_it_cost() -> None:
    child = run([sys.executable, "-c", "print('x' * 3)"])
    assert child.output == "xxx\n"
    assert child.cpu_s > 0
    assert child.peak_bytes > 1 << 20


def test_a_child_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(ChildFailed, match="ended with 3\nalas"):
        run([sys.executable, "-c", "import sys; print('alas', file=sys.stderr); sys.exit(3)"])
    with pytest.raises(ChildFailed, match="took more than"):
        run([sys.executable, "-c", "import time; time.sleep(60)"], timeout_s=0.2)
