"""What a line of a rule means for an event, from the text of the rule to the answer.

Each test is a decision where the specification leaves one to the engine, or where engines go wrong.
"""

import datetime as dt
from dataclasses import replace

import pytest
from tests.unit.compiler.examples import event
from tests.unit.rules.examples import rule_text

from fileaudit_engine.compiler.lower import lower
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.model import FileEvent, Process
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import parse_text

LENIENT = RuleOptions(
    allow_unknown_fields=True, placeholders={"admins": ("alice", "b*"), "nets": ("10.0.0.0/8", "::1")}
)
DASHES = "-/\u2013\u2014\u2015"


def holds(detection: str, happened: FileEvent, *, condition: str = "selection", zone: str = "UTC") -> bool:
    """Whether a rule with this detection matches the event."""
    options = replace(LENIENT, timezone=zone)
    (rule,) = parse_text(rule_text(detection, condition), options=options).rules
    return matcher(lower(rule).predicate)(happened)


def with_extra(**fields: object) -> FileEvent:
    """An event with fields that only the user knows."""
    return event(extra=fields)


def runs(*args: str, image: str = "/usr/bin/x") -> FileEvent:
    return event(process=Process(pid=1, executable=image, args=args))


# --- presence ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "there", "absent"), [("true", True, False), ("false", False, True)])
def test_exists_asks_for_presence_only(value: str, there: bool, absent: bool) -> None:  # noqa: FBT001
    assert holds(f"{{User|exists: {value}}}", event(user_name="")) is there
    assert holds(f"{{User|exists: {value}}}", event(user_name=None)) is absent


def test_null_is_absence_and_the_empty_text_is_not() -> None:
    assert holds("{User: null}", event(user_name=None))
    assert not holds("{User: null}", event(user_name=""))
    assert holds("{User: ''}", event(user_name=""))
    assert not holds("{User: ''}", event(user_name=None))


def test_a_field_of_the_users_own_that_is_null_is_null_and_exists() -> None:
    for item in ("{Extra: null}", "{Extra|exists: true}"):
        assert holds(item, with_extra(Extra=None))
    assert not holds("{Extra|exists: false}", with_extra(Extra=None))
    assert holds("{Extra: null, Extra|exists: false}", with_extra(Other=None))


def test_not_over_an_absent_field_is_true() -> None:
    assert holds("{User: root}", event(user_name=None), condition="not selection")


# --- neq ---------------------------------------------------------------------------------------------------


def test_neq_is_none_of_the_values_and_true_where_there_is_no_value() -> None:
    assert not holds("{User|neq: [root, alice]}", event(user_name="alice"))
    assert holds("{User|neq: [root, alice]}", event(user_name="bob"))
    assert holds("{User|neq: [root, alice]}", event(user_name=None))


@pytest.mark.parametrize(
    ("item", "yes", "no"),
    [
        ("User|contains|neq: li", "bob", "Alice"),
        ("User|neq|startswith: al", "bob", "ALICE"),
        ("User|endswith|neq: ce", "bob", "alice"),
        ("User|cased|neq: Alice", "alice", "Alice"),
        ("User|re|neq: '^a.*e$'", "bob", "alice"),
        ("User|re|i|neq: '^A'", "bob", "alice"),
        ("User|cidr|neq: 10.0.0.0/8", "11.0.0.1", "10.1.1.1"),
        ("User|fieldref|neq: Hostname", "bob", "HOST"),
        ("User|base64|neq: cmd", "cmd", "Y21k"),
        ("User|neq: null", "bob", None),
        ("User|neq: 5", "6", "5.0"),
    ],
)
def test_neq_turns_a_comparison_round(item: str, yes: str, no: str | None) -> None:
    assert holds(f"{{{item}}}", event(user_name=yes, host_name="host"))
    assert not holds(f"{{{item}}}", event(user_name=no, host_name="host"))


def test_neq_of_a_path_is_none_of_what_lies_below() -> None:
    assert holds("{TargetFilename|under|neq: /etc}", event("/etcetera"))
    assert not holds("{TargetFilename|under|neq: /etc}", event("/etc/x"))
    assert not holds("{TargetFilename|path|neq: '/etc/*'}", event("/etc/x"))


# --- all and windash ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dash", DASHES)
def test_every_dash_is_as_good_as_the_one_that_was_written(dash: str) -> None:
    assert holds("{CommandLine|windash|contains: ' -enc '}", runs("ps", f"{dash}enc", "x"))
    assert holds("{CommandLine|contains|windash: ' /enc '}", runs("ps", f"{dash}enc", "x"))


def test_the_forms_of_one_value_are_alternatives_and_all_joins_the_values() -> None:
    both = "{CommandLine|windash|contains|all: [' -f ', ' -x ']}"
    assert holds(both, runs("c", "/f", "\u2014x", "y"))
    assert not holds(both, runs("c", "/f", "-f", "y"))


