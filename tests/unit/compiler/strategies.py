"""Rules, and events made to match them.

An event drawn blindly matches hardly any rule, and a law tested on such events is tested on nothing. So an
event is derived from the predicate: its path is a pattern of the predicate written out, in another case, with
the two characters that fold into ASCII put in, longer at either end, or with bytes that are no UTF-8.
"""

import ipaddress
import random
from collections.abc import Callable, Iterator, Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from tests.unit.compiler.examples import event, matches

from fileaudit_engine.compiler.ir import (
    All,
    AnyOf,
    Check,
    Compares,
    DatePart,
    EqualsBoolean,
    EqualsNumber,
    InNetwork,
    IsNull,
    Matches,
    Negation,
    Operator,
    Part,
    Pattern,
    Predicate,
    SameAs,
    Searches,
    Test,
    Wildcard,
)
from fileaudit_engine.events.fields import BY_NAME, WHOLE_EVENT, Field, unlisted
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, PathState, Process
from fileaudit_engine.rules.values import joined

PATH, IMAGE, USER = BY_NAME["TargetFilename"], BY_NAME["Image"], BY_NAME["User"]
OPERATION, ACCESS, OUTCOME = BY_NAME["Operation"], BY_NAME["AccessMode"], BY_NAME["Outcome"]
USER_ID, ARGUMENTS = BY_NAME["UserId"], BY_NAME["Arguments"]
ADDRESS, MOMENT = unlisted("Address"), unlisted("Moment")

COMPONENTS = (
    "etc",
    "Shadow",
    ".ssh",
    "a",
    "b",
    "k",
    "KEYS",
    "secrets",
    "\u017fecret\u017f",  # long s, which folds to s
    "\u212aeys",  # the Kelvin sign, which folds to k
    "é",
    "Ünï",
    "stra\u00dfe",  # sharp s, whose upper case is two letters
    "\u0130",  # I with a dot, whose lower case is two characters
    "\udcff",  # a byte that is no UTF-8
    "x\udc80y",
    "a\nb",
    "n" * 250,
    "Long" * 40,
)
EXPRESSIONS = ("[^/]{40,}", ".{24}$", "shadow", "^/etc/", "(?i)SSH", "a+", "[a-d]/", "/.+/", "^.{0,3}e")
NETWORKS = ("10.0.0.0/8", "10.1.2.3/32", "0.0.0.0/0", "2001:db8::/32", "::ffff:0:0/96", "fe80::/10")
ADDRESSES = (
    *("10.1.2.3", "11.0.0.1", "::ffff:10.1.2.3", "2001:DB8:0::1", "fe80::1%eth0", "10.1.2", "x", "010.1.2.3"),
)
MOMENTS = (
    *("2026-11-22T23:30:00.123456789Z", "2021-01-01T00:00:00+05:30", "2024-12-31t12:00:59z", "yesterday"),
    *("2026-07-01 21:59:60Z", "2026-02-30T00:00:00Z", "1970-01-01T00:00:00Z", ""),
)
NUMBERS = (0, 1, 999.5, 1000, 10**30, -1)
NUMBER_TEXTS = ("7", "1000.0", "1e309", "999.50", "0x10", "1" * 65, "-1")
FIELDS_OF_TEXT = (PATH, PATH, PATH, PATH, PATH, PATH, IMAGE, USER, ARGUMENTS)
"""The path six times: it is what the kernel tests."""

