"""Trains the dictionary that the store compresses documents with: `store/documents.zdict`.

    fileaudit-engine record work.ndjson        # while people, builds, daemons and containers are at work
    python -m tools.train_documents work.ndjson --audit scope.yml --held-out other.ndjson

A document of two kilobytes is mostly what all documents are made of: names of members, rules' texts, folders
and programs that every host has. With those in a dictionary, what is left to store is what is the document's
own. The samples are recordings and the events of the rule pack's test cases, as the documents that the rules
make of them.

A dictionary that knows one host by heart compresses that host's documents only, and would hand its names to
everybody. So no recording is taken as it is: each stretch of it plays on another made-up host, under another
made-up user (`Persona`), `--replace` does the same with places of the recording host, and what still holds a
word of it (`--forbid`) is left out. The same input gives the same bytes, with the same version of zstd.
"""

import argparse
import hashlib
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.detect.alert import record_of, record_of_crossing
from fileaudit_engine.detect.correlate import Correlator
from fileaudit_engine.detect.correlating import Correlating
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.detect.record import Record
from fileaudit_engine.events.batch import EventBatch
from fileaudit_engine.events.document import document_of_loss
from fileaudit_engine.events.jsonl import EventReader, encode
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.resources import rules_dir
from fileaudit_engine.rules.parser import load_rules
from fileaudit_engine.ruletest.load import load_cases

ROOT: Final = Path(__file__).resolve().parent.parent
TARGET: Final = ROOT / "engine" / "fileaudit_engine" / "store" / "documents.zdict"
FIXTURES: Final = ROOT / "tests" / "fixtures"

FIRST_ID: Final = 32_768
"""From here on zstd leaves the ids of dictionaries to everybody; below 65,536 one takes two bytes of a
frame."""
DICTIONARY_BYTES: Final = 64 << 10
LEVEL: Final = 3

_SEGMENT: Final = 48
"""Documents of a recording in a row that one persona has."""
_ALIKE: Final = 40
"""Documents of one program that do the same in the same folder: more of them teach nothing."""
_SAMPLES: Final = 12_000
_COVER: Final = {"k": 2_048, "d": 8}
"""Parameters of zstd's trainer, found by trying: long segments, for what repeats is whole objects."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_PEOPLE: Final = _words(
    "alice bob carol dave erin frank grace heidi ivan judy mallory olivia peggy rupert sybil trent victor"
    " walter jsmith mmueller akumar lchen deploy jenkins gitlab-runner ubuntu admin ec2-user debian backup"
    " ansible postgres www-data"
)
_HOSTS: Final = _words(
    "web-01 web-02 db1 build-7 ci-runner-3 mail files01.example.com ip-10-0-3-17 edge9 k8s-node-2 laptop-ak"
    " gw.example.org app03.prod.example.net desk-14 bastion"
)
_PROJECTS: Final = _words(
    "shop-api billing website ingest reports ml-train infra dotfiles portal mobile-app tools notes"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """Who a stretch of a recording is said to be about.

    Attributes:
        user: A person's name; stands in for root's, too, where root had logged in.
        user_id: Its number.
        host: Name of the host; `host_id` is its machine id.
        project: What the person works on.
    """

    user: str
    user_id: int
    host: str
    host_id: str
    project: str

    @classmethod
    def made(cls, chance: random.Random) -> "Persona":
        """A new one."""
        return cls(
            user=chance.choice(_PEOPLE),
            user_id=chance.choice(
                (1000, 1001, chance.randrange(1002, 1100), chance.randrange(10_000, 70_000))
            ),
            host=chance.choice(_HOSTS),
            host_id=f"{chance.getrandbits(128):032x}",
            project=chance.choice(_PROJECTS),
        )

    def disguise(self, event: FileEvent) -> FileEvent:
        """The event as it would be told of this one."""
        changed: dict[str, object] = {"host_name": self.host, "host_id": self.host_id}
        if event.login_user_id is not None:
            changed |= {"login_user_id": self.user_id, "login_user_name": self.user}
        ours = event.user_id == event.effective_user_id and (event.user_id or 0) >= _FIRST_PERSON
        if ours or (event.user_id == 0 and event.login_user_id is not None and self.user_id & 1):
            ids = ("user_id", "effective_user_id", "group_id", "effective_group_id")
            names = ("user_name", "effective_user_name", "group_name", "effective_group_name")
            changed |= {**dict.fromkeys(ids, self.user_id), **dict.fromkeys(names, self.user)}
        return msgspec.structs.replace(event, **changed)


_FIRST_PERSON: Final = 1000

Change = Callable[[str, Persona], str]
"""What becomes of a recorded line, told of a persona."""


def replacing(pairs: Sequence[tuple[str, str]]) -> Change:
    """The change that writes `NEW` for every match of `OLD`, a regular expression over the line's text.

    In `NEW`, `{user}`, `{project}` and `{host}` are the persona's.
    """
    compiled = [(re.compile(old), new) for old, new in pairs]

    def change(line: str, persona: Persona) -> str:
        for old, new in compiled:
            told = new.format(user=persona.user, project=persona.project, host=persona.host)
            line = old.sub(told.replace("\\", "\\\\"), line)
        return line

    return change


def recorded(paths: Iterable[Path], change: Change, chance: random.Random) -> Iterator[FileEvent]:
    """The events of recordings, each stretch told of another persona."""
    for path in paths:
        reader = EventReader(file=str(path))
        persona = Persona.made(chance)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if number % _SEGMENT == 0:
                persona = Persona.made(chance)
            event = reader.read(change(line, persona).encode(), number)
            if isinstance(event, FileEvent):
                yield persona.disguise(event)


def in_cases(chance: random.Random) -> Iterator[list[FileEvent]]:
    """The events of the rule pack's test cases, case by case."""
    for case in load_cases(FIXTURES).cases:
        persona = Persona.made(chance)
        offset_ns = chance.randrange(300 * 24 * 3600) * SECOND_NS + chance.randrange(SECOND_NS)
        moved = (msgspec.structs.replace(one.event, ts_ns=one.event.ts_ns + offset_ns) for one in case.events)
        yield [persona.disguise(event) for event in moved]


