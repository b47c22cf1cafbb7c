"""Test files: what is wrong with them is said with place, caret and remedy, and spoils no neighbour."""

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.ruletest.packs import PASSWD, SHADOW, compiled, loaded

from fileaudit_engine.diagnostics import UnusableInput, in_order, render
from fileaudit_engine.rules.names import RuleNames
from fileaudit_engine.ruletest.case_reader import CASE_KEYS, EXPECTATION_KEYS, FILE_KEYS
from fileaudit_engine.ruletest.load import MAX_FINDINGS, load_cases
from fileaudit_engine.ruletest.names import check_names

GOLDEN = Path(__file__).parents[2] / "golden" / "ruletest"
FINE = "{name: fine, events: [{Operation: open}], alerts: []}"


def test_every_mistake_is_shown_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The golden file holds one of each; read it to see what users see."""
    monkeypatch.chdir(GOLDEN)
    found = load_cases("mistakes.test.yml")
    rules = [rule.rule for rule in compiled(SHADOW, PASSWD).user.rules]
    levels = {rule.key: rule.level for rule in rules}
    wrong = check_names(found.cases, RuleNames(rules), levels)
    shown = render(in_order((*found.diagnostics, *wrong)), found.sources, color=False)
    assert shown + "\n" == Path("mistakes.txt").read_text()
    assert [case.name for case in found.cases] == ["A case without mistakes", "Rules by wrong names"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "tests:\n", "[]", "5", "tests: {a: b}", "test: []"])
def test_a_file_without_a_list_of_tests_is_an_error(tmp_path: Path, text: str) -> None:
    found = loaded(tmp_path, text)
    assert not found.cases
    assert {d.code for d in found.diagnostics} <= {"FA060", "FA061"}
    assert found.diagnostics


def test_broken_yaml_is_reported_and_other_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.test.yml").write_text("tests: [\n")
    found = loaded(tmp_path, f"tests: [{FINE}]", name="b.test.yml")
    assert [case.name for case in found.cases] == ["fine"]
    assert [Path(d.location.file).name for d in found.diagnostics] == ["a.test.yml"]


def test_a_case_with_a_mistake_is_left_out_and_its_neighbour_is_not(tmp_path: Path) -> None:
    found = loaded(
        tmp_path, f"tests:\n - {{name: bad, events: [{{Operation: oepn}}], alerts: []}}\n - {FINE}\n"
    )
    assert [case.name for case in found.cases] == ["fine"]
    assert len(found.diagnostics) == 1


def test_test_files_are_found_in_all_folders_in_order(tmp_path: Path) -> None:
    for name in ("b/x.test.yml", "a/y.test.yaml", "a/rule.yml", ".git/z.test.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"tests: [{FINE}]")
    found = load_cases(tmp_path)
    assert [case.file for case in found.cases] == [f"{tmp_path}/a/y.test.yaml", f"{tmp_path}/b/x.test.yml"]


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to(tmp_path)
    assert len(loaded(tmp_path, f"tests: [{FINE}]").cases) == 1


def test_what_cannot_be_walked_is_an_error_and_not_a_silence(tmp_path: Path) -> None:
    inside = tmp_path / "fixtures"
    (inside / "sub").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "o.test.yml").write_text(f"tests: [{FINE}]")
    (inside / "folder").symlink_to(tmp_path / "outside")
    (inside / "link.test.yml").symlink_to(tmp_path / "outside" / "o.test.yml")
    (inside / "inner").symlink_to(inside / "sub")
    (inside / "sub" / "x.test.yml").write_text(f"tests: [{FINE}]")
    found = load_cases(inside)
    assert [case.file for case in found.cases] == [f"{inside}/sub/x.test.yml"]
    assert [(Path(d.location.file).name, d.message) for d in found.diagnostics] == [
        ("folder", "the link leads out of the folder"),
        ("link.test.yml", "the link leads out of the folder"),
    ]


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = loaded(tmp_path, f"tests: [{FINE}]")
    assert len(found.cases) == 1
    assert [d.message for d in found.diagnostics] == ["the folder cannot be read: Permission denied"]


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.test.yml")
    found = load_cases(tmp_path)
    assert [d.message for d in found.diagnostics] == ["the file cannot be read: not a regular file"]


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    found = loaded(tmp_path, "#" * (5 << 20))
    assert [d.code for d in found.diagnostics] == ["FA002"]


@pytest.mark.parametrize("name", ["missing", ".", "x" * 300, "missing/x.test.yml"])
def test_no_test_file_is_unusable_input(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnusableInput) as error:
        load_cases(tmp_path / name)
    assert [d.code for d in error.value.diagnostics] == ["FA069"]


def test_a_file_full_of_mistakes_is_not_listed_to_the_end(tmp_path: Path) -> None:
    found = loaded(tmp_path, "tests:\n" + "  - 1\n" * (MAX_FINDINGS + 50))
    assert len(found.diagnostics) == MAX_FINDINGS + 1
    assert found.diagnostics[-1].message == "50 more findings are not shown"


def test_the_same_name_in_another_file_is_fine(tmp_path: Path) -> None:
    (tmp_path / "a.test.yml").write_text(f"tests: [{FINE}]")
    found = loaded(tmp_path, f"tests: [{FINE}]", name="b.test.yml")
    assert len(found.cases) == 2


@pytest.mark.parametrize(
    ("field", "remedy"),
    [
        ("a0", "it follows from other fields: name those"),
        ("fileaudit.auditd.nametype", "it follows from other fields: name those"),
        ("Image", "write 'process.executable', where alerts carry it"),
        ("FileExtension", "write 'file.extension', where alerts carry it"),
    ],
)
def test_an_alert_is_not_asked_for_what_no_alert_carries(tmp_path: Path, field: str, remedy: str) -> None:
    alert = f"{{rule: r, fields: {{{field}: x}}}}"
    found = loaded(tmp_path, f"tests: [{{name: a, events: [{{Operation: open}}], alerts: [{alert}]}}]\n")
    (problem,) = found.diagnostics
    assert (problem.code, problem.help) == ("FA063", remedy)


@pytest.mark.parametrize("name", ["'@timestamp'", "UtcTime", "ts_ns"])
def test_an_event_of_a_case_has_no_time_of_its_own_however_it_is_called(tmp_path: Path, name: str) -> None:
    found = loaded(tmp_path, f"tests: [{{name: a, events: [{{Operation: open, {name}: 1}}], alerts: []}}]\n")
    assert [problem.code for problem in found.diagnostics] == ["FA062"]


WORDS = st.sampled_from(
    (
        *(*FILE_KEYS, *CASE_KEYS, *EXPECTATION_KEYS),
        *("0s", "Operation", "open", "TargetFilename", "/a", "user.name", "\x1b", "\udcff", "ts_ns"),
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=25,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES)
def test_no_content_makes_the_reader_raise(tmp_path: Path, content: object) -> None:
    text = yaml.safe_dump({"tests": [content, content]}, allow_unicode=True)
    (tmp_path / "x.test.yml").write_bytes(text.encode("utf-8", "surrogateescape"))
    found = load_cases(tmp_path)
    assert found.diagnostics
    shown = render(found.diagnostics, found.sources, color=False)
    assert all(line.isprintable() for line in shown.split("\n"))
