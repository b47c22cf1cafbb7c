"""What an alert says, and that it says the same wherever it is made."""

import json
import unicodedata
from hashlib import blake2b
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.events.examples import BASH, CAT, HOSTILE, LOSS, SHADOW, events
from tests.unit.events.records import finding, record
from tools.schemas.event import schema

from fileaudit_engine.detect.alert import record_of
from fileaudit_engine.detect.attack import threat_of
from fileaudit_engine.detect.identity import fingerprint
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.events.jsonl import EventReader, encode
from fileaudit_engine.events.model import AccessMode, Container, FileEvent, Operation, PathState, Process
from fileaudit_engine.text import from_kernel, to_kernel

GOLDEN = Path(__file__).parents[2] / "golden" / "documents"
REPEATABLE = settings(derandomize=True, database=None, deadline=None)
VALIDATOR = jsonschema.Draft202012Validator(schema())
OPENED = "opened /etc/shadow for reading with /usr/bin/cat"
replace = msgspec.structs.replace


def at(document: Any, dotted: str) -> Any:
    for key in dotted.split("."):
        document = document[key]
    return document


def message(event: FileEvent, **changes: Any) -> str:
    return str(record(event, **changes).document["message"])


def test_the_document_of_an_alert_is_as_published() -> None:
    assert record(losses=(LOSS,)).document == json.loads((GOLDEN / "alert.json").read_text())


@pytest.mark.parametrize(
    ("level", "kind", "severity", "log_level"),
    [
        ("informational", "event", 0, "info"),
        ("low", "alert", 21, "notice"),
        ("medium", "alert", 47, "warning"),
        ("high", "alert", 73, "error"),
        ("critical", "alert", 99, "critical"),
    ],
)
def test_the_level_decides_kind_severity_and_log_level(
    level: str, kind: str, severity: int, log_level: str
) -> None:
    made = record(level=level)
    assert made.kind is Kind(kind)
    assert at(made.document, "event.kind") == kind
    assert at(made.document, "event.dataset") == f"fileaudit.{kind}"
    assert at(made.document, "event.severity") == severity
    assert at(made.document, "log.level") == log_level


# -------------------------------------------------------------------------------------------------- id


def test_the_same_event_by_the_same_rule_has_the_same_id_with_other_losses_and_on_another_host() -> None:
    elsewhere = record_of(finding(losses=(LOSS,)), host="elsewhere", ingested_ns=1)
    assert elsewhere.id == record().id


def test_the_id_stays_as_it_was_released() -> None:
    assert record().id == "035c9421dd41407559aa29fd9b4ca58c"


OTHER: dict[str, Any] = {
    **{field: 1 for field in FileEvent.__struct_fields__ if field.endswith("_id")},
    **{field: "other" for field in FileEvent.__struct_fields__ if field.endswith("_name")},
    "ts_ns": 1,
    "path": None,
    "asked_path": "/etc/shadow",
    "syscall": "open",
    "flags": 1,
    "errno": 13,
    "inode": 1,
    "device": 1,
    "mode": 0o600,
    "result": 4,
    "operation": Operation.READ,
    "access_mode": AccessMode.WRITE,
    "path_state": PathState.TRUNCATED,
    "process": replace(CAT, pid=1),
    **dict.fromkeys(("working_directory", "container_path", "alias_path"), "/other"),
    **dict.fromkeys(("source_path", "asked_source_path"), "/other"),
    **dict.fromkeys(("link_target", "mount_source", "file_system"), "other"),
    **dict.fromkeys(("size_bytes", "new_size_bytes", "transferred_bytes", "transfer_calls", "new_mode"), 1),
    **dict.fromkeys(("new_accessed_ns", "new_modified_ns"), 1),
    "container": Container(id="1"),
}
"""Another value for every fact of an event."""

OTHER_PROCESS: dict[str, Any] = {
    "pid": 1,
    "start_ns": 1,
    "executable": None,
    "args": ("cat",),
    "args_truncated": True,
    "name": "tac",
    "parent_pid": 1,
    "parent": None,
}
"""Another value for every fact of a process."""