class Writer:
    """Makes documents of events by rules, as `run` does."""

    def __init__(self, rules: Sequence[Path]) -> None:
        self._compiled = _compiled(rules)
        self._detector = Detector(self._compiled.user, self._compiled.kernel)

    def documents(self, events: Sequence[FileEvent]) -> Iterator[bytes]:
        """All that the rules and correlations say of these events, which no others follow."""
        correlator = Correlator(self._compiled.correlations, self._compiled.user)
        correlating = Correlating(self._detector, correlator, self._compiled.correlations)
        for event in events:
            findings, crossings = correlating.take(EventBatch(events=[event]))
            for finding in findings:
                yield _written(record_of(finding, host="", ingested_ns=event.ts_ns + 1_700_000))
            for crossing in crossings:
                yield _written(record_of_crossing(crossing, host=event.host_name or ""))
        for crossing in correlator.finish():
            yield _written(record_of_crossing(crossing, host=events[-1].host_name or ""))


def _compiled(rules: Sequence[Path]) -> Compiled:
    loaded = load_rules(rules)
    return compile_rules(loaded.rules, loaded.correlations)


def _written(record: Record) -> bytes:
    return encode(record.document)


def losses(chance: random.Random) -> Iterator[bytes]:
    """Documents of lost events."""
    for _ in range(20):
        first = 1_790_000_000 * SECOND_NS + chance.randrange(10**17)
        counts = {"open": chance.randrange(1, 5000), "process": chance.randrange(1, 90)}
        yield encode(document_of_loss(Loss(first_ns=first, last_ns=first + 10**9, counts=counts)))


def varied(documents: Iterable[bytes]) -> Iterator[bytes]:
    """At most `_ALIKE` of documents that differ in little more than numbers."""
    seen: Counter[tuple[object, ...]] = Counter()
    for document in documents:
        told = json.loads(document)
        folder = told.get("file", {}).get("directory", "").split("/")[:4]
        image = told.get("process", {}).get("executable")
        key = (told.get("rule", {}).get("id"), told["event"].get("action"), image, *folder)
        seen[key] += 1
        if seen[key] <= _ALIKE:
            yield document


