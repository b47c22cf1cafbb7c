"""A search as its description has it: every document is looked at, from its members alone."""

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from fileaudit_engine.store.search import Search
from fileaudit_engine.store.stored import StoredRecord
from fileaudit_engine.text import fold, from_document, from_kernel, to_document, to_kernel

Tokens = tuple[str, ...]
"""Of one character each, or one of `*`, `**` and `?`, marked by a NUL in front."""


def found(records: Iterable[StoredRecord], wanted: Search) -> list[int]:
    """The numbers of the records that are looked for, in order."""
    met = [record for record in records if _meets(record, wanted)]
    met.sort(key=lambda record: (record.ts_ns, record.seq), reverse=wanted.newest_first)
    end = None if wanted.limit is None else wanted.skip + wanted.limit
    return [record.seq for record in met[wanted.skip : end]]


def _meets(record: StoredRecord, wanted: Search) -> bool:
    document = record.document
    upto = record.seq if wanted.upto_seq is None else wanted.upto_seq
    return (
        (wanted.since_ns is None or record.ts_ns >= wanted.since_ns)
        and (wanted.until_ns is None or record.ts_ns < wanted.until_ns)
        and wanted.after_seq < record.seq <= upto
        and _one_of(wanted.kinds, [_kind(document)])
        and _one_of(wanted.levels, _texts(document, "fileaudit.rule.level"))
        and _one_of(wanted.operations, _deed(document, "event.action"))
        and _one_of(wanted.outcomes, _deed(document, "event.outcome"))
        and _one_of(wanted.ids, _texts(document, "event.id"))
        and _fits(wanted.rules, _texts(document, "rule.id"))
        and _fits(wanted.paths, _paths(document), crossing=False)
        and _fits(wanted.users, _users(document))
        and (not wanted.processes or any(_is_process(document, value) for value in wanted.processes))
        and (not wanted.containers or any(_is_container(document, value) for value in wanted.containers))
        and (not wanted.words or any(_says(document, words) for words in wanted.words))
    )


def _kind(document: dict[str, Any]) -> str:
    if document["event"]["kind"] == "alert":
        return "alert"
    return "engine" if document["event"].get("dataset") == "fileaudit.engine" else "event"


def _texts(document: dict[str, Any], *names: str) -> list[str]:
    """The first of the members that is there."""
    for name in names:
        value: Any = document
        for part in name.split("."):
            value = value.get(part, {})
        if value:
            return [value]
    return []


def _deed(document: dict[str, Any], name: str) -> list[str]:
    return [] if document["event"].get("dataset") == "fileaudit.engine" else _texts(document, name)


def _paths(document: dict[str, Any]) -> list[str]:
    if document["event"].get("dataset") == "fileaudit.engine":
        return []
    others = ("fileaudit.source_path", "fileaudit.alias_path", "fileaudit.container_path")
    return _texts(document, "file.path", "fileaudit.asked_path") + _texts(document, *others)


def _users(document: dict[str, Any]) -> list[str]:
    return _texts(document, "user.name", "user.id") + _texts(
        document, "fileaudit.login_user.name", "fileaudit.login_user.id"
    )


def _is_process(document: dict[str, Any], value: str) -> bool:
    images = _texts(document, "process.executable")
    if value.isdecimal():
        return bool(document.get("process", {}).get("pid") == int(value))
    if "/" in value or "**" in value:
        return _fits([value], images, crossing=False)
    if _fits([value], _texts(document, "process.name")):
        return True
    bases = [image.rpartition("/")[2] for image in images if "/" in image]
    return _fits([value], bases, crossing=False)


def _is_container(document: dict[str, Any], value: str) -> bool:
    if _fits([value], _texts(document, "container.name", "container.id")):
        return True
    shown = _texts(document, "container.name", "container.id") + _texts(document, "container.id")
    digits = set(value) <= set("0123456789abcdef") and 6 <= len(value) <= 64
    return digits and any(text.startswith(value) for text in shown)


def _says(document: dict[str, Any], words: str) -> bool:
    texts = [*_paths(document), *_users(document), *_texts(document, "rule.id")]
    texts += _texts(document, "process.executable") + _texts(document, "process.name")
    texts += [line[:1_024] for line in _texts(document, "process.command_line")]
    texts += _texts(document, "container.name", "container.id")
    return any(fold(to_document(words)) in fold(text) for text in texts)


def _one_of(values: Iterable[str], texts: list[str]) -> bool:
    wanted = list(values)
    return not wanted or any(text in wanted for text in texts)


def _fits(globs: Iterable[str], texts: list[str], *, crossing: bool = True) -> bool:
    patterns = [tuple(_tokens(glob)) for glob in globs]
    return not patterns or any(
        _matches(pattern, from_document(text), crossing) for pattern in patterns for text in texts
    )


def _tokens(glob: str) -> Iterator[str]:
    literal = ""
    while glob:
        if glob[0] == "\\" and glob[1:2] in {"*", "?", "\\"} - {""}:
            literal, glob = literal + glob[1], glob[2:]
        elif glob[:2] == "\\x" and len(glob) >= 4 and set(glob[2:4].lower()) <= set("0123456789abcdef"):
            literal, glob = literal + _character(int(glob[2:4], 16)), glob[4:]
        elif glob[0] in "*?":
            yield from from_kernel(to_kernel(literal))
            literal = ""
            stars = len(glob) - len(glob.lstrip("*"))
            yield "\0" + ("?" if not stars else "*" if stars == 1 else "**")
            glob = glob[max(1, stars) :]
        else:
            literal, glob = literal + glob[0], glob[1:]
    yield from from_kernel(to_kernel(literal))


def _character(byte: int) -> str:
    return chr(byte) if byte < 0x80 else chr(0xDC00 + byte)


@functools.lru_cache(maxsize=100_000)
def _matches(pattern: Tokens, text: str, crossing: bool) -> bool:  # noqa: FBT001 - cached
    if not pattern:
        return not text
    first, rest = pattern[0], pattern[1:]
    if first in {"\0*", "\0**"}:
        may_cross = crossing or first == "\0**"
        taken = bool(text) and (may_cross or text[0] != "/")
        return _matches(rest, text, crossing) or (taken and _matches(pattern, text[1:], crossing))
    if not text:
        return False
    fits = (crossing or text[0] != "/") if first == "\0?" else first == text[0]
    return fits and _matches(rest, text[1:], crossing)
