"""Pairing expectations with alerts: as many as possible, whatever their order."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.ruletest.compare import Pairing

ACCEPTS = st.lists(st.lists(st.integers(0, 5), max_size=6, unique=True), max_size=6)


def most(accepts: list[list[int]]) -> int:
    """The size of the largest pairing, by trying every order of the alerts."""
    return max(
        sum(alert in alerts for alert, alerts in zip(order, accepts, strict=False))
        for order in itertools.permutations(range(6))
    )


@given(ACCEPTS)
def test_no_pairing_is_larger(accepts: list[list[int]]) -> None:
    assert len(Pairing(accepts).alert_of) == most(accepts)


@given(ACCEPTS)
def test_each_pair_fits_and_nothing_is_in_two_pairs(accepts: list[list[int]]) -> None:
    pairing = Pairing(accepts)
    assert all(alert in accepts[expectation] for expectation, alert in pairing.alert_of.items())
    assert pairing.expectation_of == {alert: e for e, alert in pairing.alert_of.items()}


def test_a_vague_expectation_leaves_the_alert_to_an_exact_one() -> None:
    assert Pairing([[0, 1], [0]]).alert_of == {0: 1, 1: 0}


def test_a_long_chain_of_moves_needs_no_deep_stack() -> None:
    size = 5_000
    accepts = [[number, number + 1] for number in range(size)] + [[0]]
    assert len(Pairing(accepts).alert_of) == size + 1
