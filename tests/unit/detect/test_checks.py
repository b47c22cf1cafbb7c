"""What a single value means: numbers, addresses, moments."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.compiler.ir import DatePart, Operator, Part
from fileaudit_engine.detect import checks
from fileaudit_engine.detect.checks import addresses_of, compares, date_part, number_of
from fileaudit_engine.events.times import LAST_NS, rfc3339


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7),
        ("7", 7),
        ("-07", -7),
        ("7.0", 7),
        ("7.", 7),
        (".5", 0.5),
        ("7e2", 700.0),
        ("1e309", float("inf")),
    ],
)
def test_a_number_is_what_a_value_is_or_spells(value: int | str, number: float) -> None:
    assert number_of(value) == number


@pytest.mark.parametrize("value", ["", " 7", "7 ", "0x7", "nan", "inf", "1_0", "7\n", "\u0667", "1" * 65])
def test_what_spells_no_number_is_none(value: str) -> None:
    assert number_of(value) is None


def test_a_truth_value_is_no_number() -> None:
    assert number_of(True) is None
    assert not compares(Operator.EQ, 1)(True)
    assert not compares(Operator.LT, 5)(False)


@given(st.integers(-(10**60), 10**60))
def test_whole_numbers_are_exact_however_they_are_spelled(number: int) -> None:
    assert number_of(str(number)) == number_of(f"{number}.0") == number
    assert not compares(Operator.EQ, number)(str(number + 1))
    assert compares(Operator.LT, number)(str(number - 1))


def test_a_mapped_address_is_two_and_a_zone_is_cut_off() -> None:
    assert addresses_of("::ffff:1.2.3.4") == (IPv6Address("::ffff:1.2.3.4"), IPv4Address("1.2.3.4"))
    assert addresses_of("fe80::1%eth0") == (IPv6Address("fe80::1"),)
    assert addresses_of("1.2.3") == addresses_of("") == addresses_of("%") == ()


def test_what_is_remembered_is_bounded_in_number_and_in_length() -> None:
    for remembered in (checks._addresses, checks._moment):
        limit = remembered.cache_info().maxsize
        assert limit is not None
        assert limit <= 16_384
    before = checks._addresses.cache_info().currsize
    assert addresses_of("1" * 1_000_000) == ()
    assert checks._addresses.cache_info().currsize == before


@given(st.integers(0, LAST_NS))
def test_the_parts_of_every_moment_are_in_their_ranges(ts_ns: int) -> None:
    text = rfc3339(ts_ns)
    for part in Part:
        first, last = part.range
        for zone in ("UTC", "Pacific/Apia", "America/St_Johns"):
            for operator, number in ((Operator.GTE, first), (Operator.LTE, last)):
                assert date_part(DatePart(part=part, operator=operator, number=number, zone=zone))(text)


def test_the_parts_of_a_moment_are_those_that_its_text_shows() -> None:
    shown = {Part.YEAR: 2026, Part.MONTH: 11, Part.DAY: 24, Part.HOUR: 9, Part.MINUTE: 55, Part.WEEK: 48}
    for part, number in shown.items():
        check = DatePart(part=part, operator=Operator.EQ, number=number, zone="UTC")
        assert date_part(check)("2026-11-24T09:55:59.999999999Z")
