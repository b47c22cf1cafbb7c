"""What the alert of a correlation says."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.detect.crossings import MINUTE_NS, RENAMES, contributions, crossing, plan
from tests.unit.events.examples import HOSTILE, LOSS, events, names
from tests.unit.events.records import PLACE
from tools.schemas.event import schema

from fileaudit_engine.compiler.plan import CorrelationStep, UserCorrelation
from fileaudit_engine.detect.alert import contribution_records, record_of_crossing
from fileaudit_engine.detect.crossing import Contribution, Crossing, Evicted, Number
from fileaudit_engine.detect.crossing_alert import CONTRIBUTIONS_KEPT, FILES_SHOWN, facts_of
from fileaudit_engine.detect.identity import fingerprint
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.events.jsonl import EventReader, encode
from fileaudit_engine.events.model import FileEvent, Loss, Operation
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.rules.ast import And, Comparator, Comparison, CorrelationType, Identifier, Not
from fileaudit_engine.text import from_kernel

GOLDEN = Path(__file__).parents[2] / "golden" / "documents"
REPEATABLE = settings(derandomize=True, database=None, deadline=None)
VALIDATOR = jsonschema.Draft202012Validator(schema())
LAST = "; last: root (login alice) renamed /home/a/4 to /home/a/4.enc with /usr/bin/cat"
replace = msgspec.structs.replace
UNSEEN: dict[str, Any] = {"event": None, "events": (), "total": 0}


def document(changes_of_rule: dict[str, Any] | None = None, **changes: Any) -> Any:
    made = record_of_crossing(crossing(changes_of_rule, **changes), host="this-host")
    return json.loads(encode(made.document))


def message(changes_of_rule: dict[str, Any] | None = None, **changes: Any) -> str:
    return str(document(changes_of_rule, **changes)["message"])


def facts(changes_of_rule: dict[str, Any] | None = None, **changes: Any) -> Any:
    return document(changes_of_rule, **changes)["fileaudit"]["correlation"]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        (
            "crossing",
            {"losses": (LOSS,), "evicted": Evicted(groups=2, events=3), "late": 4, "chained": ("ab",)},
        ),
        ("crossing_without_event", UNSEEN | {"value": None, "suspected": True, "losses": (LOSS,)}),
    ],
)
def test_the_document_of_an_alert_is_as_published(name: str, changes: dict[str, Any]) -> None:
    made = record_of_crossing(crossing(**changes), host="this-host")
    assert made.document == json.loads((GOLDEN / f"{name}.json").read_text())


def test_the_record_is_found_by_the_crossing_and_its_rule() -> None:
    one = crossing()
    made = record_of_crossing(one, host="this-host", ingested_ns=0)
    assert (made.id, made.kind, made.ts_ns, made.rule, made.level, made.event) == (
        one.id,
        Kind.ALERT,
        one.ts_ns,
        "many_files_renamed",
        "high",
        RENAMES[-1],
    )
    assert dict(made.document["event"])["ingested"] == "1970-01-01T00:00:00.000000000Z"  # type: ignore[call-overload]  # an object of the document


def test_an_informational_correlation_writes_to_the_audit_trail() -> None:
    made = record_of_crossing(crossing({"level": "informational"}), host="this-host")
    assert made.kind is Kind.EVENT


def test_an_alert_is_dated_when_the_condition_turned_true_not_when_the_newest_event_was() -> None:
    later = RENAMES[-1].ts_ns + MINUTE_NS + 1
    found = document(ts_ns=later)
    assert found["@timestamp"] == rfc3339(later)
    assert found["event"]["end"] == rfc3339(RENAMES[-1].ts_ns)


def test_the_document_of_the_newest_event_comes_back_as_that_event() -> None:
    line = encode(record_of_crossing(crossing(losses=(LOSS,)), host="this-host").document)
    assert EventReader(file="x").read(line, 1) == RENAMES[-1]


# ------------------------------------------------------------------------------------------------- words


def test_a_count_of_events_is_told() -> None:
    assert message() == f"Many files renamed: 5 events within 1m for ProcessId 4242, User root{LAST}"


TYPES: list[tuple[dict[str, Any], Number | None, str, str]] = [
    ({}, 1, "1 event", "at least 3 events"),
    (
        {"type": CorrelationType.VALUE_COUNT, "value_fields": ("TargetFilename",)},
        1234,
        "1,234 different files",
        "at least 3 different files",
    ),
    (
        {"type": CorrelationType.VALUE_COUNT, "value_fields": ("User", "Image")},
        1,
        "1 combination of User and Image",
        "at least 3 different combinations of User and Image",
    ),
    (
        {"type": CorrelationType.VALUE_SUM, "value_fields": ("Bytes",)},
        Fraction(5, 2),
        "the sum of Bytes is 2.5 over 5 events",
        "the sum of Bytes is at least 3",
    ),
    (
        {"type": CorrelationType.VALUE_PERCENTILE, "value_fields": ("Bytes",), "percentile": 95},
        7,
        "percentile 95 of Bytes is 7 over 5 events",
        "percentile 95 of Bytes is at least 3",
    ),
    (
        {"type": CorrelationType.VALUE_PERCENTILE, "value_fields": ("Image",)},
        Fraction(1, 3),
        "the newest value of Image makes 0.333333 % of 5 events",
        "the newest value of Image makes at least 3 % of the events",
    ),
    (
        {"type": CorrelationType.TEMPORAL, "sources": ("a", "b"), "comparisons": ()},
        2,
        "a and b",
        "a and b",
    ),
    (
        {"type": CorrelationType.TEMPORAL_ORDERED, "sources": ("a", "b", "c"), "comparisons": ()},
        3,
        "a, then b, then c",
        "a, then b, then c",
    ),
    (
        {
            "type": CorrelationType.TEMPORAL_ORDERED,
            "sources": ("a", "b", "c"),
            "comparisons": (Comparison(comparator=Comparator.GTE, number=2),),
        },
        2,
        "2 of a, b, c in this order",
        "at least 2 of a, b, c in this order",
    ),
    (
        {
            "type": CorrelationType.TEMPORAL,
            "sources": ("a", "b"),
            "comparisons": (),
            "condition": And(
                operands=(
                    Identifier(name="a", location=PLACE),
                    Not(operand=Identifier(name="b", location=PLACE)),
                )
            ),
        },
        None,
        "a and not b",
        "a and not b",
    ),
]


@pytest.mark.parametrize(("rule", "value", "seen", "condition"), TYPES)
def test_every_type_says_what_it_saw_and_what_it_waits_for(
    rule: dict[str, Any], value: Number | None, seen: str, condition: str
) -> None:
    found = facts(rule, value=value)
    assert (found["summary"], found["condition"]) == (seen, condition)


def test_where_nothing_has_to_agree_nobody_is_named() -> None:
    assert message({"group_by": ()}, group={}) == f"Many files renamed: 5 events within 1m{LAST}"


def test_an_absent_value_is_told_as_such() -> None:
    assert "for no ProcessId, User ''" in message(group={"ProcessId": None, "User": ""})
    assert facts(group={"ProcessId": None, "User": ""})["group"] == [
        {"field": "ProcessId"},
        {"field": "User", "value": ""},
    ]


def test_a_long_value_is_whole_in_the_document_and_cut_in_the_message() -> None:
    path = "/" + "a" * 100_000
    assert len(message(group={"TargetFilename": path})) < 500
    assert facts(group={"TargetFilename": path})["group"] == [{"field": "TargetFilename", "value": path}]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (7, 7),
        (Fraction(14, 2), 7),
        (Fraction(1, 4), 0.25),
        (2**63 - 1, 2**63 - 1),
        (2**63, 2.0**63),
        (10**400, 1.7976931348623157e308),
        (-(Fraction(10) ** 400), -1.7976931348623157e308),
    ],
)
def test_numbers_are_what_every_reader_of_json_takes(value: Number, written: float) -> None:
    rule = {"type": CorrelationType.VALUE_SUM, "value_fields": ("Bytes",)}
    found = facts(rule, value=value)["value"]
    assert found == written
    assert type(found) is type(written)


# ------------------------------------------------------------------------------------- what is missing


def test_losses_are_told_with_how_many_of_what() -> None:
    assert document(losses=(LOSS,))["fileaudit"]["losses"]["total"] == 4


def test_a_time_that_nobody_watched_is_no_loss_of_nothing() -> None:
    unwatched = Loss(first_ns=1, last_ns=2, counts={})
    assert document(losses=(unwatched,))["fileaudit"]["losses"] == {
        "unwatched": {"from": rfc3339(1), "to": rfc3339(2)}
    }
    both = document(losses=(unwatched, LOSS))["fileaudit"]["losses"]
    assert set(both) == {"unwatched", "total", "from", "to", "counts"}
    assert both["from"] == rfc3339(LOSS.first_ns)


def test_a_suspicion_says_that_nothing_was_seen() -> None:
    told = message(value=2, suspected=True, **UNSEEN)
    assert told == (
        "Many files renamed: not seen, but possible since events were lost: at least 3 events within 1m"
        " for ProcessId 4242, User root"
    )


# ----------------------------------------------------------------------- alerts without an event in full


def test_without_an_event_the_common_values_stand_where_the_field_table_says() -> None:
    group: dict[str, Any] = {
        "ProcessId": 4242,
        "UserId": 0,
        "TargetFilename": HOSTILE,
        "FileMode": 0o644,
        "AncestorImages": "/bin/sh",
        "UtcTime": rfc3339(1),
        "NewAccessTime": rfc3339(2),
        "Operation": "open",
        "AccessMode": "read",
        "ArgumentsTruncated": True,
        "Hostname": "web-1",
    }
    found = document({"group_by": tuple(group)}, group=group, **UNSEEN)
    assert found["process"] == {"pid": 4242}
    assert found["user"] == {"id": "0"}
    assert found["file"] == {
        "path": r"/tmp/a" + "\n" + "b\x1b[31m" + r"\xff\x5cx41\ " + "\u202eend",
        "mode": "0644",
    }
    assert found["fileaudit"]["ancestry"] == {"executables": ["/bin/sh"]}
    assert found["fileaudit"]["new_accessed"] == rfc3339(2)
    assert found["fileaudit"]["args_truncated"] is True
    assert found["event"]["action"] == "open"
    assert found["host"] == {"name": "web-1"}
    assert "" not in found


def test_a_name_that_means_two_fields_and_one_that_only_the_user_knows_have_no_place() -> None:
    two = plan(sources=("a", "b"), group_by=("who",))
    steps = (two.steps[0], plan(group_by=("User",)).steps[0])
    ambiguous = record_of_crossing(
        replace_plan(crossing(group={"who": "alice"}, **UNSEEN), two, steps), host="this-host"
    ).document
    made_up = document({"group_by": ("x.y",)}, group={"x.y": "z"}, **UNSEEN)
    for found in (ambiguous, made_up):
        assert set(found) == {
            *("@timestamp", "ecs", "event", "host", "related", "message", "log", "rule", "threat"),
            *("fileaudit", "tags"),
        }


def replace_plan(one: Crossing, two: UserCorrelation, steps: tuple[CorrelationStep, ...]) -> Crossing:
    return replace(
        one, correlation=type(two)(rule=two.rule, steps=steps, silent=False, operations=two.operations)
    )


_values = st.none() | names | st.integers(-(2**63), 2**63 - 1) | st.booleans()


@given(st.dictionaries(names, _values, max_size=4), names)
@REPEATABLE
def test_no_value_makes_a_key_or_a_second_line(group: dict[str, Any], title: str) -> None:
    usual = document(**UNSEEN)
    found = document({"group_by": tuple(group), "title": title or "x"}, group=group, **UNSEEN)
    assert set(found) | {"user", "process"} == set(usual) | {"user", "process"}
    assert set(found["fileaudit"]["correlation"]) - {"group"} <= set(usual["fileaudit"]["correlation"])
    assert found["message"].isprintable()


@given(events)
@settings(REPEATABLE, max_examples=30)
def test_every_alert_with_an_event_is_valid_by_the_published_schema(event: FileEvent) -> None:
    VALIDATOR.validate(document(event=event, events=contributions(event), losses=(LOSS,)))


# ------------------------------------------------------------------------------------------ contributions


def test_the_first_files_are_named_each_once_and_the_others_are_counted() -> None:
    twice = contributions(*(replace(RENAMES[0], path=f"/{n // 2}") for n in range(40)))
    found = facts(events=(Contribution(0, "ab"), *twice))
    assert found["files"] == [f"/{n}" for n in range(FILES_SHOWN)]
    assert found["files_total"] == 20
    assert len(found["event_ids"]) == 41


def deeds(*told: tuple[str, Operation]) -> tuple[Contribution, ...]:
    return contributions(*(replace(RENAMES[0], path=path, operation=deed) for path, deed in told))


@pytest.mark.parametrize("kind", [CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED])
def test_what_came_together_in_time_is_told_by_the_newest_file_of_each_kind(kind: CorrelationType) -> None:
    found = facts(
        {"type": kind, "sources": ("a", "b", "c"), "comparisons": ()},
        events=deeds(
            ("/old", Operation.OPEN),
            ("/key", Operation.OPEN),
            *((f"/{number}.tgz", Operation.CREATE) for number in range(20)),
            ("", Operation.UNLINK),
            ("/bin/nc", Operation.EXEC),
        ),
    )
    assert found["files"][:5] == ["/bin/nc", "/19.tgz", "/key", "/18.tgz", "/17.tgz"]
    assert (len(found["files"]), found["files_total"]) == (FILES_SHOWN, 23)
    assert len(found["event_ids"]) == 24


def test_of_two_rules_the_newest_file_of_the_other_comes_second_whatever_was_done_to_it() -> None:
    events = deeds(
        ("/made", Operation.CREATE),
        ("/old", Operation.OPEN),
        ("/key", Operation.OPEN),
        ("/db", Operation.OPEN),
    )
    found = facts({"type": CorrelationType.TEMPORAL, "sources": ("a", "b"), "comparisons": ()}, events=events)
    assert found["files"] == ["/db", "/key", "/made", "/old"]


def test_contributions_are_kept_as_events_of_the_trail_under_the_ids_that_the_alert_lists() -> None:
    made = contribution_records(crossing(), host="this-host")
    assert [record.kind for record in made] == [Kind.EVENT] * 5
    assert [record.event for record in made] == list(RENAMES)
    assert [dict(r.document["fileaudit"])["event_id"] for r in made] == facts()["event_ids"]  # type: ignore[call-overload]  # an object of the document
    assert {record.rule for record in made} == {"many_files_renamed"}
    assert {record.level for record in made} == {"informational"}
    assert {dict(r.document["event"])["severity"] for r in made} == {0}  # type: ignore[call-overload]  # an object of the document


def test_what_contributes_to_two_crossings_is_one_record() -> None:
    one = contribution_records(crossing(), host="this-host")
    other = contribution_records(crossing(ts_ns=0, events=contributions(*RENAMES[2:])), host="this-host")
    assert [r.id for r in other] == [r.id for r in one[2:]]
    assert len({r.id for r in one}) == 5


def test_only_events_that_are_still_known_are_kept_and_of_those_the_newest() -> None:
    many = contributions(*(replace(RENAMES[0], ts_ns=n) for n in range(CONTRIBUTIONS_KEPT + 5)))
    made = contribution_records(crossing(events=(Contribution(0, "ab"), *many)), host="this-host")
    assert [record.ts_ns for record in made] == list(range(5, CONTRIBUTIONS_KEPT + 5))


def test_contributions_name_this_host_where_they_do_not_say_one() -> None:
    nowhere = contributions(replace(RENAMES[0], host_name=None))
    (made,) = contribution_records(crossing(events=nowhere), host="this-host", ingested_ns=0)
    assert made.document["host"] == {"name": "this-host"}
    assert "ingested" in dict(made.document["event"])  # type: ignore[call-overload]  # an object of the document


def test_an_alert_names_the_newest_event_by_its_id() -> None:
    assert document()["fileaudit"]["event_id"] == fingerprint(RENAMES[-1])


# ----------------------------------------------------------------------------------------------- reading


def test_what_a_document_says_of_a_correlation_is_read_back_from_disk() -> None:
    made = record_of_crossing(crossing(evicted=Evicted(groups=1), late=2), host="this-host").document
    stored = json.loads(encode(made))
    assert facts_of(stored) == facts_of(made)
    found = facts_of(stored)
    assert found is not None
    assert (found.total, found.late, found.evicted is not None) == (5, 2, True)


@pytest.mark.parametrize("made", [{}, {"fileaudit": 1}, {"fileaudit": {"correlation": {"type": 7}}}, []])
def test_other_documents_say_nothing_of_any_correlation(made: object) -> None:
    assert facts_of(made) is None


def test_names_of_rules_that_are_not_unicode_are_escaped() -> None:
    key = from_kernel(b"a\xff")
    assert facts({"sources": (key,)})["rules"] == ["a\\xff"]
