from dataclasses import replace
from typing import cast

import pytest

from fileaudit_engine.events.fields import FieldType
from fileaudit_engine.rules.modifiers import MODIFIERS, KernelGives, Role, Stage, ValueType, registered

SIGMA = (
    *("all", "startswith", "endswith", "contains", "exists", "cased", "neq", "windash", "re", "i", "m", "s"),
    *("base64", "base64offset", "utf16le", "utf16be", "utf16", "wide", "lt", "lte", "gt", "gte"),
    *("minute", "hour", "day", "week", "month", "year", "cidr", "expand", "fieldref"),
)
OURS = ("path", "under")


def test_every_modifier_of_sigma_and_our_two_are_there_and_no_others() -> None:
    assert sorted(MODIFIERS) == sorted((*SIGMA, *OURS))


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("exists", {ValueType.BOOLEAN}),
        ("lt", {ValueType.NUMBER}),
        ("hour", {ValueType.NUMBER}),
        ("cidr", {ValueType.TEXT}),
        ("re", {ValueType.TEXT}),
        ("fieldref", {ValueType.TEXT}),
        ("under", {ValueType.TEXT}),
        ("contains", {ValueType.TEXT, ValueType.NUMBER}),
        ("windash", {ValueType.TEXT, ValueType.NUMBER}),
        ("neq", set(ValueType)),
    ],
)
def test_a_modifier_says_what_it_takes(name: str, takes: set[ValueType]) -> None:
    assert MODIFIERS[name].takes == takes


def test_what_compares_paths_and_dates_says_so() -> None:
    assert MODIFIERS["under"].fields == MODIFIERS["path"].fields == {FieldType.PATH}
    assert MODIFIERS["week"].fields == {FieldType.DATE}
    assert MODIFIERS["contains"].fields == set(FieldType)


def test_what_needs_a_field_says_so() -> None:
    assert {name for name, entry in MODIFIERS.items() if not entry.keyword} == {
        *("startswith", "endswith", "exists", "cidr", "fieldref", "path", "under", "lt", "lte", "gt", "gte"),
        *("minute", "hour", "day", "week", "month", "year"),
    }


def test_what_excludes_another_names_one_that_is_there() -> None:
    assert {name for entry in MODIFIERS.values() for name in entry.excludes} <= MODIFIERS.keys()


def test_a_modifier_cannot_be_registered_without_saying_what_it_gives_the_kernel() -> None:
    silent = replace(MODIFIERS["contains"], name="silent", kernel=cast("KernelGives", None))
    with pytest.raises(AssertionError, match="silent does not say what it gives the kernel"):
        registered(silent)


def test_a_transformation_cannot_be_registered_without_its_function_and_its_stage() -> None:
    with pytest.raises(AssertionError, match="role"):
        registered(replace(MODIFIERS["all"], role=Role.TRANSFORM))
    with pytest.raises(AssertionError, match="role"):
        registered(replace(MODIFIERS["wide"], stage=None))
    with pytest.raises(AssertionError, match="role"):
        registered(replace(MODIFIERS["all"], stage=Stage.BYTES))


def test_a_sub_modifier_cannot_be_registered_without_what_it_belongs_to() -> None:
    with pytest.raises(AssertionError, match="belongs"):
        registered(replace(MODIFIERS["i"], after=""))


def test_a_name_cannot_be_registered_twice() -> None:
    with pytest.raises(AssertionError, match="same name"):
        registered(MODIFIERS["all"], MODIFIERS["all"])
