"""Installing templates: what is put where, in which order, and what is left alone."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.sinks.elastic.full_node import FullNode, as_kept, failure

from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sinks.elastic import installed, templates
from fileaudit_engine.sinks.elastic.install import Plan, differences, plan_for, put, roll_over
from fileaudit_engine.sinks.elastic.installed import State
from fileaudit_engine.sinks.elastic.node import ElasticNode, NotAllowed, connected
from fileaudit_engine.sinks.settings import ElasticSettings

ALERTS = "/_index_template/logs-fileaudit.alert"
EVENTS = "/_index_template/logs-fileaudit.event"
SETTINGS = "/_component_template/fileaudit@settings"
MAPPINGS = "/_component_template/fileaudit@mappings"
ENHANCED = "/_component_template/fileaudit@enhanced"
shipped = templates.shipped
POLICY = "/_ilm/policy/fileaudit"
EVERY_PART = {"wildcard", "constant_keyword", "match_only_text", "lifecycle"}


@pytest.fixture
def full() -> Iterator[FullNode]:
    with FullNode() as served:
        yield served


@pytest.fixture
def node(full: FullNode) -> Iterator[ElasticNode]:
    with connected(ElasticSettings(hosts=(full.url,))) as found:
        yield found


def install(node: ElasticNode) -> Plan:
    """Look and put, as the command does."""
    plan = plan_for(node, "default")
    for standing in plan.to_put:
        put(node, standing)
    return plan


def states(plan: Plan) -> dict[str, State]:
    return {standing.template.path: standing.state for standing in plan.standings}


def field(body: Any, place: str) -> Any:
    node = body["template"]["mappings"]
    for step in place.split("."):
        node = node["properties"][step]
    return node


# ------------------------------------------------------------------------------------------- a full node


def test_a_full_node_gets_everything_and_nothing_before_what_it_refers_to(
    node: ElasticNode, full: FullNode
) -> None:
    install(node)
    assert full.puts == [POLICY, SETTINGS, MAPPINGS, ENHANCED, ALERTS, EVENTS]


def test_a_full_node_looks_for_parts_of_paths_in_an_index_of_its_own(
    node: ElasticNode, full: FullNode
) -> None:
    install(node)
    enhanced = full.kept[ENHANCED]
    assert field(enhanced, "file.path")["type"] == "wildcard"
    assert field(enhanced, "process.command_line")["type"] == "wildcard"
    assert field(enhanced, "file.path")["fields"]["caseless"]["type"] == "keyword"
    assert field(enhanced, "message") == {"type": "match_only_text"}
    assert field(enhanced, "data_stream.type") == {"type": "constant_keyword", "value": "logs"}


def test_a_full_node_begins_new_indices_and_deletes_none(node: ElasticNode, full: FullNode) -> None:
    install(node)
    assert full.kept[ENHANCED]["template"]["settings"] == {"index": {"lifecycle": {"name": "fileaudit"}}}
    phases = full.kept[POLICY]["policy"]["phases"]
    assert list(phases) == ["hot"]
    assert list(phases["hot"]["actions"]) == ["rollover"]


def test_a_second_time_changes_nothing(node: ElasticNode, full: FullNode) -> None:
    install(node)
    full.requests.clear()
    plan = install(node)
    assert set(states(plan).values()) == {State.SAME}
    assert full.changes == []


def test_looking_changes_nothing(node: ElasticNode, full: FullNode) -> None:
    plan = plan_for(node, "default")
    assert set(states(plan).values()) == {State.MISSING}
    assert full.changes == []


# ------------------------------------------------------------------------------------- nodes that lack parts


@pytest.mark.parametrize("part", sorted(EVERY_PART))
def test_a_node_without_a_part_gets_the_others(part: str, node: ElasticNode, full: FullNode) -> None:
    full.lacks = {part}
    plan = install(node)
    assert {name for name, why_not in plan.parts.items() if why_not} == {part}
    kept = full.kept[ENHANCED]["template"]
    assert ("settings" in kept) == (POLICY in full.kept) == (part != "lifecycle")
    assert part not in str(kept.get("mappings"))
    assert set(states(plan_for(node, "default")).values()) == {State.SAME}


def test_a_bare_node_gets_the_portable_core_alone(node: ElasticNode, full: FullNode) -> None:
    full.lacks = set(EVERY_PART)
    install(node)
    assert full.puts == [SETTINGS, MAPPINGS, ALERTS, EVENTS]
    assert "fileaudit@enhanced" in full.kept[ALERTS]["ignore_missing_component_templates"]


def test_a_node_that_has_become_a_full_one_gets_the_rest(node: ElasticNode, full: FullNode) -> None:
    full.lacks = set(EVERY_PART)
    install(node)
    full.lacks, full.requests = set(), []
    install(node)
    assert full.puts == [POLICY, ENHANCED]


def test_a_node_that_does_not_even_take_the_core_is_not_touched(node: ElasticNode, full: FullNode) -> None:
    full.lacks = {"keyword"}
    with pytest.raises(MachineCannot, match=r"does not take the templates: .*\[keyword\] does not exist"):
        install(node)
    assert full.changes == []


# ----------------------------------------------------------------------------------- what was there before


def test_a_template_that_was_edited_is_shown_and_put_back(node: ElasticNode, full: FullNode) -> None:
    install(node)
    field(full.kept[MAPPINGS], "user.name")["ignore_above"] = 256
    full.requests.clear()
    plan = install(node)
    assert states(plan)[MAPPINGS] is State.EDITED
    assert list(differences(plan.to_put[0])) == [
        "- mappings.user.name.ignore_above  256",
        "+ mappings.user.name.ignore_above  10922",
    ]
    assert full.puts == [MAPPINGS]
    assert set(states(plan_for(node, "default")).values()) == {State.SAME}


def test_a_template_that_was_put_by_hand_is_put_again_with_its_mark(
    node: ElasticNode, full: FullNode
) -> None:
    install(node)
    marked = full.kept[MAPPINGS]
    full.kept[MAPPINGS] = as_kept(shipped("fileaudit@mappings"))
    full.requests.clear()
    plan = install(node)
    assert (states(plan)[MAPPINGS], full.puts) == (State.OLDER, [MAPPINGS])
    assert full.kept[MAPPINGS] == marked


def test_a_template_of_an_older_engine_is_told_from_one_that_was_edited(
    node: ElasticNode, full: FullNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = copy.deepcopy(templates.shipped("fileaudit@settings"))
    older["template"]["settings"]["index.codec"] = "default"
    with monkeypatch.context() as patched:
        patched.setattr(templates, "shipped", lambda name: older if "settings" in name else shipped(name))
        install(node)
    assert states(install(node))[SETTINGS] is State.OLDER
    assert full.kept[SETTINGS]["template"]["settings"]["index"]["codec"] == "best_compression"


def test_a_template_of_a_newer_engine_is_left_alone(
    node: ElasticNode, full: FullNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = copy.deepcopy(shipped("fileaudit@settings"))
    newer["template"]["settings"]["index.codec"] = "default"
    with monkeypatch.context() as patched:
        patched.setattr(templates, "shipped", lambda name: newer if "settings" in name else shipped(name))
        patched.setattr(templates, "__version__", "0.10.0")
        install(node)
    monkeypatch.setattr(installed, "__version__", "0.9.9")
    full.requests.clear()
    assert states(install(node))[SETTINGS] is State.NEWER
    assert full.puts == []


def test_a_template_that_says_the_same_is_the_same_whatever_its_version(
    node: ElasticNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(templates, "__version__", "0.0.1")
        install(node)
    assert set(states(plan_for(node, "default")).values()) == {State.SAME}


def test_a_policy_that_somebody_has_changed_stays(node: ElasticNode, full: FullNode) -> None:
    install(node)
    full.kept[POLICY]["policy"]["phases"]["delete"] = {"min_age": "365d", "actions": {"delete": {}}}
    full.requests.clear()
    plan = install(node)
    assert states(plan)[POLICY] is State.YOURS
    assert full.puts == []


CUSTOM = "/_component_template/fileaudit@custom"


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"file": {"properties": {"path": {"type": "ip"}}}}, "file.path (ip)"),
        ({"event.id": {"type": "long"}}, "event.id (long)"),
        ({"file": {"properties": {"type": {"type": "long"}}}}, "file.type (long)"),
        (
            {"file": {"properties": {"path": {"type": "keyword", "fields": {"caseless": {"type": "text"}}}}}},
            "file.path.fields.caseless (text)",
        ),
        ({"user": {"properties": {"name": {"type": "i\x1b[2Jp"}}}}, "user.name (i\\x1b[2Jp)"),
    ],
)
def test_the_operators_own_template_that_gives_a_field_another_type_is_told(
    node: ElasticNode, full: FullNode, properties: dict[str, Any], told: str
) -> None:
    full.kept[CUSTOM] = {"template": {"mappings": {"properties": properties}}}
    (words,) = plan_for(node, "default").warnings
    assert words.startswith(f"fileaudit@custom gives the field {told} another type")


@pytest.mark.parametrize(
    "body",
    [
        {
            "template": {
                "mappings": {"properties": {"mine": {"type": "ip"}, "file.path": {"type": "wildcard"}}}
            }
        },
        {"template": {"mappings": {"properties": [1]}}},
        {"template": 5},
        {},
    ],
)
def test_what_else_stands_in_it_is_nobodys_business(
    node: ElasticNode, full: FullNode, body: dict[str, Any]
) -> None:
    full.kept[CUSTOM] = body
    assert plan_for(node, "default").warnings == []


def test_the_operators_own_template_is_never_put(node: ElasticNode, full: FullNode) -> None:
    install(node)
    install(node)
    assert not [one for one in full.requests if CUSTOM in one and not one.startswith("GET ")]
    assert full.kept[ALERTS]["composed_of"][-1] == "fileaudit@custom"


# ------------------------------------------------------------------------------------------ other templates


def other(priority: int, *patterns: str) -> dict[str, Any]:
    return {
        "name": "somebody's",
        "index_template": {"index_patterns": list(patterns), "priority": priority},
    }


def test_a_template_with_the_same_priority_is_in_the_way(node: ElasticNode, full: FullNode) -> None:
    full.others = [other(250, "logs-*-*")]
    plan = plan_for(node, "default")
    assert len(plan.hindrances) == 2
    assert "somebody's is for logs-fileaudit.alert-* as well" in plan.hindrances[0]


@pytest.mark.parametrize(
    ("pattern", "overlaps"),
    [
        ("logs-fileaudit.alert-elsewhere", True),
        ("logs-fileaudit.alert-", True),
        ("*", True),
        ("*-elsewhere", True),
        ("l*t.a*t*", True),
        ("logs-fileaudit.alert", False),
        ("logs-?ileaudit.alert-*", False),
        ("logs-fileaudit.event-*", False),
        ("metrics-*", False),
        ("", False),
    ],
)
def test_patterns_overlap_if_there_is_a_name_for_both(
    pattern: str,
    overlaps: bool,  # noqa: FBT001 - one column of the table
    node: ElasticNode,
    full: FullNode,
) -> None:
    full.others = [other(250, pattern)]
    hindered = [rival.stream for rival in plan_for(node, "default").rivals if rival.equal]
    assert ("logs-fileaudit.alert-*" in hindered) is overlaps


def test_a_template_with_a_higher_priority_decides_and_that_is_told(
    node: ElasticNode, full: FullNode
) -> None:
    full.others = [other(300, "logs-fileaudit.alert-default"), other(300, "logs-nginx-*")]
    plan = plan_for(node, "default")
    assert (plan.hindrances, len(plan.warnings)) == ([], 1)
    assert plan_for(node, "elsewhere").warnings == []


def test_a_template_with_a_lower_priority_is_nobodys_business(node: ElasticNode, full: FullNode) -> None:
    full.others = [other(100, "logs-*-*"), {"name": "without", "index_template": {"index_patterns": "*"}}]
    plan = plan_for(node, "default")
    assert (plan.hindrances, plan.warnings) == ([], [])


# --------------------------------------------------------------------------------------------- data streams


def test_a_data_stream_that_is_written_by_other_mappings_is_found(node: ElasticNode, full: FullNode) -> None:
    install(node)
    old, new = ".ds-logs-fileaudit.alert-default-000001", ".ds-logs-fileaudit.event-default-000002"
    full.streams = {"logs-fileaudit.alert-default": [old], "logs-fileaudit.event-default": [old, new]}
    wanted = templates.marks(templates.templates(EVERY_PART))
    full.marks = {old: {"fileaudit@mappings": "of before"}, new: wanted}
    plan = plan_for(node, "default")
    assert [stream.name for stream in plan.behind] == ["logs-fileaudit.alert-default"]
    assert roll_over(node, plan.behind[0]) == ".ds-logs-fileaudit.alert-default-000002"


def test_the_mappings_say_of_which_templates_they_are(node: ElasticNode, full: FullNode) -> None:
    install(node)
    for path in (MAPPINGS, ENHANCED):
        body = full.kept[path]
        assert body["template"]["mappings"]["_meta"] == {path.rpartition("/")[2]: body["_meta"]["digest"]}


def test_an_index_that_has_the_name_of_a_data_stream_is_told(node: ElasticNode, full: FullNode) -> None:
    full.indices = ["logs-fileaudit.alert-default"]
    plan = plan_for(node, "default")
    assert ["is an index and no data stream" in words for words in plan.warnings] == [True]


# ------------------------------------------------------------------------------------------ hostile answers


@pytest.mark.parametrize(
    ("asked", "answer", "words"),
    [
        (
            "PUT /_component",
            failure(403, "security_exception", "not [you]\x1b[31m"),
            r"403: not \[you\]\\x1b",
        ),
        ("GET /_component", failure(401, "security_exception", "who?"), "401: who"),
        ("PUT /_component", (200, {"acknowledged": False}), "does not say that it has it"),
        ("PUT /_component", (200, []), "does not say that it has it"),
        ("GET /_component", (200, b"[1, 2"), "cannot be understood"),
        ("GET /_component", (200, "no object"), "cannot be understood"),
        ("GET /_index_template?", (200, {"index_templates": "none"}), "cannot be understood"),
        ("GET /_resolve", (200, {"data_streams": [{"name": 7}]}), "cannot be understood"),
        ("POST /_index_template/_simulate", (500, b"<html>"), "500: <html>"),
        ("POST /_index_template/_simulate", failure(403, "security_exception", "no"), "403: no"),
        ("GET /_ilm", failure(503, "unavailable", "later"), "503: later"),
    ],
)
def test_an_answer_that_is_none_is_told_in_words(
    asked: str, answer: Any, words: str, node: ElasticNode, full: FullNode
) -> None:
    full.answers = {asked: answer}
    with pytest.raises(MachineCannot, match=words):
        install(node)


def test_who_is_not_allowed_learns_what_it_takes(node: ElasticNode, full: FullNode) -> None:
    full.answers = {"PUT": failure(403, "security_exception", "no")}
    with pytest.raises(NotAllowed) as refused:
        install(node)
    assert "manage_index_templates" in refused.value.remedy


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"template": []},
        {"template": {"mappings": [1, {"a": None}]}},
        {"_meta": {"digest": 7}},
        {"_meta": 1},
    ],
)
def test_a_template_of_any_form_is_put_back(kept: Any, node: ElasticNode, full: FullNode) -> None:
    install(node)
    full.kept[MAPPINGS] = kept
    assert states(install(node))[MAPPINGS] is State.EDITED
    assert set(states(plan_for(node, "default")).values()) == {State.SAME}


def test_what_is_no_elasticsearch_is_not_talked_to(node: ElasticNode, full: FullNode) -> None:
    full.product = "OpenSearch"
    with pytest.raises(MachineCannot, match="is no Elasticsearch"):
        plan_for(node, "default")
