"""Why a correlation stayed silent: what it heard, how close that came, and what did not count."""

from pathlib import Path

from tests.unit.ruletest.correlated_packs import (
    BOTH,
    IN_ORDER,
    MANY,
    ONLY_READ,
    RENAMED,
    TRIO,
    correlation,
    opened,
    renames,
)
from tests.unit.ruletest.packs import OPEN_SHADOW, one_case, run


def reasons(folder: Path, rules: tuple[str, ...], *events: str, expected: str) -> list[str]:
    """Why the one expected alert is missing."""
    case = one_case(folder, events=events, alerts=(f"{{rule: {expected}}}",))
    (missing,) = run(case, *rules).missing
    return list(missing.reasons)


def why_not_many(folder: Path, *events: str) -> list[str]:
    return reasons(folder, (RENAMED, MANY), *events, expected="many_renamed")


def values(function: str, condition: str, field: str = "FileSize") -> str:
    return correlation(
        "numbers",
        f"type: {function}, rules: [renamed], group-by: [ProcessId], timespan: 1m, "
        f"condition: {{{condition}, field: {field}}}",
    )


def sized(time: str, size: str) -> str:
    return f"{{at: {time}, Operation: rename, TargetFilename: /home/a, ProcessId: 7, FileSize: {size}}}"


def test_the_closest_group_is_told_with_its_number(tmp_path: Path) -> None:
    assert why_not_many(tmp_path, *renames("0s", "58s")) == [
        "renamed matched 2 times",
        "the most that came together were 2 of 3, for ProcessId 7, at 58s",
    ]


def test_what_would_be_enough_in_a_longer_window_is_told(tmp_path: Path) -> None:
    assert why_not_many(tmp_path, *renames("0s", "1m", "2m3s")) == [
        "renamed matched 3 times",
        "the most that came together were 2 of 3, for ProcessId 7, at 1m",
        "3 came for it within 2m3s, but not within 1m",
    ]


def test_what_would_be_enough_in_one_group_is_told(tmp_path: Path) -> None:
    events = (*renames("0s", "1s"), *renames("2s", pid=8))
    assert why_not_many(tmp_path, *events) == [
        "renamed matched 3 times",
        "the most that came together were 2 of 3, for ProcessId 7, at 1s",
        "all 3 would be enough, but count apart: they are 2 groups by ProcessId",
    ]


def test_late_events_are_told(tmp_path: Path) -> None:
    assert why_not_many(tmp_path, *renames("1s", "2s", "1s799ms"))[-1] == (
        "1 event came more than 200ms late: late ones are not correlated"
    )


def test_of_a_rule_that_never_matched_it_is_told_why(tmp_path: Path) -> None:
    elsewhere = "{at: 1s, Operation: rename, TargetFilename: /tmp/a}"
    assert why_not_many(tmp_path, elsewhere) == [
        "renamed never matched",
        "renamed: rename /tmp/a at 1s: 'selection' does not hold (TargetFilename is '/tmp/a')",
    ]


def test_a_chain_is_followed_to_the_rule_that_never_matched(tmp_path: Path) -> None:
    outer = correlation(
        "outer", "type: event_count, rules: [many_renamed], group-by: [], timespan: 1h, condition: {gte: 1}"
    )
    found = reasons(tmp_path, (RENAMED, MANY, outer), OPEN_SHADOW, expected="outer")
    assert found == [
        "many_renamed never was raised",
        "many_renamed: renamed never matched",
        "many_renamed: no event then is of its log source, file_rename (rename)",
    ]


def test_only_what_could_have_helped_is_told_of_what_never_matched(tmp_path: Path) -> None:
    either = correlation(
        "either",
        "type: temporal, rules: [renamed, shadow_file_read, shadow_written], group-by: [User], timespan: 1m, "
        "condition: renamed and (shadow_file_read or shadow_written)",
    )
    found = reasons(tmp_path, (RENAMED, *TRIO, either), opened("0s"), expected="either")
    assert [reason for reason in found if ": " in reason] == [
        "renamed: no event then is of its log source, file_rename (rename)"
    ]
    found = reasons(tmp_path, (RENAMED, *TRIO, either), *renames("0s"), expected="either")
    assert [reason.partition(":")[0] for reason in found if ": " in reason] == [
        "shadow_file_read",
        "shadow_written",
    ]


def test_where_any_rule_counts_one_that_never_matched_is_not_to_blame(tmp_path: Path) -> None:
    any_of = correlation(
        "any_of",
        "type: event_count, rules: [shadow_file_read, shadow_written], group-by: [User], timespan: 1m, "
        "condition: {gte: 2}",
    )
    assert reasons(tmp_path, (*TRIO, any_of), opened("0s"), expected="any_of") == [
        "shadow_file_read matched 1 time, shadow_written never matched",
        "the most that came together were 1 of 2, for User alice, at 0s",
    ]


def test_of_several_that_come_as_close_the_one_nearest_to_the_expected_time_is_told(tmp_path: Path) -> None:
    events = (*renames("0s", pid=7), *renames("10s", pid=8), *renames("20s", pid=9))
    case = one_case(tmp_path, events=events, alerts=("{rule: many_renamed, at: 12s}",))
    assert run(case, RENAMED, MANY).missing[0].reasons[1] == (
        "the most that came together were 1 of 3, for ProcessId 8, at 10s"
    )


