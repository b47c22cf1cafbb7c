"""The law of hunts in ES|QL, which the test node does not have: what is written is read and evaluated."""

import functools

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.compiler.hunt.esql_reader import where
from tests.unit.compiler.hunt.hunting import field_tests, is_odd, located, prepared, recorded
from tests.unit.compiler.hunt.rows import mapping, row_of
from tests.unit.compiler.strategies import REPEATABLE, events_for, predicates
from tests.unit.events.examples import EVERYTHING, HOSTILE, SHADOW

from fileaudit_engine.compiler.hunt.conditions import Language
from fileaudit_engine.compiler.hunt.esql import in_esql
from fileaudit_engine.compiler.hunt.translate import hunted
from fileaudit_engine.compiler.ir import EqualsNumber, Predicate, Test
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.fields import BY_NAME
from fileaudit_engine.events.model import FileEvent

SAMPLE: tuple[FileEvent, ...] = tuple(
    located(event)
    for event in (
        SHADOW,
        EVERYTHING,
        msgspec.structs.replace(SHADOW, path=HOSTILE),
        msgspec.structs.replace(
            EVERYTHING, path="/\u017frv/\u0130", user_name="ROOT", link_target='a*b?c\\d"e'
        ),
        msgspec.structs.replace(EVERYTHING, path="/" + "x" * 11_000, result=2**64 - 1),
    )
)


def kept(predicate: Predicate, events: list[FileEvent]) -> None:
    """The law: nothing is missed, and what is found besides is odd or said."""
    found = hunted(predicate, Language.ESQL)
    passes, holds = where(in_esql(found.condition)), matcher(predicate)
    for event in events:
        told = passes(row_of(recorded(event), mapping_once()))
        assert told or not holds(event)
        assert holds(event) or not told or found.gaps or is_odd(event)


@functools.cache
def mapping_once() -> dict[str, object]:
    return dict(mapping())


@settings(REPEATABLE, max_examples=400)
@given(field_tests(SAMPLE))
def test_a_hunt_finds_what_a_test_of_any_field_is_true_of(predicate: Predicate) -> None:
    kept(prepared(predicate), list(SAMPLE))


@settings(REPEATABLE, max_examples=400)
@given(
    st.sampled_from((0, 7, -7, 10**16, 10**20)),
    st.sampled_from(("", "+", "-")),
    st.sampled_from(("7", "007", "6", "10", "1" + "0" * 16, "1" + "0" * 20, "0", "", "9" * 16, "9" * 20)),
    st.sampled_from(
        ("", ".", ".0", "." + "0" * 22 + "1", "." + "9" * 20, ".5", "e0", ".7e1", "." + "9" * 13)
    ),
)
@example(7, "", "7", "." + "0" * 21 + "1")
@example(7, "", "6", "." + "9" * 20)
@example(10**20, "", "1" + "0" * 20, ".5")
def test_a_hunt_finds_each_text_that_the_engine_takes_for_a_number(
    number: int, sign: str, digits: str, rest: str
) -> None:
    event = located(msgspec.structs.replace(EVERYTHING, user_name=f"{sign}{digits}{rest}"))
    kept(prepared(Test(field=BY_NAME["User"], check=EqualsNumber(number=number))), [event])


@settings(REPEATABLE, max_examples=100)
@given(predicates(), st.integers(0, 99))
def test_a_hunt_finds_what_a_whole_rule_is_true_of(predicate: Predicate, seed: int) -> None:
    kept(prepared(predicate), [located(event) for event in events_for([predicate], seed=seed, count=20)])


@pytest.mark.parametrize("event", SAMPLE)
def test_a_document_of_an_event_has_the_columns_that_all_of_them_have(event: FileEvent) -> None:
    row = row_of(recorded(event), mapping_once())
    assert {
        "event.action",
        "event.outcome",
        "fileaudit.errno",
        "process.pid",
        "fileaudit.event_id",
    } <= row.keys()
