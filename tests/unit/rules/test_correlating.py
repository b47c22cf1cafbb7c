"""Correlations tied to what they refer to, over all files of a pack."""

from pathlib import Path

import pytest
from tests.unit.rules.correlations import (
    COUNT,
    RULES,
    changed,
    correlation,
    finding,
    id_of,
    loaded,
    only,
    part,
    rule,
    spelled,
)

from fileaudit_engine.diagnostics import Diagnostic, Severity
from fileaudit_engine.rules.correlating import MAX_CHAIN, MAX_FINDINGS
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import LoadedRules, load_rules, parse_text

PAIR = "type: temporal, rules: [a, b], timespan: 5m"
ANY_FIELD = RuleOptions(allow_unknown_fields=True)


def over(*rules: str) -> str:
    return changed(rules=f"[{', '.join(rules)}]")


def errors(found: LoadedRules) -> list[Diagnostic]:
    return [one for one in found.diagnostics if one.severity is Severity.ERROR]


# References


def test_a_rule_is_called_by_name_id_or_title_in_any_case() -> None:
    one = only(over("A", id_of(2).upper(), "rule C"))
    assert one.sources == ("a", "b", "c")
    assert [reference.name for reference in one.rules] == ["A", id_of(2).upper(), "rule C"]


def test_a_rule_may_stand_behind_its_correlation_and_in_another_file(tmp_path: Path) -> None:
    (tmp_path / "1.yml").write_text(correlation(over("a", "z") + ", generate: true"))
    (tmp_path / "2.yml").write_text(RULES)
    (tmp_path / "3.yml").write_text(rule("z", 26))
    found = load_rules([tmp_path])
    assert found.diagnostics == ()
    assert found.correlations[0].sources == ("a", "z")


def test_a_rule_without_a_name_is_called_by_the_stem_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "nameless.yml").write_text(rule("z", 26).replace("name: z\n", ""))
    (tmp_path / "other.yml").write_text(correlation(over("nameless") + ", generate: true"))
    assert load_rules([tmp_path]).correlations[0].sources == ("nameless",)


def test_correlations_refer_to_correlations_whatever_their_order() -> None:
    chain = [
        correlation(over("two"), "one", 11),
        correlation(over("three", "b"), "two", 12),
        correlation(over("a"), "three", 13),
    ]
    found = loaded(*chain)
    assert found.diagnostics == ()
    assert [(one.key, one.sources) for one in found.correlations] == [
        ("one", ("two",)),
        ("two", ("three", "b")),
        ("three", ("a",)),
    ]


@pytest.mark.parametrize(
    ("rules", "marked", "message", "remedy"),
    [
        (["a", "shadw"], "shadw", "no rule and no correlation is called 'shadw'", "write the rule's name"),
        (["Rulea"], "Rulea", "no rule and no correlation is called 'Rulea'", "did you mean 'a'?"),
        ([id_of(9)], id_of(9), "is called", "did you mean"),
        (["a", "b", "Rule a"], "Rule a", "'Rule a' is the same as 'a'", "name each rule once"),
        (["one"], "one", "'one' refers to itself", "remove one of the references"),
    ],
)
def test_a_reference_that_leads_nowhere_is_marked(
    rules: list[str], marked: str, message: str, remedy: str
) -> None:
    section = over(*rules)
    found = finding(section)
    assert (found.code, found.severity, part(section, found)) == ("FA019", Severity.ERROR, marked)
    assert message in found.message
    assert remedy in found.help


def test_a_title_that_two_documents_share_is_an_error() -> None:
    twin = rule("d", 4).replace("Rule d", "Rule a")
    (found,) = errors(loaded(twin, correlation(over("Rule a"))))
    assert found.message == "2 rules or correlations are called 'Rule a'"
    assert found.help == "write one of a, d"


def test_a_rule_and_a_correlation_cannot_have_one_name() -> None:
    found = loaded(correlation(name="a"))
    assert [one.code for one in found.diagnostics] == ["FA017"]
    assert (len(found.rules), found.correlations) == (3, ())


