"""What a line of a rule means for an event, from the text of the rule to the answer.

Each test is a decision where the specification leaves one to the engine, or where engines go wrong.
"""

import pytest
from tests.unit.compiler.examples import event
from tests.unit.detect.language import holds, runs, with_extra

from fileaudit_engine.events.model import Process

DASHES = "-/\u2013\u2014\u2015"


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