REPEATABLE = settings(
    derandomize=True,  # the same rules in every run of CI
    database=None,
    deadline=None,  # a slow machine is no broken law
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

LENGTHS = (247, 248, 249, 600, 1023, 1024, 1025, 3000)
"""Around the bounds of the classifier: KEY_BYTES is 248, SCAN_BYTES is 1024."""


# --- predicates --------------------------------------------------------------------------------------------


@st.composite
def literals(draw: st.DrawFn) -> str:
    components = draw(st.lists(st.sampled_from(COMPONENTS), min_size=1, max_size=4))
    before, after = draw(st.sampled_from(("/", "/", "/", ""))), draw(st.sampled_from(("", "", "/")))
    return before + "/".join(components) + after


def patterns() -> st.SearchStrategy[Pattern]:
    """All shapes: whole, beginning, ending, infix, directory names, and any mixture with `*` and `?`."""
    anything, one = Wildcard.ANY, Wildcard.ONE
    infix = st.tuples(st.just(anything), literals(), st.just(anything))
    mixed = st.lists(st.sampled_from((anything, one)), min_size=1, max_size=3).flatmap(
        lambda wildcards: st.tuples(
            *(token for wildcard in wildcards for token in (literals(), st.just(wildcard))), literals()
        )
    )
    return st.one_of(
        st.just(()),
        path_patterns(),
        st.tuples(literals()),
        st.tuples(literals(), st.just(anything)),
        st.tuples(st.just(anything), literals()),
        infix,
        st.tuples(st.just(anything), st.sampled_from(COMPONENTS).map("/{}/".format), st.just(anything)),
        mixed,
        mixed.map(lambda pattern: (anything, *pattern, one)),
        st.lists(st.sampled_from((anything, one)), min_size=1, max_size=4).map(tuple),
    )


def path_patterns() -> st.SearchStrategy[Pattern]:
    """Patterns whose wildcards stop at a slash, with and without some that do not."""
    wildcards = st.sampled_from((Wildcard.SEGMENT, Wildcard.SEGMENT, Wildcard.SEGMENT_ONE, Wildcard.ANY))
    return st.lists(literals() | wildcards, min_size=1, max_size=6).map(joined)


def testable_patterns() -> st.SearchStrategy[Pattern]:
    """Those of which the kernel tests something: a beginning, an ending or a directory name in ASCII."""
    anything = Wildcard.ANY
    ascii_components = st.sampled_from([component for component in COMPONENTS if component.isascii()])
    anchors = st.tuples(ascii_components, ascii_components, st.sampled_from(COMPONENTS)).map(list)
    beginnings = anchors.map(lambda parts: "/" + "/".join(parts))
    endings = anchors.map(lambda parts: "/".join(parts[::-1]))
    return st.one_of(
        st.tuples(beginnings),
        st.tuples(beginnings, st.just(anything)),
        st.tuples(beginnings, st.just(anything), literals()),
        st.tuples(beginnings, st.just(Wildcard.ONE), endings),
        st.tuples(st.just(anything), endings),
        st.tuples(literals(), st.just(anything), endings),
        st.tuples(st.just(anything), ascii_components.map("/{}/".format), st.just(anything)),
        st.tuples(st.just(anything), beginnings, st.just(anything), literals()),
    )


@st.composite
def text_tests(draw: st.DrawFn, fields: Sequence[Field] = FIELDS_OF_TEXT) -> Test:
    pattern, cased = draw(patterns()), draw(st.sampled_from((False, False, True)))
    return Test(field=draw(st.sampled_from(fields)), check=matches(pattern, cased=cased))


@st.composite
def few_valued_tests(draw: st.DrawFn) -> Test:
    """A test on operation, access mode or outcome, with and without wildcards."""
    field = draw(st.sampled_from((OPERATION, ACCESS, OUTCOME)))
    value = draw(st.sampled_from(field.values))
    pattern: Pattern = draw(
        st.sampled_from(
            (
                (value,),
                (value,),
                (value.upper(),),
                (value[:2], Wildcard.ANY),
                (Wildcard.ANY, value[-2:]),
                (Wildcard.ONE, value[1:]),
                (Wildcard.ANY,),
            )
        )
    )
    return Test(field=field, check=matches(pattern, cased=draw(st.booleans())))


def other_tests() -> st.SearchStrategy[Test]:
    """Tests of which the kernel knows nothing."""
    searches = st.builds(
        lambda field, expression, flags: Test(
            field=field, check=Searches(expression=expression, flags=flags)
        ),
        st.sampled_from((PATH, IMAGE, ARGUMENTS)),
        st.sampled_from(EXPRESSIONS),
        st.sampled_from(("", "i", "s", "im")),
    )
    nulls = st.sampled_from((PATH, IMAGE, ACCESS, USER)).map(lambda field: Test(field=field, check=IsNull()))
    numbers = _tests(
        (USER_ID, USER), st.sampled_from((0, 1000, 1000.0)).map(lambda n: EqualsNumber(number=n))
    )
    return st.one_of(searches, nulls, numbers, keywords(), special_tests())


def _tests(fields: Sequence[Field], checks: st.SearchStrategy[Check]) -> st.SearchStrategy[Test]:
    return st.builds(lambda field, check: Test(field=field, check=check), st.sampled_from(fields), checks)


@st.composite
def keywords(draw: st.DrawFn) -> Test:
    """A text, or an expression, that may stand anywhere in the event."""
    if draw(st.sampled_from((False, False, True))):
        searches = Searches(expression=draw(st.sampled_from(EXPRESSIONS)), flags="")
        return Test(field=WHOLE_EVENT, check=searches)
    inner = draw(literals() | st.sampled_from(COMPONENTS) | st.sampled_from(("1000", "open", "10.1")))
    wildcard = draw(st.sampled_from(((), (), (Wildcard.ONE, "etc"), (Wildcard.ANY, "a"))))
    check = matches((Wildcard.ANY, inner, *wildcard, Wildcard.ANY), cased=draw(st.booleans()))
    return Test(field=WHOLE_EVENT, check=check)


def special_tests() -> st.SearchStrategy[Test]:
    """Comparisons of numbers, addresses, moments, truth values and other fields."""
    operators = st.sampled_from(Operator)
    numbers = st.builds(
        lambda how, number: Compares(operator=how, number=number), operators, st.sampled_from(NUMBERS)
    )
    networks = st.sampled_from(NETWORKS).map(lambda text: InNetwork(network=ipaddress.ip_network(text)))
    parts = st.builds(
        lambda part, how, number, zone: DatePart(part=part, operator=how, number=number, zone=zone),
        st.sampled_from(Part),
        operators,
        st.sampled_from((0, 1, 12, 22, 30, 47, 53, 2026)),
        st.sampled_from(("UTC", "Europe/Berlin", "Asia/Kolkata")),
    )
    others = st.builds(
        lambda other, how, cased: SameAs(other=other, how=how, cased=cased),
        st.sampled_from((PATH, IMAGE, ARGUMENTS, USER, USER_ID)),
        st.sampled_from(("whole", "startswith", "endswith", "contains")),
        st.booleans(),
    )
    return st.one_of(
        _tests((USER_ID, USER, ADDRESS), numbers),
        _tests((ADDRESS, USER), networks),
        _tests((MOMENT, USER), parts),
        _tests((PATH, IMAGE, ARGUMENTS, USER, USER_ID), others),
        _tests((USER, ARGUMENTS), st.booleans().map(lambda value: EqualsBoolean(value=value))),
    )


def predicates(*, most_leaves: int = 10) -> st.SearchStrategy[Predicate]:
    leaves: st.SearchStrategy[Predicate] = st.one_of(
        text_tests(), text_tests(), text_tests(), few_valued_tests(), other_tests()
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4).map(lambda parts: AnyOf(operands=tuple(parts))),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: All(operands=tuple(parts))),
            inner.map(lambda part: Negation(operand=part)),
        ),
        max_leaves=most_leaves,
    )