def test_what_refers_to_a_broken_document_is_left_out_with_the_reason_and_so_on() -> None:
    broken = rule("broken", 4).replace("User:", "Usr:")
    found = loaded(
        broken,
        correlation(over("second"), "third", 13),
        correlation(over("first", "a"), "second", 12),
        correlation(over("broken"), "first", 11),
        correlation(over("a"), "fine", 14),
    )
    assert [(one.code, one.location.line > 0) for one in found.diagnostics[1:]] == [("FA019", True)] * 3
    assert [one.message for one in found.diagnostics[1:]] == [
        "the correlation 'second' is not usable, so this one is left out, too",
        "the correlation 'first' is not usable, so this one is left out, too",
        "'broken' is not usable, so this correlation is left out, too",
    ]
    assert [one.key for one in found.correlations] == ["fine"]


def test_a_broken_correlation_is_a_broken_document_too() -> None:
    found = loaded(correlation(changed(timespan="5y")), correlation(over("one"), "two", 12))
    assert [one.code for one in found.diagnostics] == ["FA016", "FA019"]
    assert "'one' is not usable" in found.diagnostics[1].message


def test_a_broken_document_without_a_name_is_known_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "nameless.yml").write_text(rule("z", 26).replace("name: z\n", "").replace("User:", "Usr:"))
    (tmp_path / "other.yml").write_text(correlation(over("nameless")))
    assert "'nameless' is not usable" in load_rules([tmp_path]).diagnostics[1].message


def test_a_circle_is_named_at_each_of_its_members_and_costs_those_that_lead_into_it() -> None:
    found = loaded(
        correlation(over("x"), "outside", 10),
        correlation(over("a", "y"), "x", 11),
        correlation(over("z"), "y", 12),
        correlation(over("b", "x"), "z", 13),
        correlation(over("self"), "self", 14),
        correlation(over("a"), "fine", 15),
    )
    assert [one.message for one in found.diagnostics] == [
        "the correlation 'x' is not usable, so this one is left out, too",
        "'x' refers to itself, by way of 'y' and 'z'",
        "'y' refers to itself, by way of 'z' and 'x'",
        "'z' refers to itself, by way of 'x' and 'y'",
        "'self' refers to itself",
    ]
    assert [one.key for one in found.correlations] == ["fine"]


def test_circles_that_meet_are_all_found() -> None:
    found = loaded(
        correlation(over("y", "z"), "x", 11),
        correlation(over("x"), "y", 12),
        correlation(over("x"), "z", 13),
    )
    assert [one.code for one in errors(found)] == ["FA019"] * 3
    assert found.correlations == ()


def test_a_chain_has_a_bound() -> None:
    chain = [correlation(over("a"), "k0", 20)]
    chain += [correlation(over(f"k{n}"), f"k{n + 1}", 21 + n) for n in range(MAX_CHAIN + 1)]
    found = loaded(*chain)
    assert [one.message for one in found.diagnostics] == [
        f"'k{MAX_CHAIN}' is the end of a chain of more than {MAX_CHAIN} correlations",
        f"the correlation 'k{MAX_CHAIN}' is not usable, so this one is left out, too",
    ]
    assert len(found.correlations) == MAX_CHAIN


def test_several_broken_correlations_are_named_at_once() -> None:
    broken = [correlation(changed(group_by="[Usr]"), name, number) for number, name in enumerate("xyz", 11)]
    found = loaded(*broken, correlation(over("z", "a", "x"), "all", 14))
    assert found.diagnostics[-1].message == (
        "the correlations 'z' and 'x' are not usable, so this one is left out, too"
    )
    assert len(errors(found)) == 4


def test_likely_names_are_looked_for_a_few_times() -> None:
    """Each time, a wrong name is compared with all right ones."""
    found = loaded(correlation(over(*(f"Rula{letter}" for letter in "abcdefgh"))))
    assert [one.help.startswith("did you mean") for one in found.diagnostics] == [True] * 5 + [False] * 3
    found = loaded(correlation(changed(group_by="[Usra, Usrb, Usrc, Usrd]")))
    assert [one.help.startswith("did you mean") for one in found.diagnostics] == [True] * 3 + [False]


