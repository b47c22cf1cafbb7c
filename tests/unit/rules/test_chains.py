"""Which modifiers can stand together, in which order, and what they amount to."""

from itertools import permutations, product

import pytest

from fileaudit_engine.diagnostics import InternalError
from fileaudit_engine.rules.calendar import Part
from fileaudit_engine.rules.chains import MAX_CHAIN, problems, resolve
from fileaudit_engine.rules.modifiers import MODIFIERS, KernelGives, ValueType
from fileaudit_engine.rules.values import Wildcard

ANY = Wildcard.ANY


def chain(text: str) -> list[str]:
    return text.split("|")


def test_without_modifiers_the_whole_value_is_compared() -> None:
    resolved = resolve(())
    assert (resolved.kind, resolved.all, resolved.cased, resolved.re_flags) == ("plain", False, False, "")
    assert resolved.patterns("a*") == (("a", ANY),)
    assert resolved.takes == frozenset(ValueType)


@pytest.mark.parametrize(
    ("name", "pattern", "kernel"),
    [
        ("contains", (ANY, "x", ANY), KernelGives.INFIX),
        ("startswith", ("x", ANY), KernelGives.PREFIX),
        ("endswith", (ANY, "x"), KernelGives.SUFFIX),
    ],
)
def test_a_comparison_gives_a_pattern_and_something_to_the_kernel(
    name: str, pattern: tuple[str | Wildcard, ...], kernel: KernelGives
) -> None:
    resolved = resolve([name])
    assert resolved.kind == name
    assert resolved.patterns("x") == (pattern,)
    assert resolved.kernel is kernel


@pytest.mark.parametrize("text", ["re", "exists", "cidr", "lt", "fieldref", "hour", "neq", "contains|neq"])
def test_what_compares_no_literal_text_gives_the_kernel_nothing(text: str) -> None:
    assert resolve(chain(text)).kernel is KernelGives.NOTHING


def test_a_keyword_is_looked_for_anywhere() -> None:
    assert resolve(()).patterns("x", keyword=True) == ((ANY, "x", ANY),)
    assert resolve(["contains"]).patterns("a*b", keyword=True) == ((ANY, "a", ANY, "b", ANY),)


def test_flags_may_stand_before_and_behind_the_comparison() -> None:
    assert all(
        resolve(order) == resolve(["contains", "all", "cased"])
        for order in permutations(["contains", "all", "cased"])
    )


def test_transformations_run_in_their_order_and_before_the_comparison() -> None:
    assert resolve(chain("wide|base64|startswith")).patterns("cmd") == (("YwBtAGQA", ANY),)


def test_sub_modifiers_are_gathered_in_one_order() -> None:
    assert resolve(["re", "s", "i"]).re_flags == "is"
    assert resolve(["re", "m", "all"]).re_flags == "m"


@pytest.mark.parametrize("order", [["i"], ["contains", "i"], ["re", "all", "i"], ["i", "re"]])
def test_a_sub_modifier_stands_right_behind_what_it_belongs_to(order: list[str]) -> None:
    (found,) = problems(order)
    assert found.code == "FA032"
    assert "|re|i" in found.help
    assert order[found.index] == "i"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "contains|all|cased",
            "startswith|neq",
            "neq|cidr",
            "fieldref|neq",
            "fieldref|endswith",
            "re|i|neq",
        ),
        *("contains|fieldref|cased|all", "neq|cased", "path|neq", "under|cased", "under|all", "base64|neq"),
        *("windash|contains|all", "contains|windash", "endswith|windash", "wide|base64offset|contains"),
        *("utf16|base64", "windash|wide|base64", "expand|contains", "contains|expand", "expand|re|i"),
        *("expand|cidr", "expand|windash|contains", "expand|base64", "expand|path", "expand|under", "lt|all"),
        *("hour|gte", "year|neq", "month|all", "cidr|all", "cased|expand"),
    ],
)
def test_what_makes_sense_together_may_stand_together(text: str) -> None:
    assert problems(chain(text)) == ()


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("contains|startswith", "keep 'contains' or 'startswith': a value is compared in one way"),
        ("endswith|re", "keep 'endswith' or 're'"),
        ("contains|lt", "keep 'contains' or 'lt'"),
        ("cidr|contains", "keep 'cidr' or 'contains'"),
        ("under|endswith", "keep 'under' or 'endswith'"),
        ("path|under", "keep 'path' or 'under'"),
        ("lt|gt", "keep 'lt' or 'gt'"),
        ("re|cased", "'|re|i'"),
        ("cased|re", "'|re|i'"),
        ("re|base64", "no text to be encoded"),
        ("windash|re", "no text to be encoded"),
        ("wide|re", "no text to be encoded"),
        ("all|neq", "leave 'all' out"),
        ("neq|lt", "write 'gte'"),
        ("lte|neq", "write 'gt'"),
        ("neq|gt", "write 'lte'"),
        ("gte|neq", "write 'lt'"),
        ("exists|contains", "write it alone"),
        ("neq|exists", "write it alone"),
        ("exists|all", "write it alone"),
        ("cased|exists", "write it alone"),
        ("expand|exists", "write it alone"),
        ("fieldref|exists", "write it alone"),
        ("hour|exists", "write it alone"),
        ("cidr|cased", "upper and lower case"),
        ("cased|lt", "upper and lower case"),
        ("cidr|base64", "not in another encoding"),
        ("path|wide", "not in another encoding"),
        ("windash|under", "not in another encoding"),
        ("fieldref|re", "names a field"),
        ("fieldref|cidr", "names a field"),
        ("under|fieldref", "names a field"),
        ("expand|fieldref", "names a field"),
        ("base64|fieldref", "names a field"),
        ("fieldref|lt", "compares numbers"),
        ("windash|lt", "compares numbers"),
        ("expand|gte", "compares numbers"),
        ("hour|contains", "makes a number of the field"),
        ("re|hour", "makes a number of the field"),
        ("hour|cased", "makes a number of the field"),
        ("fieldref|day", "makes a number of the field"),
        ("wide|year", "makes a number of the field"),
        ("hour|minute", "a line of its own"),
        ("all|contains|all", "write it once"),
        ("base64|base64", "write it once"),
        ("base64|base64offset", "a value is encoded once"),
        ("wide|utf16", "a value is encoded once"),
        ("utf16le|wide", "a value is encoded once"),
    ],
)
def test_what_cannot_stand_together_is_named_with_the_reason(text: str, remedy: str) -> None:
    (found, *_) = problems(chain(text))
    one, *_, other = text.split("|")
    assert (found.code, found.message) == ("FA032", f"'{one}' and '{other}' cannot stand together")
    assert remedy in found.help


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("base64|wide", "write 'wide|base64': modifiers run in their order"),
        ("base64|windash", "write 'windash|base64': modifiers run in their order"),
        ("wide|windash", "write 'windash|wide'"),
        ("contains|base64offset", "write 'base64offset|contains': a value is encoded before it is compared"),
        ("startswith|utf16", "write 'utf16|startswith'"),
        ("base64|expand", "write 'expand|base64': a placeholder is replaced"),
        ("windash|expand", "write 'expand|windash'"),
        ("lt|hour", "write 'hour|lt': first the part"),
    ],
)
def test_what_can_stand_together_the_other_way_round_is_turned_round(text: str, remedy: str) -> None:
    (found,) = problems(chain(text))
    one, other = text.split("|")
    assert (found.code, found.message) == ("FA032", f"'{one}' and '{other}' cannot stand in this order")
    assert remedy in found.help
    assert problems([other, one]) == ()


