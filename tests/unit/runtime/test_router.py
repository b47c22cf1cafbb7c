"""Who is given what: the first route that fits decides, and nothing is decided by accident."""

from typing import Any

import pytest
from hypothesis import given, settings
from tests.unit.events.records import record as record_of_rule
from tests.unit.runtime import route_oracle as oracle
from tests.unit.runtime.route_oracle import record, row

from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.runtime.route import Route
from fileaudit_engine.runtime.router import SINKS, Router
from fileaudit_engine.store.stored import StoredRecord

REPEATABLE = settings(derandomize=True, database=None, deadline=None)
HIGH = Route(levels=frozenset({"high", "critical"}), to=("elasticsearch", "syslog"))
REST = Route(levels=frozenset({"low", "medium"}), to=("elasticsearch",))
NOWHERE = Route(rules=("noisy",), to=())


def document(level: str = "high", *, kind: str = "alert", **members: Any) -> dict[str, Any]:
    return {
        "event": {"kind": "alert" if kind == "alert" else "event", "dataset": f"fileaudit.{kind}"},
        "rule": {"id": "shadow_read", "uuid": "6D2B", "name": "Shadow file read"},
        "tags": ["attack.T1003.008", "tlp.amber"],
        "file": {"path": "/etc/shadow"},
        "user": {"name": "Root"},
        "fileaudit": {"rule": {"level": level}},
        **members,
    }


def given_to(routes: list[Route], found: dict[str, Any]) -> set[str]:
    """The sinks that are given a document, by way of the store."""
    router = Router(routes, SINKS)
    return {sink for sink in SINKS if (wants := router.wants(sink)) is None or wants(row(found))}


def fits(route: Route, found: dict[str, Any]) -> bool:
    return "syslog" in given_to([route], found)


def to_syslog(**conditions: Any) -> Route:
    return Route(to=("syslog",), **conditions)


# --- the order of routes ------------------------------------------------------------------------------------


def test_without_routes_each_sink_is_given_what_is_usual_for_it() -> None:
    assert given_to([], document()) == {*SINKS}
    assert given_to([], document("informational", kind="event")) == {"json", "elasticsearch"}
    assert given_to([], document("informational", kind="engine")) == {"json", "elasticsearch"}


def test_the_first_route_that_fits_decides() -> None:
    assert given_to([HIGH, REST], document("high")) == {"elasticsearch", "syslog", "json", "terminal"}
    assert given_to([HIGH, REST], document("low")) == {"elasticsearch", "json", "terminal"}
    assert "elasticsearch" not in given_to([HIGH, REST], document("informational", kind="event"))


def test_a_route_that_goes_on_lets_later_ones_add() -> None:
    first = Route(tags=("attack.*",), to=("syslog",), goes_on=True)
    assert {"syslog", "elasticsearch"} <= given_to([first, REST], document("low"))
    assert "syslog" in given_to([first, REST], document("informational", kind="event"))


def test_a_sink_that_no_route_names_is_given_what_is_usual_whatever_routes_say_of_others() -> None:
    assert "json" in given_to([HIGH, REST], document("informational", kind="event"))
    assert "terminal" not in given_to([HIGH], document("informational", kind="event"))


def test_what_a_route_sends_nowhere_no_sink_is_given() -> None:
    noisy = document(rule={"id": "noisy"})
    assert given_to([NOWHERE], noisy) == set()
    assert given_to([NOWHERE], document()) == {*SINKS}
    assert given_to([HIGH, NOWHERE], noisy) == {*SINKS}  # another route has decided


# --- conditions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["shadow_read", "SHADOW_READ", "6d2b", "shadow FILE read", "*read", "?hadow*"]
)
def test_a_rule_is_known_by_name_id_or_title_whole_or_by_a_glob(name: str) -> None:
    assert fits(to_syslog(rules=(name,)), document())


@pytest.mark.parametrize("name", ["shadow", "read", "shadow\\*", "", "shadow_read\n", "?shadow_read"])
def test_a_part_of_a_name_is_no_name(name: str) -> None:
    assert not fits(to_syslog(rules=(name,)), document())


@pytest.mark.parametrize("tag", ["attack.t1003.008", "ATTACK.T1003.*", "attack.t1003*", "tlp.amber", "*"])
def test_a_tag_is_compared_without_case(tag: str) -> None:
    assert fits(to_syslog(tags=(tag,)), document())


def test_a_rule_without_tags_fits_no_tag() -> None:
    assert not fits(to_syslog(tags=("*",)), document(tags=[]))
    without = {key: value for key, value in document().items() if key != "tags"}
    assert not fits(to_syslog(tags=("*",)), without)


