"""`explain`: golden pages for whole packs, and the questions that a page must answer."""

import argparse
import json
import os
import re
from pathlib import Path

import pytest
from tests.unit.compiler.examples import ANY, event, matches, path_test, text_test, user_rule

from fileaudit_engine.cli import explain as command
from fileaudit_engine.cli.explain_correlation import pack_lines
from fileaudit_engine.cli.explain_document import pack_document
from fileaudit_engine.cli.explain_text import MOST_VALUES, Layout
from fileaudit_engine.cli.explained_correlation import explained_correlations
from fileaudit_engine.compiler import blind
from fileaudit_engine.compiler.conditions import Group, Leaf, Where, condition_tree
from fileaudit_engine.compiler.constraint import clauses
from fileaudit_engine.compiler.explain import RuleExplanation, explanation
from fileaudit_engine.compiler.ir import All, AnyOf, Negation, Predicate, Test
from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.compiler.plan import MAX_CLAUSES, UserPlan, UserRule
from fileaudit_engine.compiler.simplify import simplify
from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.config import Config
from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.detect.why import judge
from fileaudit_engine.diagnostics import has_errors
from fileaudit_engine.events.fields import LogSource, unlisted
from fileaudit_engine.events.model import Operation
from fileaudit_engine.rules.parser import parse_text

GOLDEN = Path(__file__).parents[2] / "golden" / "plans"
PACKS = sorted(path.stem for path in GOLDEN.glob("*.yml"))
EVENT = '{"@timestamp": "2026-01-02T03:04:05Z", "Operation": "open", "AccessMode": "read", "ProcessId": 7'


def page(pack: str) -> str:
    """What `explain` prints for a pack, on a terminal of 100 columns without colours."""
    loaded = parse_text((GOLDEN / f"{pack}.yml").read_text(encoding="utf-8"), f"{pack}.yml")
    assert not has_errors(loaded.diagnostics)
    compiled = compile_rules(loaded.rules, loaded.correlations)
    whole = explanation(compiled.user, compiled.kernel, compiled.correlations)
    correlations = explained_correlations(compiled.correlations, Limits())
    return "\n".join(pack_lines(whole.rules, correlations, whole, Layout(width=100, color=False))) + "\n"


