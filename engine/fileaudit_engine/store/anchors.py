"""Anchors: what the last link of a chain was at some time, told where the store is not.

A chain (`chain.py`) shows that nothing was altered between two of its rows. It does not show that its end is
the end: whoever cuts off the last rows, or writes all links anew from some row on, has a whole chain again.
So the number and the link of the last row are told elsewhere, again and again: to a file kept apart, to the
journal, to syslog.

    fileaudit-anchor store=4f0c… seq=12345 link=9a1e… start=0 time=2026-11-28T14:00:00.000000000Z

An anchor vouches for its row and for all rows before it. Who does not know the store's identity cannot make
one up that is taken for one of that store.

`start` is the row behind which the chain begins. What retention removes is announced: first there is an
anchor that says where the chain is going to begin, then the rows go. So who declares rows removed that
nobody has announced is found out, too, though the store itself says nothing against it.

The file is written at its end only. It does not grow for ever, and who floods the store to have old anchors
pushed out gains nothing: of every hour one stays for a hundred days, and of every day one for good.
"""

import contextlib
import errno
import fcntl
import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.events.times import UNITS_NS, parse_rfc3339, rfc3339
from fileaudit_engine.private import Private

NAME: Final = "fileaudit-anchor"

LARGEST_BYTES: Final = 4 << 20
"""A file of more is thinned out: some 20,000 anchors."""
_NEWEST: Final = 4_096
"""Of one store, that are kept whatever their time."""
_HOURLY_NS: Final = 100 * UNITS_NS["d"]
"""How long one of every hour is kept: longer than records are, unless told otherwise."""

_TRIES, _PAUSE_S = 10, 0.002
"""How long to wait for another engine that writes a line."""

_LAST_SEQ: Final = (1 << 63) - 1
"""No store numbers its rows any further."""

_STATE: Final = Path("/var/lib/fileaudit")
_LOGS: Final = Path("/var/log/fileaudit")
_DEFAULT_NAMES: Final = ("fileaudit.db", "anchors.log")
_REMEDY: Final = "choose another file with 'anchors' below 'store' in the configuration"
_PRIVATE: Final = Private(what="anchor file", remedy=_REMEDY, below_system_groups=True)

