from tests.unit.compiler.examples import event

from fileaudit_engine.detect.whole_event import texts_of
from fileaudit_engine.events.fields import WHOLE_EVENT


def test_the_texts_are_those_that_the_table_gives() -> None:
    happened = event("/Etc/x", user_name="Alice")
    assert texts_of(happened, folded=False) == WHOLE_EVENT.get(happened)
    assert {"/etc/x", "alice"} <= set(texts_of(happened, folded=True))


def test_another_event_is_looked_at_anew_even_if_it_is_equal() -> None:
    first, second = event("/a"), event("/b")
    assert "/a" in texts_of(first, folded=False)
    assert "/b" in texts_of(second, folded=False)
    assert "/a" in texts_of(first, folded=False)
    assert texts_of(event("/b"), folded=False) == texts_of(second, folded=False)


def test_a_long_text_keeps_its_length_when_it_is_folded() -> None:
    happened = event("/\u0130" * 10)
    assert [len(text) for text in texts_of(happened, folded=True)] == [
        len(text) for text in texts_of(happened, folded=False)
    ]
