"""The match index is under the same law as the kernel: it may keep too many rules, never too few."""

import collections
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.compiler.examples import ANY, event, path_test, text_test, user_rule
from tests.unit.compiler.strategies import REPEATABLE, events_for, narrow_predicates, predicates

from fileaudit_engine.compiler.ir import All, AnyOf, Matches, Negation, Predicate, Searches, Test
from fileaudit_engine.compiler.kernel import kernel_plan
from fileaudit_engine.compiler.plan import UserPlan
from fileaudit_engine.detect import match_index, scanner
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.evaluate import matcher
from fileaudit_engine.detect.match_index import MatchIndex, families
from fileaudit_engine.detect.runnable import RunnableRule, runnable
from fileaudit_engine.events.batch import EVERY, Columns, EventBatch
from fileaudit_engine.events.fields import BY_NAME, WHOLE_EVENT, Field, LogSource, Value, unlisted
from fileaudit_engine.events.model import FileEvent, Operation, Process

LOG_SOURCES = st.sampled_from(LogSource)
WRITTEN = st.lists(
    st.tuples(st.one_of(predicates(), narrow_predicates()), LOG_SOURCES), min_size=1, max_size=5
)
SEEDS = st.integers(0, 2**32)
NASTY = ("a\0b", "\0", "/etc/\0/etc/shadow", "x\n/etc/shadow", "\u0130stanbul", "STRASSE\u00df", "\udcff", "")


@dataclass(frozen=True, kw_only=True)
class Watched(Columns):
    """A batch of columns that remembers which of its events were completed, and which columns were asked."""

    events: Sequence[FileEvent]
    completed: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def candidates(self) -> Sequence[int]:
        return (EVERY,) * len(self.events)

    def column(self, field: Field) -> Sequence[Value]:
        self.asked.append(field.name)
        return list(map(field.get, self.events))

    def only(self, places: Sequence[int]) -> Columns:
        self.asked.append(f"only {len(places)}")
        return EventBatch(events=[self.events[place] for place in places])

    def complete(self, index: int) -> FileEvent:
        self.completed.append(index)
        return self.events[index]


def watched(*events: FileEvent) -> Watched:
    return Watched(events=events)


def index_of(*rules: RunnableRule) -> MatchIndex:
    return MatchIndex(rules)


def candidates(rules: Sequence[RunnableRule], events: Sequence[FileEvent]) -> list[set[int]]:
    """Per event, the numbers of the rules that the index keeps."""
    found: list[set[int]] = [set() for _ in events]
    for place, kept in MatchIndex(rules).candidates(EventBatch(events=events)):
        found[place] = {number for number, rule in enumerate(rules) if any(rule is one for one in kept)}
    return found


def kept(predicate: Predicate, happened: FileEvent, source: LogSource = LogSource.FILE_ACCESS) -> bool:
    """Whether the index keeps a rule for an event."""
    return candidates([runnable(user_rule(predicate, logsource=source))], [happened]) == [{0}]


def nasty(events: list[FileEvent], seed: int) -> list[FileEvent]:
    """The events, with some values that hold what separators and folding are made of."""
    spoiled = [
        event(NASTY[(seed + n) % len(NASTY)], user_name=NASTY[seed % 7], process=Process(pid=1, args=NASTY))
        for n in range(3)
    ]
    return events + spoiled


def hold_the_law(written: Sequence[tuple[Predicate, LogSource]], seed: int) -> collections.Counter[str]:
    rules = [runnable(user_rule(predicate, logsource=source)) for predicate, source in written]
    index = MatchIndex(rules)
    seen: collections.Counter[str] = collections.Counter()
    for turn in range(3):
        events = nasty(events_for([predicate for predicate, _ in written], seed=seed + turn, count=40), seed)
        among = {place: set(map(id, found)) for place, found in index.candidates(EventBatch(events=events))}
        for place, happened in enumerate(events):
            matching = {id(rule) for rule in rules if rule.matches(happened)}
            assert matching <= among.get(place, set()), f"a rule loses {happened}"
            seen["pairs"] += len(rules)
            seen["matches"] += len(matching)
            seen["dropped pairs"] += len(rules) - len(among.get(place, ()))
    return seen


def test_the_index_never_drops_what_a_rule_matches() -> None:
    seen: collections.Counter[str] = collections.Counter()

    @settings(REPEATABLE, max_examples=120)
    @given(WRITTEN, SEEDS)
    def law(written: list[tuple[Predicate, LogSource]], seed: int) -> None:
        seen.update(hold_the_law(written, seed))

    law()
    assert seen["pairs"] >= 20_000
    assert seen["matches"] >= 2_500
    assert seen["dropped pairs"] >= 7_500