@pytest.mark.parametrize(
    ("place", "glob", "is_there"),
    [
        ("file.path", "/ETC/SHADOW", True),
        ("file.path", "/etc/*", True),
        ("file.path", "/*", False),
        ("file.path", "/**", True),
        ("file.path", "/etc/shadow/**", False),
        ("file.path", "/etc/shado?", True),
        ("file.path", "/etc?shadow", False),
        ("user.name", "root", True),
        ("user.name", "roo", False),
        ("file.target_path", "*", False),
        ("file", "*", False),
        ("fileaudit.args", "-r", True),
        ("fileaudit.args", "-R /", False),
        ("fileaudit.count", "7", True),
        ("fileaudit.count", "07", False),
        ("fileaudit.truncated", "true", True),
        ("fileaudit.none", "**", False),
        ("fileaudit.objects", "**", False),
        ("fileaudit.extra.my.field", "mine", True),
    ],
)
def test_a_field_is_compared_as_a_whole_with_the_globs_of_query(
    place: str, glob: str, *, is_there: bool
) -> None:
    own = {"rule": {"level": "high"}, "args": ["-r", "/"], "count": 7, "truncated": True, "none": None}
    found = document(fileaudit={**own, "objects": [{"a": "b"}, [1]], "extra": {"my.field": "mine"}})
    assert fits(to_syslog(fields=((place, (glob,)),)), found) == is_there


