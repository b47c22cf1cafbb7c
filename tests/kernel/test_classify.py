"""What passes the filter in the kernel, and with which candidates."""

import collections
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.capture import (
    ANY,
    Capture,
    asks,
    begins,
    by,
    contains,
    ends,
    field_is,
    in_child,
    made,
    named,
    paths,
    touch,
)

from fileaudit_engine.compiler.classifier import classify, facts_of
from fileaudit_engine.compiler.ir import All, Predicate
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.events.model import Operation, PathState

pytestmark = pytest.mark.kernel


def rules_of(capture: Capture, action: Callable[[], object]) -> list[set[int]]:
    return [seen.rules for seen in capture.of(action)]


def test_three_nested_prefixes_all_report(capture: Capture, place: Path) -> None:
    capture.watch(begins(place), begins(place / "b"), begins(place / "b/c"))
    deep, shallow = made(place / "b/c/file"), made(place / "file")
    assert rules_of(capture, touch(deep, shallow)) == [{0, 1, 2}, {0}]


def test_nested_suffixes_all_report(capture: Capture, place: Path) -> None:
    capture.watch(ends("y"), ends(".key"), ends("id.key"))
    assert rules_of(capture, touch(made(place / "id.key"), made(place / "a.key"))) == [{0, 1, 2}, {0, 1}]


def test_upper_and_lower_case_are_one(capture: Capture, place: Path) -> None:
    lower = Path(str(place).lower())
    capture.watch(begins(str(lower) + "/secret"), ends("/id_RSA"), contains("/VAULT/"))
    wanted = [made(place / "SeCReT"), made(place / "ID_rsa"), made(place / "Vault" / "x")]
    assert rules_of(capture, touch(*wanted)) == [{0}, {1}, {2}]


def test_only_letters_change_their_case(capture: Capture, place: Path) -> None:
    capture.watch(ends("/a[z"), ends("/a@z"))
    assert paths(capture.of(touch(made(place / "a{z"), made(place / "a`z")))) == []


@pytest.mark.parametrize(
    "name", ["\u017fecret", "to\u212aen", "na\u212a"], ids=["long s", "kelvin", "kelvin at the end"]
)
def test_a_letter_that_folds_into_ascii_skips_the_path_tests(
    capture: Capture, place: Path, name: str
) -> None:
    capture.watch(begins("/nowhere"), ends("/secret"), contains("/token/"))
    assert rules_of(capture, touch(made(place / name))) == [{0, 1, 2}]
    assert rules_of(capture, touch(place / name / "none")) == [{0, 1, 2}]


def test_other_letters_skip_nothing(capture: Capture, place: Path) -> None:
    capture.watch(begins("/nowhere"), ends("/straße"))
    assert rules_of(capture, touch(made(place / "über"), made(place / "straße"))) == [{1}]


def test_a_component_is_found_between_slashes_only(capture: Capture, place: Path) -> None:
    capture.watch(contains("/.ssh/"))
    inside = made(place / ".ssh" / "deep" / "key")
    elsewhere = [made(place / "x.ssh" / "key"), made(place / ".sshx" / "key"), made(place / "last" / ".ssh")]
    assert paths(capture.of(touch(inside, *elsewhere, place / ".ssh"))) == [str(inside)]


def test_a_component_is_found_in_a_failed_open(capture: Capture, place: Path) -> None:
    capture.watch(contains("/.ssh/"))
    (place / ".ssh").mkdir()

    def action() -> None:
        touch(place / ".ssh" / "none", place / ".ssh", place / "none" / ".ssh")()
        os.chdir(place / ".ssh")
        touch("none", "a/none", "../.ssh2/none")()

    found = [path for path in paths(capture.of(action)) if path and "/.ssh/" in path]
    assert found == [f"{place}/.ssh/none", f"{place}/.ssh/none", f"{place}/.ssh/a/none"]


def test_a_component_of_many_bytes_is_told_from_others(capture: Capture, place: Path) -> None:
    long = "component-of-more-than-thirty-two-bytes"
    capture.watch(contains(f"/{long}/"))
    inside, outside = made(place / long / "x"), made(place / long[1:] / "x")
    assert paths(capture.of(touch(inside, outside))) == [str(inside)]


