"""What the modifiers of paths mean for an event.

Each test is a decision where the specification leaves one to the engine, or where engines go wrong.
"""

import pytest
from tests.unit.compiler.examples import event
from tests.unit.detect.language import holds


@pytest.mark.parametrize("directory", ["/etc", "/etc/", "/etc//", "/ETC"])
def test_under_is_the_directory_itself_and_whatever_is_below(directory: str) -> None:
    item = f"{{TargetFilename|under: {directory}}}"
    for path in ("/etc", "/etc/", "/etc/shadow", "/etc/a/b", "/Etc/x", "/etc/\n"):
        assert holds(item, event(path))
    for path in ("/etcetera", "/etc2/x", "/", "/usr/etc", "etc/x", ""):
        assert not holds(item, event(path))


def test_under_the_root_is_everything_absolute() -> None:
    assert holds("{TargetFilename|under: /}", event("/x"))
    assert holds("{TargetFilename|under: /}", event("/"))
    assert not holds("{TargetFilename|under: /}", event("pipe:[123]"))


def test_under_minds_the_case_where_it_is_told_to() -> None:
    assert not holds("{TargetFilename|under|cased: /etc}", event("/ETC/x"))


def test_an_escaped_wildcard_of_a_directory_is_a_character() -> None:
    assert holds(r"{TargetFilename|under: '/a\*b'}", event("/a*b/c"))


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("/home/*/.ssh/*", ("/home/a/.ssh/id", "/home//.ssh/", "/HOME/x\n/.ssh/y"),
         ("/home/a/b/.ssh/id", "/home/a/.ssh/x/y", "/home/.ssh/id")),
        ("/home/**/.ssh/*", ("/home/a/.ssh/id", "/home/a/b/.ssh/id", "/home//.ssh/x"), ("/home/a/.ssh/x/y",)),
        ("/etc/pass?d", ("/etc/passwd", "/etc/pass\nd"), ("/etc/pass/d", "/etc/passd", "/etc/passwwd")),
        ("**/core", ("/core", "/a/b/core", "/core/core"), ("core", "/a/cores")),
        ("/srv/**", ("/srv/", "/srv/a/b"), ("/srv",)),
        ("/a/?/**/?", ("/a/b/c/d", "/a/b//d"), ("/a/b/d", "/a//x/d", "/a/b/c/")),
        (r"/a/\*", ("/a/*",), ("/a/b",)),
        ("*", ("x", ""), ("/x", "a/b")),
        ("**", ("", "/x", "a/b"), ()),
    ],
)  # fmt: skip
def test_wildcards_of_a_path_stop_at_slashes_and_two_stars_do_not(
    pattern: str, yes: tuple[str, ...], no: tuple[str, ...]
) -> None:
    item = f"{{TargetFilename|path: '{pattern}'}}"
    assert [path for path in yes if not holds(item, event(path))] == []
    assert [path for path in no if holds(item, event(path))] == []