NO_PART = {"host_name", "host_id", "clock", "extra", "image_inode"}
"""What the same event does not say everywhere."""


def test_every_fact_of_an_event_is_part_of_its_id_or_is_known_not_to_be() -> None:
    fields = {*FileEvent.__struct_fields__, *Process.__struct_fields__}
    assert fields - NO_PART == {*OTHER, *OTHER_PROCESS} - NO_PART


@pytest.mark.parametrize("field", sorted({*OTHER} - NO_PART))
def test_another_event_has_another_id(field: str) -> None:
    assert record(replace(SHADOW, **{field: OTHER[field]})).id != record().id


@pytest.mark.parametrize("field", sorted(OTHER_PROCESS))
def test_another_process_or_parent_makes_another_event(field: str) -> None:
    other = {field: OTHER_PROCESS[field]}
    child = replace(CAT, parent=replace(BASH, **other))
    ids = {record(replace(SHADOW, process=process)).id for process in (CAT, replace(CAT, **other), child)}
    assert len(ids) == 3


@pytest.mark.parametrize("field", Container.__struct_fields__)
def test_another_container_makes_another_event(field: str) -> None:
    one, other = Container(id="1"), replace(Container(id="1"), **{field: "2"})
    assert record(replace(SHADOW, container=one)).id != record(replace(SHADOW, container=other)).id


def test_one_value_in_two_attributes_makes_two_events() -> None:
    ids = {
        record(replace(SHADOW, **{name: "/a"})).id for name in ("source_path", "link_target", "mount_source")
    }
    assert len(ids) == 3


def test_events_of_two_users_at_one_time_and_path_are_two() -> None:
    bare = FileEvent(ts_ns=1, operation=Operation.OPEN, process=Process(pid=0), path="/etc/shadow")
    ids = {record(replace(bare, user_name=name)).id for name in ("alice", "bob", "", None)}
    assert len(ids) == 4


def test_facts_do_not_run_into_one_another() -> None:
    one, other = (replace(SHADOW, process=replace(CAT, args=args)) for args in (("a b",), ("a", "b")))
    assert record(one).id != record(other).id


@pytest.mark.parametrize("field", ["host_name", "host_id", "clock", "extra"])
def test_what_only_some_places_say_is_no_part_of_the_id(field: str) -> None:
    other = {"host_name": "other", "host_id": "other", "clock": "other", "extra": {"my.field": 1}}[field]
    assert record(replace(SHADOW, **{field: other})).id == record().id


@given(events)
@REPEATABLE
def test_every_event_has_an_id_that_its_document_gives_back(event: FileEvent) -> None:
    made = record(event)
    again = EventReader(file="x", allow_unknown_fields=True).read(encode(made.document), 1)
    assert isinstance(again, FileEvent)
    assert record(again).id == made.id


def facts_of(event: FileEvent) -> list[object]:
    """All facts of an event's identity in their order, plainly."""

    def raw(value: object) -> object:
        return to_kernel(value) if isinstance(value, str) else value

    first = (
        *("ts_ns", "operation", "syscall", "path", "asked_path", "path_state", "flags", "access_mode"),
        *("errno", "result", "inode", "device", "mode", "thread_id", "user_id", "group_id"),
        *("effective_user_id", "effective_group_id", "login_user_id", "session_id", "cgroup_id"),
        *("user_name", "group_name", "login_user_name"),
    )
    words = {"operation": event.operation.value, "syscall": event.syscall}
    words["access_mode"] = event.access_mode.value if event.access_mode else None
    facts = [words[name] if name in words else raw(getattr(event, name)) for name in first]
    process: Process | None = event.process
    while process is not None:
        facts += [process.pid, process.start_ns, raw(process.executable)]
        facts.append(None if process.args is None else [raw(arg) for arg in process.args])
        facts += [process.args_truncated, raw(process.name), process.parent_pid]
        process = process.parent
    named = [
        *("effective_user_name", "effective_group_name", "working_directory", "container_path"),
        *("alias_path", "owner_id", "owner_group_id", "owner_name", "owner_group_name", "size_bytes"),
        *("source_path", "asked_source_path", "link_target", "new_mode", "new_owner_id"),
        *("new_owner_group_id", "new_owner_name", "new_owner_group_name", "new_accessed_ns"),
        *("new_modified_ns", "new_size_bytes", "attribute_name", "transferred_bytes"),
        *("transfer_calls", "mount_source", "file_system"),
    ]
    facts += [[name, raw(getattr(event, name))] for name in named if getattr(event, name) is not None]
    if event.container is not None:
        facts.append(["container", *map(raw, msgspec.structs.astuple(event.container))])
    return facts


