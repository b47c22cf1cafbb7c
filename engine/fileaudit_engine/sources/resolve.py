"""From a record to its events: paths followed to their ends, and a file under each of its names.

The kernel resolves what it can be sure of. What is left, is done here, at once, while the names still mean
what they meant: paths that it left unresolved are followed (`follow`), and what a record lacks of a file that
is there is looked up.

A file may have several names, and rules know any of them:

    /mnt/b/shadow, the way through a bind mount          /etc/shadow, its canonical name (`mount_table`)
    /tmp/x, a hard link                                  /etc/shadow, by its inode (`known_files`)
    /etc/shadow inside of a container                    /var/lib/docker/…/merged/etc/shadow, to the host

Then the record becomes an event for each name, with the clauses that may match it under that name. They are
one call: a batch says so, and who evaluates rules counts a rule once.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from fileaudit_engine.compiler.classifier import classify, facts_of
from fileaudit_engine.compiler.plan import KernelPlan
from fileaudit_engine.events.batch import EVERY
from fileaudit_engine.events.model import AccessMode, FileEvent, Operation, PathState
from fileaudit_engine.events.wire import FileRecord, Hint, Lookups
from fileaudit_engine.sources.follow import Caller, Follower, Place, normalised
from fileaudit_engine.sources.known_files import KnownFiles
from fileaudit_engine.sources.look import Status
from fileaudit_engine.sources.mount_table import MountWatch, within
from fileaudit_engine.sources.nowhere import is_nowhere, name_of
from fileaudit_engine.text import from_kernel, to_kernel

_ELSEWHERE: Final = PathState.UNREACHABLE | PathState.FOREIGN
_NOT_FOLLOWED: Final = PathState.TRUNCATED | PathState.DELETED
"""What can no longer be followed: its beginning is gone, or its folder, and another may be called so."""
_O: Final = Operation
_THERE_AFTERWARDS: Final = frozenset(
    {
        *(_O.CREATE, _O.MKDIR, _O.RENAME, _O.LINK, _O.SYMLINK, _O.CHMOD, _O.CHOWN, _O.UTIMES),
        *(_O.SETXATTR, _O.REMOVEXATTR, _O.TRUNCATE),
    }
)
"""Operations that leave a file by the name of the event."""
_ON_NAMES: Final = frozenset({_O.CREATE, _O.MKDIR, _O.RMDIR, _O.UNLINK, _O.RENAME, _O.LINK, _O.SYMLINK})
"""Operations on a name in a folder; all others look up what is called so."""


class Named(NamedTuple):
    """An event, and the clauses that it may satisfy."""

    event: FileEvent
    candidates: int


class Resolver:
    """Makes events of records. Use it from one thread.

    Args:
        mounts: Those of the host.
        known: The files that rules name.
        plan: What the kernel filters by.
    """

    def __init__(self, mounts: MountWatch, known: KnownFiles, plan: KernelPlan) -> None:
        self.plan = plan
        self._mounts = mounts
        self._known = known
        self._follower = Follower(mounts)

    def event(self, record: FileRecord, lookups: Lookups) -> FileEvent:
        """The event of a record whose file has one name."""
        event = record.event
        if event.path_state or record.second_state or event.mode is None or event.path is None:
            event, _ = self._finished(record, lookups)
        if event.path in self._known.by_name:
            self._known.saw(event.path, event.device, event.inode)
        return event

    def events(self, record: FileRecord, candidates: int, lookups: Lookups) -> list[Named]:
        """The events of a record, one for each name of the file by which a rule may know it.

        Args:
            record: What the kernel tells.
            candidates: The clauses that may match any of them, or `EVERY`.
            lookups: What gives its numbers a meaning.

        Returns:
            At least one: where no name has a candidate, the first keeps those of the kernel.
        """
        event, place = self._finished(record, lookups)
        self._known.saw(event.path, event.device, event.inode)
        names = self._names(record, event, place)
        if len(names) == 1:
            return [Named(names[0], candidates)]
        shared = [Named(one, self._clauses(one, candidates)) for one in names]
        return [one for one in shared if one.candidates] or [Named(names[0], candidates)]

    def _clauses(self, event: FileEvent, candidates: int) -> int:
        """Those of the candidates that the event may satisfy by its paths, not by other names of them."""
        if candidates == EVERY:
            return EVERY
        bare = msgspec.structs.replace(
            event,
            path_state=event.path_state & ~PathState.FOLLOWED,
            container_path=None,
            alias_path=None,
        )
        return candidates & classify(self.plan, facts_of(bare))

    def _finished(self, record: FileRecord, lookups: Lookups) -> tuple[FileEvent, Place | None]:
        """The event with its paths followed and what the record lacks, and where its path led."""
        event = record.event
        if event.path is None or is_nowhere(event.device):
            return _in_no_folder(event), None
        changes: dict[str, Any] = {}
        place = None
        if event.path_state & PathState.UNRESOLVED:
            keep = _keeps_last(event, record.hints)
            place = self._place(event, event.path, event.asked_path, event.path_state, keep_last=keep)
            changes |= {"path": place.path, "path_state": self._state(event.path_state, place)}
            if not place.whole and record.alias and record.hints & Hint.DESCRIPTOR:  # closed meanwhile
                state = (event.path_state & ~PathState.UNRESOLVED) | PathState.FOLLOWED
                changes |= {"path": record.alias, "path_state": state}
        elif _is_incomplete(event):
            place = self._place(event, event.path, None, event.path_state, keep_last=True)
        if place and place.status and _is_incomplete(event):
            changes |= self._facts(event.operation, place.status, lookups)
        if event.source_path is not None and record.second_state & PathState.UNRESOLVED:
            keep = bool(record.hints & Hint.SECOND_NAME) and not _ends_open(event, event.source_path)
            asked, state = event.asked_source_path, record.second_state
            source = self._place(event, event.source_path, asked, state, keep_last=keep)
            changes["source_path"] = source.path
        state, path = changes.get("path_state", event.path_state), changes.get("path", event.path)
        if state & PathState.UNREACHABLE and path.startswith("/"):
            changes["container_path"] = path
        return (msgspec.structs.replace(event, **changes) if changes else event), place

    def _place(
        self, event: FileEvent, path: str, asked: str | None, state: PathState, *, keep_last: bool
    ) -> Place:
        if state & _NOT_FOLLOWED or not path.startswith("/") or _is_mere_look(event):
            return Place(normalised(path) if path.startswith("/") else path, whole=False)
        pid = event.process.pid
        caller = Caller(
            pid,
            event.thread_id or pid,
            elsewhere=bool(state & PathState.UNREACHABLE),
            root=_root_shown(path, asked),
        )
        return self._follower.follow(path, caller, keep_last=keep_last)

    def _state(self, state: PathState, place: Place) -> PathState:
        """What is known of a path after it has been followed."""
        if not place.whole:
            return state
        state = (state & ~PathState.UNRESOLVED) | PathState.FOLLOWED
        if place.deleted:
            state |= PathState.DELETED
        if place.status and is_nowhere(place.status.device):
            return state
        if not state & PathState.UNREACHABLE and place.mount and self._mounts.mount(place.mount) is None:
            state |= _ELSEWHERE  # it led there by way of /proc; we do not ask whose work that namespace is
        return state

    def _facts(self, operation: Operation, found: Status, lookups: Lookups) -> dict[str, Any]:
        """What the record lacks of its file, as it is after the call; what the call changed, is left out."""
        facts: dict[str, Any] = {
            "inode": found.inode,
            "device": self._device(found),
            "size_bytes": found.size,
        }
        if operation is not Operation.CHMOD:
            facts["mode"] = found.mode
        if operation is not Operation.CHOWN:
            facts |= {
                "owner_id": found.owner,
                "owner_group_id": found.group,
                "owner_name": lookups.user(found.owner),
                "owner_group_name": lookups.group(found.group),
            }
        return facts

    def _device(self, found: Status) -> int:
        """By the kernel's own number."""
        mount = self._mounts.mount(found.mount)
        return mount.device if mount else found.device

    def _names(self, record: FileRecord, event: FileEvent, place: Place | None) -> list[FileEvent]:
        """The event under each name of its file, the host's first."""
        path = event.path
        if path is None or not path.startswith("/"):
            return [event]
        if event.container_path is not None:
            host = self._host_name(record, place)
            names = [event] if host is None else [_on_host(event, path, host)]
            if host not in {None, path}:
                names.append(event)
        else:
            alias = self._canonical_name(record, event, place)
            names = [event] if alias in {None, path} else [event, _by(event, path, str(alias))]
            names += self._by_source(event, names)
        return [*names, *self._known_names(record, event, place, names)]

    def _known_names(
        self, record: FileRecord, event: FileEvent, place: Place | None, names: list[FileEvent]
    ) -> Iterator[FileEvent]:
        """The event under those names by which rules know the inode.

        A call on a name is about that name, and not about the others of the file.
        """
        if event.operation in _ON_NAMES and (record.alias is not None or not record.hints & Hint.ALIAS):
            return
        used = names[0].path or ""
        there = {name.path for name in names}
        device, inode = event.device, event.inode
        if inode is None and place is not None and place.status is not None:  # it was denied
            device, inode = self._device(place.status), place.status.inode
        for known in self._known.of(device, inode, used):
            if known.name not in there:
                yield msgspec.structs.replace(
                    event, path=known.name, alias_path=used, path_state=PathState.RESOLVED
                )

    def _canonical_name(self, record: FileRecord, event: FileEvent, place: Place | None) -> str | None:
        """The name of a bind-mounted file by the mount that is not one."""
        if not record.event.path_state & PathState.UNRESOLVED:
            return record.alias
        if place is not None and place.whole and event.path is not None:
            name = self._mounts.table.canonical_name(place.mount, to_kernel(event.path))
            return None if name is None else from_kernel(name)
        return normalised(record.alias) if record.alias else None

    def _by_source(self, event: FileEvent, names: list[FileEvent]) -> Iterator[FileEvent]:
        """The event under the canonical name of its second path, where that is in a mount of its own.

        A rename or a link from there fails, and somebody has tried to take the file.
        """
        if event.source_path is None or not event.source_path.startswith("/"):
            return
        source = to_kernel(event.source_path)
        mount = self._mounts.table.at(source)
        name = mount and self._mounts.table.canonical_name(mount.number, source)
        if name and from_kernel(name) not in {one.source_path for one in names}:
            yield msgspec.structs.replace(names[-1], source_path=from_kernel(name))

    def _host_name(self, record: FileRecord, place: Place | None) -> str | None:
        """The host's name of a file that was reached in another mount namespace."""
        if not record.event.path_state & PathState.UNRESOLVED:
            return record.alias
        if place is not None and place.whole:
            mount = place.elsewhere
            inside = within(mount, to_kernel(place.path)) if mount else None
            if mount and inside is not None:
                name = self._mounts.table.host_name(mount.device, inside)
                return None if name is None else from_kernel(name)
        return normalised(record.alias) if record.alias else None


