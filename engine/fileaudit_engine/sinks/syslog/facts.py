"""What a frame says of a record, whatever its form.

The document is in the store and has everything; a frame says who did what to which file with which program,
why that is worth a line, and under which id the rest is found.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from fileaudit_engine.detect.record import Kind
from fileaudit_engine.events.document import ENGINE_DATASET
from fileaudit_engine.rules.ast import QUIET_LEVEL

FILES_TOLD: Final = 10
"""Of the files of a correlation."""

BASE_NAME: Final = "fname"
"""The fact that is a part of another one: told only by a form whose readers look for it."""

Fact = tuple[str, str]
"""A name of ours, and the text as documents have it."""


class Facts(NamedTuple):
    """A record, as far as frames go.

    Attributes:
        kind: Alert, audit event, or what the engine says about itself.
        level: Sigma's; of another word, informational.
        host: Where it happened; empty if nobody knows.
        rule: The rule's key; of the engine's records their action.
        title: The rule's title; of the engine's records the beginning of the message.
        message: In a sentence, names in it printable.
        facts: In the order in which they are told; the essential ones come first. A name may be there often.
    """

    kind: Kind
    level: str
    host: str
    rule: str
    title: str
    message: str
    facts: list[Fact]


class _Named(msgspec.Struct):
    name: str | None = None
    id: str | None = None


class _Event(msgspec.Struct):
    id: str = ""
    kind: str = ""
    dataset: str = ""
    action: str | None = None
    outcome: str | None = None


class _File(msgspec.Struct):
    path: str | None = None
    name: str | None = None
    target_path: str | None = None


class _Parent(msgspec.Struct):
    executable: str | None = None


class _Process(msgspec.Struct):
    pid: int | None = None
    name: str | None = None
    executable: str | None = None
    command_line: str | None = None
    parent: _Parent | None = None


class _Ids(msgspec.Struct):
    id: list[str] = []
    name: list[str] = []


class _Technique(msgspec.Struct):
    id: list[str] = []
    subtechnique: _Ids | None = None


class _Threat(msgspec.Struct):
    tactic: _Ids | None = None
    technique: _Technique | None = None


class _Level(msgspec.Struct):
    level: str = QUIET_LEVEL


class _Correlation(msgspec.Struct):
    summary: str = ""
    total: int = 0
    files: list[str] = []
    files_total: int = 0


class _Repeats(msgspec.Struct):
    of: str = ""
    count: int = 0


class _Losses(msgspec.Struct):
    total: int | None = None


class _Own(msgspec.Struct):
    rule: _Level = msgspec.field(default_factory=_Level)
    source_path: str | None = None
    errno_name: str | None = None
    login_user: _Named | None = None
    correlation: _Correlation | None = None
    repeats: _Repeats | None = None
    losses: _Losses | None = None


class _Document(msgspec.Struct):
    event: _Event = msgspec.field(default_factory=_Event)
    message: str = ""
    host: _Named | None = None
    rule: _Named | None = None
    file: _File | None = None
    process: _Process | None = None
    user: _Named | None = None
    container: _Named | None = None
    threat: _Threat | None = None
    fileaudit: _Own = msgspec.field(default_factory=_Own)


_DECODER: Final = msgspec.json.Decoder(_Document)
_NOBODY: Final = _Named()
_NO_PROCESS: Final = _Process()


def facts_of(raw: bytes) -> Facts:
    """What a frame says of a stored document.

    Raises:
        msgspec.MsgspecError: It is no document of ours.
        ValueError: It is no UTF-8.
    """
    document = _DECODER.decode(raw)
    event, own, rule = document.event, document.fileaudit, document.rule or _NOBODY
    kind = _kind_of(event)
    level = own.rule.level
    key = rule.id or event.action or kind.value
    facts = [("id", event.id), ("rule", rule.id), ("level", level)]
    facts += [("action", event.action), ("outcome", event.outcome)]
    _tell_of_files(facts, document)
    _tell_of_people(facts, document)
    if document.threat is not None:
        _tell_of_attack(facts, document.threat)
    if own.correlation is not None or own.repeats is not None or own.losses is not None:
        _tell_of_number(facts, own)
    if document.process is not None:
        facts.append(("command", document.process.command_line))  # the longest, and the first to be cut
    title = rule.name or document.message.partition(":")[0]
    host = document.host.name if document.host is not None else None
    told = [(name, text) for name, text in facts if text]
    return Facts(kind, level, host or "", key, title, document.message, told)


def _kind_of(event: _Event) -> Kind:
    if event.kind == "alert":
        return Kind.ALERT
    return Kind.ENGINE if event.dataset == ENGINE_DATASET else Kind.EVENT


_Told = list[tuple[str, str | None]]


def _tell_of_files(facts: _Told, document: _Document) -> None:
    own = document.fileaudit
    if document.file is not None:
        file = document.file
        facts += [("path", file.path), (BASE_NAME, file.name), ("target", file.target_path)]
    facts.append(("source_path", own.source_path))
    if own.errno_name is not None:
        facts.append(("error", own.errno_name))
    if own.correlation is not None:
        facts += [("file", file) for file in own.correlation.files[:FILES_TOLD]]


def _tell_of_people(facts: _Told, document: _Document) -> None:
    user, login = document.user or _NOBODY, document.fileaudit.login_user or _NOBODY
    process, container = document.process or _NO_PROCESS, document.container or _NOBODY
    facts += [
        ("user", user.name),
        ("uid", user.id),
        ("login_user", login.name),
        ("login_uid", login.id),
        ("exe", process.executable or process.name),
        ("pid", None if process.pid is None else str(process.pid)),
        ("parent_exe", None if process.parent is None else process.parent.executable),
        ("container", container.id),
        ("container_name", container.name),
    ]


def _tell_of_attack(facts: _Told, threat: _Threat) -> None:
    if threat.tactic is not None:
        facts.append(("tactic", _joined(threat.tactic.id)))
    if threat.technique is not None:
        finer = threat.technique.subtechnique
        facts.append(("technique", _joined([*threat.technique.id, *(finer.id if finer else ())])))


def _tell_of_number(facts: _Told, own: _Own) -> None:
    if own.correlation is not None:
        found = own.correlation
        facts += [("summary", found.summary), ("events", str(found.total))]
        facts.append(("files", str(found.files_total) if found.files_total else None))
    if own.repeats is not None:
        facts += [("repeats", str(own.repeats.count)), ("repeat_of", own.repeats.of)]
    if own.losses is not None:
        total = own.losses.total
        facts.append(("losses", "unknown" if total is None else str(total)))


def _joined(ids: Sequence[str]) -> str:
    return ",".join(ids)