# --- encodings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_a_command_is_found_in_base64_wherever_it_stands(before: str) -> None:
    import base64

    encoded = base64.b64encode(f"{before}/bin/sh -i".encode()).decode()
    wide = base64.b64encode(f"{before}/bin/sh -i".encode("utf-16-le")).decode()
    assert holds("{CommandLine|base64offset|contains: /bin/sh}", runs("echo", encoded))
    assert holds("{CommandLine|wide|base64offset|contains: /bin/sh}", runs("echo", wide))
    assert not holds("{CommandLine|wide|base64offset|contains: /bin/sh}", runs("echo", encoded))


def test_wide_finds_the_bytes_of_utf16_in_a_name() -> None:
    assert holds("{TargetFilename|wide|contains: 'c*d'}", event("/x/c\0m\0d\0"))
    assert holds("{TargetFilename|utf16|startswith: c}", event("\udcff\udcfec\0m\0"))


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


# --- references --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "mine", "other", "expected"),
    [
        ("fieldref: B", "Alice", "alice", True),
        ("fieldref|cased: B", "Alice", "alice", False),
        ("fieldref: B", "a", "b", False),
        ("fieldref|startswith: B", "/etc/x", "/ETC", True),
        ("fieldref|startswith: B", "/etc", "/etc/x", False),
        ("endswith|fieldref: B", "/etc/x", "/X", True),
        ("fieldref|contains: B", "/etc/x", "tc", True),
        ("fieldref|contains|cased: B", "/etc/x", "TC", False),
        ("fieldref: B", 7, "7.0", True),
        ("fieldref: B", "07", 7, True),
        ("fieldref: B", "07", "7", False),
        ("fieldref: B", 1, True, False),
        ("fieldref: B", True, "TRUE", True),
        ("fieldref: B", ["a", "b"], ["x", "B"], True),
        ("fieldref: B", ["a", "b"], ["x", "y"], False),
        ("fieldref: B", [], [], False),
        ("fieldref|contains: B", ["axb"], ["q", "X"], True),
        ("fieldref|contains: B", "anything", "", True),
        ("fieldref|startswith: B", 123, 12, True),
        ("fieldref|neq: B", "a", "b", True),
        ("fieldref|neq: B", "a", "A", False),
        ("fieldref|all: [B, C]", "a", "A", False),
        ("fieldref: [B, C]", "c", "A", True),
    ],
)
def test_a_reference_compares_two_fields_of_the_event(
    item: str,
    mine: object,
    other: object,
    expected: bool,  # noqa: FBT001
) -> None:
    assert holds(f"{{A|{item}}}", with_extra(A=mine, B=other, C="c")) is expected


def test_both_fields_of_a_reference_must_be_there() -> None:
    assert not holds("{A|fieldref: B}", with_extra(A="x"))
    assert not holds("{A|fieldref: B}", with_extra(B="x"))
    assert not holds("{A|fieldref: B}", event())
    assert holds("{A|fieldref|neq: B}", with_extra(A="x"))


def test_a_reference_may_name_a_field_by_any_of_its_names() -> None:
    same = event("/usr/bin/x", process=Process(pid=1, executable="/usr/bin/X"))
    assert holds("{TargetFilename|fieldref: process.executable}", same)
    assert holds("{file.path|fieldref: Image}", same)


def test_two_long_lists_are_compared_by_their_lengths_and_not_their_product() -> None:
    one, other = [f"a{n}" for n in range(100_000)], [f"b{n}" for n in range(100_000)]
    assert not holds("{A|fieldref: B}", with_extra(A=one, B=other))
    assert holds("{A|fieldref: B}", with_extra(A=one, B=[*other, "A99999"]))


# --- placeholders ------------------------------------------------------------------------------------------


def test_a_placeholder_stands_for_any_of_its_values_and_keeps_their_wildcards() -> None:
    assert holds("{User|expand: '%admins%'}", event(user_name="Alice"))
    assert holds("{User|expand: '%admins%'}", event(user_name="bob"))
    assert not holds("{User|expand: '%admins%'}", event(user_name="carol"))


def test_expanded_values_are_alternatives_also_where_all_values_must_match() -> None:
    item = "{CommandLine|expand|contains|all: ['%admins%', ' -x']}"
    assert holds(item, runs("su", "alice", "-x"))
    assert not holds(item, runs("su", "alice"))


def test_a_placeholder_goes_with_other_comparisons() -> None:
    assert holds("{Ip|expand|cidr: '%nets%'}", with_extra(Ip="::1"))
    assert holds("{TargetFilename|expand|path: '/home/%admins%/*'}", event("/home/bob/x"))
    assert not holds("{TargetFilename|expand|path: '/home/%admins%/*'}", event("/home/b/c/x"))
    assert holds("{User|expand: '\\%admins%'}", event(user_name="%admins%"))


def test_without_expand_a_percent_sign_is_one() -> None:
    assert holds("{User: '%admins%'}", event(user_name="%admins%"))
    assert not holds("{User: '%admins%'}", event(user_name="alice"))


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


