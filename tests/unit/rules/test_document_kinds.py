"""Whatever stands in a document, of whatever type it is: it ends as findings, never as a traceback."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.rules.correlations import RULES

from fileaudit_engine.diagnostics import render
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.rules.schema import DocumentKind, schema_of

SECTIONS: dict[DocumentKind, str] = {"rule": "detection", "filter": "filter", "correlation": "correlation"}
WORDS = [
    "",
    "x",
    "a",
    "any",
    "selection",
    "not a",
    "1 of them",
    "sigma",
    "event_count",
    "value_percentile",
    "temporal",
    "a and not b",
    "5m",
    "2026-01-02",
]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 101),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([*WORDS, "attack.t1003", "929a690e-bef0-4204-a928-ef5e620d6fcc", "y" * 300]),
    st.text(max_size=8),
)
KEYS = """a who rules condition type field gte lt group-by timespan aliases percentile generate selection
User User|contains product category id |all | x"""
keys = st.sampled_from(KEYS.split())
data = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=5)),
    max_leaves=15,
)


@pytest.mark.parametrize("kind", SECTIONS)
@given(drawn=st.data())
@settings(derandomize=True, database=None, deadline=None, max_examples=60)
def test_any_document_ends_as_findings(kind: DocumentKind, drawn: st.DataObject) -> None:
    attributes = st.sampled_from([*schema_of(kind)["properties"], "other"])
    document: dict[str, Any] = {
        "title": "x",
        "logsource": {"product": "linux", "category": "file_access"},
        SECTIONS[kind]: drawn.draw(st.dictionaries(keys, data, max_size=6)),
        **drawn.draw(st.dictionaries(attributes, data, max_size=4)),
    }
    loaded = parse_text(f"{json.dumps(document)}\n---\n{RULES}")
    read = [*loaded.rules[:-3], *loaded.filters, *loaded.correlations]
    assert render(loaded.diagnostics, loaded.sources) or read