@given(events)
@REPEATABLE
def test_the_id_of_an_event_is_the_fingerprint_of_its_facts(event: FileEvent) -> None:
    plain = blake2b(msgspec.msgpack.encode(facts_of(event)), digest_size=16).hexdigest()
    assert fingerprint(event) == plain


def test_a_very_long_line_of_ancestors_has_an_id() -> None:
    process = CAT
    for _ in range(10_000):
        process = Process(pid=1, parent=process)
    event = replace(SHADOW, process=process)
    plain = blake2b(msgspec.msgpack.encode(facts_of(event)), digest_size=16).hexdigest()
    assert fingerprint(event) == plain


def test_what_is_remembered_of_one_event_is_not_said_of_another() -> None:
    """Parts of documents and ids are shared by events; each is made afresh when a fact of it differs."""
    for _ in range(2):
        for name in sorted({*OTHER} - NO_PART):
            other = replace(SHADOW, **{name: OTHER[name]})
            again = EventReader(file="x").read(encode(record(other).document), 1)
            assert again == replace(other, host_name=SHADOW.host_name)


def test_another_rule_has_another_id_for_the_same_event() -> None:
    one, other = record(), record(id="7d2b1f0e-6f0e-4a54-9d0a-0d6f3f4c2a11")
    assert one.id != other.id
    assert at(one.document, "fileaudit.event_id") == at(other.document, "fileaudit.event_id")


def test_a_rule_without_an_id_is_known_by_its_key() -> None:
    assert record(id=None, key="a").id != record(id=None, key="b").id


def test_an_event_read_back_from_its_alert_raises_the_same_alert() -> None:
    line = encode(record(replace(SHADOW, path=HOSTILE)).document)
    event = EventReader(file="x").read(line, 1)
    assert isinstance(event, FileEvent)
    assert record(event).id == record(replace(SHADOW, path=HOSTILE)).id


def test_what_a_receiver_gives_back_with_its_own_additions_is_the_event_still() -> None:
    document = json.loads(encode(record().document))
    document["data_stream"] = {"type": "logs", "dataset": "fileaudit.alert", "namespace": "default"}
    document["event"] |= {
        "sequence": 7,
        "created": "2026-11-28T17:00:00Z",
        "ingested": "2026-11-28T18:00:00Z",
        "risk_score": 73,
    }
    document["host"] |= {"os": {"type": "linux"}}
    assert EventReader(file="x").read(encode(document), 1) == SHADOW
    VALIDATOR.validate(document)


def test_the_tags_of_a_rule_are_there_as_written_and_no_part_of_the_id() -> None:
    tags = ("attack.T1003", "org.Übung", "attack.T1003")
    assert record(tags=tags).document["tags"] == [*tags]
    assert record(tags=tags).id == record(tags=()).id
    assert "tags" not in record(tags=()).document


# --------------------------------------------------------------------------------------------- message


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "root (login alice) opened /etc/shadow for reading with /usr/bin/cat"),
        ({"login_user_id": 0, "login_user_name": "root"}, f"root {OPENED}"),
        ({"login_user_id": None, "login_user_name": None}, f"root {OPENED}"),
        ({"login_user_name": None}, f"root (login uid 1000) {OPENED}"),
        ({"errno": 13}, f"root (login alice) {OPENED.replace('opened', 'tried to open')} (EACCES)"),
        ({"path": None}, f"root (login alice) {OPENED.replace('/etc', '../etc')}"),
        ({"process": replace(CAT, executable=None)}, f"root (login alice) {OPENED.replace('/usr/bin/', '')}"),
    ],
)
def test_the_message_says_who_did_what_to_which_file_with_what(
    changes: dict[str, Any], sentence: str
) -> None:
    assert message(replace(SHADOW, **changes)) == f"Shadow file read: {sentence}"