def test_the_same_reasons_are_not_told_twice(tmp_path: Path) -> None:
    case = one_case(tmp_path, events=renames("0s"), alerts=("{rule: many_renamed}",) * 2)
    first, second = run(case, RENAMED, MANY).missing
    assert len(first.reasons) == 2
    assert second.reasons == ("for the same reasons as the one above",)


def test_different_values_are_counted_not_events(tmp_path: Path) -> None:
    events = [sized(f"{second}s", "1") for second in range(4)]
    rule = values("value_count", "gte: 2", "TargetFilename")
    assert reasons(tmp_path, (RENAMED, rule), *events, expected="numbers") == [
        "renamed matched 4 times",
        "the most that came together were 1 of 2 different files, for ProcessId 7, at 0s",
    ]


def test_the_nearest_number_is_told_where_none_was_reached(tmp_path: Path) -> None:
    events = (sized("0s", "100"), sized("1s", "200"), sized("2m", "50"))
    found = reasons(tmp_path, (RENAMED, values("value_sum", "gt: 1000")), *events, expected="numbers")
    assert found[1:] == ["the closest: the sum of FileSize is 300, for ProcessId 7, at 1s"]
    found = reasons(tmp_path, (RENAMED, values("value_avg", "lt: 10")), *events, expected="numbers")
    assert found[1:] == ["the closest: the average of FileSize is 50, for ProcessId 7, at 2m"]
    found = reasons(tmp_path, (RENAMED, values("value_median", "eq: 149")), *events, expected="numbers")
    assert found[1:] == ["the closest: the median of FileSize is 150, for ProcessId 7, at 1s"]


def test_events_without_a_value_are_told(tmp_path: Path) -> None:
    rule = values("value_sum", "gt: 1000")
    found = reasons(tmp_path, (RENAMED, rule), *renames("0s", "1s"), expected="numbers")
    assert found == ["renamed matched 2 times", "2 times there was no FileSize that counts"]


def test_what_should_come_together_is_told_with_where_the_rest_was(tmp_path: Path) -> None:
    found = reasons(
        tmp_path, (*TRIO, BOTH), opened("0s"), opened("61s", "write"), expected="read_and_written"
    )
    assert found == [
        "shadow_file_read matched 1 time, shadow_written matched 1 time",
        "shadow_file_read came alone, for User alice, at 0s",
        "shadow_written came at 1m1s, not within 1m of that",
    ]
    found = reasons(
        tmp_path, (*TRIO, BOTH), opened("0s"), opened("1s", "write", "bob"), expected="read_and_written"
    )
    assert found[2:] == ["shadow_written came for User bob, at 1s"]


def test_the_wrong_order_is_told(tmp_path: Path) -> None:
    found = reasons(
        tmp_path, (*TRIO, IN_ORDER), opened("0s", "write"), opened("1s"), expected="read_then_written"
    )
    assert found[1:] == [
        "the most that came together were shadow_file_read and shadow_written, for User alice, at 1s",
        "they came in another order: shadow_written at 0s, shadow_file_read at 1s",
    ]


def test_what_must_not_come_and_came_is_told(tmp_path: Path) -> None:
    found = reasons(tmp_path, (*TRIO, ONLY_READ), opened("5s"), opened("9s", "write"), expected="only_read")
    assert found[1:] == [
        "shadow_file_read came alone, for User alice, at 5s",
        "shadow_file_read at 5s, for User alice: shadow_written at 9s is within 1m of it",
    ]


def test_where_only_what_must_not_come_came_there_is_nothing_to_wait_for(tmp_path: Path) -> None:
    found = reasons(tmp_path, (*TRIO, ONLY_READ), opened("9s", "write"), expected="only_read")
    assert found[1] == "shadow_written alone is not what it waits for"


def test_a_rule_that_is_heard_only_through_a_correlation_says_so(tmp_path: Path) -> None:
    found = reasons(tmp_path, (RENAMED, MANY), *renames("0s"), expected="renamed")
    assert found == [
        "it is silent because 'many_renamed' refers to it: 'generate: true' there makes it heard, too",
        "it would have been raised 1 time",
    ]
    found = reasons(tmp_path, (RENAMED, MANY), OPEN_SHADOW, expected="renamed")
    assert found[1:] == ["no event then is of its log source, file_rename (rename)"]


def test_groups_that_lack_a_field_and_empty_ones_are_told(tmp_path: Path) -> None:
    rule = MANY.replace("[ProcessId]", "[User, Image]")
    event = "{Operation: rename, TargetFilename: /home/a, Image: ''}"
    found = reasons(tmp_path, (RENAMED, rule), event, expected="many_renamed")
    assert found[1] == "the most that came together were 1 of 3, for no User, Image '', at 0s"


def test_huge_groups_do_not_hide_the_reason(tmp_path: Path) -> None:
    rule = MANY.replace("ProcessId", "TargetFilename")
    name = "/home/" + "\\n\\x1b" + "x" * 4_000
    event = f'{{Operation: rename, TargetFilename: "{name}"}}'
    for reason in reasons(tmp_path, (RENAMED, rule), event, expected="many_renamed"):
        assert len(reason) < 500