def test_all_conditions_must_hold_and_of_several_values_any() -> None:
    route = to_syslog(
        levels=frozenset({"low", "high"}),
        kinds=frozenset({Kind.ALERT}),
        rules=("x", "shadow*"),
        tags=("y", "tlp.*"),
        fields=(("user.name", ("alice", "root")), ("file.path", ("/etc/**",))),
    )
    assert fits(route, document())
    for change in (
        {"fileaudit": {"rule": {"level": "medium"}}},
        {"rule": {"id": "other"}},
        {"tags": ["attack.t1"]},
        {"user": {"name": "bob"}},
        {"file": {"path": "/var"}},
    ):
        assert not fits(route, document(**change))


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2J", "\\xff\\xfe", "*", "[", "Ünï", "a" * 1_000_000])
def test_a_hostile_name_is_a_name(name: str) -> None:
    found = document(user={"name": name})
    assert fits(to_syslog(fields=(("user.name", ("**",)),)), found)
    assert not fits(to_syslog(fields=(("user.name", ("root",)),)), found)


def test_bytes_that_are_no_text_are_named_as_documents_show_them() -> None:
    found = document(file={"path": "/tmp/\\xff\\x5cx41"})
    assert fits(to_syslog(fields=(("file.path", ("/tmp/\\xff\\\\x41",)),)), found)
    assert fits(to_syslog(fields=(("file.path", ("/tmp/?\\\\x41",)),)), found)


# --- what somebody else has written into the store ----------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff",
        b'{"event": 5}',
        b'{"tags": "attack"}',
        b'{"rule": {"id": 5}}',
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_cannot_be_read_nobody_withholds(raw: bytes) -> None:
    route = to_syslog(rules=("nothing",))
    by_field = to_syslog(fields=(("fileaudit.extra.x", ("1",)),))
    wants = Router([route, by_field], SINKS).wants("syslog")
    assert wants is not None
    assert wants(StoredRecord(seq=1, ts_ns=0, raw=raw))


def test_a_number_without_end_is_compared_or_nobody_withholds_it() -> None:
    wants = Router([to_syslog(fields=(("fileaudit.extra.x", ("1",)),))], SINKS).wants("syslog")
    assert wants is not None
    raw = b'{"fileaudit": {"extra": {"x": ' + b"9" * 10_000 + b"}}}"
    assert isinstance(wants(StoredRecord(seq=1, ts_ns=0, raw=raw)), bool)


def test_rules_without_number_do_not_fill_the_memory() -> None:
    wants = Router([to_syslog(rules=("r7",))], SINKS).wants("syslog")
    assert wants is not None
    assert [n for n in range(10_000) if wants(row(document(rule={"id": f"r{n}"})))] == [7]
    assert [n for n in range(10) if wants(row(document(rule={"id": f"r{n}", "name": "x" * 100_000})))] == [7]


# --- the same by every way ----------------------------------------------------------------------------------


@given(oracle.routes, oracle.documents())
@settings(REPEATABLE, max_examples=500)
def test_a_sink_is_given_what_the_routes_say_word_for_word(
    routes: list[Route], found: dict[str, Any]
) -> None:
    router = Router(routes, SINKS)
    for sink in SINKS:
        expected = oracle.is_given(routes, sink, found)
        one = row(found)
        wants, wanted, shows = router.wants(sink), router.wanted(sink), router.shows(sink)
        assert (wants is None or wants(one)) == expected
        by_kind = wanted.kinds is None or one.kind in wanted.kinds
        assert (by_kind and (wanted.fits is None or wanted.fits(one))) == expected
        assert wants is None or wants(one) == expected  # remembered
        if shows is not None:
            assert shows(record(found)) == expected
        else:
            assert expected == (one.kind.value in oracle.USUAL[sink].split())


@given(oracle.routes, oracle.documents())
@settings(REPEATABLE, max_examples=200)
def test_what_a_sink_gets_is_among_what_it_is_said_to_get(routes: list[Route], found: dict[str, Any]) -> None:
    router = Router(routes, SINKS)
    kind, level = oracle.kind_in(found), found["fileaudit"]["rule"]["level"]
    word = {Kind.ALERT: level, Kind.EVENT: "informational", Kind.ENGINE: "engine"}[kind]
    for sink in SINKS:
        whole, _, part = router.words(sink).partition("some ")
        if oracle.is_given(routes, sink, found):
            assert word in (whole + part).replace(",", " ").split()
        else:
            assert word not in whole.replace(",", " ").split()


def test_where_kinds_decide_no_row_is_looked_into() -> None:
    router = Router([Route(rules=("x",), to=("elasticsearch",))], SINKS)
    assert router.wanted("syslog").fits is None
    assert router.wanted("syslog").kinds == frozenset({Kind.ALERT})
    assert router.wanted("json") == Router([], SINKS).wanted("elasticsearch")
    assert router.wants("json") is None


def test_a_route_without_conditions_costs_nothing() -> None:
    for routes in ([Route(to=("syslog",))], [Route(to=("syslog",)), HIGH], [HIGH, Route(to=("syslog",))]):
        router = Router(routes, SINKS)
        assert router.wants("syslog") is None
        assert router.wanted("syslog") == Router([], SINKS).wanted("json")


def test_a_sink_that_wants_loud_alerts_only_is_not_asked_about_the_audit_trail() -> None:
    assert Router([HIGH], SINKS).kinds("syslog") == frozenset({Kind.ALERT})
    assert Router([to_syslog(fields=(("user.name", ("root",)),))], SINKS).kinds("syslog") is None
    assert Router([NOWHERE, to_syslog()], SINKS).kinds("syslog") is None
    assert Router([Route(to=())], SINKS).kinds("json") == frozenset()


def _made_by_the_engine() -> list[Record]:
    quiet = [engine_record(action, 1, "h", "m", {}) for action in Action]
    loud = [engine_record(Action.STORE_UNAVAILABLE, 1, "h", "m", {}, alert_level="high")]
    return [*quiet, *loud, *(record_of_rule(level=level) for level in oracle.LEVELS)]


@pytest.mark.parametrize("made", _made_by_the_engine())
def test_every_record_is_of_a_kind_and_level_that_routes_know_together(made: Record) -> None:
    route = Route(levels=frozenset({made.level}), kinds=frozenset({made.kind}), to=("syslog",))
    router = Router([route], SINKS)
    assert router.kinds("syslog") == frozenset({made.kind})
    wants, shows = router.wants("syslog"), router.shows("syslog")
    assert wants is not None
    assert shows is not None
    assert wants(StoredRecord(seq=1, ts_ns=0, raw=encode(made.document)))
    assert shows(made)


# --- the terminal -------------------------------------------------------------------------------------------


def test_a_terminal_that_no_route_speaks_of_shows_what_it_always_did() -> None:
    assert Router([HIGH], SINKS).shows("terminal") is None


def test_a_terminal_that_routes_name_shows_that_and_nothing_else() -> None:
    shows = Router([Route(kinds=frozenset({Kind.EVENT}), to=("terminal",))], SINKS).shows("terminal")
    assert shows is not None
    assert shows(record(document("informational", kind="event")))
    assert not shows(record(document()))


@pytest.mark.parametrize("show_audit", [False, True])
def test_what_goes_nowhere_is_not_shown_and_the_rest_as_always(*, show_audit: bool) -> None:
    shows = Router([NOWHERE], SINKS).shows("terminal", show_audit=show_audit)
    assert shows is not None
    assert not shows(record(document(rule={"id": "noisy"})))
    assert shows(record(document()))
    assert shows(record(document("informational", kind="event"))) == show_audit


# --- words --------------------------------------------------------------------------------------------------


def test_what_each_sink_is_given_is_told_in_words() -> None:
    router = Router(
        [HIGH, Route(tags=("a",), levels=frozenset({"low"}), to=("syslog", "elasticsearch"))], SINKS
    )
    assert {name: router.words(name) for name in router.names} == {
        "terminal": "critical high medium low",
        "json": "critical high medium low informational engine",
        "elasticsearch": "critical high, some low",
        "syslog": "critical high, some low",
    }


def test_who_gets_nothing_or_only_parts_is_told_too() -> None:
    router = Router([Route(to=()), HIGH], ["syslog"])
    assert router.names == ["syslog"]
    assert router.words("syslog") == "nothing"
    assert Router([to_syslog(rules=("a",))], SINKS).words("syslog").startswith("some critical high")


# --- what a route covers ------------------------------------------------------------------------------------


@given(oracle.routes, oracle.documents())
@settings(REPEATABLE, max_examples=200)
def test_a_route_that_covers_another_fits_wherever_that_one_does(
    routes: list[Route], found: dict[str, Any]
) -> None:
    for one in routes:
        for other in routes:
            if one.covers(other) and oracle.holds(other, found):
                assert oracle.holds(one, found)


def test_a_wider_route_covers_a_narrower_one() -> None:
    wide = Route(levels=frozenset({"high", "low"}), to=())
    narrow = Route(levels=frozenset({"low"}), rules=("a",), fields=(("user.name", ("root",)),), to=())
    assert wide.covers(narrow)
    assert not narrow.covers(wide)
    assert Route(to=()).covers(Route(to=()))
