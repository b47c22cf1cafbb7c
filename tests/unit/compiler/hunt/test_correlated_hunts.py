"""The hunts for correlations: the windows of what the engine sees together, and not of everything."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.unit.compiler.hunt.esql_pipeline import run
from tests.unit.compiler.hunt.hunting import located, recorded
from tests.unit.compiler.hunt.rows import mapping, row_of

from fileaudit_engine.cli.loading import load_quietly
from fileaudit_engine.compiler.hunt.conditions import Language
from fileaudit_engine.compiler.hunt.correlated import hunt_for_correlation
from fileaudit_engine.compiler.hunt.hunts import Hunt, Refusal
from fileaudit_engine.compiler.stages import Compiled
from fileaudit_engine.resources import rules_dir
from fileaudit_engine.ruletest.cases import Case
from fileaudit_engine.ruletest.load import load_cases

FIXTURES = Path(__file__).parents[3] / "fixtures"

RULES = """\
title: Opened
id: 5ec07b55-9d8a-4a2f-8bd4-7a6c9a1f8f12
name: opened
logsource: {product: linux, service: fileaudit}
detection: {selection: {Operation: open}, condition: selection}
---
title: Deleted
id: 6ec07b55-9d8a-4a2f-8bd4-7a6c9a1f8f12
name: deleted
logsource: {product: linux, service: fileaudit}
detection: {selection: {Operation: unlink}, condition: selection}
---
title: Together
id: 7ec07b55-9d8a-4a2f-8bd4-7a6c9a1f8f12
name: together
correlation:
"""
TEMPORAL = """\
    type: temporal
    rules: [opened, deleted]
    group-by: [UserId]
    timespan: 10s
"""


@cache
def compiled() -> Compiled:
    return load_quietly([rules_dir()]).compiled


@cache
def hunts() -> dict[str, str]:
    """The query for each shipped correlation that has one."""
    plan = compiled()
    answers = [hunt_for_correlation(one, plan.user, Language.ESQL) for one in plan.correlations.correlations]
    return {one.document.key: one.query for one in answers if isinstance(one, Hunt)}


@cache
def cases() -> tuple[Case, ...]:
    """The cases of the files in which such a correlation is expected."""
    everything = load_cases(FIXTURES).cases
    files = {case.file for case in everything for one in case.expectations if one.rule in hunts()}
    return tuple(case for case in everything if case.file in files)


def rows(case: Case) -> list[dict[str, list[Any]]]:
    properties = dict(mapping())
    return [row_of(recorded(located(one.event)), properties) for one in case.events]


def test_what_the_engine_sees_together_is_found_in_every_case() -> None:
    silent = 0
    for case in cases():
        documents = rows(case)
        expected = {one.rule for one in case.expectations} & hunts().keys()
        for key, query in hunts().items():
            found = run(query, documents)
            assert found or key not in expected, f"{case.file}: {case.name}: {key}"
            silent += not found
    assert silent > len(cases())


def test_every_correlation_that_raises_alerts_and_has_a_query_is_expected_somewhere() -> None:
    expected = {one.rule for case in cases() for one in case.expectations}
    loud = {one.rule.key for one in compiled().correlations.correlations if not one.silent}
    assert loud & hunts().keys() <= expected


Answer = Callable[[str], Hunt | Refusal]


@pytest.fixture
def answer(tmp_path: Path) -> Answer:
    """What a correlation over `opened` and `deleted` becomes."""

    def convert(correlation: str) -> Hunt | Refusal:
        (tmp_path / "rules.yml").write_text(RULES + correlation)
        loaded = load_quietly([tmp_path])
        assert not loaded.broken, loaded.diagnostics
        (one,) = loaded.compiled.correlations.correlations
        return hunt_for_correlation(one, loaded.compiled.user, Language.ESQL)

    return convert


def happened(*moments: tuple[int, str]) -> list[dict[str, list[Any]]]:
    """Rows of things that one user did, each at a second."""
    return [
        {
            "@timestamp": [f"2026-11-28T12:00:{second:02d}.000+00:00"],
            "event.action": [action],
            "fileaudit.event_id": [f"{number}"],
            "user.id": ["0"],
        }
        for number, (second, action) in enumerate(moments)
    ]


def query(answer: Hunt | Refusal) -> str:
    assert isinstance(answer, Hunt)
    return answer.query


def test_two_rules_are_together_wherever_their_window_begins(answer: Answer) -> None:
    text = query(answer(TEMPORAL))
    for begin in range(30):
        assert run(text, happened((begin, "open"), (begin + 10, "unlink")))
    assert not run(text, happened((0, "open"), (59, "unlink")))
    assert not run(text, happened((0, "open"), (1, "open")))


def test_an_order_is_asked_for(answer: Answer) -> None:
    text = query(answer(TEMPORAL.replace("temporal", "temporal_ordered")))
    assert run(text, happened((0, "open"), (5, "unlink")))
    assert not run(text, happened((0, "unlink"), (5, "open")))


def test_an_event_that_two_rules_have_recorded_counts_once(answer: Answer) -> None:
    count = TEMPORAL.replace("temporal", "event_count") + "    condition: {gte: 2}\n"
    text = query(answer(count))
    (row,) = happened((0, "open"))
    assert not run(text, [row, row])
    assert run(text, happened((0, "open"), (1, "unlink")))


def test_values_that_are_too_long_to_be_indexed_count_as_different_ones(answer: Answer) -> None:
    count = TEMPORAL.replace("temporal", "value_count")
    found = answer(count + "    condition: {field: TargetFilename, gte: 2}\n")
    short = [row | {"file.path": ["/a"]} for row in happened((0, "open"), (1, "unlink"))]
    long = [row | {"_ignored": ["file.path", "message"]} for row in happened((2, "open"), (3, "unlink"))]
    none = happened((4, "open"), (5, "unlink"))
    assert run(query(found), long)
    assert run(query(found), [long[0], short[0]])
    assert not run(query(found), [long[0], long[0]])
    assert not run(query(found), [*short, *none])
    assert isinstance(found, Hunt)
    assert "more than 10,922 characters" in found.odd


def test_some_of_several_rules_are_enough_if_the_condition_says_so(answer: Answer) -> None:
    text = query(answer(TEMPORAL + "    condition: opened or deleted\n"))
    assert run(text, happened((0, "open")))


def test_what_must_not_happen_is_left_out_and_said(answer: Answer) -> None:
    found = answer(TEMPORAL + "    condition: opened and not deleted\n")
    assert run(query(found), happened((0, "open"), (1, "unlink")))
    assert isinstance(found, Hunt)
    assert "what must not, or not so often, is left out" in found.notes[1].message


def test_a_sum_has_no_query(answer: Answer) -> None:
    summed = TEMPORAL.replace("temporal", "value_sum") + "    condition: {field: FileSize, gte: 2}\n"
    found = answer(summed)
    assert isinstance(found, Refusal)
    assert "value_sum" in found.reasons[0].message


def test_a_field_that_documents_do_not_carry_is_no_group(answer: Answer) -> None:
    found = answer(TEMPORAL.replace("UserId", "ArgumentCount"))
    assert isinstance(found, Refusal)
    assert "'ArgumentCount' is no one column of documents" in found.reasons[0].message