def test_access_modes_and_outcomes_select(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    plan = capture.watch(begins(place))
    assert all(plan.selectors[number] for number in range(8))
    assert len(capture.of(touch(path, place / "none"))) == 2


def test_a_rule_without_a_path_sees_everything(capture: Capture, place: Path) -> None:
    capture.watch(All(operands=()), begins("/nowhere"))
    wanted = [made(place / "file"), place / "none"]
    seen = [one for one in capture.of(touch(*wanted)) if one.event.path in {*map(str, wanted)}]
    assert [one.rules for one in seen] == [{0}, {0}]


# --- whole paths -------------------------------------------------------------------------------------------


def test_a_whole_path_is_told_from_those_that_go_on(capture: Capture, place: Path) -> None:
    capture.watch(asks(f"{place}/key"), begins(place / "key"), begins(f"{place}/key/"))
    files = [made(place / name) for name in ("key", "key.pub", "keys")]
    (place / "other").mkdir()
    made(place / "other" / "key")
    assert rules_of(capture, touch(*files)) == [{0, 1}, {1}, {1}]
    assert rules_of(capture, touch(place / "key", place / "other" / "key", place)) == [{0, 1}]


@pytest.mark.parametrize("length", [246, 247, 248, 249])
def test_a_whole_path_around_the_length_of_a_key_is_found(capture: Capture, place: Path, length: int) -> None:
    path = long_path(place, length)
    capture.watch(asks(path))
    made(Path(path))
    made(Path(path + "x"))
    assert paths(capture.of(touch(path, path + "x"))) == [path]


def test_the_root_is_a_path(capture: Capture) -> None:
    capture.watch(asks("/"))
    assert paths(capture.of(touch("/", "/etc"))) == ["/"]


# --- names of which only the last component is certain -----------------------------------------------------


def remove(*paths: str | Path) -> Callable[[], None]:
    def action() -> None:
        for path in paths:
            Path(path).unlink(missing_ok=True)

    return action


def test_a_name_behind_folders_is_tested_by_its_last_component(capture: Capture, place: Path) -> None:
    capture.watch(
        *(named(ANY, "/.ssh/authorized_keys"), named(ANY, "keys"), named(ANY, "/authorized_keys")),
        *(named(f"{place}/a/other"), named(ANY, "/x/authorized_keys2"), named(ANY, "/y/authorized_keys")),
    )
    wanted = [place / "a" / name for name in ("authorized_keys", "other", "x-authorized_keys", "unwatched")]
    for path in wanted:
        made(path)
    # Any folder on the way might be a link: what stands before the last component excludes nothing.
    assert rules_of(capture, remove(*wanted)) == [{0, 1, 2, 5}, {3}, {1}]


def test_a_name_in_a_folder_that_is_certain_is_tested_whole(capture: Capture, place: Path) -> None:
    name = "authorized_keys"
    capture.watch(named(ANY, f"/a/{name}"), named(ANY, f"/b/{name}"), named(f"{place}/a/{name}"))
    made(place / "a" / "authorized_keys")

    def action() -> None:
        os.chdir(place / "a")
        os.unlink("authorized_keys")  # noqa: PTH108 - relative to the working directory

    assert rules_of(capture, action) == [{0, 2}]


def test_a_last_component_ignores_case_and_a_letter_that_folds_into_ascii_skips_the_test(
    capture: Capture, place: Path
) -> None:
    capture.watch(named(ANY, "/.ssh/secret"))
    names = [made(place / "a" / name) for name in ("SECRET", "\u017fecret", "se\u0107ret")]
    assert rules_of(capture, remove(*names)) == [{0}, {0}]


@pytest.mark.parametrize("length", [246, 247, 248, 255])
def test_a_last_component_around_the_length_of_a_key_is_found(
    capture: Capture, place: Path, length: int
) -> None:
    name = "n" * length
    capture.watch(named(ANY, f"/a/{name}"), named(f"{place}/a/{name}"))
    made(place / "a" / name)
    made(place / "a" / ("m" * length))
    assert rules_of(capture, remove(place / "a" / name, place / "a" / ("m" * length))) == [{0, 1}]


# --- who does it -------------------------------------------------------------------------------------------

NOBODY = 65534


def called(name: str) -> None:
    """Give this thread a name."""
    Path("/proc/thread-self/comm").write_text(name)


def as_user(number: int, action: Callable[[], object]) -> Callable[[], None]:
    def changed() -> None:
        os.setuid(number)
        action()

    return changed


def test_a_user_is_found_by_number_and_by_name(capture: Capture, place: Path) -> None:
    inside = begins(place)
    capture.watch(
        *(inside, by("UserId", "0", inside), by("User", "Nobody", inside), by("UserId", str(NOBODY), inside))
    )
    path = made(place / "file")
    path.chmod(0o644)

    def wanted(action: Callable[[], object]) -> list[set[int]]:
        return [one.rules for one in capture.of(action) if one.event.path == str(path)]

    assert wanted(touch(path)) == [{0, 1}]
    assert wanted(as_user(NOBODY, touch(path))) == [{0, 2, 3}]


def test_a_user_without_an_account_may_have_any_name(capture: Capture, place: Path) -> None:
    capture.watch(by("User", "root", begins(place)), by("UserId", "0", begins(place)))
    path = made(place / "file")
    path.chmod(0o644)
    assert rules_of(capture, as_user(4_000_000, touch(path))) == [{0}]


def test_a_process_is_found_by_number(capture: Capture, place: Path) -> None:
    path = made(place / "file")
    read, write = os.pipe()

    def action() -> None:
        os.read(read, 1)
        touch(path)()

    pid = os.fork()
    if pid == 0:
        action()
        os._exit(0)
    capture.watch(by("ProcessId", str(pid)))
    in_child(touch(path))
    os.write(write, b"x")
    os.waitpid(pid, 0)
    seen = list(capture.arrived())
    assert {one.event.process.pid for one in seen} == {pid}
    assert str(path) in paths(seen)


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("vim", {0, 1}),
        ("VIM", {0, 1}),
        ("vi", {0}),
        ("vim2", {0}),
        ("fifteen-letters", {0, 2}),
        ("\u017fsh", {0, 1, 2, 3}),
        ("a-\u212aelvin", {0, 1, 2, 3}),
    ],
)
def test_a_thread_is_found_by_its_name(capture: Capture, place: Path, name: str, rules: set[int]) -> None:
    capture.watch(
        *(begins(place), by("ProcessName", "Vim"), by("ProcessName", "fifteen-letters")),
        by("ProcessName", "ssh"),
    )
    path = made(place / "file")

    def action() -> None:
        called(name)
        touch(path)()

    seen = [one for one in capture.of(action) if one.event.path == str(path)]
    assert [one.rules for one in seen] == [rules]