_LINE: Final = re.compile(
    rf"{NAME} store=([0-9a-f]{{32}}) seq=([0-9]{{1,19}}) link=([0-9a-f]{{64}}) start=([0-9]{{1,19}})"
    r" time=([0-9]{4}-[0-9T:.-]{15,25}Z)(?![^\s\"'\\,])"
)


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the end of a chain was at some time.

    Attributes:
        store: The identity of the store.
        seq: Number of its last row; 0: it had none.
        link: The link of that row.
        time_ns: When, nanoseconds since the Unix epoch.
        start: The rows up to here were removed by retention, or are about to be.
    """

    store: bytes
    seq: int
    link: bytes
    time_ns: int
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """What a text has of anchors.

    Attributes:
        found: The anchors in it, in their order.
        unreadable: Lines that name an anchor and hold none: torn, or edited.
    """

    found: tuple[Anchor, ...]
    unreadable: int


def line_of(anchor: Anchor) -> str:
    """An anchor as a line, without the line feed."""
    return (
        f"{NAME} store={anchor.store.hex()} seq={anchor.seq} link={anchor.link.hex()}"
        f" start={anchor.start} time={rfc3339(anchor.time_ns)}"
    )


def parse(lines: Iterable[str]) -> Anchors:
    """The anchors in lines of a text, whatever stands around them: in a journal, in a log of syslog."""
    found: list[Anchor] = []
    unreadable = 0
    for line in lines:
        if NAME in line:
            here = list(_in_line(line))
            found += here
            unreadable += not here
    return Anchors(found=tuple(found), unreadable=unreadable)


def _in_line(line: str) -> Iterator[Anchor]:
    for match in _LINE.finditer(line):
        store, seq, link, start, time = match.groups()
        with contextlib.suppress(ValueError):
            if max(int(seq), int(start)) <= _LAST_SEQ:
                yield Anchor(
                    bytes.fromhex(store), int(seq), bytes.fromhex(link), parse_rfc3339(time), int(start)
                )


def announced(anchors: Iterable[Anchor], store: bytes, row: int) -> int | None:
    """Up to where rows were to be removed, as the anchors of a store said that are older than a row.

    Args:
        anchors: Of any store.
        store: The identity of the store.
        row: The number of the row.

    Returns:
        None if there is no such anchor: then nothing can be said.
    """
    return max((a.start for a in anchors if a.store == store and a.seq < row), default=None)


def default_file(store: Path) -> Path:
    """Where the anchors of a store are kept unless told otherwise.

    Those of the engine's own folder for state go to its folder for logs; those of any other store stand
    beside it, where they show less: whoever can alter the one can alter the other.
    """
    place = store.absolute()
    if place.parent != _STATE:
        return place.with_name(f"{place.name}.anchors")
    return _LOGS / (_DEFAULT_NAMES[1] if place.name == _DEFAULT_NAMES[0] else f"{place.name}.anchors")


def thinned(anchors: Iterable[Anchor]) -> list[Anchor]:
    """Those that are kept of too many.

    Of each store the newest, the first of every hour or day, and each that first told a beginning of the
    chain.
    """
    by_store: dict[bytes, list[Anchor]] = {}
    for anchor in anchors:
        by_store.setdefault(anchor.store, []).append(anchor)
    kept: set[Anchor] = set()
    for own in by_store.values():
        kept.update(own[-_NEWEST:])
        now_ns = max(anchor.time_ns for anchor in own)
        periods: dict[tuple[int, int], Anchor] = {}
        for anchor in own:
            unit_ns = UNITS_NS["h" if now_ns - anchor.time_ns < _HOURLY_NS else "d"]
            periods.setdefault((unit_ns, anchor.time_ns // unit_ns), anchor)
        kept.update(periods.values())
        starts: dict[int, Anchor] = {}
        for anchor in own:
            starts.setdefault(anchor.start, anchor)
        kept.update(starts.values())
    return [anchor for own in by_store.values() for anchor in own if anchor in kept]


class AnchorFile:
    """A file of anchors: one a line, nobody else's, written at its end."""

    def __init__(self, path: Path) -> None:
        """The file at `path`; nothing is touched before it is asked for."""
        self.path = path
        self._thinned_at = LARGEST_BYTES
        """Of how many bytes it is thinned out next: what has to stay may be more than it should be."""
        self._only_grows = False
        """Whether nobody may put a smaller one in its place."""

    def read(self) -> Anchors:
        """What it holds; nothing where there is none yet.

        Raises:
            UnusableInput: Its place is not safe.
            MachineCannot: It cannot be read.
        """
        with self._trouble("read"), self._open() as descriptor:
            return _read(descriptor)

    def append(self, anchor: Anchor) -> None:
        """Put an anchor on the disk.

        Raises:
            UnusableInput: Its place is not safe.
            MachineCannot: It cannot be written.
        """
        with self._trouble("written"), self._open() as descriptor:
            end = _finish_last_line(descriptor)
            try:
                _write(descriptor, line_of(anchor))
                os.fsync(descriptor)
            except OSError:
                with contextlib.suppress(OSError):  # a file that only grows keeps the half of a line
                    os.ftruncate(descriptor, end)
                raise
            if os.fstat(descriptor).st_size > self._thinned_at and not self._only_grows:
                self._thin_out(descriptor)

    @contextlib.contextmanager
    def _open(self) -> Iterator[int]:
        """It is opened each time: it may have been moved away by whoever keeps logs in order."""
        place = _PRIVATE.folder(self.path.parent) / self.path.name
        while True:
            descriptor = _PRIVATE.open_to_append(place)
            try:
                _lock(descriptor)
                if _is_still(descriptor, place):  # else another engine has put a smaller one in its place
                    yield descriptor
                    return
            finally:
                os.close(descriptor)

    def _thin_out(self, descriptor: int) -> None:
        """Put a smaller file in its place, whole or not at all.

        Where that is not allowed (`chattr +a` says that a file only grows), it grows until the next start.
        """
        text = "".join(f"{line_of(anchor)}\n" for anchor in thinned(_read(descriptor).found))
        folder = self.path.parent.resolve()
        new = folder / f"{self.path.name}.new"
        new.unlink(missing_ok=True)
        made = _PRIVATE.open_to_append(new)
        try:
            _write(made, text.removesuffix("\n"))
            os.fsync(made)
            new.replace(folder / self.path.name)
            self._thinned_at = max(LARGEST_BYTES, 2 * os.fstat(made).st_size)
        except PermissionError:
            self._only_grows = True
            new.unlink()
        finally:
            os.close(made)
        _force_folder(folder)

    @contextlib.contextmanager
    def _trouble(self, deed: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"the anchor file {self.path} cannot be {deed}: {error.strerror or error}"
            raise MachineCannot(message, remedy=f"free some space, or {_REMEDY}") from error


def _is_still(descriptor: int, place: Path) -> bool:
    """Whether a file that is open still stands at its place."""
    try:
        return os.path.samestat(os.fstat(descriptor), place.lstat())
    except FileNotFoundError:
        return False


def _lock(descriptor: int) -> None:
    """Engines with different stores may share a file; who holds it for long must not hold up the others.

    Raises:
        OSError: Somebody does.
    """
    for _ in range(_TRIES):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_PAUSE_S)
    raise BlockingIOError(errno.EAGAIN, "another process does not let go of it")


def _read(descriptor: int) -> Anchors:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(os.dup(descriptor), "r", encoding="utf-8", errors="replace") as file:
        return parse(file)


def _finish_last_line(descriptor: int) -> int:
    """A line that was torn must not swallow the next one; returns where that one begins."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    if end and os.pread(descriptor, 1, end - 1) != b"\n":
        end += os.write(descriptor, b"\n")
    return end


def _write(descriptor: int, text: str) -> None:
    left = memoryview(f"{text}\n".encode())
    while left:
        left = left[os.write(descriptor, left) :]


def _force_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
