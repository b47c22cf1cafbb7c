"""From batches to sums: what is watched is counted, and alerts about that."""

from tests.unit.events.named import Named

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.events.batch import Batch, EventBatch
from fileaudit_engine.events.model import FileEvent, Loss, Operation, Process
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.runtime.activity import Activity
from fileaudit_engine.runtime.watch import Onlooker, Watch

RULES = """
title: watched
name: watched
level: informational
logsource: {product: linux, service: fileaudit}
detection: {selection: {TargetFilename: /srv/*}, condition: selection}
---
title: Secrets are opened
name: secrets
level: high
logsource: {product: linux, category: file_access}
detection: {selection: {TargetFilename: '*/secret'}, condition: selection}
---
title: trail
name: trail
level: informational
logsource: {product: linux, category: file_access}
detection: {selection: {TargetFilename: '*/secret'}, condition: selection}
"""


def opened(path: str, pid: int = 7) -> FileEvent:
    return FileEvent(ts_ns=pid, operation=Operation.OPEN, path=path, process=Process(pid=pid))


SEVERAL = """
---
title: Two secrets
name: two
level: critical
correlation:
  type: event_count
  rules: [secrets]
  group-by: [ProcessId]
  timespan: 1m
  condition: {gte: 2}
"""
LATER_NS = 10**12
LATENESS_NS = Limits().lateness_ns


def activity_of(
    *items: Batch | Loss, told: list[Loss] | None = None, rules: str = RULES, settled: bool = True
) -> Activity:
    activity, heard = Activity(), [] if told is None else told
    found = parse_text(rules, "rules")
    compiled = compile_rules(found.rules, found.correlations)
    watch = Watch(
        compiled,
        activity,
        on_loss=heard.append,
        tell=lambda _: None,
        clock_ns=lambda: LATER_NS,
        limits=Limits(),
    )
    for item in items:
        watch.feed(item)
    if settled:
        watch.settle()
    activity.end_interval()
    return activity


def test_an_onlooker_is_shown_what_the_rules_match_batch_by_batch() -> None:
    (rule, *_) = parse_text(RULES, "rules").rules
    shown: list[list[str | None]] = []
    told: list[Loss] = []
    onlooker = Onlooker(
        compile_rules([rule]),
        show=lambda events: shown.append([event.path for event in events]),
        on_loss=told.append,
    )
    loss = Loss(first_ns=1, last_ns=2, counts={"open": 3})
    nothing = EventBatch(events=[opened("/etc/a")])
    some = EventBatch(events=[opened("/srv/a"), opened("/etc/a"), opened("/srv/b")])
    for item in (nothing, some, loss, some):
        onlooker.feed(item)
    assert shown == [["/srv/a", "/srv/b"]] * 2
    assert told == [loss]


def test_only_what_the_first_rule_matches_is_counted() -> None:
    activity = activity_of(EventBatch(events=[opened("/srv/a"), opened("/etc/a"), opened("/srv/b")]))
    assert activity.whole.operations == 2


def test_alerts_count_where_their_event_does_and_the_audit_trail_raises_none() -> None:
    events = [opened("/srv/secret", 1), opened("/etc/secret", 2), opened("/srv/a", 3), opened("/secret", 4)]
    activity = activity_of(EventBatch(events=events))
    assert [(news.title, news.level, news.actor.pid) for news in activity.alerts] == [
        ("Secrets are opened", "high", 1)
    ]
    assert (activity.whole.alerts, activity.whole.operations) == (1, 2)


def test_a_call_under_several_names_counts_once_with_the_alerts_about_any_of_them() -> None:
    activity = activity_of(
        Named(
            [opened("/srv/a"), opened("/srv/b")], [opened("/srv/x"), opened("/etc/secret")], [opened("/a")]
        ),
        Named([opened("/run/secret"), opened("/srv/y")], [opened("/mnt/secret"), opened("/mnt/y")]),
    )
    assert (activity.whole.operations, activity.whole.alerts) == (3, 2)
    assert [news.path for news in activity.alerts] == ["/srv/x", "/srv/y"]