@st.composite
def narrow_predicates(draw: st.DrawFn) -> Predicate:
    """What rules look like: alternatives of a path, what was done to it, and an exclusion."""
    paths = st.builds(
        lambda pattern, cased: Test(field=PATH, check=matches(pattern, cased=cased)),
        testable_patterns(),
        st.sampled_from((False, False, False, True)),
    )
    alternatives = []
    for _ in range(draw(st.integers(1, 5))):
        parts: list[Predicate] = [AnyOf(operands=tuple(draw(st.lists(paths, min_size=1, max_size=3))))]
        parts += draw(st.lists(few_valued_tests(), max_size=1))
        parts += draw(
            st.lists(st.one_of(other_tests(), paths).map(lambda t: Negation(operand=t)), max_size=1)
        )
        alternatives.append(All(operands=tuple(parts)))
    return AnyOf(operands=tuple(alternatives))


# --- events ------------------------------------------------------------------------------------------------


def leaves_of(predicate: Predicate) -> Iterator[Test]:
    match predicate:
        case Test():
            yield predicate
        case Negation(operand=operand):
            yield from leaves_of(operand)
        case All(operands=operands) | AnyOf(operands=operands):
            for operand in operands:
                yield from leaves_of(operand)


def events_for(predicates: Sequence[Predicate], *, seed: int, count: int) -> list[FileEvent]:
    """`count` events, each of which has a good chance to match one of the predicates."""
    chance = random.Random(seed)
    texts: dict[str, list[Pattern]] = {}
    for test in (test for predicate in predicates for test in leaves_of(predicate)):
        if isinstance(test.check, Matches):
            texts.setdefault(test.field.name, []).append(test.check.pattern)
    return [_event(texts, chance) for _ in range(count)]


