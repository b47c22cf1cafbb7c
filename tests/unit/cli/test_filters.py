"""The options of the live views as the rule that they become."""

import pwd
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fileaudit_engine.cli.filters import GROUPS, compiled_filter, warn_of_slips
from fileaudit_engine.cli.main import main, parser
from fileaudit_engine.compiler.plan import UserRule
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.model import FileEvent, Operation, Process

_O = Operation


def rule(*options: str) -> UserRule:
    """The one rule that the options become."""
    (only,) = compiled_filter(parser().parse_args(["trace", *options])).user.rules
    return only


def shows(event: FileEvent, *options: str) -> bool:
    """Whether `trace` with these options shows the event."""
    return matcher(rule(*options).predicate)(event)


def done(operation: Operation = _O.OPEN, path: str = "/etc/hosts", **facts: Any) -> FileEvent:
    """What alice does with `cat`."""
    known: dict[str, Any] = {
        "process": Process(pid=5, name="cat"),
        "user_name": "alice",
        "user_id": 1000,
    }
    return FileEvent(ts_ns=1, operation=operation, path=path, **(known | facts))


def refusal(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What a command says that does not take its options."""
    with pytest.raises(SystemExit) as ended:
        main(["trace", *options])
    assert ended.value.code == 2
    return capsys.readouterr().err


def warning(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What is said of options that are most likely a slip."""
    warn_of_slips(parser().parse_args(["trace", *options]))
    return capsys.readouterr().err


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host where only alice and somebody called 4711 have accounts."""

    def named(name: str) -> object:
        if name not in {"alice", "4711"}:
            raise KeyError(name)
        return SimpleNamespace(pw_name=name)

    monkeypatch.setattr(pwd, "getpwnam", named)
    monkeypatch.setattr(pwd, "getpwall", lambda: [named("alice"), named("4711")])


@pytest.mark.parametrize("operation", Operation)
def test_every_operation_can_be_asked_for_and_is_shown_without_asking(operation: Operation) -> None:
    others = [other for other in Operation if other is not operation]
    assert shows(done(operation))
    assert shows(done(operation), "--op", operation.value)
    assert not shows(done(operation), "--op", ",".join(other.value for other in others))


@pytest.mark.parametrize("group", GROUPS)
def test_a_word_for_several_operations_shows_those_and_no_other(group: str) -> None:
    assert {o for o in Operation if shows(done(o), "--op", group)} == set(GROUPS[group])


def test_operations_and_words_for_several_can_be_given_together_in_any_case_and_more_than_once() -> None:
    options = ("--op", "Rename, delete,UNLINK,rename")
    assert {o for o in Operation if shows(done(o), *options)} == {_O.RENAME, _O.UNLINK, _O.RMDIR}


def test_no_operation_is_hidden_behind_a_word_for_several() -> None:
    assert not GROUPS.keys() & {operation.value for operation in Operation}


@pytest.mark.parametrize(
    ("operations", "words"),
    [
        ("opne", "'opne' is no operation; did you mean 'open'?"),
        ("deleted", "'deleted' is no operation; did you mean 'delete'?"),
        ("open,,", "'' is no operation"),
        ("o\x1b[2J", r"'o\x1b[2j' is no operation"),
        ("x" * 10_000, f"'{'x' * 60}…' is no operation"),
    ],
)
def test_a_word_that_is_no_operation_is_refused_with_the_nearest_that_is(
    operations: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"argument --op: {words}" in refusal(capsys, "--op", operations)


@pytest.mark.parametrize("pid", ["0", "-1", "4194305", "1e3", "", "٣", "9" * 5_000])
def test_a_process_id_is_one_that_the_kernel_gives(pid: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "argument --pid: must be a number from 1 to 4194304" in refusal(capsys, f"--pid={pid}")


@pytest.mark.parametrize("option", ["--path", "--user", "--comm"])
@pytest.mark.parametrize(("value", "why"), [("", "must not be empty"), ("a\udcff", "is not UTF-8")])
def test_a_name_that_no_rule_can_have_is_refused_by_its_option(
    option: str, value: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"argument {option}: {why}" in refusal(capsys, f"{option}={value}")


@pytest.mark.parametrize(
    "name", ["0o17", "1e3", "null", "true", "a: b", "- a", "\n\x1b[2J", "\u2028\ufeff", "😀", '"', "é" * 300]
)
def test_a_name_means_itself_whatever_yaml_would_make_of_it(name: str) -> None:
    assert shows(done(user_name=name), "--user", name)
    assert shows(done(process=Process(pid=5, name=name)), "--comm", name)
    assert shows(done(path="/" + name), "--path", "/" + name)
    assert not shows(done(), "--user", name)


def test_every_option_must_hold() -> None:
    options = ("--path", "/etc/*", "--path", "/srv/*", "--user", "alice", "--comm", "c?t", "--pid", "5")
    assert shows(done(), *options)
    assert shows(done(path="/srv/a"), *options)
    assert not shows(done(path="/usr/a"), *options)
    assert not shows(done(user_name="bob"), *options)
    assert not shows(done(process=Process(pid=5, name="cart")), *options)
    assert not shows(done(process=Process(pid=6, name="cat")), *options)


def test_only_failed_calls_are_shown_where_that_is_asked() -> None:
    assert shows(done(errno=13), "--failed")
    assert not shows(done(), "--failed")


@pytest.mark.parametrize("operation", [_O.RENAME, _O.LINK])
def test_a_file_that_leaves_a_path_is_shown_as_well_as_one_that_comes(operation: Operation) -> None:
    assert shows(done(operation, "/tmp/x", source_path="/srv/x"), "--path", "/srv/*")
    assert shows(done(operation, "/srv/x", source_path="/tmp/x"), "--path", "/srv/*")
    assert not shows(done(operation, "/tmp/x", source_path="/tmp/y"), "--path", "/srv/*")
    assert not shows(done(operation, "/tmp/x", source_path="/srv/x"), "--path", "/srv/*", "--user", "bob")


def test_the_kernel_tests_both_names_and_copies_nothing_of_other_paths() -> None:
    plan = compiled_filter(parser().parse_args(["trace", "--path", "/srv/*"])).kernel
    assert plan.clauses
    assert all(clause.tests_path for clause in plan.clauses)


@pytest.mark.usefixtures("accounts")
def test_a_user_may_be_a_number_unless_that_is_somebodys_name() -> None:
    assert shows(done(), "--user", "1000")
    assert not shows(done(), "--user", "1001")
    assert shows(done(user_name="4711"), "--user", "4711")
    assert not shows(done(user_id=4711), "--user", "4711")


@pytest.mark.usefixtures("accounts")
def test_a_user_that_this_host_does_not_know_is_told_with_the_nearest_that_it_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = warning(capsys, "--user", "alcie")
    assert said == "warning   --user alcie: this host knows no such user; did you mean 'alice'?\n"
    assert (
        warning(capsys, "--user", "zzz\n") == r"warning   --user zzz\x0a: this host knows no such user" + "\n"
    )
    assert warning(capsys, "--user", "4294967295").endswith("no user id is above 4294967294\n")
    for fine in ("alice", "al*", "1000", "0"):
        assert not warning(capsys, "--user", fine)


def test_a_path_that_nothing_can_have_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    said = warning(capsys, "--path", "./logs/*")
    assert f"paths are absolute, so nothing is called that; did you mean {tmp_path}/logs/*?" in said
    assert f"for what is in it, write '{tmp_path}/*'" in warning(capsys, "--path", f"{tmp_path}/")
    for fine in ("*.log", "/etc/hosts", f"{tmp_path}/*", f"{tmp_path}/nothing"):
        assert not warning(capsys, "--path", fine)


def test_help_says_where_filters_run_and_how_reads_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["trace", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert "The filters run in the kernel" in words
    assert "Reads and writes are summed in the kernel, by process and file" in words
    assert "delete (unlink rmdir)" in words
    for operation in Operation:
        assert operation.value in words
