"""Times and lengths of time, exact to the nanosecond."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fileaudit_engine.events.times import LAST_NS, SECOND_NS, duration_ns, parse_rfc3339, rfc3339


@given(st.integers(0, LAST_NS))
@settings(derandomize=True, database=None, deadline=None)
def test_a_time_survives_being_written(ts_ns: int) -> None:
    assert parse_rfc3339(rfc3339(ts_ns)) == ts_ns


@pytest.mark.parametrize(
    ("text", "ts_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00.5z", SECOND_NS // 2),
        ("1970-01-01 01:00:00.000000001+01:00", 1),
        ("1969-12-31T23:00:01-01:00", SECOND_NS),
        ("2016-12-31T23:59:60Z", 1_483_228_800 * SECOND_NS),
    ],
)
def test_every_form_of_rfc_3339_is_read(text: str, ts_ns: int) -> None:
    assert parse_rfc3339(text) == ts_ns


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24",
        "2026-11-24T07:30:45",
        "2026-11-24T07:30:45.1234567890Z",
        "2026-11-24T07:30:45+25:00",
        "2026-13-24T07:30:45Z",
        "2026-11-24T07:30:61Z",
        "1969-12-31T23:59:59Z",
        "2262-04-12T00:00:00Z",
        "\uff12026-11-24T07:30:45Z",
        "",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_rfc3339(text)


@pytest.mark.parametrize(
    ("text", "length_ns"),
    [
        ("0", 0),
        ("0s", 0),
        ("150ms", 150_000_000),
        ("2s", 2 * SECOND_NS),
        ("1.5h", 5_400 * SECOND_NS),
        ("1m30s", 90 * SECOND_NS),
        ("90d", 90 * 86_400 * SECOND_NS),
        ("7ns", 7),
        ("0.1us", 100),
    ],
)
def test_lengths_of_time(text: str, length_ns: int) -> None:
    assert duration_ns(text) == length_ns


@pytest.mark.parametrize("text", ["", "2", "s", "2 s", "-2s", "2x", "1e3s", "2s2", "300000d", "\u0662s"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        duration_ns(text)
