import os
from pathlib import Path

import pytest
from tests.unit.rules.examples import HEAD, codes, rule_text

from fileaudit_engine.diagnostics import Severity, UnusableInput, has_errors
from fileaudit_engine.rules.parser import MAX_FINDINGS, load_rules, parse_text

ID = "929a690e-bef0-4204-a928-ef5e620d6fcc"


def rule(number: int, extra: str = "") -> str:
    """A good rule; another number is another rule."""
    return rule_text("{User: root}", head=HEAD.replace("929a690e", f"{number:08d}") + extra)


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_folder_is_walked_in_sorted_order(tmp_path: Path) -> None:
    for number, name in enumerate(["b/x.yml", "a.yml", "c.yaml", "b/a/y.yml"]):
        write(tmp_path, name, rule(number))
    loaded = load_rules([tmp_path])
    assert [r.key for r in loaded.rules] == ["a", "y", "x", "c"]
    assert loaded.diagnostics == ()


def test_test_cases_other_files_and_hidden_ones_are_left_out(tmp_path: Path) -> None:
    for name in ["a.test.yml", "b.test.yaml", "c.txt", ".hidden.yml", ".git/d.yml"]:
        write(tmp_path, name, "no rule: [")
    assert load_rules([tmp_path]) == load_rules([])


def test_a_file_that_is_named_is_read_whatever_its_name(tmp_path: Path) -> None:
    assert len(load_rules([write(tmp_path, "rule.txt", rule(1))]).rules) == 1


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yml", rule(1))
    loaded = load_rules([path, tmp_path, str(path)])
    assert len(loaded.rules) == 1
    assert loaded.diagnostics == ()


def test_links_that_lead_in_circles_end(tmp_path: Path) -> None:
    write(tmp_path, "a/rule.yml", rule(1))
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "again.yml").symlink_to("rule.yml")
    assert len(load_rules([tmp_path]).rules) == 1


def test_a_link_to_nothing_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.yml").symlink_to("nowhere")
    (found,) = load_rules([tmp_path]).diagnostics
    assert found.code == "FA001"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yml")
    (found,) = load_rules([tmp_path]).diagnostics
    assert (found.code, found.message) == ("FA001", "this is no regular file")


def test_paths_that_do_not_exist_are_named_together(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput) as raised:
        load_rules([tmp_path / "one", tmp_path, tmp_path / "two"])
    assert [Path(d.location.file).name for d in raised.value.diagnostics] == ["one", "two"]


def test_a_broken_rule_leaves_the_others_alive(tmp_path: Path) -> None:
    write(tmp_path, "a.yml", rule(1) + "---\n" + rule(2).replace("User", "Usr") + "---\n" + rule(3))
    write(tmp_path, "b.yml", b"\xff")
    write(tmp_path, "c.yml", rule(4))
    loaded = load_rules([tmp_path])
    assert [r.key for r in loaded.rules] == ["a", "a-2", "c"]
    assert [d.code for d in loaded.diagnostics] == ["FA040", "FA003"]


def test_a_key_is_the_name_else_the_stem_and_always_unique(tmp_path: Path) -> None:
    texts = [rule(1, "name: x\n"), rule(2), rule(3, "name: a\n"), rule(4)]
    write(tmp_path, "a.yml", "---\n".join(texts))
    write(tmp_path, "b/a.yml", rule(5))
    assert [r.key for r in load_rules([tmp_path]).rules] == ["x", "a-2", "a", "a-3", "a-4"]


def test_an_id_that_is_taken_is_an_error_that_names_the_first_place(tmp_path: Path) -> None:
    first = write(tmp_path, "a.yml", rule(1))
    write(tmp_path, "b.yml", rule(1))
    loaded = load_rules([tmp_path])
    (found,) = loaded.diagnostics
    assert (found.code, found.label) == ("FA017", f"first at {first}:2:5")
    assert found.location.file == str(tmp_path / "b.yml")
    assert [r.key for r in loaded.rules] == ["a"]


def test_ids_are_one_in_upper_and_lower_case() -> None:
    text = rule_text("{User: root}")
    assert codes(f"{text}---\n{text.replace(ID, ID.upper())}") == ["FA017"]


def test_a_name_that_is_taken_is_an_error() -> None:
    assert codes("---\n".join(rule(number, "name: same\n") for number in (1, 2))) == ["FA017"]


def test_a_correlation_is_no_rule_and_has_a_key_of_its_own() -> None:
    rules = f"[same, {ID.replace('929a690e', '00000002')}]"
    correlation = (
        f"title: x\ncorrelation: {{type: temporal, rules: {rules}, group-by: [User], timespan: 5m}}\n"
    )
    loaded = parse_text("---\n".join([correlation, rule(1, "name: same\n"), rule(2)]), "same.yml")
    assert [one.key for one in loaded.rules] == ["same", "same-2"]
    assert [(one.key, one.sources) for one in loaded.correlations] == [("same-3", ("same", "same-2"))]


@pytest.mark.parametrize("text", ["just text", "- a\n- b\n", "5"])
def test_a_document_that_is_no_map_is_no_rule(text: str) -> None:
    assert codes(text) == ["FA010"]


def test_an_empty_file_holds_no_rules() -> None:
    for text in ("", "# nothing\n---\n"):
        assert (parse_text(text).rules, parse_text(text).diagnostics) == ((), ())


def test_a_file_that_is_wrong_throughout_is_given_up() -> None:
    loaded = parse_text("a: b\n---\n" * 10_000)
    assert len(loaded.diagnostics) <= MAX_FINDINGS + 1
    assert "FA002" in {d.code for d in loaded.diagnostics}


def test_warnings_cost_no_rule_however_many_there_are() -> None:
    doubtful = rule(0).replace("description: ", "# ")
    text = "---\n".join(
        doubtful.replace("00000000", f"{number:08d}") for number in range(MAX_FINDINGS * 2 + 1)
    )
    loaded = parse_text(text, "doubtful.yml")
    assert len(loaded.rules) == MAX_FINDINGS * 2 + 1
    assert [d.code for d in loaded.diagnostics] == ["FA002"] + ["FA051"] * MAX_FINDINGS
    assert {d.severity for d in loaded.diagnostics} == {Severity.WARNING}
    assert (
        loaded.diagnostics[0].message
        == f"{MAX_FINDINGS + 1} more warnings about what this file says are neither shown nor counted"
    )


def test_an_error_behind_many_warnings_is_reported() -> None:
    doubtful = rule(0).replace("description: ", "# ")
    texts = [doubtful.replace("00000000", f"{number:08d}") for number in range(MAX_FINDINGS + 5)]
    loaded = parse_text("---\n".join([*texts, "no: rule\n"]), "doubtful.yml")
    assert has_errors(loaded.diagnostics)
    assert len(loaded.rules) == MAX_FINDINGS + 5


def test_sources_are_kept_for_showing_what_was_found(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yml", "title: x\n")
    loaded = load_rules([tmp_path])
    assert loaded.sources[str(path)].line(1) == "title: x"
    assert {d.location.file for d in loaded.diagnostics} == {str(path)}


def test_a_file_name_of_any_bytes_can_be_read(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\n.yml"
    Path(os.fsdecode(path)).write_text(rule(1), encoding="utf-8")
    assert len(load_rules([tmp_path]).rules) == 1