def test_the_law_holds_when_nothing_fits_into_the_memos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "MEMO_VALUES", 5)
    monkeypatch.setattr(scanner, "MEMO_CHARACTERS", 200)
    monkeypatch.setattr(scanner, "CLASSES", 3)
    monkeypatch.setattr(scanner, "_PIECE_BYTES", 64)
    monkeypatch.setattr(match_index, "_COMBINATIONS", 2)

    @settings(REPEATABLE, max_examples=40)
    @given(WRITTEN, SEEDS)
    def law(written: list[tuple[Predicate, LogSource]], seed: int) -> None:
        hold_the_law(written, seed)

    law()


def test_the_detector_says_what_asking_every_rule_of_every_event_says() -> None:
    seen: collections.Counter[str] = collections.Counter()

    @settings(REPEATABLE, max_examples=60)
    @given(WRITTEN, SEEDS)
    def law(written: list[tuple[Predicate, LogSource]], seed: int) -> None:
        rules = tuple(user_rule(predicate, logsource=source) for predicate, source in written)
        events = events_for([predicate for predicate, _ in written], seed=seed, count=150)
        plainly = [(rule, matcher(rule.predicate)) for rule in rules]
        detector = Detector(UserPlan(rules=rules), kernel_plan([rule.predicate for rule in rules]))
        found = [(f.event, f.rule) for f in detector.findings(EventBatch(events=events))]
        said = [(one, rule) for one in events for rule, holds in plainly if holds(one)]
        assert found == said
        seen["findings"] += len(found)

    law()
    assert seen["findings"] >= 2_000


def test_events_without_a_witness_are_never_completed() -> None:
    rule = user_rule(path_test("/etc/shadow"), key="shadow")
    batch = watched(event("/tmp/a"), event("/etc/shadow"), event("/etc/shadow.bak"))
    found = list(Detector(UserPlan(rules=(rule,)), kernel_plan([rule.predicate])).findings(batch))
    assert len(found) == 1
    assert batch.completed == [1]


def test_only_columns_that_hold_a_witness_are_looked_at() -> None:
    rule = user_rule(
        All(operands=(path_test("/srv/vault/", ANY), text_test("Image", ANY, "/a-rather-dense-one")))
    )
    batch = watched(event("/srv/vault/x"))
    assert list(index_of(runnable(rule)).candidates(batch)) == []
    assert set(batch.asked) == {"Operation", "Image"}


def test_deletions_are_not_looked_through_for_what_only_opened_files_have() -> None:
    rule = runnable(user_rule(path_test("/srv/vault"), logsource=LogSource.FILE_ACCESS))
    batch = watched(event("/srv/vault", operation=Operation.UNLINK))
    assert list(index_of(rule).candidates(batch)) == []
    assert "TargetFilename" not in batch.asked


def test_families_share_no_operation_and_leave_none_out() -> None:
    found = list(families())
    assert sorted(o.value for family in found for o in family) == sorted(o.value for o in Operation)
    for source in LogSource:
        if source.operations != frozenset(Operation):
            assert sum(bool(family & source.operations) for family in found) == 1


@pytest.mark.parametrize("operation", Operation)
def test_a_rule_is_kept_for_exactly_the_operations_of_its_log_source(operation: Operation) -> None:
    for source in LogSource:
        assert kept(path_test("/etc/", ANY), event(operation=operation), source) is (
            operation in source.operations
        )


def test_rules_come_in_the_order_of_the_plan_and_events_in_that_of_the_batch() -> None:
    rules = [
        runnable(user_rule(path_test("/etc/", ANY), key=str(number), logsource=source))
        for number, source in enumerate([*LogSource] * 2)
    ]
    events = [event(operation=operation) for operation in [*Operation] * 3]
    found = list(index_of(*rules).candidates(EventBatch(events=events)))
    assert [place for place, _ in found] == sorted(place for place, _ in found)
    for place, among in found:
        numbers = [int(rule.plan.rule.key) for rule in among]
        assert numbers == sorted(numbers)
        assert all(events[place].operation in rule.plan.logsource.operations for rule in among)


def test_a_rule_that_only_excludes_keeps_every_event_of_its_log_source() -> None:
    exclusion = Negation(operand=path_test("/etc/shadow"))
    assert kept(exclusion, event("/tmp/x"))
    assert kept(exclusion, event(None))
    assert not kept(exclusion, event("/tmp/x", operation=Operation.EXEC))


