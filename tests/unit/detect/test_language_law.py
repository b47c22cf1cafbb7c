"""The law of the language: what is read without an error compiles, and means what the oracle says."""

import collections
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.oracle import holds
from tests.unit.compiler.strategies import ADDRESSES, COMPONENTS, MOMENTS, NETWORKS, REPEATABLE, events_for
from tests.unit.rules.examples import rule_text

from fileaudit_engine.compiler.conditions import condition_tree
from fileaudit_engine.compiler.constraint import clauses
from fileaudit_engine.compiler.lower import lower
from fileaudit_engine.compiler.simplify import simplify
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.diagnostics import render
from fileaudit_engine.rules.chains import problems
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
    """A key with modifiers that can mostly stand together, and a value or a list of them."""
    field = draw(st.sampled_from(FIELDS))
    chain: list[str] = []
    for name in draw(st.lists(st.sampled_from(sorted(MODIFIERS)), max_size=4)):
        if not problems([*chain, name], keyword=not field) or draw(st.integers(0, 19)) == 0:
            chain.append(name)
    value = draw(st.one_of(SCALARS, st.lists(SCALARS, min_size=1, max_size=3)))
    return "|".join((field, *chain)), value


def detections() -> st.SearchStrategy[object]:
    maps = st.lists(items(), min_size=1, max_size=2).map(dict)
    return st.one_of(maps, maps, st.lists(maps | TEXTS, min_size=1, max_size=2), TEXTS)


def test_what_is_read_without_an_error_means_what_the_oracle_says() -> None:
    seen: collections.Counter[str] = collections.Counter()

    @settings(REPEATABLE, max_examples=1_500)
    @given(detections(), st.integers(0, 2**32))
    def law(detection: object, seed: int) -> None:
        loaded = parse_text(rule_text(json.dumps(detection)), options=OPTIONS)
        render(loaded.diagnostics, loaded.sources)
        assert all(finding.help for finding in loaded.diagnostics)
        seen["refused"] += not loaded.rules
        for rule in loaded.rules:
            predicate = simplify(lower(rule).predicate)
            condition_tree(predicate, clauses(predicate))
            answers = matcher(predicate)
            for happened in events_for([predicate], seed=seed, count=6):
                assert answers(happened) is holds(predicate, happened)
                seen["matched"] += answers(happened)
                seen["not matched"] += not answers(happened)

    law()
    assert seen["refused"] >= 200
    assert seen["matched"] >= 200
    assert seen["not matched"] >= 1_000
