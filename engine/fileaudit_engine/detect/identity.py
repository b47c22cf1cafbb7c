"""What makes an event this event and no other, as a fingerprint: the same wherever the event is read.

Left out is what the same event says in one place and not in another: the host, which a live event does not
name, fields that are kept only on request, and the inode of an image, which documents do not have.

The fingerprint is that of one MessagePack list of all facts in their order. The stretches of it that many
events share (the process and its ancestors, the user, the owner of the file) are written once and joined.
MessagePack keeps `("a", "b")` apart from `("ab",)`.
"""

import operator
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import Final

import msgspec

from fileaudit_engine.events.memo import ByFacts, ByIdentity
from fileaudit_engine.events.model import Container, FileEvent, Process
from fileaudit_engine.text import to_document, to_kernel

_ID_BYTES: Final = 16
"""128 bits: no two events of a planet's hosts will share an id by chance."""

Facts = tuple[object, ...]
Stretch = tuple[bytes, int]
"""Members of a MessagePack list without its head, and how many they are."""

_SHORT: Final = 16
"""Members from which the head of a MessagePack list has three bytes."""
_LONG: Final = 1 << 16
"""Members from which it has five."""

_encode: Final = msgspec.msgpack.Encoder().encode
_EMPTY: Final[Stretch] = (b"", 0)


def fingerprint(event: FileEvent) -> str:
    """The event's identity, as hexadecimal digits."""
    mode = event.access_mode
    call = (
        event.ts_ns,
        event.operation.value,
        _word(event.syscall),
        _raw(event.path),
        _raw(event.asked_path),
        int(event.path_state),
        event.flags,
        mode.value if mode else None,
        event.errno,
        event.result,
        event.inode,
        event.device,
        event.mode,
        event.thread_id,
    )
    ids, names, effective, users = _user(event)
    line, members = _line(event.process)
    owner, owners = _owner(event)
    place, places = _place(event)
    rest, others = _rest(event)
    count = len(call) + 1 + users + members + places + owners + others
    stretches = (_head(count), _encode(call)[1:], ids, _encode(event.cgroup_id))
    return digest(b"".join((*stretches, names, line, effective, place, owner, rest)))


def digest(raw: bytes) -> str:
    """A fingerprint of bytes, as hexadecimal digits."""
    return blake2b(raw, digest_size=_ID_BYTES).hexdigest()


def pack(facts: Facts) -> bytes:
    """Facts as a MessagePack list."""
    return _encode(facts)


def _head(count: int) -> bytes:
    """The head of a list of more than fifteen members: there are never fewer."""
    return b"\xdc" + count.to_bytes(2, "big") if count < _LONG else b"\xdd" + count.to_bytes(4, "big")


def _raw(name: str | None) -> bytes | None:
    """A name as bytes: MessagePack takes no surrogates."""
    return None if name is None else to_kernel(name)


def _word(text: str | None) -> str | bytes | None:
    """A word of the kernel's; in a recording it may be anything, which MessagePack takes as bytes only."""
    return text if text is None or text.isascii() or to_document(text) == text else to_kernel(text)


def _joined(facts: Iterator[object]) -> Stretch:
    listed = list(facts)
    count = len(listed)
    return _encode(listed)[1 if count < _SHORT else 3 if count < _LONG else 5 :], count


def _named(event: FileEvent, names: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
    """Every such fact under its name: an event that lacks one has the id that it had before there was any."""
    return _known(names, (getattr(event, name) for name in names))


def _known(names: Iterable[str], values: Iterable[object]) -> Iterator[tuple[object, ...]]:
    for name, value in zip(names, values, strict=True):
        if value is not None:
            yield name, _raw(value) if isinstance(value, str) else value


_IDS: Final = (
    *("user_id", "group_id", "effective_user_id", "effective_group_id", "login_user_id", "session_id"),
)
_NAMES: Final = ("user_name", "group_name", "login_user_name")
_EFFECTIVE: Final = ("effective_user_name", "effective_group_name")
_PLACE: Final = ("working_directory", "container_path", "alias_path")
_OWNER: Final = ("owner_id", "owner_group_id", "owner_name", "owner_group_name")
_REST: Final = (
    *("size_bytes", "source_path", "asked_source_path", "link_target", "new_mode"),
    *("new_owner_id", "new_owner_group_id", "new_owner_name", "new_owner_group_name"),
    *("new_accessed_ns", "new_modified_ns", "new_size_bytes", "attribute_name"),
    *("transferred_bytes", "transfer_calls", "mount_source", "file_system"),
)
"""Facts that only some events have, or only some sources know; the first one every live event has."""


def _user_stretches(event: FileEvent) -> tuple[bytes, bytes, bytes, int]:
    """Ids, names and effective names, and how many they are together."""
    ids, first = _joined(getattr(event, name) for name in _IDS)
    names, second = _joined(_raw(getattr(event, name)) for name in _NAMES)
    effective, third = _joined(_named(event, _EFFECTIVE))
    return ids, names, effective, first + second + third


def _line_stretch(process: Process) -> Stretch:
    """A process and its ancestors, seven facts each."""

    def facts() -> Iterator[object]:
        member: Process | None = process
        while member is not None:
            yield member.pid
            yield member.start_ns
            yield _raw(member.executable)
            yield None if member.args is None else tuple(map(to_kernel, member.args))
            yield member.args_truncated
            yield _raw(member.name)
            yield member.parent_pid
            member = member.parent

    return _joined(facts())


def _owner_stretch(event: FileEvent) -> Stretch:
    return _joined(_named(event, _OWNER))


def _place(event: FileEvent) -> Stretch:
    directory = event.working_directory
    if directory is not None and event.container_path is None and event.alias_path is None:
        return _encode(("working_directory", to_kernel(directory))), 1
    return _joined(_named(event, _PLACE))


def _rest(event: FileEvent) -> Stretch:
    size, *others = _seldom(event)
    if event.container is None and others == _NOTHING:  # an open, and opens are most
        return _EMPTY if size is None else (_encode(("size_bytes", size)), 1)
    stretch, count = _joined(_known(_REST, (size, *others)))
    if event.container is None:
        return stretch, count
    return stretch + _container(event.container), count + 1


def _container_stretch(container: Container) -> bytes:
    return _encode(("container", *(_raw(value) for value in msgspec.structs.astuple(container))))


_user: Final = ByFacts(operator.attrgetter(*_IDS, *_NAMES, *_EFFECTIVE), _user_stretches, limit=1024)
_owner: Final = ByFacts(operator.attrgetter(*_OWNER), _owner_stretch, limit=1024)
_line: Final = ByIdentity(_line_stretch, limit=8192)
_container: Final = ByIdentity(_container_stretch, limit=256)
_seldom: Final[Callable[[FileEvent], Facts]] = operator.attrgetter(*_REST)
_NOTHING: Final = [None] * (len(_REST) - 1)
