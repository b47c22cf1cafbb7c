"""The hunts for all shipped rules, and for which of them there is none."""

import os
from functools import cache
from pathlib import Path

import pytest
from tests.unit.compiler.hunt.esql_reader import where
from tests.unit.compiler.hunt.rows import mapping

from fileaudit_engine.cli.loading import load_quietly
from fileaudit_engine.compiler.hunt.conditions import Column, Language, columns_of
from fileaudit_engine.compiler.hunt.correlated import hunt_for_correlation
from fileaudit_engine.compiler.hunt.hunts import Hunt, Refusal, hunt_for
from fileaudit_engine.compiler.hunt.translate import hunted
from fileaudit_engine.compiler.stages import Compiled
from fileaudit_engine.resources import rules_dir

GOLDEN = Path(__file__).parents[3] / "golden" / "hunts"


@cache
def compiled() -> Compiled:
    return load_quietly([rules_dir()]).compiled


def hunts(language: Language) -> list[Hunt | Refusal]:
    plan = compiled()
    rules = [hunt_for(rule, language) for rule in plan.user.rules]
    return [
        *rules,
        *(hunt_for_correlation(one, plan.user, language) for one in plan.correlations.correlations),
    ]


def shown(answer: Hunt | Refusal) -> str:
    if isinstance(answer, Refusal):
        return "\n".join((f"# {answer.document.key}: none", *(f"#   {r.message}" for r in answer.reasons)))
    wider = [f"#   wider: {note.message}" for note in answer.notes]
    return "\n".join((f"# {answer.document.key}", *wider, answer.query))


@pytest.mark.parametrize("language", Language)
def test_the_hunts_for_the_shipped_rules_are_these(language: Language) -> None:
    text = "\n\n".join(map(shown, hunts(language))) + "\n"
    golden = GOLDEN / f"{language.value}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text(), "UPDATE_GOLDEN=1 writes it anew"


@pytest.mark.parametrize("language", Language)
def test_every_shipped_rule_has_a_hunt(language: Language) -> None:
    refused = [one.document.key for one in hunts(language) if isinstance(one, Refusal)]
    assert not set(refused) & {rule.rule.key for rule in compiled().user.rules}


def test_a_correlation_has_no_hunt_only_if_it_listens_to_another_one() -> None:
    plans = {one.rule.key: one for one in compiled().correlations.correlations}
    refused = {one.document.key for one in hunts(Language.ESQL) if isinstance(one, Refusal)}
    assert refused == {key for key, one in plans.items() if any(step.chained for step in one.steps)}


def columns(properties: dict[str, object], prefix: str = "") -> set[str]:
    found = set()
    for key, inner in properties.items():
        assert isinstance(inner, dict)
        name = f"{prefix}{key}"
        found |= columns(inner["properties"], f"{name}.") if "properties" in inner else {name}
        found |= {f"{name}.{sub}" for sub in inner.get("fields", {})}
    return found


@pytest.mark.parametrize("language", Language)
def test_every_column_that_a_hunt_asks_for_is_mapped(language: Language) -> None:
    known = columns(dict(mapping())) | {"_ignored"}
    asked: set[Column] = set()
    for rule in compiled().user.rules:
        asked |= set(columns_of(hunted(rule.predicate, language).condition))
    assert {column.name for column in asked} <= known


def test_every_condition_is_read_by_a_strict_reader_of_esql() -> None:
    for answer in hunts(Language.ESQL):
        if isinstance(answer, Hunt):
            for line in answer.query.splitlines():
                if line.startswith("| WHERE"):
                    where(line.removeprefix("| WHERE ").replace(" + ", " AND "))