def test_groups_beside_the_witness_thin_out_the_candidates() -> None:
    both = All(operands=(path_test("/etc/", ANY), text_test("Image", ANY, "/vi")))
    other = path_test("/srv/something/else")
    rules = [runnable(user_rule(predicate)) for predicate in (both, other)]
    by_vi = Process(pid=1, executable="/usr/bin/vi")
    by_cat = Process(pid=1, executable="/usr/bin/cat")
    found = candidates(rules, [event(process=by_vi), event(process=by_cat), event("/tmp", process=by_vi)])
    assert found == [{0}, set(), set()]


@pytest.mark.parametrize("where", ["path", "user_name", "asked_path", "process"])
def test_a_keyword_is_found_in_any_field(where: str) -> None:
    keyword = Test(field=WHOLE_EVENT, check=Matches(pattern=(ANY, "mimipenguin", ANY), cased=False))
    text = "x MimiPenguin y"
    value = Process(pid=1, args=("sh", text)) if where == "process" else text
    assert kept(keyword, event(**{"path": "/", where: value}))  # type: ignore[arg-type] # any attribute
    assert not kept(keyword, event())


def test_a_keyword_of_digits_is_found_in_numbers() -> None:
    keyword = Test(field=WHOLE_EVENT, check=Matches(pattern=(ANY, "4242", ANY), cased=False))
    assert kept(keyword, event(inode=94242))


def test_a_keyword_may_be_the_operation_itself() -> None:
    keyword = Test(field=WHOLE_EVENT, check=Matches(pattern=(ANY, "rename", ANY), cased=False))
    assert kept(keyword, event("/a", operation=Operation.RENAME), LogSource.FILEAUDIT)
    assert not kept(keyword, event("/a", operation=Operation.MKDIR), LogSource.FILEAUDIT)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (("true",), True),
        (("1",), 1),
        (("1", ANY), 17),
        ((ANY, "dmz", ANY), ["lan", "the DMZ"]),
        (("dmz",), ["lan", "DMZ"]),
        (("1.5",), 1.5),
    ],
)
def test_fields_that_only_the_user_knows_may_hold_anything(pattern: tuple[str, ...], value: object) -> None:
    zone = Test(field=unlisted("Zone"), check=Matches(pattern=pattern, cased=False))
    rule = runnable(user_rule(zone))
    assert rule.matches(event(extra={"Zone": value}))
    assert kept(zone, event(extra={"Zone": value}))


def test_one_number_and_truth_are_told_apart() -> None:
    true = Test(field=unlisted("Zone"), check=Matches(pattern=("true",), cased=False))
    one = Test(field=unlisted("Zone"), check=Matches(pattern=("1",), cased=False))
    rules = [runnable(user_rule(test)) for test in (true, one)]
    events = [event(extra={"Zone": value}) for value in (True, 1, True, 1.0, "1", "TRUE")]
    for happened, found in zip(events, candidates(rules, events), strict=True):
        assert {n for n, rule in enumerate(rules) if rule.matches(happened)} <= found


@pytest.mark.parametrize("value", NASTY)
def test_a_value_of_separators_and_odd_letters_is_found_by_its_own_literals(value: str) -> None:
    for pattern in ((value,), (value, ANY), (ANY, value), (ANY, value, ANY)):
        literal = tuple(part for part in pattern if part != "")
        test = path_test(*literal) if literal else path_test()
        rule = runnable(user_rule(test))
        assert not rule.matches(event(value)) or kept(test, event(value))


def test_the_end_of_one_value_and_the_beginning_of_the_next_make_no_literal() -> None:
    test = path_test(ANY, "shadow/etc", ANY)
    rules = [runnable(user_rule(test))]
    assert candidates(rules, [event("/etc/shadow"), event("/etc/passwd")]) == [set(), set()]


def test_an_expression_is_gated_by_what_it_cannot_do_without() -> None:
    search = Test(field=BY_NAME["TargetFilename"], check=Searches(expression=r"/\.ssh/id_[a-z]+$", flags=""))
    assert kept(search, event("/root/.ssh/id_rsa"))
    assert not kept(search, event("/root/.gnupg/id"))


def test_a_value_of_a_megabyte_is_scanned_in_pieces_and_found_wherever_it_hits() -> None:
    test = path_test(ANY, "needle", ANY)
    for size in (0, 65_530, 65_533, 65_536, 1_000_000):
        assert kept(test, event("/" + "a" * size + "needle" + "b" * size))
    assert not kept(test, event("/" + "need" * 300_000))


