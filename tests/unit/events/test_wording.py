"""An event in a sentence."""

from typing import Any

import pytest
from hypothesis import given, settings
from tests.unit.events.examples import HOSTILE, events

from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, Process
from fileaudit_engine.events.wording import sentence
from fileaudit_engine.text import printable

O = Operation  # noqa: E741 - the table below is easier to read


def said(operation: Operation, **facts: Any) -> str:
    alice: dict[str, Any] = {
        "ts_ns": 0,
        "user_name": "alice",
        "process": Process(pid=1, executable="/bin/p"),
        "path": "/f",
    }
    return sentence(FileEvent(operation=operation, **(alice | facts))).removesuffix(" with /bin/p")


@pytest.mark.parametrize(
    ("operation", "facts", "words"),
    [
        (O.OPEN, {}, "alice opened /f"),
        (O.OPEN, {"access_mode": AccessMode.READ}, "alice opened /f for reading"),
        (O.WRITE, {"access_mode": AccessMode.READ_WRITE}, "alice wrote to /f"),
        (O.RENAME, {}, "alice renamed /f"),
        (O.RENAME, {"source_path": "/old"}, "alice renamed /old to /f"),
        (O.LINK, {"source_path": "/old"}, "alice linked /old as /f"),
        (O.SYMLINK, {"link_target": "../x"}, "alice made the symbolic link /f to ../x"),
        (O.CHMOD, {"new_mode": 0o4755, "mode": 0o100644}, "alice changed the mode of /f to 4755"),
        (O.CHOWN, {"new_owner_id": 0}, "alice changed the owner of /f to 0"),
        (O.CHOWN, {"new_owner_name": "root", "new_owner_id": 0}, "alice changed the owner of /f to root"),
        (
            O.CHOWN,
            {"new_owner_name": "root", "new_owner_group_id": 4},
            "alice changed the owner of /f to root:4",
        ),
        (O.CHOWN, {"new_owner_group_name": "adm"}, "alice changed the owner of /f to :adm"),
        (O.CHOWN, {}, "alice changed the owner of /f"),
        (O.SETXATTR, {"attribute_name": "user.x"}, "alice set an attribute of /f (user.x)"),
        (O.MOUNT, {"mount_source": "/dev/vdb1", "path": "/mnt"}, "alice mounted /dev/vdb1 on /mnt"),
    ],
)
def test_an_operation_is_told_with_the_other_thing_that_it_is_about(
    operation: Operation, facts: dict[str, Any], words: str
) -> None:
    assert said(operation, **facts) == words


def test_a_failed_one_was_tried() -> None:
    assert sentence(
        FileEvent(
            ts_ns=0,
            operation=O.RENAME,
            process=Process(pid=1, executable="/bin/mv"),
            user_name="bob",
            path="/f",
            source_path="/o",
            errno=13,
        )
    ) == ("bob tried to rename /o to /f with /bin/mv (EACCES)")


@pytest.mark.parametrize(
    "field", ["source_path", "link_target", "mount_source", "attribute_name", "new_owner_name"]
)
def test_no_other_name_acts_either(field: str) -> None:
    for operation in Operation:
        text = said(operation, **{field: HOSTILE})
        assert printable(text).replace("\\\\", "\\") == text


@given(events)
@settings(derandomize=True, database=None, deadline=None)
def test_a_sentence_is_one_line_whatever_names_hold(event: FileEvent) -> None:
    text = sentence(event)
    assert text.isprintable()
    assert "\n" not in text
