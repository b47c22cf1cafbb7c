"""What values the modifiers take, and what is said of the others."""

import pytest
from tests.unit.rules.examples import codes, found_in, item_of, marked, one, rule_text

from fileaudit_engine.diagnostics import Severity
from fileaudit_engine.rules.ast import DetectionMap
from fileaudit_engine.rules.budget import MAX_FORMS_OF_FILE
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import LoadedRules, parse_text

ADMINS = RuleOptions(placeholders={"admins": ("alice", "b*"), "dot": (".",), "nets": ("10.0.0.0/8",)})


def told(item: str) -> tuple[str, str, str, str]:
    """Code, message, place and remedy of the only finding."""
    text = rule_text(f"{{{item}}}")
    found = one(text)
    return found.code, found.message, marked(found, text), found.help


def read(item: str, options: RuleOptions = ADMINS) -> LoadedRules:
    return parse_text(rule_text(f"{{{item}}}"), options=options)


# --- exists, numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["yes", "'true'", "1", "null"])
def test_exists_takes_true_or_false(value: str) -> None:
    code, message, where, remedy = told(f"User|exists: {value}")
    assert (code, where) == ("FA033", value)
    assert message.startswith("expected a truth value, found ")
    assert remedy == "write true or false, without quotes"


def test_exists_takes_one_value() -> None:
    assert told("User|exists: [true, false]")[:3] == ("FA033", "'exists' takes one value", "false")


@pytest.mark.parametrize("modifier", ["lt", "lte", "gt", "gte"])
def test_a_quoted_number_is_no_number_and_the_remedy_takes_the_quotes_off(modifier: str) -> None:
    code, message, where, remedy = told(f"UserId|{modifier}: '1000'")
    assert (code, message, where) == ("FA033", "expected a number, found a text", "'1000'")
    assert remedy == "write 1000, without quotes"


@pytest.mark.parametrize("value", ["high", "0755", "null", "true", "'*'"])
def test_what_is_no_number_is_not_compared_as_one(value: str) -> None:
    assert told(f"UserId|gt: {value}")[0] == "FA033"


@pytest.mark.parametrize("value", [".inf", "-.inf", ".nan", "1e309"])
def test_no_number_of_a_rule_is_infinite(value: str) -> None:
    assert told(f"UserId|gt: {value}")[0] == "FA037"


# --- parts of dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "range_"),
    [
        ("minute: 60", "0 to 59"),
        ("hour: 24", "0 to 23"),
        ("hour: -1", "0 to 23"),
        ("hour|gte: 5.5", "0 to 23"),
        ("day: 0", "1 to 31"),
        ("week: 54", "1 to 53"),
        ("month: 13", "1 to 12"),
        ("year: 0", "1 to 9999"),
    ],
)
def test_a_part_of_a_date_is_a_whole_number_in_its_range(item: str, range_: str) -> None:
    (found,) = read(f"When|{item}", RuleOptions(allow_unknown_fields=True)).diagnostics
    assert found.code == "FA037"
    assert range_ in found.message


def test_a_quoted_hour_is_told_to_lose_its_quotes() -> None:
    (found,) = read("When|hour: '05'", RuleOptions(allow_unknown_fields=True)).diagnostics
    assert (found.code, found.help) == ("FA033", "write 05, without quotes")


def test_only_dates_have_parts() -> None:
    code, message, where, _ = told("User|hour: 5")
    assert (code, message, where) == ("FA032", "'hour' is for dates, and User is none", "hour")


def test_the_time_zone_of_the_user_goes_with_the_item() -> None:
    loaded = read("When|hour: 5", RuleOptions(allow_unknown_fields=True, timezone="Europe/Berlin"))
    detection = loaded.rules[0].detections["selection"]
    assert isinstance(detection, DetectionMap)
    assert detection.items[0].timezone == "Europe/Berlin"


# --- networks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["10.0.0.0/8", "10.0.0.1", "2001:db8::/32", "2001:DB8:0:0::/32", "::1"])
def test_a_network_is_written_as_people_write_it(value: str) -> None:
    assert codes(rule_text(f"{{CommandLine|cidr: '{value}'}}")) == []


@pytest.mark.parametrize(
    ("written", "meant"), [("10.1.2.3/8", "10.0.0.0/8"), ("2001:db8::1/32", "2001:db8::/32")]
)
def test_an_address_inside_of_its_network_is_warned_of_and_taken(written: str, meant: str) -> None:
    loaded = read(f"CommandLine|cidr: '{written}'")
    (found,) = [finding for finding in loaded.diagnostics if finding.code == "FA059"]
    assert found.severity is Severity.WARNING
    assert meant in found.help
    assert len(loaded.rules) == 1


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("10.*", "write '10.0.0.0/8'"),
        ("192.168.*", "write '192.168.0.0/16'"),
        ("192.168.*.*", "write '192.168.0.0/16'"),
        ("10.1.2.*", "write '10.1.2.0/24'"),
        ("2001:*", "such as '10.0.0.0/8'"),
    ],
)
def test_a_network_with_wildcards_is_told_how_it_is_written(value: str, remedy: str) -> None:
    code, message, where, found = told(f"CommandLine|cidr: '{value}'")
    assert (code, message, where) == ("FA033", "a network has no wildcards", f"'{value}'")
    assert remedy in found