def test_a_column_that_never_repeats_is_scanned_without_a_memo_and_found_the_same() -> None:
    rule = runnable(user_rule(path_test(ANY, "/needle", ANY)))
    index = index_of(rule)
    for turn in range(40):
        events = [event(f"/x/{turn}/{n}/{'needle' if n % 100 == 7 else 'hay'}") for n in range(200)]
        found = list(index.candidates(EventBatch(events=events)))
        assert [place for place, _ in found] == [7, 107]


def test_alternatives_of_different_fields_are_one_group() -> None:
    either = AnyOf(operands=(path_test("/srv/vault"), text_test("Image", "/opt/tool")))
    assert kept(either, event("/srv/vault"))
    assert kept(either, event("/x", process=Process(pid=1, executable="/opt/tool")))
    assert not kept(either, event("/x"))


def test_a_family_that_is_a_small_part_of_a_batch_is_looked_at_on_its_own() -> None:
    deleted = runnable(user_rule(path_test("/srv/vault"), logsource=LogSource.FILE_DELETE))
    events = [event("/srv/vault", operation=o) for o in (Operation.OPEN, Operation.UNLINK, Operation.OPEN)]
    batch = watched(*events)
    assert [place for place, _ in index_of(deleted).candidates(batch)] == [1]
    assert batch.asked == ["Operation", "only 1"]


def test_rules_of_one_operation_cost_the_others_no_column() -> None:
    asks = All(operands=(text_test("Operation", "exec"), text_test("CommandLine", ANY, "very-odd-tool", ANY)))
    rule = runnable(user_rule(asks, logsource=LogSource.FILEAUDIT))
    batch = watched(event("/srv/vault"), event("/srv/vault", operation=Operation.UNLINK))
    assert list(index_of(rule).candidates(batch)) == []
    assert batch.asked == ["Operation"]


def test_a_word_that_a_field_of_few_values_cannot_hold_makes_no_column_of_it() -> None:
    keyword = Test(field=WHOLE_EVENT, check=Matches(pattern=(ANY, "mimipenguin", ANY), cased=False))
    batch = watched(event("/srv/x"))
    list(index_of(runnable(user_rule(keyword))).candidates(batch))
    assert "TargetFilename" in batch.asked
    assert "Outcome" not in batch.asked


@pytest.mark.parametrize("text", ["PATH", "syscall", "Proctitle"])
def test_few_values_are_held_against_literals_without_regard_to_case(text: str) -> None:
    assert kept(text_test("type", text), event("/srv/x"), LogSource.AUDITD)


def test_the_states_of_a_path_are_no_words_of_an_event() -> None:
    keyword = Test(field=WHOLE_EVENT, check=Matches(pattern=(ANY, "resolved", ANY), cased=False))
    assert not runnable(user_rule(keyword)).matches(event("/srv/x"))


def test_a_field_that_is_called_like_the_engines_own_extra_is_another_column() -> None:
    keyword = Test(field=WHOLE_EVENT, check=Matches(pattern=(ANY, "evilword", ANY), cased=False))
    named = Test(field=unlisted("fileaudit.extra"), check=Matches(pattern=("something",), cased=False))
    rules = [runnable(user_rule(predicate)) for predicate in (keyword, named)]
    assert candidates(rules, [event(extra={"zzz": "evilword"})]) == [{0}]


def test_a_value_that_hits_nested_literals_at_every_byte_costs_no_more_than_a_look_at_every_rule() -> None:
    rules = [runnable(user_rule(path_test(ANY, "a" * size, ANY), key=str(size))) for size in range(3, 33)]
    value = "/" + "a" * 2_000_000
    tracemalloc.start()
    found = candidates(rules, [event("/b"), event(value), event("/aaa")])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found[1] == set(range(30))
    assert 0 in found[2]
    assert most < 60_000_000


def test_an_expression_that_needs_a_length_is_asked_of_long_values_only() -> None:
    search = Test(field=BY_NAME["TargetFilename"], check=Searches(expression="[^/]{100,}$", flags=""))
    rules = [runnable(user_rule(predicate)) for predicate in (search, path_test("/etc/", ANY))]
    long = "/etc/" + "\u0130" * 100
    assert candidates(rules, [event("/etc/x"), event(long), event("/" + "y" * 99), event("/z")]) == [
        {1},
        {0, 1},
        {0},
        set(),
    ]
    assert rules[0].matches(event(long))