def test_one_correlation_full_of_errors_costs_no_other() -> None:
    names = ", ".join(f"nobody_{number}" for number in range(100))
    found = loaded(correlation(over(names)), correlation(over("a"), "two", 12))
    assert len(errors(found)) == MAX_FINDINGS + 1
    assert [one.key for one in found.correlations] == ["two"]


def test_warnings_without_number_are_counted_and_cost_nothing() -> None:
    aliases = ", ".join(f"x{number}: {{a: User}}" for number in range(MAX_FINDINGS + 5))
    found = loaded(correlation(changed(aliases=f"{{{aliases}}}")))
    assert [one.code for one in found.diagnostics].count("FA050") == MAX_FINDINGS
    assert "5 more warnings" in next(one.message for one in found.diagnostics if one.code == "FA002")
    assert len(found.correlations) == 1


# Aliases and conditions


def test_aliases_and_condition_speak_of_keys() -> None:
    one = only(
        f"type: temporal, rules: [Rule a, {id_of(2)}], timespan: 5m, group-by: [who, Image],"
        f" aliases: {{who: {{{id_of(1)}: User, b: FileOwner}}}}, condition: a and not {id_of(2)}"
    )
    assert one.aliases == {"who": {"a": "User", "b": "FileOwner"}}
    assert spelled(one.condition) == "a and not b"


def test_an_alias_may_have_the_name_of_a_field_and_stand_for_some_rules_only() -> None:
    one = only(f"{PAIR}, group-by: [User], aliases: {{User: {{b: FileOwner}}}}")
    assert one.aliases == {"User": {"b": "FileOwner"}}


@pytest.mark.parametrize(
    ("rest", "code", "severity", "marked", "said"),
    [
        ("group-by: [who], aliases: {who: {a: User, x: User}}", "FA019", Severity.ERROR, "x", "not among"),
        (
            "group-by: [who], aliases: {who: {a: User, Rule a: User, b: User}}",
            "FA019",
            Severity.ERROR,
            "Rule a",
            "speaks twice of the same rule",
        ),
        ("group-by: [User], aliases: {who: {a: User}}", "FA050", Severity.WARNING, "who", "never used"),
        ("group-by: [who], aliases: {who: {a: User}}", "FA040", Severity.ERROR, "who", "says nothing of 'b'"),
        ("group-by: [who], aliases: {who: {a: Usr, b: User}}", "FA040", Severity.ERROR, "Usr", "'Usr'"),
        (
            "group-by: [who], aliases: {who: {a: who, b: User}}",
            "FA040",
            Severity.ERROR,
            "who",
            "unknown field",
        ),
        ("group-by: [Usr]", "FA040", Severity.ERROR, "Usr", "unknown field 'Usr'"),
        ("group-by: [], condition: a and x", "FA019", Severity.ERROR, "x", "not among the rules"),
        ("group-by: [], condition: a and c", "FA019", Severity.ERROR, "c", "not among the rules"),
        ("group-by: [], condition: a or a", "FA050", Severity.WARNING, "b", "does not name the rule 'b'"),
    ],
)
def test_what_an_alias_or_a_condition_says_of_others_is_marked(
    rest: str, code: str, severity: Severity, marked: str, said: str
) -> None:
    section = f"{PAIR}, {rest}"
    found = finding(section)
    assert (found.code, found.severity, part(section, found)) == (code, severity, marked)
    assert said in found.message
    assert found.help


# Fields


@pytest.mark.parametrize("name", ["User", "user.name", "Image", "exe", "process.executable"])
def test_a_field_is_called_by_any_of_its_names(name: str) -> None:
    assert only(changed(group_by=f"[{name}]")).group_by == (name,)


def test_an_unknown_field_is_taken_where_the_user_allows_it() -> None:
    section = changed(type="value_count", group_by="[src]", condition="{gte: 2, field: dst}")
    assert [one.code for one in loaded(correlation(section)).diagnostics] == ["FA040", "FA040"]
    found = parse_text(RULES + correlation(section), options=ANY_FIELD)
    assert (found.diagnostics, found.correlations[0].group_by) == ((), ("src",))


