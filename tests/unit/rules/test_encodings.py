"""The transformations, each against the definition of its encoding."""

import base64 as codec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.rules.encodings import DASHES, base64, base64offset, utf16, utf16be, utf16le, windash
from fileaudit_engine.rules.refusal import UnusableValue
from fileaudit_engine.rules.values import Pattern, Wildcard, joined
from fileaudit_engine.text import from_kernel, to_kernel

ANY, ONE = Wildcard.ANY, Wildcard.ONE
names = st.binary(min_size=1, max_size=12).map(from_kernel)


def raw(pattern: Pattern) -> bytes:
    """The bytes of a pattern without wildcards."""
    (literal,) = pattern
    assert isinstance(literal, str)
    return to_kernel(literal)


# --- windash -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dash", DASHES)
def test_every_dash_becomes_each_of_the_five(dash: str) -> None:
    assert set(windash((f"cmd {dash}enc x",))) == {(f"cmd {other}enc x",) for other in DASHES}


def test_two_options_are_every_combination() -> None:
    forms = windash(("-a /b",))
    assert len(set(forms)) == 25
    assert ("\u2014a \u2015b",) in forms


@pytest.mark.parametrize("text", ["well-known", "a - b", "--", "a-", "a/b", ""])
def test_a_dash_that_introduces_no_option_stays(text: str) -> None:
    assert windash(joined((text,))) == (joined((text,)),)


def test_the_dash_of_a_long_option_is_the_second_one() -> None:
    assert set(windash(("--all",))) == {(f"-{dash}all",) for dash in DASHES}


def test_wildcards_stay_where_they_are() -> None:
    assert set(windash((ANY, " -e", ONE))) == {(ANY, f" {dash}e", ONE) for dash in DASHES}


def test_a_value_that_would_have_thousands_of_forms_is_refused() -> None:
    assert len(windash((" -a" * 4,))) == 625
    with pytest.raises(UnusableValue, match="1,024"):
        windash((" -a" * 5,))
    with pytest.raises(UnusableValue, match="1,024"):
        windash((" -a" * 100_000,))


def test_a_long_value_that_would_fill_memory_is_refused() -> None:
    with pytest.raises(UnusableValue, match="characters"):
        windash((f"{'x' * 10_000} -a -b -c -d",))


# --- UTF-16 ------------------------------------------------------------------------------------------------


def test_wide_is_two_bytes_a_character() -> None:
    assert utf16le(("cmd",)) == (("c\0m\0d\0",),)
    assert utf16be(("cmd",)) == (("\0c\0m\0d",),)
    assert raw(utf16(("cmd",))[0]) == b"\xff\xfec\0m\0d\0"


@given(st.text(min_size=1))
def test_the_bytes_are_those_of_the_encoding(text: str) -> None:
    assert raw(utf16le((text,))[0]) == text.encode("utf-16-le")
    assert raw(utf16be((text,))[0]) == text.encode("utf-16-be")
    assert raw(utf16((text,))[0]) == b"\xff\xfe" + text.encode("utf-16-le")


def test_one_mark_stands_in_front_also_of_a_wildcard() -> None:
    (pattern,) = utf16((ANY, "ab", ONE, "c"))
    assert pattern == (from_kernel(b"\xff\xfe"), ANY, "a\0b\0", ONE, "c\0")


def test_the_empty_value_is_empty_but_for_its_mark() -> None:
    assert utf16le(()) == ((),)
    assert raw(utf16(())[0]) == b"\xff\xfe"


# --- Base64 ------------------------------------------------------------------------------------------------


@given(names)
def test_base64_is_of_the_bytes_of_the_value(name: str) -> None:
    assert raw(base64((name,))[0]) == codec.b64encode(to_kernel(name))


@given(st.text(min_size=1))
def test_base64_after_utf16_is_of_its_bytes(text: str) -> None:
    (wide,) = utf16((text,))
    assert raw(base64(wide)[0]) == codec.b64encode(b"\xff\xfe" + text.encode("utf-16-le"))


@given(st.binary(max_size=7), st.binary(min_size=2, max_size=9).map(from_kernel), st.binary(max_size=7))
def test_whatever_stands_before_and_after_one_variant_is_in_the_encoded_text(
    before: bytes, value: str, after: bytes
) -> None:
    encoded = codec.b64encode(before + to_kernel(value) + after)
    variants = [raw(pattern) for pattern in base64offset((value,))]
    assert variants[len(before) % 3] in encoded
    assert all(variants)


def test_the_variants_are_those_that_the_field_knows() -> None:
    assert base64offset(("foobar",)) == (("Zm9vYmFy",), ("Zvb2Jhc",), ("mb29iYX",))


def test_a_variant_holds_no_character_that_a_neighbour_has_a_part_in() -> None:
    for neighbour in (b"\0", b"\xff"):
        for before in range(3):
            encoded = codec.b64encode(neighbour * before + b"/bin/sh" + neighbour * 2)
            assert raw(base64offset(("/bin/sh",))[before]) in encoded


@pytest.mark.parametrize("transform", [base64, base64offset])
@pytest.mark.parametrize("pattern", [("a", ANY), (ONE, "abc"), (ANY,)])
def test_a_wildcard_cannot_be_encoded(transform: type, pattern: Pattern) -> None:
    with pytest.raises(UnusableValue, match="wildcard"):
        transform(pattern)


@pytest.mark.parametrize("pattern", [(), ("a",), ("\udcff",)])
def test_what_leaves_nothing_is_refused(pattern: Pattern) -> None:
    with pytest.raises(UnusableValue, match="short"):
        base64offset(pattern)


def test_one_character_of_two_bytes_is_long_enough() -> None:
    assert len(base64offset(("\u00e9",))) == 3
