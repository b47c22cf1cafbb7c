"""The law of hunts against real nodes: what a query finds is what the engine finds in the same events.

Events are delivered as the engine delivers them, into its own data streams, and looked for as Kibana does it.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from tests.integration.elastic_templates import put_templates
from tests.unit.compiler.examples import text_test, user_rule
from tests.unit.compiler.hunt.costly import CHEAP, COSTLY
from tests.unit.compiler.hunt.hunting import field_tests, is_odd, located, prepared
from tests.unit.compiler.strategies import REPEATABLE, events_for, predicates
from tests.unit.events.examples import EVERYTHING, HOSTILE, SHADOW
from tests.unit.events.examples import events as any_events
from tools.elastic.node import Node

from fileaudit_engine.cli.loading import load_quietly
from fileaudit_engine.compiler.hunt.conditions import Language
from fileaudit_engine.compiler.hunt.expression import written
from fileaudit_engine.compiler.hunt.lucene import in_lucene
from fileaudit_engine.compiler.hunt.re2 import lucene_of
from fileaudit_engine.compiler.hunt.translate import hunted
from fileaudit_engine.compiler.ir import TRUE, Negation, Predicate
from fileaudit_engine.detect.alert import record_of
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.detect.record import Finding, Kind
from fileaudit_engine.events.jsonl import encode
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.resources import rules_dir
from fileaudit_engine.ruletest.load import load_cases
from fileaudit_engine.sinks.base import Delivered
from fileaudit_engine.sinks.elastic.sink import ElasticSink
from fileaudit_engine.sinks.settings import ElasticSettings

FIXTURES = Path(__file__).parents[1] / "fixtures"
MOST = 10_000
NAMES = (
    HOSTILE,
    "/\u017frv/\u0130",
    'a*b?c\\d"e',
    "/a b/+-&|!(){}[]^~:<>=",
    "\\x41\udcff\\",
    "/" + "x" * 11_000,
    "",
)


@dataclass(frozen=True)
class Sent:
    """A row of a store that there is not."""

    seq: int
    ts_ns: int
    raw: bytes
    id: str
    kind: Kind


@dataclass(frozen=True)
class Held:
    """Events, and where their documents are, by the documents' ids."""

    node: Node
    stream: str
    events: dict[str, FileEvent]

    def found(self, query: str) -> set[str]:
        """The ids of what a query finds that is written in Kibana's field for Lucene."""
        asked = {"query": query, "analyze_wildcard": True, "time_zone": "UTC"}
        body = {"size": MOST, "_source": False, "query": {"query_string": asked}}
        answer: dict[str, Any] = self.node.ask("POST", f"/{self.stream}/_search", body)
        return {hit["_id"] for hit in answer["hits"]["hits"]}

    def true(self, predicate: Predicate) -> set[str]:
        """The ids of the events that the engine says it of."""
        holds = matcher(predicate)
        return {key for key, event in self.events.items() if holds(event)}


def held(node: Node, namespace: str, events: Sequence[FileEvent]) -> Held:
    put_templates(node)
    rule = user_rule(TRUE)
    known: dict[str, FileEvent] = {}
    rows = []
    for seq, event in enumerate(map(located, events), 1):
        record = record_of(Finding(rule=rule, event=event, selections=()), host="web-1")
        if record.id not in known:
            rows.append(Sent(seq, event.ts_ns, encode(record.document), record.id, record.kind))
        known[record.id] = event
    with closing(ElasticSink(ElasticSettings(hosts=(node.url,), namespace=namespace))) as sink:
        for begin in range(0, len(rows), 1_000):
            part = rows[begin : begin + 1_000]
            assert sink.deliver(part) == [Delivered()] * len(part)
    stream = f"logs-fileaudit.*-{namespace}"
    node.ask("POST", f"/{stream}/_refresh")
    return Held(node, stream, known)


@pytest.fixture(scope="module")
def fixtures(each_elastic: Node) -> Held:
    """The events of all cases of the shipped rules."""
    cases = load_cases(FIXTURES).cases
    return held(each_elastic, "hunted-cases", [one.event for case in cases for one in case.events])


