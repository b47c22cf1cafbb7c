"""Correlations of all types, and streams of matches made for them.

Streams are dense: most steps in time are none, one nanosecond, or a timespan and its neighbours, most events
are of one group, and there are few values. So windows are at their bounds most of the time. A stream is read
from random bytes, a few for each match: drawn by themselves, hundreds of numbers would take most of the time.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter
from tests.unit.detect.correlation_examples import (
    RULES,
    Pack,
    both,
    correlation,
    either,
    match,
    named,
    pack,
    without,
)
from tests.unit.detect.correlation_oracle import Act
from tests.unit.detect.correlation_window import names

from fileaudit_engine.detect.crossing import Match
from fileaudit_engine.rules.ast import Comparator, Condition, Correlation, CorrelationType

T = CorrelationType
VALUED = (T.VALUE_COUNT, T.VALUE_SUM, T.VALUE_AVG, T.VALUE_MEDIAN, T.VALUE_PERCENTILE)
IN_TIME = (T.TEMPORAL, T.TEMPORAL_ORDERED)

TIMESPANS = (7, 4, 2, 1)
LATENESSES = (0, 1, 5, 20)
ABSENT = object()
GROUPS: Sequence[object] = (
    "p",
    "p",
    "p",
    "p",
    "p",
    "p",
    "q",
    "q",
    "P",
    ["p", "z"],
    [],
    ABSENT,
    ABSENT,
    "1",
    1,
    "p",
)
USERS = ("p", "p", "p", None, "q", "P", "p", None)
VALUES: Sequence[object] = (
    1,
    2,
    3,
    1,
    "2",
    "2.0",
    2.5,
    "-1",
    -2,
    0,
    ABSENT,
    True,
    "x",
    ["3", "4"],
    "nan",
    "1e1",
)
"""What events have under G, User and V; W has those of V in another order."""

STEP_BYTES = 5
MOST_MATCHES = 60
SEEDS = st.integers(0, 2**23)  # of a wider range the small ones would be drawn again and again


# --- correlations ------------------------------------------------------------------------------------------


def numbers(kind: CorrelationType, sources: int) -> st.SearchStrategy[int | Fraction]:
    """What the number of a type is compared with."""
    if kind in IN_TIME:
        return st.integers(1, sources)
    if kind in {T.EVENT_COUNT, T.VALUE_COUNT}:
        return st.sampled_from((0, 1, 2, 2, 3, 3, 4, 5))
    small = st.sampled_from((-2, -1, 0, 1, 2, 2, 3, 5, 8))
    return small | st.sampled_from((Fraction(1, 10), Fraction(3, 2), Fraction(7, 3), Fraction(5, 2)))


def shares() -> st.SearchStrategy[int | Fraction]:
    return st.sampled_from((0, 10, 25, Fraction(100, 3), 50, Fraction(200, 3), 75, 100))


@st.composite
def conditions(draw: st.DrawFn, keys: Sequence[str], *, negation: bool, depth: int = 2) -> Condition:
    """Conditions over names, of at most four leaves."""
    word = draw(st.sampled_from(("and", "or", "not", "")) if depth else st.just(""))
    if word == "not" and negation:
        return without(draw(conditions(keys, negation=negation, depth=depth - 1)))
    if word in {"and", "or"}:
        part = conditions(keys, negation=negation, depth=depth - 1)
        return (both if word == "and" else either)(draw(part), draw(part))
    return named(draw(st.sampled_from(keys)))


def meaningful(keys: Sequence[str], *, negation: bool) -> st.SearchStrategy[Condition]:
    """Conditions with a name that is not negated; others are refused when they are read."""
    made = conditions(keys, negation=negation)
    return made.filter(lambda condition: bool(names(condition, negated=False)))


@st.composite
def comparisons(draw: st.DrawFn, number: st.SearchStrategy[int | Fraction]) -> dict[str, int | Fraction]:
    """One, or two as a range."""
    words = [comparator.value for comparator in Comparator]
    count = draw(st.sampled_from((1, 1, 2)))
    chosen = draw(st.lists(st.sampled_from(words), min_size=count, max_size=count, unique=True))
    return {word: draw(number) for word in chosen}


@st.composite
def correlations(
    draw: st.DrawFn, kind: CorrelationType, sources: Sequence[str], key: str = "it", names: Sequence[str] = ()
) -> Correlation:
    """A correlation of a type over sources; `names` are those by which inner correlations group."""
    fields = ("G", "User", "who", *names)
    by = draw(st.lists(st.sampled_from(fields), max_size=2, unique=True))
    of: Sequence[str] = ()
    if kind is T.VALUE_COUNT:
        of = draw(st.sampled_from((("V",), ("what",), ("V", "W"), ("G", "V"))))
    elif kind in VALUED:
        of = draw(st.sampled_from((("V",), ("what",))))
    percentile = None
    if kind is T.VALUE_PERCENTILE:
        percentile = draw(st.sampled_from((None, None, 0, 10, 50, Fraction(99, 2), 95, 100)))
    share = kind is T.VALUE_PERCENTILE and percentile is None
    condition, numbers_ = None, dict[str, int | Fraction]()
    if kind in IN_TIME and draw(st.integers(0, 2)):
        condition = draw(meaningful(sources, negation=kind is T.TEMPORAL and draw(st.booleans())))
    elif kind not in IN_TIME or draw(st.booleans()):
        numbers_ = draw(comparisons(shares() if share else numbers(kind, len(sources))))
    aliases = {
        "who": dict(zip(sources, ("G", "User", *names, "G", "User"), strict=False)),
        "what": dict(zip(sources, ("V", "W", "V"), strict=False)),
    }
    return correlation(
        kind,
        *sources,
        key=key,
        within=draw(st.sampled_from(TIMESPANS)),
        by=by,
        of=of,
        condition=condition,
        percentile=percentile,
        aliases=aliases,
        generate=True,
        **numbers_,  # type: ignore[arg-type]  # these names are comparators
    )


@st.composite
def packs(draw: st.DrawFn, kind: CorrelationType) -> Pack:
    """One correlation of a type."""
    count = draw(st.integers(2 if kind in IN_TIME else 1, 4))
    return pack(draw(correlations(kind, RULES[:count])))


@st.composite
def chained_packs(draw: st.DrawFn) -> Pack:
    """Two or three correlations of any types, each of which may listen to rules and to all before it."""
    made: list[Correlation] = []
    for number in range(draw(st.integers(2, 3))):
        inner = [one.key for one in made]
        heard = draw(st.lists(st.sampled_from(inner), min_size=1, unique=True)) if inner else []
        rules = draw(
            st.lists(st.sampled_from(RULES[:3]), min_size=0 if heard else 1, max_size=2, unique=True)
        )
        sources = draw(st.permutations(heard + rules))
        groups = [name for one in made for name in one.group_by]
        kind = draw(st.sampled_from(tuple(T)))
        made.append(draw(correlations(kind, sources, key=f"it{number}", names=groups)))
    return pack(*draw(st.permutations(made)))


# --- streams -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What happens, in the order of arrival.

    Attributes:
        acts: Matches, and times that `advance` is told.
        cuts: For each act, whether a batch ends behind it.
        lateness_ns: How late they may come.
    """

    acts: Sequence[Act]
    cuts: Sequence[bool]
    lateness_ns: int

    def __repr__(self) -> str:
        return f"{len(self.acts)} acts, lateness {self.lateness_ns}"

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:  # noqa: FBT001 - its protocol
        printer.text(repr(self))

    @property
    def matches(self) -> list[Match]:
        return [act for act in self.acts if isinstance(act, Match)]