# --- paths -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("directory", ["/etc", "/etc/", "/etc//", "/ETC"])
def test_under_is_the_directory_itself_and_whatever_is_below(directory: str) -> None:
    item = f"{{TargetFilename|under: {directory}}}"
    for path in ("/etc", "/etc/", "/etc/shadow", "/etc/a/b", "/Etc/x", "/etc/\n"):
        assert holds(item, event(path))
    for path in ("/etcetera", "/etc2/x", "/", "/usr/etc", "etc/x", ""):
        assert not holds(item, event(path))


def test_under_the_root_is_everything_absolute() -> None:
    assert holds("{TargetFilename|under: /}", event("/x"))
    assert holds("{TargetFilename|under: /}", event("/"))
    assert not holds("{TargetFilename|under: /}", event("pipe:[123]"))


def test_under_minds_the_case_where_it_is_told_to() -> None:
    assert not holds("{TargetFilename|under|cased: /etc}", event("/ETC/x"))


def test_an_escaped_wildcard_of_a_directory_is_a_character() -> None:
    assert holds(r"{TargetFilename|under: '/a\*b'}", event("/a*b/c"))


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("/home/*/.ssh/*", ("/home/a/.ssh/id", "/home//.ssh/", "/HOME/x\n/.ssh/y"),
         ("/home/a/b/.ssh/id", "/home/a/.ssh/x/y", "/home/.ssh/id")),
        ("/home/**/.ssh/*", ("/home/a/.ssh/id", "/home/a/b/.ssh/id", "/home//.ssh/x"), ("/home/a/.ssh/x/y",)),
        ("/etc/pass?d", ("/etc/passwd", "/etc/pass\nd"), ("/etc/pass/d", "/etc/passd", "/etc/passwwd")),
        ("**/core", ("/core", "/a/b/core", "/core/core"), ("core", "/a/cores")),
        ("/srv/**", ("/srv/", "/srv/a/b"), ("/srv",)),
        ("/a/?/**/?", ("/a/b/c/d", "/a/b//d"), ("/a/b/d", "/a//x/d", "/a/b/c/")),
        (r"/a/\*", ("/a/*",), ("/a/b",)),
        ("*", ("x", ""), ("/x", "a/b")),
        ("**", ("", "/x", "a/b"), ()),
    ],
)  # fmt: skip
def test_wildcards_of_a_path_stop_at_slashes_and_two_stars_do_not(
    pattern: str, yes: tuple[str, ...], no: tuple[str, ...]
) -> None:
    item = f"{{TargetFilename|path: '{pattern}'}}"
    assert [path for path in yes if not holds(item, event(path))] == []
    assert [path for path in no if holds(item, event(path))] == []


# --- keywords ----------------------------------------------------------------------------------------------

BUSY = event(
    "/etc/shadow",
    user_name="Alice",
    user_id=1000,
    process=Process(pid=4711, executable="/usr/bin/cat", args=("cat", "-n", "/etc/shadow")),
    extra={"Note": "deep", "Inner": {"list": ["Mimi Katz", 77]}},
)


@pytest.mark.parametrize(
    "keyword",
    [
        "shadow",
        "ALICE",
        "4711",
        "471",
        "'cat -n'",
        "'s?ad*w'",
        "'mimi katz'",
        "77",
        r"[nope, 'usr/bin']",
        "1000",
    ],
)
def test_a_keyword_is_found_in_any_text_of_the_event(keyword: str) -> None:
    assert holds(keyword, BUSY)


@pytest.mark.parametrize("keyword", ["mallory", "'shadow alice'", r"'s\?ad'", "0x1267", "'/etc/shadow?'"])
def test_a_keyword_that_stands_in_no_text_is_not_found(keyword: str) -> None:
    assert not holds(keyword, BUSY)


def test_all_keywords_may_stand_in_different_fields() -> None:
    assert holds("{'|all': [alice, shadow, '4711']}", BUSY)
    assert not holds("{'|all': [alice, shadow, mallory]}", BUSY)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("'|re': '^/etc/sha.ow$'", True),
        ("'|re': ETC", False),
        ("'|re|i': ETC", True),
        ("'|cased': alice", False),
        ("'|cased|all': [Alice, Mimi]", True),
        ("'|contains': lic", True),
        ("'|windash': ' /n '", True),
        ("'|neq': alice", False),
        ("'|neq': [mallory, eve]", True),
        ("'|expand': '%admins%'", True),
    ],
)
def test_keywords_take_modifiers(item: str, expected: bool) -> None:  # noqa: FBT001
    assert holds(f"{{{item}}}", BUSY) is expected


def test_a_list_of_keywords_and_maps_asks_for_any_of_them() -> None:
    assert holds("[{User: mallory}, deep]", BUSY)
    assert holds("[{User: alice}, nope]", BUSY)
    assert not holds("[{User: mallory}, nope]", BUSY)


def test_keywords_and_fields_of_a_map_are_all_asked_for() -> None:
    assert holds("{User: alice, '|all': [shadow, deep]}", BUSY)
    assert not holds("{User: mallory, '|all': [shadow, deep]}", BUSY)


def test_no_keyword_is_in_an_event_that_says_nothing_of_it() -> None:
    assert holds("mallory", BUSY, condition="not selection")
