"""Routes in the configuration: what they say is taken, and one that does nothing is a mistake."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from fileaudit_engine.config import parse_config
from fileaudit_engine.detect.record import Kind
from fileaudit_engine.diagnostics import UnusableInput
from fileaudit_engine.resources import schemas_dir
from fileaudit_engine.runtime.route import Route

SCHEMA = jsonschema.Draft202012Validator(json.loads((schemas_dir() / "config.schema.json").read_text()))
HOME = Path("/etc/fileaudit/config.yml")
SINKS = "sinks: {elasticsearch: {hosts: https://es:9200}, syslog: {address: tls://siem}, json: {path: /l}}\n"

RIGHT = {
    "[]": (),
    "[{to: []}]": (Route(),),
    "[{to: terminal}]": (Route(to=("terminal",)),),
    "[{level: high, to: [json, syslog]}]": (Route(levels=frozenset({"high"}), to=("json", "syslog")),),
    "[{kind: [alert, engine], to: syslog, continue: true}]": (
        Route(kinds=frozenset({Kind.ALERT, Kind.ENGINE}), to=("syslog",), goes_on=True),
    ),
    "[{rule: [a*, 7, true], tag: attack.t1003, to: []}]": (
        Route(rules=("a*", "7", "true"), tags=("attack.t1003",)),
    ),
    "[{fields: {user.name: [root, ''], file.size: 0x10, fileaudit.extra.my.own: 1.5}, to: json}]": (
        Route(
            fields=(
                ("user.name", ("root", "")),
                ("file.size", ("16",)),
                ("fileaudit.extra.my.own", ("1.5",)),
            ),
            to=("json",),
        ),
    ),
    "[{fields: {fileaudit.engine.sink: syslog, tags: a, process.args: [-r]}, to: json}]": (
        Route(
            fields=(("fileaudit.engine.sink", ("syslog",)), ("tags", ("a",)), ("process.args", ("-r",))),
            to=("json",),
        ),
    ),
    "[{level: high, to: json}, {level: [high, low], to: json}]": (
        Route(levels=frozenset({"high"}), to=("json",)),
        Route(levels=frozenset({"high", "low"}), to=("json",)),
    ),
    "[{to: json, continue: true}, {to: syslog}]": (
        Route(to=("json",), goes_on=True),
        Route(to=("syslog",)),
    ),
}

A_VALUE = "a text or a number, or a list of them"
WRONG = {
    "5": ["9 'routes' must be a list of routes"],
    "{to: json}": ["9 'routes' must be a list of routes"],
    "[json]": ["10 'routes' must be a map"],
    "[{}]": ["10 'routes' needs 'to'"],
    "[{lvl: high, to: json}]": ["11 unknown key 'routes.lvl'"],
    "[{to: [jsn]}]": ["16 'routes.to' must be one of terminal, json, elasticsearch, syslog"],
    "[{to: [json, json]}]": ["22 'json' is there twice"],
    "[{level: [], to: json}]": [
        "18 'routes.level' must be one of informational, low, medium, high, critical, or a list of them"
    ],
    "[{level: [hihg], to: json}]": [
        "19 'routes.level' must be one of informational, low, medium, high, critical"
    ],
    "[{kind: alerts, to: json}]": ["17 'routes.kind' must be one of alert, event, engine"],
    "[{rule: '', to: json}]": ["17 'routes.rule' must be a name, or a list of them"],
    "[{rule: {a: b}, to: json}]": [f"17 'routes.rule' must be {A_VALUE}"],
    "[{tag: [a, ], to: json}, {tag: [a, null], to: json}]": [f"44 'routes.tag' must be {A_VALUE}"],
    "[{fields: [], to: json}]": ["19 'routes.fields' must be a map of places and values"],
    "[{fields: {}, to: json}]": ["19 'routes.fields' must be a map of places and values"],
    "[{fields: {Image: a}, to: json}]": ["20 no record has 'Image'"],
    "[{fields: {file: a}, to: json}]": ["20 no record has 'file'"],
    "[{fields: {event.id: a}, to: json}]": [
        "20 no two records have the same 'event.id': nothing can be sent by it"
    ],
    "[{fields: {fileaudit.ancestors: a}, to: json}]": [
        "20 'fileaudit.ancestors' has objects, which are no texts"
    ],
    "[{fields: {user.name: }, to: json}]": [f"31 'routes.fields' must be {A_VALUE}"],
    "[{fields: {user.name: []}, to: json}]": [f"31 'routes.fields' must be {A_VALUE}"],
    "[{to: json, continue: yes}]": ["31 'routes.continue' must be true or false"],
}

MEANINGLESS = {
    "[{to: []}, {to: json}]": "20 this route is never asked: the one in line 1 takes its records",
    "[{level: [high, low], to: json}, {level: low, rule: a, to: syslog}]": (
        "42 this route is never asked: the one in line 1 takes its records"
    ),
    "[{rule: a, to: json}, {level: low, to: json}, {rule: a, to: []}]": (
        "55 this route is never asked: the one in line 1 takes its records"
    ),
    "[{to: [], continue: true}]": "29 a route to nowhere that goes on does nothing",
}
"""What cannot be meant; the schema cannot know."""


def complaints(routes: str, sinks: str = SINKS) -> list[str]:
    with pytest.raises(UnusableInput) as raised:
        parse_config(f"routes: {routes}\n{sinks}".encode(), HOME)
    return [f"{found.location.column} {found.message}" for found in raised.value.diagnostics]


@pytest.mark.parametrize("routes", RIGHT)
def test_what_routes_say_is_taken(routes: str) -> None:
    text = f"routes: {routes}\n{SINKS}"
    assert parse_config(text.encode(), HOME).routes == RIGHT[routes]
    SCHEMA.validate(yaml.safe_load(text))


@pytest.mark.parametrize("routes", WRONG)
def test_every_mistake_in_a_route_is_told_with_its_place(routes: str) -> None:
    assert complaints(routes) == WRONG[routes]


@pytest.mark.parametrize("routes", [routes for routes in WRONG if "yes" not in routes])
def test_the_schema_that_editors_use_refuses_it_too(routes: str) -> None:
    assert not SCHEMA.is_valid(yaml.safe_load(f"routes: {routes}"))


@pytest.mark.parametrize("routes", MEANINGLESS)
def test_a_route_that_does_nothing_is_told(routes: str) -> None:
    assert complaints(routes) == [MEANINGLESS[routes]]


def test_a_value_longer_than_any_name_is_told_and_not_repeated() -> None:
    (told,) = complaints(f"[{{rule: {'a' * 8_193}, to: json}}]")
    assert told == f"17 'routes.rule' must be {A_VALUE}"


def test_more_routes_than_anybody_writes_are_refused_at_once() -> None:
    routes = [f"{{rule: a{number}, to: json}}" for number in range(20_000)]
    (told,) = complaints(f"[{', '.join(routes)}]")
    assert told.endswith(" there are more than 500 routes")
    assert len(parse_config(f"routes: [{', '.join(routes[:500])}]\n{SINKS}".encode(), HOME).routes) == 500


@pytest.mark.parametrize("sink", ["json", "elasticsearch", "syslog"])
def test_a_route_to_a_sink_that_is_not_configured_is_told(sink: str) -> None:
    message = f"a route names the sink '{sink}', which is not configured"
    assert complaints(f"[{{to: {sink}}}]", "") == [f"15 {message}"]
    with pytest.raises(UnusableInput) as raised:
        parse_config(f"routes: [{{to: {sink}}}]".encode(), HOME)
    assert raised.value.diagnostics[0].help == f"add 'sinks.{sink}', or remove it"


def test_a_sink_that_is_configured_with_mistakes_is_not_said_to_be_missing() -> None:
    assert complaints("[{to: syslog}]", "sinks: {syslog: {}}") == ["17 'sinks.syslog' needs 'address'"]


def test_a_route_with_mistakes_hides_no_other_route() -> None:
    assert complaints("[{levl: high, to: json}, {to: json}]") == ["11 unknown key 'routes.levl'"]


def test_a_name_of_rules_is_told_the_documents_name_for_it() -> None:
    with pytest.raises(UnusableInput) as raised:
        parse_config(b"routes: [{fields: {TargetFilename: a}, to: terminal}]", HOME)
    assert raised.value.diagnostics[0].help == "did you mean 'file.path'?"
