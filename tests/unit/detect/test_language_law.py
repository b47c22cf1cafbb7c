"""The law of the language: what is read without an error compiles, and means what the oracle says."""

import collections
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.oracle import holds
from tests.unit.compiler.strategies import (
    ADDRESSES,
    COMPONENTS,
    EXPRESSIONS,
    MOMENTS,
    NETWORKS,
    NUMBERS,
    REPEATABLE,
    events_for,
)
from tests.unit.rules.examples import rule_text

from fileaudit_engine.compiler.conditions import condition_tree
from fileaudit_engine.compiler.constraint import clauses
from fileaudit_engine.compiler.lower import lower
from fileaudit_engine.compiler.simplify import simplify
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.diagnostics import render
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.rules.ast import Scalar
from fileaudit_engine.rules.chains import problems, resolve
from fileaudit_engine.rules.lint.walk import items_of
from fileaudit_engine.rules.modifiers import MODIFIERS
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import parse_text

OPTIONS = RuleOptions(
    allow_unknown_fields=True,
    placeholders={"names": ("etc", "s*"), "empty": (), "odd": ("\\", "%names%", "")},
    timezone="Asia/Kolkata",
)
FIELDS = (
    "TargetFilename",
    "TargetFilename",
    "Image",
    "User",
    "UserId",
    "Arguments",
    "UtcTime",
    "Address",
    "",
)
TEXTS = st.one_of(
    st.sampled_from(
        (
            *COMPONENTS[:10],
            *NETWORKS,
            *ADDRESSES,
            *MOMENTS,
            "%names%",
            "/%names%/%odd%",
            "%empty%",
            "Image",
            "User",
        )
    ),
    st.text("ab/*?\\%-. 1", max_size=8),
    st.sampled_from(COMPONENTS[:10]).map("/{}".format),
)
SCALARS = st.one_of(
    TEXTS, TEXTS, st.integers(-2, 70), st.sampled_from((0.5, 1e30, 2026)), st.none(), st.booleans()
)


@st.composite
def items(draw: st.DrawFn) -> tuple[str, object]:
    """A key with modifiers that can mostly stand together, and values that mostly fit them."""
    first = draw(st.sampled_from(sorted(MODIFIERS)))
    chain = ["re", first] if MODIFIERS[first].after else [first]
    field = draw(st.sampled_from([name for name in FIELDS if _fits(name, first)] or FIELDS))
    for name in draw(st.lists(st.sampled_from(sorted(MODIFIERS)), max_size=3)):
        if not problems([*chain, name], keyword=not field) or draw(st.integers(0, 19)) == 0:
            chain.append(name)
    value = _fitting(chain) if draw(st.integers(0, 5)) else SCALARS
    return "|".join((field, *chain)), draw(st.one_of(value, st.lists(value, min_size=1, max_size=3)))


def _fits(field: str, name: str) -> bool:
    row = BY_NAME.get(field)
    return MODIFIERS[name].keyword if not field else row is None or row.type in MODIFIERS[name].fields


def _fitting(chain: list[str]) -> st.SearchStrategy[Scalar]:  # noqa: PLR0911 - one return a comparison
    if problems(chain):
        return SCALARS
    resolved = resolve(chain)
    match resolved.kind:
        case "exists":
            return st.booleans()
        case _ if resolved.part:
            return st.integers(*resolved.part.range) | st.integers(0, 31)
        case "lt" | "lte" | "gt" | "gte":
            return st.sampled_from(NUMBERS)
        case "cidr":
            return st.sampled_from(NETWORKS)
        case "re":
            return st.sampled_from(EXPRESSIONS)
        case "under":
            return st.sampled_from(("/", "/etc", "/etc/", "/a/b", "/%names%"))
        case _ if resolved.reference:
            return st.sampled_from(("TargetFilename", "Image", "User", "UserId", "Arguments", "Address"))
        case _:
            return TEXTS


def detections() -> st.SearchStrategy[object]:
    maps = st.lists(items(), min_size=1, max_size=2).map(dict)
    return st.one_of(maps, maps, st.lists(maps | TEXTS, min_size=1, max_size=2), TEXTS)


def test_what_is_read_without_an_error_means_what_the_oracle_says() -> None:
    seen: collections.Counter[str] = collections.Counter()
    used: set[str] = set()

    @settings(REPEATABLE, max_examples=1_500)
    @given(detections(), st.integers(0, 2**32))
    def law(detection: object, seed: int) -> None:
        loaded = parse_text(rule_text(json.dumps(detection)), options=OPTIONS)
        render(loaded.diagnostics, loaded.sources)
        assert all(finding.help for finding in loaded.diagnostics)
        seen["refused"] += not loaded.rules
        for rule in loaded.rules:
            used.update(name for item in items_of(rule) for name in item.modifiers)
            predicate = simplify(lower(rule).predicate)
            condition_tree(predicate, clauses(predicate))
            answers = matcher(predicate)
            for happened in events_for([predicate], seed=seed, count=6):
                assert answers(happened) is holds(predicate, happened)
                seen["matched"] += answers(happened)
                seen["not matched"] += not answers(happened)

    law()
    assert used == set(MODIFIERS)
    assert seen["refused"] >= 200
    assert seen["matched"] >= 200
    assert seen["not matched"] >= 1_000
