"""A message that is no longer than a frame may be.

Most fit as they are. Of one that does not, the facts are served in this order:

1. what is essential (`id`, rule, level, action, outcome): the id leads to the whole record in the store;
2. the names of the file: as text; else, where that is shorter, as the Base64 of their bytes under `path_b64`;
   if not even that fits, cut;
3. the other facts, in order, then the message: the first that does not fit is cut, the rest is left out.

What is cut ends with an ellipsis, in no escape and in no character, and `truncated` names what is not whole.
Where not even that has room, the id stands alone, and `truncated` is `*`.
"""

import base64
import functools
from collections.abc import Sequence
from typing import Final

from fileaudit_engine.sinks.syslog.facts import BASE_NAME, Fact, Facts
from fileaudit_engine.sinks.syslog.form import Form
from fileaudit_engine.sinks.syslog.words import cut, shown, size, tame
from fileaudit_engine.text import from_document, to_kernel

ESSENTIAL: Final = frozenset({"id", "rule", "level", "action", "outcome"})
NAMES: Final = ("path", "source_path")
"""What can be had again whole, wherever that is possible."""
ESSENTIAL_BYTES: Final = 128
"""At most of each essential fact, once room is short."""
BASE64: Final = "_b64"
BEGIN_BYTES: Final = 256
"""At most of each text that a form begins with: titles are for people, but anything can stand there."""

_BARE_BYTES: Final = 8
_BARE_ID_BYTES: Final = 64
_EVERYTHING: Final = "*"

_OF_EACH: Final = frozenset(
    {"id", "path", "source_path", BASE_NAME, "target", "file", "pid", "command", "summary"}
)
"""Facts that are other ones in each record."""
_SHORT: Final = 256
"""Characters of a text that is worth remembering."""
_LEAST: Final = 16
"""A fact of which fewer bytes would be left is left out."""
_EXPANSION: Final = 4
"""Characters of a document's text for one byte of a name, at most: if a text has more than this many times
the bytes of a frame, neither it nor its Base64 can fit."""


def message_of(facts: Facts, ts_ns: int, form: Form, room: int) -> str:
    """What stands in a frame behind its header.

    Args:
        facts: What it says.
        ts_ns: When it happened, nanoseconds since the Unix epoch.
        form: How.
        room: Bytes.
    """
    if len(facts.message) + sum([len(text) for _, text in facts.facts]) < room:
        whole = _whole(facts, ts_ns, form)
        if size(whole) <= room:
            return whole
    fitted = _Fitting(facts, ts_ns, form, room).message()
    return fitted if size(fitted) <= room else _bare(facts, ts_ns, form)


def _whole(facts: Facts, ts_ns: int, form: Form) -> str:
    pairs, files = [], 0
    for name, text in facts.facts:
        if name in _OF_EACH or len(text) > _SHORT:
            files += name == "file"
            pairs.append(_pair(form, name, files, text))
        else:
            pairs.append(_known_pair(form, name, 0, text))
    told = form.separator.join(filter(None, pairs))
    message = form.escape_message(tame(facts.message))
    return f"{form.begin(facts, ts_ns, BEGIN_BYTES)}{told}{form.end(message)}"


def _pair(form: Form, name: str, number: int, text: str) -> str:
    """A fact as the form has it; empty if it has none such."""
    key = form.key(name, number)
    return form.pair(key, form.escape(form.prepare(shown(text)))) if key else ""


_known_pair: Final = functools.lru_cache(maxsize=8_192)(_pair)
"""Users, programs and rules come again and again."""


def _bare(facts: Facts, ts_ns: int, form: Form) -> str:
    """What leads to the record, and no more."""
    pairs = [
        form.pair(form.key(name, 0), cut(form.prepare(shown(text)), _BARE_ID_BYTES, form.escape))
        for name, text in facts.facts
        if name == "id"
    ]
    pairs.append(form.pair(form.key("truncated", 0), _EVERYTHING))
    return f"{form.begin(facts, ts_ns, _BARE_BYTES)}{form.separator.join(pairs)}{form.end('')}"