def drawn() -> Iterator[FileEvent]:
    """Events with everything, hostile ones, and some that generated rules are true of."""
    yield from (SHADOW, EVERYTHING)
    for name in NAMES:
        yield msgspec.structs.replace(EVERYTHING, path=name, user_name=name[:300], link_target=name)
    found: list[FileEvent] = []

    @settings(REPEATABLE, max_examples=150)
    @given(any_events)
    def draw(event: FileEvent) -> None:
        found.append(event)

    draw()
    yield from found
    yield from events_for(GENERATED, seed=8, count=500)


def generated() -> list[Predicate]:
    found: list[Predicate] = []

    @settings(REPEATABLE, max_examples=60)
    @given(predicates())
    def draw(predicate: Predicate) -> None:
        found.append(predicate)

    draw()
    return found


GENERATED = generated()
EVENTS = list(map(located, drawn()))


@pytest.fixture(scope="module")
def hostile(each_elastic: Node) -> Held:
    return held(each_elastic, "hunted-hostile", EVENTS)


def kept(place: Held, predicate: Predicate) -> None:
    """The law: nothing is missed, and what is found besides is odd or said."""
    hunt = hunted(predicate, Language.LUCENE)
    query = in_lucene(hunt.condition)
    found, true = place.found(query), place.true(predicate)
    assert not true - found, query
    besides = {key for key in found - true if not is_odd(place.events[key])}
    assert not besides or hunt.gaps, query


def test_a_hunt_for_a_shipped_rule_finds_what_the_engine_finds(fixtures: Held) -> None:
    for rule in load_quietly([rules_dir()]).compiled.user.rules:
        hunt = hunted(rule.predicate, Language.LUCENE)
        found, true = fixtures.found(in_lucene(hunt.condition)), fixtures.true(rule.predicate)
        assert true, f"{rule.rule.key}: no event of a case is one of its"
        assert (found >= true) if hunt.gaps else (found == true), rule.rule.key


@pytest.mark.parametrize("number", range(len(GENERATED)))
def test_a_hunt_for_a_generated_rule_finds_what_the_engine_finds(hostile: Held, number: int) -> None:
    kept(hostile, prepared(GENERATED[number]))


def test_a_hunt_for_a_test_of_any_field_finds_what_the_engine_finds(hostile: Held) -> None:
    @settings(REPEATABLE, max_examples=250)
    @given(field_tests(EVENTS))
    def law(predicate: Predicate) -> None:
        kept(hostile, prepared(predicate))

    law()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cased", [True, False])
def test_a_hunt_for_a_hostile_name_finds_it_and_its_negation_does_not(
    hostile: Held,
    name: str,
    cased: bool,  # noqa: FBT001 - a parameter
) -> None:
    test = text_test("LinkTarget", *([name] if name else []), cased=cased)
    of_name = {key for key, event in hostile.events.items() if event.link_target == name}
    assert of_name
    assert of_name <= hostile.found(in_lucene(hunted(test, Language.LUCENE).condition))
    kept(hostile, prepared(Negation(operand=test)))


def gives_up(node: Node, expression: str) -> bool:
    """Whether a search in Kibana's field finds nothing because the expression costs too much."""
    query = f"rule.name:/{written(lucene_of(expression, 's', folded=False))}/"
    body = {"query": {"query_string": {"query": query}}}
    answer: dict[str, Any] = node.ask("POST", "/logs-fileaudit.*/_validate/query?explain=true", body)
    return any("too_complex" in str(one) or not one["valid"] for one in answer["explanations"])


@pytest.mark.usefixtures("fixtures")
@pytest.mark.parametrize("expression", CHEAP)
def test_no_expression_that_is_asked_for_is_given_up(each_elastic: Node, expression: str) -> None:
    assert not gives_up(each_elastic, expression)


@pytest.mark.usefixtures("fixtures")
def test_what_is_left_out_would_be_given_up(each_elastic: Node) -> None:
    given_up = [gives_up(each_elastic, expression) for expression in COSTLY]
    assert all(given_up) if each_elastic.version.startswith("8.") else any(given_up)
