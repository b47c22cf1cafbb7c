"""A sink in front of a speaker, and what it answers in short."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from tests.unit.sinks.elastic.speaker import Asked, Speaker

from fileaudit_engine.sinks.base import Answer, Delivered, Reject, Retry
from fileaudit_engine.sinks.elastic.sink import ElasticSink
from fileaudit_engine.sinks.settings import ElasticSettings

DELIVERED = Delivered()
PARSING = "document_parsing_exception"
PIPELINE = "illegal_argument_exception"


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@contextmanager
def sink_for(speaker: Speaker, clock: Clock | None = None, **settings: Any) -> Iterator[ElasticSink]:
    said_to_it = ElasticSettings(hosts=(speaker.url,), **{"timeout_s": 10.0, **settings})
    with closing(ElasticSink(said_to_it, clock_s=clock or Clock())) as sink:
        yield sink


def reason(answer: Answer) -> str:
    assert isinstance(answer, Retry | Reject)
    return answer.reason


def kinds(answers: Sequence[Answer]) -> str:
    """Answers as letters: `d`elivered, re`t`ry, re`j`ect."""
    return "".join({Delivered: "d", Retry: "t", Reject: "j"}[type(answer)] for answer in answers)


def numbers(asked: Asked) -> list[int]:
    return [int(one, 16) for one in asked.ids]
