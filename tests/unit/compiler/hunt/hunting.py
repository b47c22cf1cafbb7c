"""Tests, events and documents that hunts are held against.

A test that is drawn blindly is true of no event. So it is made of what an event has in the field: the whole
of it, a part, a pattern with a hole, a number beside it, or a regular expression.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from hypothesis import strategies as st
from tests.unit.compiler.examples import matches, user_rule
from tests.unit.compiler.strategies import EXPRESSIONS, NUMBERS

from fileaudit_engine.compiler.hunt.oddities import LONGEST_TEXT
from fileaudit_engine.compiler.ir import (
    TRUE,
    Check,
    Compares,
    DatePart,
    EqualsBoolean,
    EqualsNumber,
    InNetwork,
    IsNull,
    Negation,
    Operator,
    Part,
    Predicate,
    SameAs,
    Searches,
    Test,
    Wildcard,
)
from fileaudit_engine.compiler.operations import in_operations
from fileaudit_engine.compiler.simplify import simplify
from fileaudit_engine.detect.alert import record_of
from fileaudit_engine.detect.record import Finding
from fileaudit_engine.events.document import document_of
from fileaudit_engine.events.field import spelled
from fileaudit_engine.events.fields import FIELDS, Field
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.rules.operands import network
from fileaudit_engine.rules.values import joined

ANY, ONE = Wildcard.ANY, Wildcard.ONE
MORE_EXPRESSIONS: Final = (
    *(r"\d+", r"^\S+$", r"\s", r"(^|/)etc(/|$)", "[^a-z]", r"\.(gz|tar)$", "^(/home|/root)/", "^$", "a|b$"),
    *(r"^[\w./-]+$", "x{2,3}", "(?:ab)*c", r"\x41", r"[\x00-\x1f]", "é", r"\bsh\b", "^a|b", "[[:alpha:]]"),
)
_ODD: Final = frozenset(
    "\u017f\u03c2\u00b5\u0345\u1fbe\u03d0\u03d1\u03d5\u03d6\u03f0\u03f1\u03f5\u1e9b\u1c80\u1c81\u1c82\u1c83\u1c84"
    "\u1c85\u1c86\u1c87\u1c88\u0130\u241e"
)


def prepared(predicate: Predicate) -> Predicate:
    """The predicate as the compiler's stages leave it."""
    return simplify(in_operations(predicate))


def located(event: FileEvent) -> FileEvent:
    """The event, somewhere: a record names a host for those that do not."""
    return msgspec.structs.replace(event, host_name=event.host_name or "web-1")


def recorded(event: FileEvent) -> dict[str, object]:
    """The document that is stored of an event."""
    finding = Finding(rule=user_rule(TRUE), event=event, selections=())
    return dict(record_of(finding, host="web-1").document)


def is_odd(event: FileEvent) -> bool:
    """Whether a document has a text that the index shows otherwise than rules see it."""
    return any(
        "\\x" in text.lower()
        or len(text) > LONGEST_TEXT // 2
        or _ODD & set(text)
        or min(text, default=" ") < " "
        for text in _texts(document_of(event))
    )


def _texts(found: object) -> Iterator[str]:
    match found:
        case str():
            yield found
        case dict():
            for member in found.values():
                yield from _texts(member)
        case list() | tuple():
            for member in found:
                yield from _texts(member)


@st.composite
def field_tests(draw: st.DrawFn, events: Sequence[FileEvent]) -> Predicate:
    """A test of any field, or its negation, made of what some event has there."""
    field = draw(st.sampled_from(FIELDS))
    value = draw(
        st.sampled_from(_values(field, draw(st.lists(st.sampled_from(events), min_size=1, max_size=4))))
    )
    check = draw(st.one_of(_of_text(spelled(value)), _of_text(spelled(value)), _others(value)))
    test = Test(field=field, check=check)
    return Negation(operand=test) if draw(st.booleans()) else test


def _values(field: Field, events: Sequence[FileEvent]) -> list[str | int | bool]:
    found: list[str | int | bool] = []
    for event in events:
        value = field.get(event)
        found += value if isinstance(value, tuple) else [] if value is None else [value]
    return found or ["x"]


@st.composite
def _of_text(draw: st.DrawFn, text: str) -> Check:
    begin = draw(st.integers(0, len(text)))
    end = draw(st.integers(begin, len(text)))
    parts = draw(
        st.sampled_from(
            (
                (text,),
                (text[:end], ANY),
                (ANY, text[begin:]),
                (ANY, text[begin:end], ANY),
                (text[:begin], ONE, text[begin + 1 :]),
                (text[:begin], ANY, text[end:]),
                (text[:begin], Wildcard.SEGMENT, text[end:]),
                (text[:begin], Wildcard.SEGMENT_ONE, text[begin + 1 :]),
                (ANY,),
            )
        )
    )
    return matches(joined(parts), cased=draw(st.booleans()))


def _others(value: str | int | bool) -> st.SearchStrategy[Check]:  # noqa: FBT001 - a field's value
    number = int(value) if isinstance(value, int) else 1000
    near = st.sampled_from((number, number, *NUMBERS)).flatmap(
        lambda n: st.sampled_from((n, n - 1, n + 1, n + 0.5) if abs(n) < 2**50 else (n,))
    )
    return st.one_of(
        st.just(IsNull()),
        near.map(lambda n: EqualsNumber(number=n)),
        st.builds(lambda how, n: Compares(operator=how, number=n), st.sampled_from(Operator), near),
        st.booleans().map(lambda truth: EqualsBoolean(value=truth)),
        st.builds(
            lambda expression, flags: Searches(expression=expression, flags=flags),
            st.sampled_from((*EXPRESSIONS, *MORE_EXPRESSIONS)),
            st.sampled_from(("", "", "i", "s", "im")),
        ),
        st.builds(
            lambda other, how, cased: SameAs(other=other, how=how, cased=cased),
            st.sampled_from(FIELDS),
            st.sampled_from(("whole", "startswith", "endswith", "contains")),
            st.booleans(),
        ),
        st.builds(
            lambda part, how, n: DatePart(part=part, operator=how, number=n, zone="UTC"),
            st.sampled_from(Part),
            st.sampled_from(Operator),
            st.sampled_from((0, 1, 7, 12, 24, 30, 2026)),
        ),
        st.sampled_from(("10.0.0.0/8", "::/0", "127.0.0.0/8")).map(lambda t: InNetwork(network=network(t))),
    )