@pytest.mark.parametrize("length", [247, 248, 249, 600, 1023, 1024, 1025, 2000, 4000])
def test_long_paths_are_told_whole_and_tested(capture: Capture, place: Path, length: int) -> None:
    capture.watch(begins(place), ends("/end"), contains("/mid/"))
    path = long_path(place, length)
    seen = capture.of(lambda: open_deep(path))
    found = [one for one in seen if one.event.path == path]
    assert len(found) == 1
    assert found[0].rules >= {0, 1, 2}
    assert found[0].event.path_state == PathState.RESOLVED


def test_a_path_beyond_the_kernels_limit_is_cut_and_never_dropped(capture: Capture, place: Path) -> None:
    capture.watch(begins("/nowhere"))
    path = long_path(place, 6000)
    seen = [one for one in capture.of(lambda: open_deep(path)) if one.event.asked_path == "end"]
    assert len(seen) == 1
    assert seen[0].event.path_state == PathState.TRUNCATED
    assert seen[0].event.path is not None
    assert path.endswith(seen[0].event.path)


def test_a_very_deep_path_is_never_dropped(capture: Capture, place: Path) -> None:
    capture.watch(begins("/nowhere"), ends("/end"))
    path = str(place) + "/d" * 400 + "/end"
    seen = [one for one in capture.of(lambda: open_deep(path)) if one.event.asked_path == "end"]
    assert [one.rules for one in seen] == [{0, 1}]


def test_the_kernels_candidates_are_the_models(capture: Capture, place: Path) -> None:
    rules: list[Predicate] = [
        begins("/etc"),
        begins("/etc/ssl"),
        begins(place),
        begins("/usr/lib/python3"),
        ends(".py"),
        ends("passwd"),
        ends(".so.6"),
        contains("/.ssh/"),
        contains("/encodings/"),
        contains("/python3.11/"),
        asks("/usr/", ANY, ".pyc"),
        asks("/proc/", ANY, "/status"),
    ]
    plan = capture.watch(*rules, by("ProcessName", "classified"))
    hidden = made(place / ".ssh" / "key")
    files = [path for root in ("/etc", "/usr/lib/python3.11") for path in sorted(Path(root).rglob("*"))][
        :3000
    ]

    def action() -> None:
        called("classified")
        touch(
            hidden, place / ".SSH/none", place / "\u017fet", "relative/none", "../up", "/proc/self/status"
        )()
        touch(*files)()
        touch(*(f"{path}.NONE" for path in files[:500]), *(str(path).upper() for path in files[-500:]))()

    seen = capture.of(action)
    assert len(seen) > 1000
    assert len({one.candidates for one in seen}) > 8
    for one in seen:
        assert one.candidates == classify(plan, facts_of(one.event)), one.event.path


