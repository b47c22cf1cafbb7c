"""Answers that are remembered, and when they are made anew."""

from fileaudit_engine.events.memo import ByFacts, ByIdentity, ByValue
from fileaudit_engine.events.model import Process


def test_an_object_is_asked_about_once() -> None:
    name_of = ByIdentity[Process, list[int]](lambda process: [process.pid], limit=9)
    process = Process(pid=7)
    assert name_of(process) == [7]
    assert name_of(process) is name_of(process)


def test_equal_objects_are_two() -> None:
    name_of = ByIdentity[Process, list[int]](lambda process: [process.pid], limit=9)
    assert name_of(Process(pid=7)) is not name_of(Process(pid=7))


def test_an_object_that_came_to_stand_where_another_was_has_its_own_answer() -> None:
    """Ids are used again when an object is gone: what is remembered must not be."""
    pid_of = ByIdentity[Process, int](lambda process: process.pid, limit=100)
    assert [pid_of(Process(pid=number)) for number in range(1000)] == list(range(1000))


def test_no_more_is_remembered_than_allowed() -> None:
    pid_of = ByIdentity[Process, int](lambda process: process.pid, limit=3)
    kept = [Process(pid=number) for number in range(10)]
    assert [pid_of(process) for process in kept] == list(range(10))
    assert len(pid_of._known) <= 3


def test_the_same_facts_have_one_answer_and_others_another() -> None:
    of = ByFacts[Process, list[str]](lambda p: (p.name,), lambda p: [str(p.name)], limit=9)
    assert of(Process(pid=1, name="a")) is of(Process(pid=2, name="a"))
    assert of(Process(pid=1, name="b")) == ["b"]


def test_an_answer_that_is_nothing_is_remembered_too() -> None:
    asked: list[int] = []
    of = ByFacts[Process, None](lambda p: (p.pid,), lambda p: asked.append(p.pid), limit=9)
    for _ in range(3):
        of(Process(pid=1))
    assert asked == [1]


def test_facts_are_forgotten_when_there_are_too_many() -> None:
    of = ByFacts[Process, int](lambda p: (p.pid,), lambda p: p.pid, limit=3)
    assert [of(Process(pid=number)) for number in range(10)] == list(range(10))
    assert len(of._known) <= 3


def test_a_value_is_asked_about_once_even_if_there_is_no_answer() -> None:
    asked: list[int] = []
    name_of = ByValue[int, str | None](asked.append).__getitem__
    assert [name_of(1), name_of(1)] == [None, None]
    assert asked == [1]