def _event(texts: dict[str, list[Pattern]], chance: random.Random) -> FileEvent:
    operations = [value for pattern in texts.get("Operation", ()) for value in _fitting(OPERATION, pattern)]
    operation = Operation(chance.choice(operations or [*OPERATION.values]))
    accesses = [value for pattern in texts.get("AccessMode", ()) for value in _fitting(ACCESS, pattern)]
    access = AccessMode(chance.choice([*accesses, *ACCESS.values]))
    said = texts.get(WHOLE_EVENT.name, [])
    path = _path([*texts.get("TargetFilename", []), *said], chance)
    has_access = chance.random() < (0.9 if operation is Operation.OPEN else 0.3)
    return event(
        path,
        operation=operation,
        access_mode=access if has_access else None,
        errno=chance.choice((0, 0, 2, 13)),
        path_state=_path_state(chance),
        user_id=chance.choice((0, 1000, None)),
        user_name=chance.choice((_spelled_by([*texts.get("User", []), *said], chance), _odd(chance))),
        process=Process(
            pid=1,
            executable=path if chance.random() < 0.1 else _spelled_by(texts.get("Image", []), chance),
            args=tuple(_written(p, chance) for p in [*texts.get("Arguments", []), *said]) or None,
        ),
        extra={"Address": chance.choice(ADDRESSES), "Moment": chance.choice(MOMENTS)},
    )


def _odd(chance: random.Random) -> str | None:
    """A text that means something to a comparison other than of texts."""
    return chance.choice((None, None, *ADDRESSES, *MOMENTS, *NUMBER_TEXTS, "TRUE", "false"))


def _fitting(field: Field, pattern: Pattern) -> list[str]:
    """The values that begin or end as a pattern does."""
    literal = next((token.lower() for token in pattern if isinstance(token, str)), "")
    return [v for v in field.values if v.startswith(literal) or v.endswith(literal)]


def _path_state(chance: random.Random) -> PathState:
    if chance.random() < 0.8:
        return PathState.RESOLVED
    return PathState(chance.choice((1, 2, 4, 8, 16, 5, 6, 24)))


def _path(patterns: Sequence[Pattern], chance: random.Random) -> str | None:
    if chance.random() < 0.02:
        return None
    path = _spelled_by(patterns, chance) or "/" + "/".join(chance.sample(COMPONENTS, 3))
    if chance.random() < 0.1:
        path = chance.choice(("/", "x", "/a/b/", "é")) + path
    if chance.random() < 0.1:
        path += chance.choice(("/", "x", "/a/b", "é", "\udcfe", "\n"))
    return path


def _spelled_by(patterns: Sequence[Pattern], chance: random.Random) -> str | None:
    return _written(chance.choice(patterns), chance) if patterns and chance.random() < 0.95 else None


def _written(pattern: Pattern, chance: random.Random) -> str:
    """A text that the pattern describes, at least where it ignores case."""
    mutate = chance.choice((str, str, str, str.upper, str.lower, str.swapcase, _kelvin_and_long_s))
    return "".join(_token(token, mutate, chance) for token in pattern)


def _token(token: str | Wildcard, mutate: Callable[[str], str], chance: random.Random) -> str:
    if isinstance(token, str):
        changed = mutate(token)
        return changed if len(changed) == len(token) else token
    if token is Wildcard.SEGMENT:
        return chance.choice(("", "x", "é", "\u017f", "\n", "ab", "/"))
    if token is Wildcard.SEGMENT_ONE:
        return chance.choice(("x", "é", "s", "\u212a", "\n", "/"))
    if token is Wildcard.ONE:
        return chance.choice(("x", "/", "é", "s", "\u017f", "\u212a", "\n", "\udc80"))
    if chance.random() < 0.15:
        return "/" + "f" * chance.choice(LENGTHS)
    return chance.choice(("", "", "x", "/", "/y/", "/etc/", "é", "\u017f", "\udcc5", "/.ssh/", "\n/"))


def _kelvin_and_long_s(text: str) -> str:
    return text.replace("s", "\u017f").replace("k", "\u212a")