class _Fitting:
    """The work on one message that is too long.

    Attributes:
        pairs: What is chosen, by place.
        lacking: What is not whole.
        room: Bytes that are left.
    """

    def __init__(self, facts: Facts, ts_ns: int, form: Form, room: int) -> None:
        self.form = form
        self.most = room * _EXPANSION
        self.message_text = tame(facts.message[: self.most])
        self.facts = _numbered(facts.facts, form)
        self.begun = form.begin(facts, ts_ns, min(BEGIN_BYTES, room // 8))
        self.pairs: dict[int, str] = {}
        self.lacking: list[str] = []
        names = {name: None for name, _, _ in self.facts if name not in ESSENTIAL or name == "rule"}
        note = form.pair(form.key("truncated", 0), ",".join([*names, "message"]))
        ends = size(form.end("?")) + size(form.separator)
        self.room = room - size(self.begun) - size(note) - ends

    def message(self) -> str:
        """All that fits."""
        self._add([fact for fact in enumerate(self.facts) if fact[1][0] in ESSENTIAL], ESSENTIAL_BYTES)
        self._add_names()
        rest = [fact for fact in enumerate(self.facts) if fact[1][0] not in (*ESSENTIAL, *NAMES)]
        self._add_rest(rest)
        text = self._message_text()
        if self.lacking:
            note = ",".join(dict.fromkeys(self.lacking))
            self.pairs[len(self.facts)] = self.form.pair(self.form.key("truncated", 0), note)
        pairs = self.form.separator.join(self.pairs[place] for place in sorted(self.pairs))
        return f"{self.begun}{pairs}{self.form.end(text)}"

    def _message_text(self) -> str:
        form = self.form
        text = cut(self.message_text, max(self.room, 0), form.escape_message)
        if text != form.escape_message(self.message_text):
            self.lacking.append("message")
        return text

    def _add(self, facts: Sequence[tuple[int, tuple[str, str, str]]], most: int) -> None:
        for place, (name, key, text) in facts:
            self._put(place, name, key, self._prepared(text), most)

    def _add_rest(self, facts: Sequence[tuple[int, tuple[str, str, str]]]) -> None:
        """The others, each as far as it leaves half of the room to what comes behind it."""
        for fact in facts:
            self._add([fact], self.room // 2)

    def _put(self, place: int, name: str, key: str, text: str, most: int) -> None:
        """A fact as far as it fits into what is left and into `most` bytes."""
        around = size(self.form.pair(key, "")) + size(self.form.separator)
        room = min(self.room - around, most)
        escaped = cut(text, max(room, 0), self.form.escape)
        whole = escaped == self.form.escape(text)
        if not whole:
            self.lacking.append(name)
        if whole or room >= _LEAST:
            self.pairs[place] = self.form.pair(key, escaped)
            self.room -= around + size(escaped)

    def _add_names(self) -> None:
        """Each the shorter way if not all fit as text; what does not fit even so gets an equal share."""
        names = [fact for fact in enumerate(self.facts) if fact[1][0] in NAMES]
        texts = {place: self._prepared(text) for place, (_, _, text) in names}
        if sum(self._bytes_of(key, texts[place]) for place, (_, key, _) in names) > self.room:
            names = [self._shorter(place, fact, texts) for place, fact in names]
        names.sort(key=lambda fact: self._bytes_of(fact[1][1], texts[fact[0]]))
        for left, (place, (name, key, text)) in zip(range(len(names), 0, -1), names, strict=True):
            share = self.room // left
            plain = self.form.key(name, 0)
            if key != plain and self._bytes_of(key, texts[place]) > share:  # half a Base64 helps nobody
                self._put(place, name, plain, self._prepared(text), share)
            else:
                self._put(place, name, key, texts[place], share)

    def _shorter(
        self, place: int, fact: tuple[str, str, str], texts: dict[int, str]
    ) -> tuple[int, tuple[str, str, str]]:
        """A name as Base64, if that is shorter; then that is its text."""
        name, key, text = fact
        if len(text) > self.most:
            return place, fact
        coded = base64.b64encode(to_kernel(from_document(text))).decode()
        coded_key = self.form.key(name + BASE64, 0)
        if self._bytes_of(coded_key, coded) >= self._bytes_of(key, texts[place]):
            return place, fact
        texts[place] = coded
        return place, (name, coded_key, text)

    def _bytes_of(self, key: str, text: str) -> int:
        return size(self.form.pair(key, self.form.escape(text))) + size(self.form.separator)

    def _prepared(self, text: str) -> str:
        return self.form.prepare(shown(text[: self.most]))


def _numbered(facts: Sequence[Fact], form: Form) -> list[tuple[str, str, str]]:
    """Name, the form's key and text of all facts that the form has a key for."""
    found, files = [], 0
    for name, text in facts:
        files += name == "file"
        key = form.key(name, files)
        if key:
            found.append((name, key, text))
    return found