def test_an_onlooker_is_shown_a_call_once() -> None:
    (rule, *_) = parse_text(RULES, "rules").rules
    shown: list[FileEvent] = []
    onlooker = Onlooker(compile_rules([rule]), show=shown.extend, on_loss=lambda _: None)
    onlooker.feed(Named([opened("/mnt/a"), opened("/srv/a"), opened("/srv/b")], [opened("/srv/c")]))
    assert [event.path for event in shown] == ["/srv/a", "/srv/c"]


def test_a_batch_is_not_mixed_up_with_the_one_before() -> None:
    activity = activity_of(
        EventBatch(events=[opened("/srv/a")]),
        EventBatch(events=[opened("/etc/secret")]),
        EventBatch(events=[opened("/srv/secret")]),
    )
    assert (activity.whole.alerts, activity.whole.operations) == (1, 2)


def test_a_loss_is_counted_and_told() -> None:
    loss, told = Loss(first_ns=1, last_ns=2, counts={"open": 3}), list[Loss]()
    assert activity_of(loss, told=told).lost == 3
    assert told == [loss]


SECRETS = EventBatch(events=[opened("/srv/secret"), opened("/srv/a/secret"), opened("/etc/secret", pid=8)])


def test_what_rules_mean_together_is_an_alert_of_the_process_and_silent_rules_raise_none() -> None:
    activity = activity_of(SECRETS, rules=RULES + SEVERAL)
    assert activity.levels == {"critical": 1}
    assert [(news.title, news.actor.pid) for news in activity.alerts] == [("Two secrets", 7)]


def test_correlations_are_about_what_is_watched_only() -> None:
    elsewhere = EventBatch(events=[opened("/srv/secret"), opened("/etc/secret"), opened("/etc/a/secret")])
    assert activity_of(elsewhere, rules=RULES + SEVERAL).levels == {}


def test_time_passes_for_correlations_while_nothing_happens() -> None:
    idle = EventBatch(events=[])
    assert activity_of(SECRETS, rules=RULES + SEVERAL, settled=False).levels == {}
    assert activity_of(SECRETS, idle, rules=RULES + SEVERAL, settled=False).levels == {"critical": 1}


def test_a_suspicion_is_nobodys_deed() -> None:
    suspecting = RULES + SEVERAL.replace("name: two", "name: two\nsuspected: true")
    loss = Loss(first_ns=0, last_ns=100, counts={"open": 9})
    one = EventBatch(events=[opened("/srv/secret")])
    assert activity_of(one, loss, rules=suspecting).levels == {}


def test_informational_correlations_raise_nothing() -> None:
    quiet = RULES + SEVERAL.replace("critical", "informational")
    assert activity_of(SECRETS, rules=quiet).levels == {}


def put_back(*, from_ns: int, to_ns: int) -> tuple[Activity, list[str]]:
    """What was counted when two secrets were opened before the clock was put back, and two after."""
    now_ns, told, activity = [from_ns], list[str](), Activity()
    found = parse_text(RULES + SEVERAL, "rules")
    compiled = compile_rules(found.rules, found.correlations)
    watch = Watch(
        compiled,
        activity,
        on_loss=lambda _: None,
        tell=told.append,
        clock_ns=lambda: now_ns[0],
        limits=Limits(),
    )
    for now_ns[0] in (from_ns, to_ns):
        secrets = [
            FileEvent(ts_ns=now_ns[0], operation=Operation.OPEN, path=path, process=Process(pid=7))
            for path in ("/srv/secret", "/srv/a/secret")
        ]
        watch.feed(EventBatch(events=[]))  # asked before, answered after
        watch.feed(EventBatch(events=secrets))
    watch.settle()
    return activity, told


def test_after_the_clock_was_put_back_correlations_are_heard_again_and_what_was_certain_is_counted() -> None:
    activity, told = put_back(from_ns=LATER_NS, to_ns=LATER_NS // 2)
    assert [news.ts_ns for news in activity.alerts] == [LATER_NS, LATER_NS // 2]
    assert told == ["the clock was put back: correlations begin anew"]


def test_a_clock_that_is_corrected_a_little_changes_nothing() -> None:
    activity, told = put_back(from_ns=LATER_NS, to_ns=LATER_NS - LATENESS_NS)
    assert activity.levels == {"critical": 1}
    assert told == []
