"""The model of the kernel's classifier: when a path can be tested, and when the test must be skipped."""

import pytest
from tests.unit.compiler.examples import ANY, event, path_test, text_test

from fileaudit_engine.compiler.classifier import FOLDS_TO_ASCII, classify, facts_of
from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.compiler.plan import KEY_BYTES, SCAN_BYTES
from fileaudit_engine.events.model import FileEvent, Operation, PathState


def passes(happened: FileEvent, *pattern: object) -> bool:
    """Whether an event is a candidate of a rule with this path."""
    return bool(classify(kernel_plan([path_test(*pattern)]), facts_of(happened)))  # type: ignore[arg-type]


def test_what_no_rule_can_match_is_dropped() -> None:
    assert not passes(event("/usr/lib/libc.so"), "/etc/", ANY)
    assert not passes(event("/etc/shadow-"), "/etc/shadow")
    assert not passes(event("/etc"), "/etc/", ANY)


def test_an_operation_of_which_no_rule_speaks_is_dropped_whatever_its_path() -> None:
    plan = kernel_plan([text_test("Operation", "unlink")])
    assert not classify(plan, facts_of(event(None)))
    assert classify(plan, facts_of(event(None, operation=Operation.UNLINK)))


@pytest.mark.parametrize("state", [PathState.TRUNCATED, PathState.UNRESOLVED, PathState.FOLLOWED])
def test_a_path_that_is_not_the_kernels_whole_path_is_not_tested(state: PathState) -> None:
    assert passes(event("/elsewhere", path_state=state), "/etc/shadow")
    assert passes(event("/elsewhere", path_state=state | PathState.DELETED), "/etc/shadow")


@pytest.mark.parametrize("state", [PathState.DELETED, PathState.UNREACHABLE])
def test_a_whole_path_is_tested_even_if_it_has_lost_its_name_or_root(state: PathState) -> None:
    assert not passes(event("/elsewhere", path_state=state), "/etc/shadow")


def test_an_event_without_a_path_is_not_tested_for_one() -> None:
    assert passes(event(None), "/etc/shadow")


@pytest.mark.parametrize("name", ["/etc/\u017fhadow", "/etc/\udcc5\udcbfhadow"])
def test_a_name_with_a_long_s_is_not_tested_because_it_may_match_after_folding(name: str) -> None:
    assert passes(event(name), "/etc/shadow")


def test_a_name_with_a_kelvin_sign_is_not_tested_because_it_may_match_after_folding() -> None:
    assert passes(event("/root/.\u212aube/config"), "/root/.kube/config")


def test_other_characters_outside_ascii_do_not_stop_the_test() -> None:
    assert not passes(event("/home/\u0130\u00e9\udcff/x"), "/etc/", ANY)


def test_the_characters_are_known_by_their_bytes() -> None:
    assert FOLDS_TO_ASCII == (b"\xc5\xbf", b"\xe2\x84\xaa")


def test_a_path_longer_than_a_key_is_still_tested_at_both_ends() -> None:
    inside = "/x" * KEY_BYTES
    assert passes(event(f"/etc{inside}/shadow"), "/etc/", ANY, "/shadow")
    assert not passes(event(f"/etc{inside}/shadow"), "/usr/", ANY)
    assert not passes(event(f"/etc{inside}/shadow"), ANY, "/passwd")


@pytest.mark.parametrize("length", [KEY_BYTES - 1, KEY_BYTES, KEY_BYTES + 1, KEY_BYTES + 50])
def test_a_literal_around_the_length_of_a_key_finds_its_path(length: int) -> None:
    literal = "/" + "p" * (length - 1)
    assert passes(event(literal), literal)
    assert passes(event(literal + "/x"), literal, ANY)
    assert passes(event("/x" + literal), ANY, literal)
    assert not passes(event("/q" + literal[2:]), literal)


@pytest.mark.parametrize("path", ["/home/u/.ssh/id", "/.ssh/", "//.ssh//", "x/.SSH/y"])
def test_a_directory_name_is_found_between_two_slashes(path: str) -> None:
    assert passes(event(path), ANY, "/.ssh/", ANY)


@pytest.mark.parametrize("path", ["/home/.ssh", ".ssh/x", "/home/.sshd/x", "/home/x.ssh/x", "/"])
def test_a_name_that_is_no_directory_of_the_path_is_not_found(path: str) -> None:
    assert not passes(event(path), ANY, "/.ssh/", ANY)


def test_a_path_longer_than_the_scan_passes_the_test_of_directory_names() -> None:
    rest = "/" + "x" * (SCAN_BYTES - 5)
    assert not passes(event("/tmp" + rest), ANY, "/.ssh/", ANY)
    assert passes(event("/tmpx" + rest), ANY, "/.ssh/", ANY)
