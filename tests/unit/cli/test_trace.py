"""The options of `trace` as the rule that they become."""

import pytest

from fileaudit_engine.cli.main import main, parser
from fileaudit_engine.cli.trace import compiled_filter
from fileaudit_engine.compiler.plan import UserRule
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.model import FileEvent, Operation, Process


def rule(*options: str) -> UserRule:
    """The one rule that the options become."""
    (only,) = compiled_filter(parser().parse_args(["trace", *options])).user.rules
    return only


def shows(event: FileEvent, *options: str) -> bool:
    """Whether `trace` with these options shows the event."""
    return matcher(rule(*options).predicate)(event)


def opened(path: str = "/etc/hosts", *, user: str = "alice", comm: str = "cat", pid: int = 5) -> FileEvent:
    """An open."""
    return FileEvent(
        ts_ns=1,
        operation=Operation.OPEN,
        process=Process(pid=pid, name=comm),
        path=path,
        user_name=user,
    )


@pytest.mark.parametrize("operations", ["opne", "unlink", "open,,"])
def test_trace_refuses_operations_that_it_cannot_show(
    operations: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["trace", "--op", operations])
    assert ended.value.code == 2
    assert "--op" in capsys.readouterr().err


@pytest.mark.parametrize("pid", ["0", "-1", "4194305", "1e3", "", "٣", "9" * 5_000])
def test_a_process_id_is_one_that_the_kernel_gives(pid: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["trace", f"--pid={pid}"])
    assert ended.value.code == 2
    assert "argument --pid: must be a number from 1 to 4194304" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--path", "--user", "--comm"])
@pytest.mark.parametrize(("value", "why"), [("", "must not be empty"), ("a\udcff", "is not UTF-8")])
def test_a_name_that_no_rule_can_have_is_refused_by_its_option(
    option: str, value: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["trace", f"{option}={value}"])
    assert ended.value.code == 2
    assert f"argument {option}: {why}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["0o17", "1e3", "null", "true", "a: b", "- a", "\n\x1b[2J", "\u2028\ufeff", "😀", '"', "é" * 300]
)
def test_a_name_means_itself_whatever_yaml_would_make_of_it(name: str) -> None:
    assert shows(opened(user=name), "--user", name)
    assert shows(opened(comm=name), "--comm", name)
    assert shows(opened("/" + name), "--path", "/" + name)
    assert not shows(opened(), "--user", name)


def test_every_option_must_hold() -> None:
    options = ("--path", "/etc/*", "--path", "/srv/*", "--user", "alice", "--comm", "c?t", "--pid", "5")
    assert shows(opened(), *options)
    assert shows(opened("/srv/a"), *options)
    assert not shows(opened("/usr/a"), *options)
    assert not shows(opened(user="bob"), *options)
    assert not shows(opened(comm="cart"), *options)
    assert not shows(opened(pid=6), *options)


def test_help_says_which_filters_run_in_the_kernel(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["trace", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert "are tested in the kernel; --user, --comm, --pid and the rest of a --path are tested" in words