def test_what_no_event_keeps_is_a_warning_though_unknown_fields_are_allowed() -> None:
    section = changed(group_by="[event.category]")
    (found,) = parse_text(RULES + correlation(section), options=ANY_FIELD).diagnostics
    assert (found.code, found.severity) == ("FA046", Severity.WARNING)


def test_a_field_that_no_event_of_a_rule_has_is_a_warning() -> None:
    section = over("a", "c").replace("User", "SourceFilename")
    found = finding(section)
    assert (found.code, found.severity, part(section, found)) == ("FA046", Severity.WARNING, "SourceFilename")
    assert "no event of file_access, as 'a' has it, has the field" in found.message
    assert only(over("c").replace("User", "SourceFilename")).sources == ("c",)


def test_a_field_that_holds_no_numbers_is_a_warning_where_they_are_computed_with() -> None:
    section = changed(type="value_sum", condition="{gt: 5, field: Image}")
    found = finding(section)
    assert (found.code, found.severity, part(section, found)) == ("FA046", Severity.WARNING, "Image")
    assert only(changed(type="value_count", condition="{gt: 5, field: Image}")).value_fields == ("Image",)


def test_an_alias_stands_for_fields_whose_values_are_counted() -> None:
    section = (
        "type: value_count, rules: [a, b], group-by: [], timespan: 5m,"
        " aliases: {who: {a: User, b: FileOwner}}, condition: {gte: 5, field: who}"
    )
    assert only(section).value_fields == ("who",)


def test_what_a_correlation_groups_by_is_a_field_of_its_matches() -> None:
    inner = f"{PAIR}, group-by: [who], aliases: {{who: {{a: User, b: FileOwner}}}}"
    found = loaded(correlation(inner), correlation(changed(rules="[one]", group_by="[who]"), "two", 12))
    assert (found.diagnostics, found.correlations[1].group_by) == ((), ("who",))
    found = loaded(correlation(inner), correlation(changed(rules="[one, a]", group_by="[who]"), "two", 12))
    assert [one.code for one in found.diagnostics] == ["FA040"]


# Silence


def test_a_rule_of_another_file_that_falls_silent_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "1.yml").write_text(RULES)
    (tmp_path / "2.yml").write_text(correlation(over("a", "b")))
    (found,) = load_rules([tmp_path]).diagnostics
    assert (found.code, found.severity, found.location.file) == (
        "FA025",
        Severity.WARNING,
        str(tmp_path / "2.yml"),
    )
    assert "'a' and 'b' raise no alerts" in found.message
    (tmp_path / "2.yml").write_text(correlation(over("a")))
    assert "'a' raises no alert" in load_rules([tmp_path]).diagnostics[0].message


@pytest.mark.parametrize("generate", ["true", "false"])
def test_who_says_generate_is_not_warned(generate: str, tmp_path: Path) -> None:
    (tmp_path / "1.yml").write_text(RULES)
    (tmp_path / "2.yml").write_text(correlation(f"{COUNT}, generate: {generate}"))
    assert load_rules([tmp_path]).diagnostics == ()


def test_a_rule_that_another_correlation_keeps_loud_does_not_fall_silent(tmp_path: Path) -> None:
    (tmp_path / "1.yml").write_text(RULES + correlation(f"{COUNT}, generate: true"))
    (tmp_path / "2.yml").write_text(correlation(over("a"), "two", 12))
    assert load_rules([tmp_path]).diagnostics == ()


# Filters


def test_a_filter_cannot_name_a_correlation() -> None:
    text = (
        "title: Backup\nlogsource: {product: linux}\n"
        "filter: {rules: [one, a], selection: {User: root}, condition: not selection}\n"
    )
    found = loaded(correlation(), text)
    (error,) = found.diagnostics
    assert (error.code, error.message) == ("FA042", "'one' is a correlation, and filters are for rules")
    assert found.rules[0].filters == ("Backup",)


def test_a_filtered_rule_can_be_correlated() -> None:
    text = (
        "title: Backup\nlogsource: {product: linux}\n"
        "filter: {rules: [a], selection: {User: root}, condition: not selection}\n"
    )
    found = loaded(correlation(), text)
    assert (found.diagnostics, found.rules[0].filters) == ((), ("Backup",))
    assert found.correlations[0].sources == ("a",)
