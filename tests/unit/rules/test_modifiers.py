from dataclasses import replace
from itertools import permutations
from typing import cast

import pytest

from fileaudit_engine.diagnostics import InternalError
from fileaudit_engine.rules.modifiers import (
    MAX_CHAIN,
    MODIFIERS,
    NOT_YET,
    KernelGives,
    Role,
    ValueType,
    problems,
    registered,
    resolve,
)
from fileaudit_engine.rules.values import Wildcard

ANY = Wildcard.ANY


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


def test_flags_may_stand_before_and_behind_the_comparison() -> None:
    assert all(
        resolve(chain) == resolve(["contains", "all", "cased"])
        for chain in permutations(["contains", "all", "cased"])
    )


def test_a_regular_expression_gives_the_kernel_nothing() -> None:
    assert resolve(["re"]).kernel is KernelGives.NOTHING
    assert resolve(["re"]).takes == {ValueType.TEXT}


def test_sub_modifiers_are_gathered_in_one_order() -> None:
    assert resolve(["re", "s", "i"]).re_flags == "is"
    assert resolve(["re", "m", "all"]).re_flags == "m"


@pytest.mark.parametrize("chain", [["i"], ["contains", "i"], ["re", "all", "i"], ["i", "re"]])
def test_a_sub_modifier_stands_right_behind_what_it_belongs_to(chain: list[str]) -> None:
    (found,) = problems(chain)
    assert found.code == "FA032"
    assert "|re|i" in found.help
    assert chain[found.index] == "i"


@pytest.mark.parametrize(
    ("chain", "pair"),
    [
        (["contains", "startswith"], "'contains' and 'startswith'"),
        (["endswith", "re"], "'endswith' and 're'"),
        (["re", "cased"], "'re' and 'cased'"),
        (["cased", "re"], "'cased' and 're'"),
        (["all", "contains", "all"], "'all' and 'all'"),
    ],
)
def test_what_cannot_stand_together_is_named(chain: list[str], pair: str) -> None:
    (found,) = problems(chain)
    assert found.code == "FA032"
    assert pair in found.message


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


@pytest.mark.parametrize("name", sorted(NOT_YET))
def test_what_this_version_cannot_run_is_said_to_be_so(name: str) -> None:
    (found,) = problems([name])
    assert found.code == "FA031"


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


def test_a_modifier_cannot_be_registered_without_saying_what_it_gives_the_kernel() -> None:
    silent = replace(MODIFIERS["contains"], name="silent", kernel=cast("KernelGives", None))
    with pytest.raises(AssertionError, match="silent does not say what it gives the kernel"):
        registered(silent)


def test_a_transformation_cannot_be_registered_without_its_function() -> None:
    with pytest.raises(AssertionError, match="role"):
        registered(replace(MODIFIERS["all"], role=Role.TRANSFORM))


def test_a_name_cannot_be_registered_twice() -> None:
    with pytest.raises(AssertionError, match="same name"):
        registered(MODIFIERS["all"], MODIFIERS["all"])


def test_no_modifier_is_both_supported_and_not() -> None:
    assert not MODIFIERS.keys() & NOT_YET