def _is_mere_look(event: FileEvent) -> bool:
    """A try to name a file that came to nothing: nothing was opened that could be read.

    That is how engines look where a name leads. Two of them on a host would follow each other for ever.
    """
    return event.operation is _O.OPEN and event.access_mode is AccessMode.PATH and bool(event.errno)


def _root_shown(path: str, asked: str | None) -> str:
    """The root of a caller who passed an absolute name: what the kernel has put before it."""
    return path.removesuffix(asked) if asked and asked.startswith("/") and path != asked else ""


def _keeps_last(event: FileEvent, hints: Hint) -> bool:
    return bool(hints & Hint.NAME) and not (
        event.operation not in _ON_NAMES and _ends_open(event, event.path)
    )


def _ends_open(event: FileEvent, path: str | None) -> bool:
    """Whether the path ends with a slash: then a link is followed by calls that look up the file itself."""
    return event.operation is not Operation.RENAME and path is not None and path.endswith("/")


def _in_no_folder(event: FileEvent) -> FileEvent:
    name = name_of(event.path, device=event.device, inode=event.inode)
    return event if name == event.path else msgspec.structs.replace(event, path=name)


def _is_incomplete(event: FileEvent) -> bool:
    """Whether the record says nothing of a file that is there."""
    return event.mode is None and not event.errno and event.operation in _THERE_AFTERWARDS


def _on_host(event: FileEvent, path: str, host: str) -> FileEvent:
    """The event under the host's name of a file that is called `path` elsewhere."""
    return msgspec.structs.replace(
        event,
        path=host,
        path_state=event.path_state & ~_ELSEWHERE,
        source_path=_moved(event.source_path, path, host),
    )


def _by(event: FileEvent, path: str, name: str) -> FileEvent:
    """The event under another name of a file that was reached as `path`."""
    return msgspec.structs.replace(
        event, path=name, alias_path=path, source_path=_moved(event.source_path, path, name)
    )


def _moved(other: str | None, path: str, name: str) -> str | None:
    """Another path on the same mount, as it is called where `path` is called `name`.

    A rename and a link do not leave their mount: beneath it, both paths and both names go on in the same way.
    """
    here, there = path.split("/"), name.split("/")
    while len(here) > 1 and len(there) > 1 and here[-1] == there[-1]:
        here.pop()
        there.pop()
    beginning = "/".join(here) + "/"
    if other is None or not other.startswith(beginning):
        return other
    return "/".join(there) + "/" + other.removeprefix(beginning)