@pytest.mark.parametrize(
    "value", ["10.0.0/8", "10.0.0.0/33", "example.org", "''", "fe80::1%eth0/64", "1" * 99]
)
def test_what_is_no_network_is_refused(value: str) -> None:
    assert told(f"CommandLine|cidr: {value}")[0] == "FA033"


# --- paths -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modifier", ["path", "under"])
def test_paths_are_compared_in_fields_that_hold_one(modifier: str) -> None:
    code, message, where, remedy = told(f"User|{modifier}: /etc")
    assert (code, message, where) == ("FA032", f"'{modifier}' is for paths, and User is none", modifier)
    assert "'TargetFilename'" in remedy


def test_a_relative_directory_has_nothing_under_it() -> None:
    code, message, _, remedy = told("TargetFilename|under: etc/ssh")
    assert (code, message) == ("FA033", "'etc/ssh' is no absolute path")
    assert "begin with '/'" in remedy


def test_a_directory_with_wildcards_is_told_of_path() -> None:
    code, _, _, remedy = told("TargetFilename|under: /home/*")
    assert code == "FA033"
    assert "'|path'" in remedy


def test_a_pattern_longer_than_any_path_is_refused() -> None:
    assert told(f"TargetFilename|path: /{'a*' * 2_100}")[0] == "FA033"


# --- references --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ParentImage", "process.parent.executable", "FileName"])
def test_a_reference_names_a_field_as_a_key_would(name: str) -> None:
    assert codes(rule_text(f"{{Image|fieldref: {name}}}")) == []


def test_a_reference_to_no_field_offers_the_nearest() -> None:
    code, message, where, remedy = told("Image|fieldref: ParentImag")
    assert (code, message, where) == ("FA040", "unknown field 'ParentImag'", "ParentImag")
    assert remedy == "did you mean 'ParentImage'?"


def test_a_reference_to_an_unlisted_field_may_be_allowed() -> None:
    loaded = read("Image|fieldref: Whatever", RuleOptions(allow_unknown_fields=True))
    assert len(loaded.rules) == 1


# --- encodings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modifier", ["base64", "base64offset|contains", "wide|base64"])
def test_base64_refuses_wildcards_and_says_how_to_escape_them(modifier: str) -> None:
    code, _, where, remedy = told(f"CommandLine|{modifier}: 'a*b'")
    assert (code, where) == ("FA033", "'a*b'")
    assert "'\\*'" in remedy


@pytest.mark.parametrize("value", ["''", "a", "5"])
def test_a_value_too_short_for_base64offset_is_refused(value: str) -> None:
    assert told(f"CommandLine|base64offset|contains: {value}")[0] == "FA035"


def test_a_value_with_very_many_dashes_is_refused() -> None:
    code, message, _, _ = told("CommandLine|windash|contains: ' -a -b -c -d -e'")
    assert code == "FA039"
    assert "1,024" in message
    assert codes(rule_text("{CommandLine|windash|contains: ' -a -b -c -d'}")) == []


def test_a_file_of_values_with_very_many_forms_is_refused() -> None:
    values = ", ".join(f"' -a -b -c -d {number}'" for number in range(MAX_FORMS_OF_FILE // 625 + 1))
    found = found_in(rule_text(f"{{CommandLine|windash|contains: [{values}]}}"))
    assert {finding.code for finding in found} == {"FA039"}


# --- placeholders ------------------------------------------------------------------------------------------


def expanded(item: str) -> tuple[str, ...]:
    loaded = read(item)
    detection = loaded.rules[0].detections["selection"]
    assert isinstance(detection, DetectionMap)
    return detection.items[0].values[0].expanded


def test_a_placeholder_stands_for_the_values_of_the_configuration() -> None:
    assert expanded("User|expand: '%admins%'") == ("alice", "b*")
    assert expanded("CommandLine|expand|contains: 'x%dot%%admins%'") == ("x.alice", "x.b*")


def test_what_a_placeholder_becomes_is_checked_as_a_value_is() -> None:
    assert read("CommandLine|expand|cidr: '%nets%'").diagnostics == ()
    (found,) = read("CommandLine|expand|cidr: '%admins%'").diagnostics
    assert found.code == "FA033"
    (found,) = read("CommandLine|expand|re: '(%dot%'").diagnostics
    assert found.code == "FA034"
    (found,) = read("CommandLine|expand|base64: '%admins%'").diagnostics
    assert found.code == "FA033"


def test_an_unresolved_placeholder_is_named_and_marked() -> None:
    code, message, where, remedy = told("User|expand: 'x %admins% y'")
    assert (code, message, where) == ("FA038", "the placeholder 'admins' has no value", "%admins%")
    assert "'placeholders:'" in remedy


def test_without_expand_percent_signs_are_text() -> None:
    item = item_of("{User: '%admins%'}")
    assert [(value.value, value.expanded) for value in item.values] == [("%admins%", ())]
