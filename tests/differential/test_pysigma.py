"""Two readers of one language: pySigma's parse of a rule and ours say the same of every event.

Where they do not, and we mean it, the difference stands in a table with its reason, and is proven to be one.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest
from tests.conformance import suite
from tests.differential.generated import PLACEHOLDERS, Events, Rules
from tests.differential.pysigma_reader import Event, Reading, read

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.diagnostics import has_errors, render
from fileaudit_engine.events.fields import FIELDS, WHOLE_EVENT
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.resources import rules_dir
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import LoadedRules, parse_text
from fileaudit_engine.ruletest.load import load_cases

_OCTAL = re.compile(r"\b0o([0-7]+)\b")
SEEDS = range(20)
RULES_OF_SEED = 60
EVENTS_OF_RULE = 8

FIXTURES = Path(__file__).parents[1] / "fixtures"
OPTIONS = RuleOptions(allow_unknown_fields=True, placeholders=PLACEHOLDERS)


def ours(text: str) -> LoadedRules:
    """Our reading."""
    return parse_text(text, "rule.yml", OPTIONS)


def made(fields: Mapping[str, object]) -> FileEvent:
    """The event as this engine has it."""
    return suite.event(fields, allow_unknown_fields=True)


def seen(fields: Mapping[str, object]) -> Event:
    """The event as pySigma's side has it."""
    texts = WHOLE_EVENT.get(made(fields))
    assert isinstance(texts, tuple)
    return Event(fields={"UtcTime": "1970-01-01T00:00:00Z", **fields}, texts=texts)


def truths(loaded: LoadedRules, events: Sequence[Mapping[str, object]]) -> list[bool]:
    """What our reading says of events; all ways to reach the rules agree."""
    verdicts = [
        [bool(titles) for titles in found]
        for _, found in suite.every_way(compile_rules(loaded.rules), [made(each) for each in events])
    ]
    assert all(verdict == verdicts[0] for verdict in verdicts)
    return verdicts[0]


def agree(text: str, theirs: Reading, events: Sequence[Mapping[str, object]]) -> list[bool]:
    """Our truth table of a rule, after it has been found to be theirs."""
    loaded = ours(text)
    assert not has_errors(loaded.diagnostics), f"{text}\n{render(loaded.diagnostics, loaded.sources)}"
    expected = [theirs.matches(seen(each)) for each in events]
    found = truths(loaded, events)
    for each, we_say, they_say in zip(events, found, expected, strict=True):
        assert we_say == they_say, f"{text}\n{each}\nwe say {we_say}, pySigma's tree says {they_say}"
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_generated_rules_have_one_meaning(seed: int) -> None:
    rules = Rules(seed)
    found: list[bool] = []
    for number in range(RULES_OF_SEED):
        text = rules.text()
        theirs = read(text, PLACEHOLDERS)
        events = list(Events(theirs, seed * RULES_OF_SEED + number).some(EVENTS_OF_RULE))
        found += agree(text, theirs, [*events, {}])
    assert 0.2 < sum(found) / len(found) < 0.8, "events that hardly ever match test nothing"


@cache
def fixtures() -> Sequence[tuple[FileEvent, Event]]:
    """Every event of the cases that prove the shipped rules, as either side has it."""
    events = [each.event for case in load_cases(FIXTURES).cases for each in case.events]
    return [(event, _in_fields(event)) for event in events]


def _in_fields(event: FileEvent) -> Event:
    values = {row.name: row.get(event) for row in FIELDS}
    texts = WHOLE_EVENT.get(event)
    assert isinstance(texts, tuple)
    fields = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return Event(fields=fields, texts=texts)


SHIPPED = [
    document
    for path in sorted(Path(rules_dir()).rglob("*.yml"))
    for document in path.read_text("utf-8").split("\n---\n")
    if "\ndetection:\n" in document
]
"""The text of every rule; correlations do not say what an event means."""


@pytest.mark.parametrize("text", SHIPPED, ids=lambda text: text.partition("\nname: ")[2].partition("\n")[0])
def test_shipped_rules_have_one_meaning(text: str) -> None:
    theirs = read(_OCTAL.sub(lambda number: str(int(number[1], 8)), text), {})  # YAML 1.1 has no 0o755
    (rule,) = compile_rules(ours(text).rules).user.rules
    matches = matcher(rule.predicate)
    of_source = [pair for pair in fixtures() if pair[0].operation in rule.logsource.operations]
    found = [matches(event) for event, _ in of_source]
    assert found == [theirs.matches(fields) for _, fields in of_source]
    assert any(found)
    assert not all(found)
