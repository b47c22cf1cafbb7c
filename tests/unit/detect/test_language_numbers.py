"""What numbers, addresses of networks and parts of dates mean for an event.

Each test is a decision where the specification leaves one to the engine, or where engines go wrong.
"""

import datetime as dt

import pytest
from tests.unit.compiler.examples import event
from tests.unit.detect.language import holds, with_extra

# --- numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "yes", "no"),
    [
        ("lt: 5", (4, "4", "4.9", -(10**30), "-1e309"), (5, "5", "1e309", "x", True, "1" * 65, "nan", "")),
        ("lte: 5", (5, "5.0", "+5"), (6, "5.1")),
        ("gt: 5", (6, "5.1", "1e309", 10**30), (5, "-1e309", "infinity", False, "0x10")),
        ("gte: 5", (5, "5.0", "5e0"), (4, "4.99")),
        ("gte: 5.5", ("5.5", 6), ("5.4", 5)),
        ("gt: 9007199254740992", ("9007199254740993", 9007199254740993, "9007199254740993.0"),
         (9007199254740992, "9007199254740992")),
        ("gt|all: [5, 8]", (9,), (6,)),
    ],
)  # fmt: skip
def test_numbers_compare_with_numbers_and_with_texts_that_are_one(
    item: str, yes: tuple[object, ...], no: tuple[object, ...]
) -> None:
    assert [value for value in yes if not holds(f"{{Number|{item}}}", with_extra(Number=value))] == []
    assert [value for value in no if holds(f"{{Number|{item}}}", with_extra(Number=value))] == []
    assert not holds(f"{{Number|{item}}}", event())


def test_large_whole_numbers_are_equal_exactly() -> None:
    number = "{Number: 9007199254740993}"
    assert holds(number, with_extra(Number=9007199254740993))
    assert holds(number, with_extra(Number="9007199254740993.0"))
    assert not holds(number, with_extra(Number=9007199254740992))
    assert not holds(number, with_extra(Number="9007199254740992"))


def test_any_member_of_a_list_may_be_less() -> None:
    assert holds("{Numbers|lt: 5}", with_extra(Numbers=[9, 4]))
    assert not holds("{Numbers|lt: 5}", with_extra(Numbers=[9, 8]))


# --- networks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "yes", "no"),
    [
        ("10.0.0.0/8", ("10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3", "::FFFF:0a01:0203"),
         ("11.0.0.1", "10.1", "10.0.0.256", "010.0.0.1", "10.0.0.1 ", "10.0.0.0/8", "", "x", "9" * 5_000)),
        ("2001:db8::/32", ("2001:db8::1", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1%eth0", "2001:db8::1.2.3.4"),
         ("2001:db9::1", "[2001:db8::1]", "10.0.0.1")),
        ("fe80::/10", ("fe80::1%" + "z" * 5_000,), ("fec0::1",)),
        ("10.1.2.3/8", ("10.9.9.9",), ("11.0.0.1",)),
        ("127.0.0.1", ("127.0.0.1",), ("127.0.0.2",)),
        ("::ffff:0:0/96", ("::ffff:1.2.3.4",), ("1.2.3.4",)),
        ("0.0.0.0/0", ("1.2.3.4", "::ffff:1.2.3.4"), ("::1",)),
    ],
)  # fmt: skip
def test_an_address_is_in_its_network_however_it_is_spelled(
    network: str, yes: tuple[str, ...], no: tuple[str, ...]
) -> None:
    item = f"{{Ip|cidr: '{network}'}}"
    assert [text for text in yes if not holds(item, with_extra(Ip=text))] == []
    assert [text for text in no if holds(item, with_extra(Ip=text))] == []


def test_a_number_is_no_address() -> None:
    assert not holds("{Ip|cidr: 0.0.0.0/0}", with_extra(Ip=16909060))


# --- dates -------------------------------------------------------------------------------------------------

NIGHT = "2026-11-22T23:30:00.123456789Z"  # a Sunday, week 47; in Berlin it is Monday 00:30 of week 48


@pytest.mark.parametrize(
    ("item", "utc", "berlin"),
    [
        ("minute: 30", True, True),
        ("hour: 23", True, False),
        ("hour: 0", False, True),
        ("hour|gte: 22", True, False),
        ("hour|lt: 6", False, True),
        ("hour|neq: 23", False, True),
        ("day: 22", True, False),
        ("day: [1, 23]", False, True),
        ("week: 47", True, False),
        ("week: 48", False, True),
        ("month: 11", True, True),
        ("year: 2026", True, True),
        ("year|gt: 2026", False, False),
    ],
)
def test_a_part_of_a_date_is_counted_in_the_zone_of_the_user(item: str, utc: bool, berlin: bool) -> None:  # noqa: FBT001
    happened = with_extra(When=NIGHT)
    assert holds(f"{{When|{item}}}", happened) is utc
    assert holds(f"{{When|{item}}}", happened, zone="Europe/Berlin") is berlin


def test_weeks_are_those_of_iso_8601() -> None:
    assert holds("{When|week: 53}", with_extra(When="2021-01-01T00:00:00Z"))
    assert holds("{When|week: 1}", with_extra(When="2024-12-31T00:00:00Z"))


@pytest.mark.parametrize(
    "text", ["2026-11-22T22:00:00-01:30", "2026-11-23T05:00:00+05:30", "2026-11-22 23:30:00Z"]
)
def test_an_offset_from_utc_is_counted_in(text: str) -> None:
    assert holds("{When|hour: 23}", with_extra(When=text))
    assert holds("{When|minute: 30}", with_extra(When=text))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "2026-11-22",
        "2026-13-01T00:00:00Z",
        1763854200,
        True,
        "2" * 5_000,
        "0000-00-00T00:00:00Z",
    ],
)
def test_what_is_no_moment_has_no_parts(value: object) -> None:
    assert not holds("{When|hour|gte: 0}", with_extra(When=value))
    assert holds("{When|hour|neq: 0}", with_extra(When=value))


def test_summer_time_is_counted_in() -> None:
    moment = dt.datetime(2026, 7, 1, 21, tzinfo=dt.timezone.utc).isoformat()
    assert holds("{When|hour: 23}", with_extra(When=moment), zone="Europe/Berlin")