@st.composite
def streams(draw: st.DrawFn, pack: Pack) -> Stream:
    """A stream made for the timespans of a pack; of some, matches come later than they may."""
    dice = random.Random(draw(SEEDS))
    raw = dice.randbytes(dice.randrange(MOST_MATCHES + 1) * STEP_BYTES)
    lateness_ns = dice.choice(LATENESSES)
    disorder_ns = lateness_ns + dice.choice((0, 0, 0, 3, 10))
    rows = [raw[start : start + STEP_BYTES] for start in range(0, len(raw), STEP_BYTES)]
    arrived = _arrived(rows, pack, disorder_ns)
    acts: list[Act] = []
    cuts: list[bool] = []
    for index, (_, made, row) in enumerate(arrived):
        acts.append(made)
        cuts.append(bool(row[4] & 1))
        rest = [other.ts_ns for _, other, _ in arrived[index + 1 :]]
        if rest and row[4] >> 1 & 3 == 3:
            early = disorder_ns <= lateness_ns  # then the clock may be as far ahead as makes nobody late
            acts.append(min(rest) + (row[4] >> 3) % (lateness_ns + 1) if early else made.ts_ns)
            cuts.append(True)
    return Stream(acts=acts, cuts=cuts, lateness_ns=lateness_ns)


def _arrived(rows: Sequence[bytes], pack: Pack, disorder_ns: int) -> list[tuple[int, Match, bytes]]:
    """The matches as they come in: who is delayed by no more than what is allowed is not late."""
    made: list[tuple[int, Match, bytes]] = []
    now, steps = 0, _steps(pack)
    letters = "".join(RULES[rule] for rule in sorted(pack.plan.feeding))
    for row in rows:
        now += steps[row[0] % len(steps)]
        made.append((now + (row[1] >> 4) * disorder_ns // 15, _match(now, row, letters), row))
    return sorted(made, key=lambda one: one[0])


def _match(ts: int, row: bytes, letters: str) -> Match:
    rules = "".join(letter for bit, letter in enumerate(letters) if row[1] >> bit & 1) or letters[0]
    extra = {
        "G": GROUPS[row[2] % 16],
        "V": VALUES[row[3] % 16],
        "W": VALUES[(row[3] >> 4) * 7 % 16],
    }
    user = USERS[(row[2] >> 4) % 8]
    return match(ts, rules, User=user, **{name: v for name, v in extra.items() if v is not ABSENT})


def _steps(pack: Pack) -> list[int]:
    """Nothing, next to nothing, and around each timespan."""
    timespans = {one.rule.timespan_ns for one in pack.plan.correlations}
    return [0, 0, 0, 0, 1, 1, 1, 2, *(t + around for t in sorted(timespans) for around in (-1, 0, 0, 1, 2))]