def golden(name: str, text: str) -> str:
    """What the golden file says; with UPDATE_GOLDEN=1 in the environment it is written anew."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def explained(*rules: UserRule) -> tuple[RuleExplanation, ...]:
    kernel = kernel_plan([rule.predicate for rule in rules])
    return explanation(UserPlan(rules=rules), kernel).rules


def conditions(predicate: Predicate) -> Leaf | Group:
    small = simplify(predicate)
    return condition_tree(small, clauses(small))


@pytest.mark.parametrize("pack", PACKS)
def test_the_page_of_a_pack_is_the_golden_one(pack: str) -> None:
    text = page(pack)
    assert text == golden(f"{pack}.txt", text)


@pytest.mark.parametrize("pack", PACKS)
def test_no_line_of_a_page_is_wider_than_the_terminal_unless_a_name_is(pack: str) -> None:
    assert [line for line in page(pack).splitlines() if len(line) > 100] == []


def test_a_page_of_hostile_names_holds_nothing_that_acts_on_a_terminal() -> None:
    text = page("hostile")
    assert all(character.isprintable() for line in text.split("\n") for character in line)


def test_a_name_keeps_its_spaces_and_stays_on_its_line() -> None:
    name = "/tmp/" + "two  spaces " * 12
    rule = user_rule(path_test(name))
    whole = explanation(UserPlan(rules=(rule,)), kernel_plan([rule.predicate]))
    assert any(
        f"'{name}'" in line for line in pack_lines(whole.rules, (), whole, Layout(width=100, color=False))
    )


def test_colours_change_nothing_but_colours() -> None:
    rules = explained(user_rule(text_test("User", "root")), user_rule(path_test("/etc/", ANY)))
    whole = explanation(UserPlan(rules=tuple(rule.rule for rule in rules)), kernel_plan([]))
    plain = "\n".join(pack_lines(rules, (), whole, Layout(width=100, color=False)))
    coloured = "\n".join(pack_lines(rules, (), whole, Layout(width=100, color=True)))
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


def test_a_condition_that_narrows_a_clause_is_the_kernels() -> None:
    leaf = conditions(path_test("/etc/", ANY))
    assert isinstance(leaf, Leaf)
    assert (leaf.where, leaf.why) == (Where.KERNEL, "")


@pytest.mark.parametrize(
    ("predicate", "why"),
    [
        (text_test("Image", "/bin/sh"), "the kernel does not look at Image"),
        (path_test(ANY, "shadow", ANY), "whole directory names"),
        (Negation(operand=path_test("/tmp/", ANY)), "says nothing of what it is"),
        (Negation(operand=text_test("User", "root")), "says nothing of who it is"),
        (text_test("ProcessName", "ssh", ANY), "whole names and numbers of callers"),
    ],
)
def test_a_condition_that_the_kernel_cannot_check_says_why(predicate: Predicate, why: str) -> None:
    leaf = conditions(predicate)
    assert isinstance(leaf, Leaf)
    assert leaf.where is Where.USER_SPACE
    assert why in leaf.why


def test_a_condition_beside_one_that_the_kernel_cannot_check_spares_nothing() -> None:
    group = conditions(AnyOf(operands=(path_test("/etc/", ANY), text_test("Image", "/bin/sh"))))
    assert isinstance(group, Group)
    assert [leaf.where for leaf in group.members if isinstance(leaf, Leaf)] == [Where.USER_SPACE] * 2


def test_of_two_directory_names_one_is_the_kernels() -> None:
    both = All(operands=(path_test(ANY, "/long-name/", ANY), path_test(ANY, "/short/", ANY)))
    group = conditions(both)
    assert isinstance(group, Group)
    assert [leaf.where for leaf in group.members if isinstance(leaf, Leaf)] == [
        Where.KERNEL,
        Where.USER_SPACE,
    ]


def test_values_of_a_list_are_one_condition_and_so_are_exclusions() -> None:
    images = [text_test("Image", name) for name in "abc"]
    listed, excluded = (
        conditions(AnyOf(operands=tuple(images))),
        conditions(Negation(operand=AnyOf(operands=tuple(images)))),
    )
    assert isinstance(listed, Leaf)
    assert isinstance(excluded, Leaf)
    assert (listed.verb, listed.values) == ("is one of", ("a", "b", "c"))
    assert (excluded.verb, excluded.values) == ("is none of", ("a", "b", "c"))


def test_a_field_that_only_the_user_knows_is_explained_like_any_other() -> None:
    rule = user_rule(Test(field=unlisted("Shift"), check=matches(("night",))))
    (found,) = explained(rule)
    judged = judge(found.conditions)(event(extra={"Shift": "day"}))
    assert [(member.holds, member.value) for member in judged.members] == [(False, "day"), (True, "open")]


def test_a_rule_names_its_operations_and_all_are_captured() -> None:
    (rule,) = explained(user_rule(path_test("/etc/", ANY)))
    assert [(hook.operation, hook.captured) for hook in rule.hooks] == [
        ("open", True),
        ("read", True),
        ("write", True),
    ]
    assert not any("on a live host" in phrase for phrase in rule.blind_to)


def test_an_operation_that_is_not_captured_would_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blind, "CAPTURED_OPERATIONS", frozenset({Operation.OPEN}))
    (rule,) = explained(user_rule(path_test("/etc/", ANY)))
    assert rule.blind_to[0] == "read, write on a live host: this version captures only open"


@pytest.mark.parametrize(
    ("logsource", "phrase"),
    [
        (LogSource.FILE_ACCESS, "that were open when the engine started"),
        (LogSource.FILE_DELETE, "a path says so in PathState"),
        (LogSource.FILE_CHANGE, "another thread swaps its descriptor"),
        (LogSource.FILE_ACCESS, "links in the name of a failed call"),
        (LogSource.FILE_ACCESS, "or loaded programs for new rules"),
        (LogSource.FILE_ACCESS, "by native AIO"),
        (LogSource.FILE_ACCESS, "writes by ioctl (FICLONE) or fallocate"),
        (LogSource.FILE_DELETE, "another thread swaps its text"),
    ],
)
def test_what_cannot_be_seen_depends_on_the_operations(logsource: LogSource, phrase: str) -> None:
    (rule,) = explained(user_rule(path_test("/etc/", ANY), logsource=logsource))
    phrase = phrase.replace("a path", "such a path")
    assert any(phrase in told for told in rule.blind_to)


@pytest.mark.parametrize(
    ("logsource", "phrase"),
    [
        (LogSource.FILE_DELETE, "that were open when the engine started"),
        (LogSource.FILE_ACCESS, "such a path says so in PathState"),
        (LogSource.FILE_DELETE, "another thread swaps its descriptor"),
        (LogSource.FILE_DELETE, "writes by ioctl"),
        (LogSource.FILE_ACCESS, "another thread swaps its text"),
    ],
)
def test_what_other_operations_do_not_see_is_not_told(logsource: LogSource, phrase: str) -> None:
    (rule,) = explained(user_rule(path_test("/etc/", ANY), logsource=logsource))
    assert not any(phrase in told for told in rule.blind_to)


def test_a_rule_about_the_mode_before_a_chmod_is_told_when_it_is_read() -> None:
    asked = All(operands=(path_test("/etc/", ANY), text_test("Permissions", "0640")))
    change, access = (
        explained(user_rule(asked, logsource=source))[0]
        for source in (LogSource.FILE_CHANGE, LogSource.FILE_ACCESS)
    )
    assert any("the permissions before a chmod" in told for told in change.blind_to)
    assert not any("the permissions before a chmod" in told for told in access.blind_to)


def test_a_whole_path_is_told_from_a_beginning() -> None:
    (rule,) = explained(user_rule(AnyOf(operands=(path_test("/etc"), path_test("/etc/", ANY)))))
    assert [(clause.paths, clause.beginnings, clause.endings) for clause in rule.clauses] == [
        (("/etc",), None, ("/etc",)),
        (None, ("/etc/",), None),
    ]


def test_who_may_do_it_is_told() -> None:
    (rule,) = explained(
        user_rule(
            All(
                operands=(
                    AnyOf(operands=(text_test("User", "Bob"), text_test("UserId", "0"))),
                    text_test("ProcessName", "CAT"),
                    text_test("ProcessId", "7"),
                )
            )
        )
    )
    (clause,) = rule.clauses
    assert (clause.users, clause.processes, clause.threads) == (("bob", "0"), ("7",), ("cat",))


def test_every_condition_of_a_rule_that_can_never_match_is_the_kernels() -> None:
    (rule,) = explained(user_rule(All(operands=(path_test("/a/", ANY), path_test("/b/", ANY)))))
    assert rule.clauses == ()
    assert isinstance(rule.conditions, Group)
    assert {leaf.where for leaf in rule.conditions.members if isinstance(leaf, Leaf)} == {Where.KERNEL}


def test_a_rule_without_a_path_is_warned_about_and_another_is_not() -> None:
    without, with_path = explained(user_rule(text_test("User", "x")), user_rule(path_test("/etc/", ANY)))
    assert [warning.code for warning in without.warnings] == ["FA057"]
    assert with_path.warnings == ()


def test_rules_that_share_a_bit_name_each_other() -> None:
    rules = [user_rule(path_test(f"/{n}/", ANY), key=f"rule{n}") for n in range(MAX_CLAUSES + 2)]
    *_, last = explained(*rules)
    (clause,) = last.clauses
    assert clause.shared_with == (f"rule{MAX_CLAUSES - 1}", f"rule{MAX_CLAUSES}")


def test_long_lists_are_cut_for_people_and_whole_for_programs() -> None:
    rule = user_rule(AnyOf(operands=tuple(path_test(f"/secret{n}/", ANY) for n in range(MOST_VALUES + 3))))
    kernel = kernel_plan([rule.predicate])
    whole = explanation(UserPlan(rules=(rule,)), kernel)
    text = "\n".join(pack_lines(whole.rules, (), whole, Layout(width=100, color=False)))
    assert "and 3 more" in text
    assert f"/secret{MOST_VALUES + 2}/" not in text
    assert f"/secret{MOST_VALUES + 2}/" in json.dumps(pack_document(whole.rules, whole))


# --- the command -------------------------------------------------------------------------------------------


def run(*arguments: str) -> int:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--color", default="never")
    top = argparse.ArgumentParser()
    command.register(top.add_subparsers(), common)
    args = top.parse_args(["explain", *arguments])
    args.settings = Config()
    return int(args.command(args))


@pytest.fixture
def events(tmp_path: Path) -> Path:
    file = tmp_path / "events.ndjson"
    lines = (
        f'{EVENT}, "TargetFilename": "/etc/shadow", "Image": "/usr/bin/cat"}}',
        f'{EVENT}, "TargetFilename": "/etc/shadow", "Image": "/usr/bin/login"}}',
        f'{EVENT}, "TargetFilename": "/tmp/\\u001b[31m", "Image": "/usr/bin/cat"}}',
    )
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


RULES = str(GOLDEN / "shadow_read.yml")


def test_the_command_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(RULES) == 0
    printed = capsys.readouterr().out
    assert printed.replace(RULES, "shadow_read.yml") == page("shadow_read")


@pytest.mark.parametrize(
    "name", ["shadow_read", "0b1f6a0e-5f3a-4c2b-9a55-6c1f5a3f2b11", "Password hashes read"]
)
def test_a_rule_is_found_by_name_id_and_title(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(RULES, str(GOLDEN / "full_stream.yml"), "--rule", name, "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [rule["rule"] for rule in document["rules"]] == ["shadow_read"]


def test_a_name_that_no_rule_has_is_a_mistake_on_the_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(RULES, "--rule", "no\x1b[2Jsuch") == 2
    assert "no\\x1b[2Jsuch" in capsys.readouterr().err


def test_with_events_every_condition_shows_if_it_held_and_on_which_value(
    events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(RULES, "--event", str(events)) == 0
    text = capsys.readouterr().out
    assert text == golden("shadow_read.events.txt", text.replace(RULES, "shadow_read.yml")).replace(
        "shadow_read.yml", RULES
    )


def test_the_verdicts_are_the_same_in_json(events: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(RULES, "--event", str(events), "--format", "json") == 0
    answers = [event["rules"][0] for event in json.loads(capsys.readouterr().out)["events"]]
    assert [(answer["candidate"], answer["matches"]) for answer in answers] == [
        (True, True),
        (True, False),
        (False, False),
    ]


def test_of_many_rules_those_that_the_kernel_drops_the_event_for_are_only_counted(
    events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(RULES, str(GOLDEN / "alternatives.yml"), "--event", str(events)) == 0
    text = capsys.readouterr().out
    assert "the kernel drops it for 3 of 4 rules" in text
    assert "the kernel drops it for 4 of 4 rules" in text


def test_a_line_that_is_no_event_is_reported_and_the_others_are_explained(
    events: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events.write_text("nonsense\n" + events.read_text(encoding="utf-8"), encoding="utf-8")
    assert run(RULES, "--event", str(events)) == 2
    captured = capsys.readouterr()
    assert "events.ndjson:1" in captured.err
    assert captured.out.count("event ") == 3