def long_path(place: Path, length: int) -> str:
    """A path of so many bytes below `place`, with `/mid/` early in it and `/end` last."""
    path = f"{place}/mid"
    while length - len(path) - len("/end") > 1:
        path += "/" + "x" * min(200, length - len(path) - len("/end") - 1)
    return path.ljust(length - len("/end"), "y") + "/end"


def open_deep(path: str) -> None:
    """Make the file and open it step by step: no call takes a path this long."""
    os.chdir("/")
    *folders, name = path.split("/")[1:]
    for folder in folders:
        Path(folder).mkdir(exist_ok=True)
        os.chdir(folder)
    os.mknod(name)
    touch(name)()


# --- the law on live events --------------------------------------------------------------------------------


def changes(place: Path) -> None:
    """Operations on names of many kinds, below a folder that is also reached through a link."""
    for folder in (place / "real", place / "link", Path("/proc/self/cwd/real")):
        for name in ("secret.key", "SECRET.KEY", "\u017fecret.key", "plain"):
            path, other = folder / name, folder / f"{name}.new"
            path.write_bytes(b"x")
            os.truncate(path, 0)
            path.chmod(0o600)
            os.utime(path, (1, 1))
            os.chown(path, 0, 0)
            path.rename(other)
            path.hardlink_to(other)
            other.unlink()
            other.symlink_to(name)
            other.replace(path)
            path.unlink()
            path.mkdir()
            path.rmdir()


def test_what_a_rule_matches_is_a_candidate_for_every_operation(capture: Capture, place: Path) -> None:
    real, link, source = f"{place}/real/secret.key", f"{place}/link/secret.key", "SourceFilename"
    below = (f"{place}/real/", ANY)
    rules: list[Predicate] = [
        *(named(real), named(link), named(*below), named(f"{place}/link/", ANY)),
        *(named(ANY, "/real/secret.key"), named(ANY, "/link/secret.key"), named(ANY, "secret.key")),
        *(named(ANY, "/real/", ANY), named(place.anchor, ANY, "/plain"), named(ANY, "/real/plain.new")),
        *(field_is(source, real), field_is(source, f"{real}.new"), field_is(source, link)),
        *(All(operands=(named(*below), field_is("Operation", operation.value))) for operation in Operation),
        *(All(operands=(named(*below), field_is("User", "root"))), field_is("ProcessName", "changing")),
    ]
    capture.watch(*rules)
    (place / "real").mkdir()
    (place / "link").symlink_to("real")

    def action() -> None:
        called("changing")
        os.chdir(place)
        changes(place)

    seen = capture.of(action)
    matchers = [matcher(rule) for rule in rules]
    counted: collections.Counter[Operation] = collections.Counter()
    for one in seen:
        matching = {number for number, matches in enumerate(matchers) if matches(one.event)}
        assert matching <= one.rules, one.event
        counted[one.event.operation] += len(matching) > 1
    assert {operation for operation, count in counted.items() if count >= 3} >= {
        *(Operation.CREATE, Operation.TRUNCATE, Operation.CHMOD, Operation.UTIMES, Operation.CHOWN),
        *(Operation.RENAME, Operation.LINK, Operation.UNLINK, Operation.SYMLINK, Operation.MKDIR),
        Operation.RMDIR,
    }


# --- files that are known ----------------------------------------------------------------------------------

TRIES = 200
"""Of an open, while user space looks for the files that rules name: it does so every few seconds."""


def on_one_processor(action: Callable[[], object]) -> Callable[[], None]:
    """Decisions are remembered by processor."""

    def pinned() -> None:
        os.sched_setaffinity(0, {0})
        action()

    return pinned


def until_seen(capture: Capture, path: Path) -> list[set[int]]:
    """The candidates of the first open of the file that is reported."""
    for _ in range(TRIES):
        if seen := rules_of(capture, on_one_processor(touch(path))):
            return seen
        time.sleep(0.05)
    return []


def test_a_watched_file_is_seen_by_the_name_of_a_hard_link(capture: Capture, place: Path) -> None:
    secret, link, other = made(place / "secret"), place / "link", made(place / "other")
    link.hardlink_to(secret)
    inside = asks(str(secret))
    capture.watch(inside, by("UserId", "1", inside), by("UserId", "0", inside))
    assert until_seen(capture, link) == [{0, 2}]
    assert rules_of(capture, touch(other)) == []


def test_a_file_that_takes_a_watched_name_is_seen_by_the_names_that_it_had(
    capture: Capture, place: Path
) -> None:
    new, link = made(place / "new"), place / "link"
    link.hardlink_to(new)
    capture.watch(asks(f"{place}/secret"))
    assert rules_of(capture, on_one_processor(touch(link, link, link))) == []
    new.rename(place / "secret")
    assert until_seen(capture, link) == [{0}]