@given(events, st.text(max_size=20))
@REPEATABLE
def test_the_message_is_one_line_that_does_nothing_to_a_terminal(event: FileEvent, title: str) -> None:
    said = message(event, title=title)
    assert len(said.splitlines()) == 1
    assert not [c for c in said if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


# ---------------------------------------------------------------------------------------- the document


@given(events, st.text(max_size=20), st.binary(max_size=8).map(from_kernel))
@REPEATABLE
def test_every_record_is_valid_json_and_reads_back_as_its_event(
    event: FileEvent, title: str, key: str
) -> None:
    hostile = title + "\ud800"
    line = encode(record(event, title=hostile, tags=(hostile, key), key=key, id=None).document)
    back = EventReader(file="x").read(line, 1)
    assert back == replace(event, host_name=event.host_name if event.host_name is not None else "this-host")


def test_an_event_that_says_where_it_happened_keeps_its_host() -> None:
    assert at(record().document, "host.name") == "web-1"


def test_an_event_that_does_not_say_happened_on_this_host() -> None:
    assert at(record(replace(SHADOW, host_name=None)).document, "host.name") == "this-host"


def test_the_time_of_handing_on_is_there_only_if_told() -> None:
    assert "ingested" not in at(record().document, "event")
    told = record_of(finding(), host="h", ingested_ns=SHADOW.ts_ns)
    assert at(told.document, "event.ingested") == "2026-11-24T07:30:45.123456789Z"


def test_losses_are_summed_over_their_whole_span() -> None:
    early = msgspec.structs.replace(LOSS, first_ns=0)
    assert at(record(losses=(LOSS, early)).document, "fileaudit.losses") == {
        "total": 8,
        "from": "1970-01-01T00:00:00.000000000Z",
        "to": "2026-11-24T07:30:45.123456789Z",
        "counts": {"open": 6, "process": 2},
    }


def test_what_a_rule_does_not_say_is_left_out() -> None:
    made = record(id=None, description=None, author=None, date=None, license=None, references=(), tags=())
    assert at(made.document, "rule") == {
        "id": "shadow_file_read",
        "name": "Shadow file read",
        "ruleset": "sigma",
        "category": "file_access",
    }
    assert "threat" not in made.document


# ---------------------------------------------------------------------------------------------- ATT&CK


@pytest.mark.parametrize(
    "tag", ["attack.credential-access", "attack.credential_access", "ATTACK.Credential-Access"]
)
def test_a_tactic_is_known_in_every_spelling(tag: str) -> None:
    assert threat_of((tag,))["tactic"] == {"id": ["TA0006"], "name": ["Credential Access"]}


def test_a_subtechnique_names_its_technique_too() -> None:
    assert threat_of(("attack.t1003.008",)) == {
        "framework": "MITRE ATT&CK",
        "technique": {
            "id": ["T1003"],
            "name": ["OS Credential Dumping"],
            "subtechnique": {"id": ["T1003.008"], "name": ["/etc/passwd and /etc/shadow"]},
        },
    }


def test_an_unknown_technique_keeps_its_id() -> None:
    assert threat_of(("attack.t9999",))["technique"] == {"id": ["T9999"], "name": []}


@pytest.mark.parametrize(
    "tag", ["cve.2024-1", "attack.g0007", "credential-access", "t1003", "attack.t10", ""]
)
def test_other_tags_say_nothing(tag: str) -> None:
    assert threat_of((tag,)) == {}


def test_any_word_of_a_recording_has_an_id_even_where_the_kernel_has_names_only() -> None:
    strange = replace(SHADOW, syscall="\udcff")
    other = replace(SHADOW, syscall="\udcfe")
    assert len({fingerprint(event) for event in (SHADOW, strange, other)}) == 3
