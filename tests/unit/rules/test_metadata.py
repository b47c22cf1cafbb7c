"""Attributes of a rule: what reaches the syntax tree, and what is odd about it."""

import pytest
from tests.unit.rules.examples import HEAD, codes, found_in, marked, one, only_rule, rule_text

from fileaudit_engine.diagnostics import Severity
from fileaudit_engine.rules.ast import Related
from fileaudit_engine.rules.parser import parse_text

OWN = "929a690e-bef0-4204-a928-ef5e620d6fcc"
FOREIGN = "08FBC97D-0a2f-491c-ae21-8ffcfd3174e9"


def with_head(lines: str) -> str:
    return rule_text("{User: root}", head=HEAD + lines)


def test_related_rules_scope_and_taxonomy_reach_the_rule() -> None:
    rule = only_rule(
        with_head(f"related: [{{id: {FOREIGN}, type: derived}}]\nscope: [server]\ntaxonomy: sigma\n")
    )
    assert rule.related == (Related(id=FOREIGN.lower(), type="derived"),)
    assert (rule.scope, rule.taxonomy) == (("server",), "sigma")


def test_the_taxonomy_is_sigmas_where_nothing_is_said() -> None:
    assert only_rule(with_head("")).taxonomy == "sigma"


def test_another_taxonomy_is_an_error_since_nothing_translates_it() -> None:
    text = with_head("taxonomy: ecs\n")
    found = one(text)
    assert (found.code, found.severity, marked(found, text)) == ("FA013", Severity.ERROR, "ecs")
    assert "use Sigma's names" in found.help


@pytest.mark.parametrize("relation", ["derived", "obsolete", "merged", "renamed", "similar"])
def test_a_rule_that_is_related_to_itself_is_a_warning(relation: str) -> None:
    text = with_head(f"related: [{{id: {OWN.upper()}, type: {relation}}}]\n")
    found = one(text)
    assert (found.code, found.severity, marked(found, text)) == ("FA045", Severity.WARNING, OWN.upper())


@pytest.mark.parametrize(
    "entry",
    [
        "{id: x, type: derived}",
        f"{{id: {FOREIGN}, type: child}}",
        f"{{id: {FOREIGN}}}",
        "x",
    ],
)
def test_a_relation_has_an_id_and_a_type_that_the_specification_knows(entry: str) -> None:
    assert all(found.severity is Severity.ERROR for found in found_in(with_head(f"related: [{entry}]\n")))
    assert codes(with_head(f"related: [{entry}]\n"))


@pytest.mark.parametrize("status", ["deprecated", "unsupported"])
def test_a_rule_that_was_given_up_runs_with_a_warning(status: str) -> None:
    text = with_head(f"status: {status}\n")
    found = one(text)
    assert (found.code, found.severity, marked(found, text)) == ("FA045", Severity.WARNING, status)


@pytest.mark.parametrize("status", ["stable", "test", "experimental"])
def test_any_other_status_is_fine(status: str) -> None:
    assert codes(with_head(f"status: {status}\n")) == []


def test_a_field_to_be_shown_that_no_event_has_is_a_warning_with_the_nearest() -> None:
    text = with_head("fields: [CommandLine, TargetFilenam]\n")
    found = one(text)
    assert (found.code, marked(found, text)) == ("FA045", "TargetFilenam")
    assert found.help == "did you mean 'TargetFilename'?"


def test_fields_without_number_are_looked_at_in_time() -> None:
    names = ", ".join(f"Nothing{number}" for number in range(5_000))
    assert set(codes(with_head(f"fields: [{names}]\n"))) == {"FA045", "FA002"}


def test_attributes_of_ones_own_are_kept_as_they_are() -> None:
    rule = only_rule(with_head("x-owner: {team: blue, on_call: [alice, bob]}\n"))
    assert rule.custom == {"x-owner": {"team": "blue", "on_call": ["alice", "bob"]}}


def test_tags_without_number_are_looked_at_in_time() -> None:
    tags = ", ".join(f"attack.credential_acces{number}" for number in range(20_000))
    assert set(codes(with_head(f"tags: [{tags}]\n"))) == {"FA044"}


def test_a_file_that_is_full_of_doubts_is_not_looked_at_to_its_end() -> None:
    tags = ", ".join(f"attack.credential_acces{number}" for number in range(200))
    texts = [
        with_head(f"tags: [{tags}]\nname: n{number}\n").replace("ef5e620d6fcc", f"{number:012d}")
        for number in range(30)
    ]
    loaded = parse_text("---\n".join(texts))
    assert len(loaded.rules) == 30
    assert (
        loaded.diagnostics[0].message
        == "at least 1,000 more warnings about what this file says are neither shown nor counted"
    )