def train(samples: Sequence[bytes]) -> zstandard.ZstdCompressionDict:
    """The dictionary."""
    trained = zstandard.train_dictionary(
        DICTIONARY_BYTES, list(samples), level=LEVEL, dict_id=FIRST_ID, threads=0, **_COVER
    )
    return zstandard.ZstdCompressionDict(stamped(trained.as_bytes()))


def stamped(dictionary: bytes) -> bytes:
    """A dictionary whose id follows from its content: a store may have several, and each must stay itself."""
    magic, content = dictionary[:4], dictionary[8:]
    return magic + id_of(content).to_bytes(4, "little") + content


def id_of(content: bytes) -> int:
    """The id of a dictionary with this behind its head of eight bytes."""
    return FIRST_ID + int.from_bytes(hashlib.sha256(content).digest()[:2], "big") % FIRST_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How well documents compress, each alone: averages in bytes."""

    documents: int
    plain: float
    alone: float
    with_dictionary: float

    def __str__(self) -> str:
        return (
            f"{self.documents:7,} documents  {self.plain:6,.0f} bytes  {self.alone:5,.0f} without"
            f"  {self.with_dictionary:5,.0f} with the dictionary"
        )


def measure(dictionary: zstandard.ZstdCompressionDict, documents: Sequence[bytes]) -> Measured:
    """What the documents take, one frame each, with and without the dictionary."""
    knowing = zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary)
    ignorant = zstandard.ZstdCompressor(level=LEVEL)
    count = max(1, len(documents))
    return Measured(
        documents=len(documents),
        plain=sum(map(len, documents)) / count,
        alone=sum(len(ignorant.compress(one)) for one in documents) / count,
        with_dictionary=sum(len(knowing.compress(one)) for one in documents) / count,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", nargs="+", type=Path, help="what `record` has written")
    parser.add_argument(
        "--audit", action="append", type=Path, default=[], help="rules beside the shipped ones"
    )
    parser.add_argument(
        "--held-out", action="append", type=Path, default=[], help="recordings to measure with"
    )
    parser.add_argument(
        "--replace", action="append", nargs=2, default=[], metavar=("OLD", "NEW"), help="change lines first"
    )
    parser.add_argument("--forbid", action="append", default=[], help="a pattern that must not get in")
    parser.add_argument("--output", type=Path, default=TARGET, help="default: where the engine looks for it")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, write."""
    args = _parser().parse_args(arguments)
    chance = random.Random(7)
    writer = Writer([rules_dir(), *args.audit])
    forbidden = re.compile("|".join(args.forbid) if args.forbid else r"(?!)")
    change = replacing(args.replace)

    def clean(documents: Iterable[bytes]) -> list[bytes]:
        return [one for one in documents if not forbidden.search(one.decode())]

    cases = [clean(writer.documents(events)) for events in in_cases(chance)]
    told = writer.documents(list(recorded(args.recordings, change, chance)))
    held_out = clean(writer.documents(list(recorded(args.held_out, change, chance)))) if args.held_out else []
    live = list(varied(clean(told)))
    chance.shuffle(live)
    # Every fourth case is kept for the measurement; cases are alerts, of which there are few on a host.
    known = [one for number, case in enumerate(cases) if number % 4 for one in case]
    unknown = [one for number, case in enumerate(cases) if not number % 4 for one in case]
    samples = [*live[:_SAMPLES], *varied(known), *losses(chance)]
    dictionary = train(samples)
    content = dictionary.as_bytes()
    if leaked := forbidden.search(content.decode("utf-8", "replace")):
        print(f"the dictionary would hold {leaked[0]!r}", file=sys.stderr)
        return 1
    args.output.write_bytes(content)
    print(f"{args.output.name}: {len(content):,} bytes of {len(samples):,} documents")
    for name, documents in (("trained with", samples), ("held out", held_out), ("other cases", unknown)):
        print(f"{name:14}{measure(dictionary, documents)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
