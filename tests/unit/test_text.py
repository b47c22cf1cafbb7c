import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.text import fold, from_document, from_kernel, printable, to_document, to_kernel

names = st.binary().map(from_kernel)


@given(st.binary())
def test_every_name_comes_back_from_memory(raw: bytes) -> None:
    assert to_kernel(from_kernel(raw)) == raw


@given(names)
def test_every_name_comes_back_from_a_document(name: str) -> None:
    assert from_document(to_document(name)) == name


@given(st.lists(st.sampled_from(["\\", "x", "\\x", "5c", "ff", "\udcff", "é", "\n"])).map("".join))
def test_a_name_that_looks_like_an_escape_comes_back_too(name: str) -> None:
    assert from_document(to_document(name)) == name


@given(st.text(alphabet=st.characters()) | st.text(alphabet="\ud800\udc7f\udc80\udcff\udd00\udfffa\\x4"))
def test_any_string_comes_back_from_a_document_as_its_bytes_do(name: str) -> None:
    document = to_document(name)
    document.encode()
    assert to_kernel(from_document(document)) == to_kernel(name)


@given(names)
def test_a_document_holds_valid_unicode_only(name: str) -> None:
    to_document(name).encode()


@pytest.mark.parametrize(
    ("raw", "document"),
    [
        (b"/etc/shadow", "/etc/shadow"),
        ("/tmp/größe".encode(), "/tmp/größe"),
        (b"/tmp/\xff", r"/tmp/\xff"),
        (rb"/tmp/\xff", r"/tmp/\x5cxff"),
        (rb"/tmp/\n", r"/tmp/\n"),
        (b"/tmp/a\nb", "/tmp/a\nb"),
    ],
)
def test_bytes_that_are_no_text_are_escaped_in_documents(raw: bytes, document: str) -> None:
    assert to_document(from_kernel(raw)) == document


def test_a_lone_surrogate_from_json_has_bytes() -> None:
    assert to_kernel("\ud800") == b"\xed\xa0\x80"
    assert to_kernel("\udcff\udfff") == b"\xff\xed\xbf\xbf"
    assert to_document("a\ud800\udcff") == r"a\xed\xa0\x80\xff"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain", "plain"),
        ("größe 日本", "größe 日本"),
        ("a\nb", r"a\x0ab"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x7f", r"\x7f"),
        ("\x9b", r"\u009b"),
        ("\udcff", r"\xff"),
        ("\u202e", r"\u202e"),
        ("\u2028", r"\u2028"),
        ("\u200b", r"\u200b"),
        ("\U000e0041", r"\U000e0041"),
        ("\\", "\\\\"),
        ("\u3164", r"\u3164"),
        ("\u2800", r"\u2800"),
        ("\u115f\u1160\uffa0", r"\u115f\u1160\uffa0"),
        ("\u180b\u180e\u180f", r"\u180b\u180e\u180f"),
        ("a\u034f\u17b4", r"a\u034f\u17b4"),
        ("❤\ufe0f\ufe00", r"❤\ufe0f\ufe00"),
        ("\U000e0100\U000e01ef", r"\U000e0100\U000e01ef"),
        ("e\u0301\u3000\u1100", "e\u0301\u3000\u1100"),
    ],
)
def test_nothing_that_is_printed_acts_or_hides(name: str, shown: str) -> None:
    assert printable(name) == shown


@given(st.one_of(st.text(), names))
def test_what_is_printed_has_no_invisible_characters(name: str) -> None:
    assert not {unicodedata.category(c) for c in printable(name)} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(names, names)
def test_different_names_are_printed_differently(one: str, other: str) -> None:
    assert (printable(one) == printable(other)) == (one == other)


@given(st.text())
def test_folding_keeps_lengths_and_is_done_after_once(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ABC", "abc"), ("GRÖSSE", "grösse"), ("Σ", "ς"), ("\u212a", "k"), ("\u017f", "S"), ("İ", "İ")],
)
def test_letters_that_differ_by_case_alone_fold_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("ß", "ss"), ("a", "b"), ("é", "e")])
def test_other_letters_do_not(one: str, other: str) -> None:
    assert fold(one) != fold(other)