@pytest.mark.parametrize("pair", [*product(MODIFIERS, repeat=2)], ids="|".join)
def test_every_pair_is_legal_and_takes_some_value_or_says_why_it_is_not(pair: tuple[str, str]) -> None:
    found = problems(pair)
    if found:
        assert all(problem.help for problem in found)
    else:
        assert resolve(pair).takes
        assert resolve(pair).fields


@pytest.mark.parametrize("name", [name for name, entry in MODIFIERS.items() if not entry.keyword])
def test_what_needs_a_field_says_so_where_there_is_none(name: str) -> None:
    (found,) = problems([name], keyword=True)
    assert found.code == "FA032"
    assert found.message.startswith(f"'{name}' needs a field")


@pytest.mark.parametrize(
    "text", ["all", "contains", "re|i", "cased", "neq", "windash", "base64offset|contains", "wide", "expand"]
)
def test_what_says_something_about_a_whole_event_may_stand_without_a_field(text: str) -> None:
    assert problems(chain(text), keyword=True) == ()


def test_an_unknown_modifier_is_compared_with_the_known_ones() -> None:
    (found,) = problems(["startwith"])
    assert (found.code, found.message, found.help) == (
        "FA030",
        "unknown modifier 'startwith'",
        "did you mean 'startswith'?",
    )


def test_modifiers_are_written_in_lower_case() -> None:
    (found,) = problems(["Contains"])
    assert found.help == "did you mean 'contains'?"


def test_every_problem_of_a_chain_is_reported_in_its_order() -> None:
    assert [(p.index, p.code) for p in problems(["nope", "contains", "", "endswith"])] == [
        (0, "FA030"),
        (2, "FA030"),
        (3, "FA032"),
    ]


def test_a_chain_without_end_is_refused_at_once() -> None:
    (found,) = problems(["i"] * 1_000_000)
    assert found.index == MAX_CHAIN


def test_an_illegal_chain_that_reaches_the_compiler_is_a_bug() -> None:
    with pytest.raises(InternalError, match="unknown modifier"):
        resolve(["nope"])


def test_a_comparison_of_no_texts_has_no_patterns() -> None:
    with pytest.raises(InternalError, match="compares no texts"):
        resolve(["cidr"]).patterns("10.0.0.0/8")


def test_a_value_is_whole_if_nothing_is_made_of_it() -> None:
    assert all(resolve(chain(text)).whole for text in ("all", "cased", "neq"))
    assert not any(
        resolve(chain(text)).whole
        for text in ("fieldref", "expand", "base64", "wide|neq", "hour", "contains")
    )


def test_the_part_of_a_date_and_its_comparison_are_told_apart() -> None:
    resolved = resolve(["hour", "gte"])
    assert (resolved.part, resolved.kind) == (Part.HOUR, "gte")


@pytest.mark.parametrize(
    ("text", "numeric"),
    [
        *(("neq", True), ("lt", True), ("hour", True), ("expand", True)),
        *(("cased", False), ("contains", False), ("wide", False), ("path", False)),
    ],
)
def test_a_number_is_a_number_unless_text_is_compared(text: str, numeric: bool) -> None:  # noqa: FBT001
    assert resolve([text]).numeric is numeric
