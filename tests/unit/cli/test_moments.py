"""What users write for moments, and what range it makes."""

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.cli.moments import DAY_NS, add_range, moment, moment_option, range_of
from fileaudit_engine.diagnostics import UnusableInput, render
from fileaudit_engine.events.times import LAST_NS, parse_rfc3339, rfc3339

NOW_NS = parse_rfc3339("2026-11-28T14:30:00.5Z")
HOUR_NS = 3_600_000_000_000


def begins(text: str) -> str:
    return rfc3339(moment(text).first(NOW_NS))


def ends(text: str) -> str:
    return rfc3339(moment(text).end(NOW_NS))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-11-28T14:30:00.500000000Z"),
        ("today", "2026-11-28T00:00:00.000000000Z"),
        ("yesterday", "2026-11-27T00:00:00.000000000Z"),
        ("-1h", "2026-11-28T13:30:00.500000000Z"),
        ("-1h30m", "2026-11-28T13:00:00.500000000Z"),
        ("-7d", "2026-11-21T14:30:00.500000000Z"),
        ("-2w", "2026-11-14T14:30:00.500000000Z"),
        ("-0.5s", "2026-11-28T14:30:00.000000000Z"),
        ("2026-11-03", "2026-11-03T00:00:00.000000000Z"),
        ("2026-11-03T09:30", "2026-11-03T09:30:00.000000000Z"),
        ("2026-11-03 09:30:15", "2026-11-03T09:30:15.000000000Z"),
        ("2026-11-03T09:30:15.25", "2026-11-03T09:30:15.250000000Z"),
        ("2026-11-03T09:30Z", "2026-11-03T09:30:00.000000000Z"),
        ("2026-11-03T09:30:00+01:00", "2026-11-03T08:30:00.000000000Z"),
        ("2026-11-03T09:30:15.123456789Z", "2026-11-03T09:30:15.123456789Z"),
    ],
)
def test_a_range_begins_with_the_moment(text: str, expected: str) -> None:
    assert begins(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-03", "2026-11-04T00:00:00.000000000Z"),
        ("today", "2026-11-29T00:00:00.000000000Z"),
        ("yesterday", "2026-11-28T00:00:00.000000000Z"),
        ("now", "2026-11-28T14:30:00.500000000Z"),
        ("2026-11-03T00:00Z", "2026-11-03T00:00:00.000000000Z"),
    ],
)
def test_a_range_that_ends_with_a_day_has_all_of_it(text: str, expected: str) -> None:
    assert ends(text) == expected


def test_what_is_further_back_than_the_epoch_begins_with_it() -> None:
    assert moment("-9000w").first(NOW_NS) == 0


def test_the_last_day_that_a_store_can_hold_ends_with_the_last_moment() -> None:
    assert moment("2262-04-11").end(NOW_NS) == LAST_NS


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "--1h", "-h", "-1x", "- 1h", "-\u0661h", "NOW ", "26-11-28", "\u0661234-01-01"),
        *("2026-13-01", "2026-02-30", "2026-11-28T25:00", "2026-11-28T10:00:00+99:00"),
        *("0000-01-01", "1969-12-31", "9999-01-01"),
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        moment(text)


@pytest.mark.parametrize(
    ("text", "remedy"), [("1h", "did you mean '-1h'"), ("yesteday", "did you mean 'yesterday'"), ("x", "-7d")]
)
def test_a_refusal_says_what_was_meant(text: str, remedy: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=remedy):
        moment_option(text)


def test_a_refusal_repeats_neither_megabytes_nor_what_acts_on_a_terminal() -> None:
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        moment_option("\x1b[31m" + "9" * 1_000_000)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_an_option_takes_a_moment_that_begins_with_a_minus() -> None:
    parser = argparse.ArgumentParser()
    add_range(parser, since="always", until="now")
    args = parser.parse_args(["--since", "-1h30m", "--until", "-1m"])
    assert range_of(args.since, args.until, NOW_NS) == (NOW_NS - HOUR_NS * 3 // 2, NOW_NS - HOUR_NS // 60)


def test_two_days_are_a_range_with_both() -> None:
    first, end = range_of(moment("2026-11-01"), moment("2026-11-30"), NOW_NS)
    assert first is not None
    assert end is not None
    assert end - first == 30 * DAY_NS


def test_what_is_left_out_is_open() -> None:
    assert range_of(None, None, NOW_NS) == (None, None)


def test_an_empty_range_is_refused_with_its_place_and_a_remedy() -> None:
    with pytest.raises(UnusableInput) as refused:
        range_of(moment("2026-11-28"), moment("2026-11-27"), NOW_NS)
    assert render(refused.value.diagnostics, refused.value.sources) == (
        "<options>:1:20: error[FA098]: the range of time is empty: it ends before it begins\n"
        "  │\n"
        "1 │ --since 2026-11-28 --until 2026-11-27\n"
        "  │                    ^^^^^^^^^^^^^^^^^^ 2026-11-28T00:00:00.000000000Z is not after"
        " 2026-11-28T00:00:00.000000000Z\n"
        "  = help: let --until be later than --since"
    )


@given(st.integers(0, LAST_NS))
def test_what_the_engine_prints_is_a_moment(ts_ns: int) -> None:
    assert moment(rfc3339(ts_ns)).first(NOW_NS) == ts_ns


@given(st.text(max_size=70))
def test_any_text_is_a_moment_or_is_refused(text: str) -> None:
    try:
        found = moment(text)
    except ValueError:
        return
    assert 0 <= found.first(NOW_NS) <= found.end(NOW_NS) <= LAST_NS
