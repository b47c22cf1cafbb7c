"""Other rules come into force: what stays the same goes on, and nothing that changed does."""

import gc
import weakref

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.strategies import REPEATABLE
from tests.unit.detect.correlation_answers import fresh
from tests.unit.detect.correlation_answers import given as doing
from tests.unit.detect.correlation_examples import START, all_shown, correlation, match, pack
from tests.unit.detect.correlation_strategies import chained_packs, packs, streams

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.correlate import Correlator
from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.rules.ast import CorrelationType as T
from fileaudit_engine.rules.parser import parse_text

RULE = """
title: {name}
name: {name}
logsource: {{product: linux, category: file_access}}
detection: {{selection: {{TargetFilename|startswith: {path}}}, condition: selection}}
"""
CORRELATION = """
title: {name}
name: {name}
correlation:
  {{type: event_count, rules: [{rule}], group-by: [User], timespan: 1h, condition: {{gte: {count}}}}}
"""
AT_ONCE = Limits(lateness_ns=0)
ANY = st.sampled_from(tuple(T)).flatmap(packs) | chained_packs()


def correlator(*documents: str) -> Correlator:
    loaded = parse_text("---".join(documents))
    compiled = compile_rules(loaded.rules, loaded.correlations)
    assert compiled.correlations.correlations
    return Correlator(compiled.correlations, compiled.user, AT_ONCE)


def rule(name: str, path: str = "/srv/") -> str:
    return RULE.format(name=name, path=path)


def three(name: str, rule: str, count: int = 3) -> str:
    return CORRELATION.format(name=name, rule=rule, count=count)


@settings(REPEATABLE, max_examples=300)
@given(st.data())
def test_the_same_rules_again_change_no_answer(data: st.DataObject) -> None:
    it = data.draw(ANY)
    stream = data.draw(streams(it))
    limits = Limits(lateness_ns=stream.lateness_ns)
    position = data.draw(st.integers(0, len(stream.acts)))
    one, before = fresh(it, limits), fresh(it, limits)
    wanted = [*doing(one, stream.acts), *one.finish()]
    found = [*doing(before, stream.acts[:position])]
    after = fresh(it, limits)
    assert after.take_over(before) == []
    found += [*doing(after, stream.acts[position:]), *after.finish()]
    assert all_shown(found) == all_shown(wanted)


def test_a_rule_before_it_changes_numbers_and_nothing_else() -> None:
    before = correlator(rule("r"), three("it", "r"))
    before.feed([match(0), match(1)])
    after = correlator(rule("first"), three("other", "first"), rule("r"), three("it", "r"))
    assert after.take_over(before) == []
    (alert,) = [*after.feed([match(2, "b")]), *after.finish()]
    assert (alert.correlation.rule.key, alert.total) == ("it", 3)


def test_events_are_handed_over_whole() -> None:
    before = correlator(rule("r"), three("it", "r"))
    before.feed([match(0), match(1)])
    after = correlator(rule("r"), three("it", "r"))
    after.take_over(before)
    (alert,) = [*after.feed([match(2)]), *after.finish()]
    assert all(one.event is not None for one in alert.events)


def test_a_rule_that_detects_something_else_is_another_one() -> None:
    before = correlator(rule("r", "/srv/"), three("it", "r"))
    before.feed([match(0), match(1)])
    after = correlator(rule("r", "/etc/"), three("it", "r"))
    assert after.take_over(before) == ["it is gone, or was changed, and lets go of 1 group"]
    assert [*after.feed([match(2)]), *after.finish()] == []


def test_so_is_one_behind_a_chain() -> None:
    outer = three("outer", "it", 1)
    before = correlator(rule("r"), three("it", "r", 2), outer)
    before.feed([match(0), match(1)])
    changed = correlator(rule("r"), three("it", "r", 3), outer)
    assert not before.goes_on_whole(changed)
    assert before.goes_on_whole(correlator(rule("r"), three("it", "r", 2), outer))


def test_a_saved_state_goes_by_what_rules_detect_too() -> None:
    before = correlator(rule("r", "/srv/"), three("it", "r"))
    before.feed([match(0), match(1)])
    before.advance(START + 10)
    moved = correlator("# further down\n\n\n" + rule("r", "/srv/"), three("it", "r"))
    assert moved.resume(before.save()) == []
    changed = correlator(rule("r", "/etc/"), three("it", "r"))
    assert changed.resume(before.save()) == ["it was changed: it begins anew, without 1 group"]
    assert changed.counts.groups == 0


def test_what_was_fed_already_is_not_taken_again() -> None:
    it = pack(correlation(T.EVENT_COUNT, "a", gte=3))
    again = fresh(it, AT_ONCE)
    again.ignore_until(START + 5)
    found = [*again.feed([match(ts) for ts in (4, 5, 6, 7)]), *again.finish()]
    assert found == []
    assert again.counts.late == 0


def test_rules_that_were_replaced_are_let_go_of() -> None:
    before = correlator(rule("r"), three("it", "r"))
    gone = weakref.ref(before.meanings)
    after = correlator(rule("r"), three("it", "r"))
    after.take_over(before)
    del before
    gc.collect()
    assert gone() is None
