"""The JSON log: one ECS document a line, in files that are rotated, compressed and removed in time.

What follows such files (Filebeat, Vector) reads it as it is. The file that is written only grows, and its
lines are whole; when it is full, or its day or hour is over, it is renamed, which who has it open does not
notice.
Compression, removal and waiting for the disk happen beside, see `janitor`.

A document may be there twice after a crash: with the same `event.id`.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from fileaudit_engine.diagnostics import FileauditError, MachineCannot
from fileaudit_engine.private import Private
from fileaudit_engine.sinks.append_file import AppendFile
from fileaudit_engine.sinks.archive import LONG_REST_NS, sweep
from fileaudit_engine.sinks.base import Answer, Delivered, Reject, Retry
from fileaudit_engine.sinks.janitor import Janitor
from fileaudit_engine.sinks.jsonlog import line
from fileaudit_engine.sinks.rotated import ACTIVE, following, period_of, rotated_in
from fileaudit_engine.sinks.settings import JsonLogSettings

LOG: Final = Private(
    what="JSON log",
    remedy="choose a folder that only you can write to, such as /var/log/fileaudit",
    below_system_groups=True,
)
LOCK: Final = ".fileaudit.lock"
"""Who holds it writes the log; it is in no follower's way."""

_SWEEP_NS: Final = LONG_REST_NS
"""How often files are looked after, if nothing else gives a reason to."""


class Written(Protocol):
    """A record as it was kept."""

    @property
    def raw(self) -> bytes:
        """Its document as compact JSON."""


class JsonFile:
    """Writes to the files of a folder; one process at a time.

    Args:
        settings: Where, and how.
        tell: Is told, in words, what people should know.
        clock_ns: Nanoseconds since the Unix epoch.
        believed_ns: The same as far as ages go by it: a wrong clock must not remove what is new; asked by
            another thread. None: `clock_ns`.

    Raises:
        UnusableInput: The folder or the file is not safe.
        MachineCannot: Another process writes this log, or the system refuses.
    """

    def __init__(
        self,
        settings: JsonLogSettings,
        *,
        tell: Callable[[str], None],
        clock_ns: Callable[[], int] = time.time_ns,
        believed_ns: Callable[[], int] | None = None,
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._clock_ns = clock_ns
        self._swept_ns: int | None = None
        self._asked = 0
        self._file: AppendFile | None = None
        self._period = ""
        self._lock = -1
        self._trial: int | None = None
        """How often something had been forced when that failed; None: it is fine. Until it succeeds one
        portion is written and no more, or a disk that fails would be filled with the same lines."""
        self._tried = False
        try:
            self._folder = LOG.folder(settings.folder)
            self._lock = self._locked()
            self._open()
        except OSError as error:
            self._unlock()
            raise MachineCannot(
                f"the JSON log in {settings.folder} cannot be written: {error.strerror or error}",
                remedy="choose another folder in 'sinks.json.path', or run as a user who may write there",
            ) from error
        except BaseException:
            self._unlock()
            raise
        aged_ns = believed_ns or clock_ns
        self._janitor = Janitor(lambda proceed: sweep(self._folder, settings, aged_ns(), proceed=proceed))

    @property
    def kept(self) -> int:
        """Up to where what was delivered is on the disk, as `keep` counts."""
        return self._janitor.forced

    def deliver(self, records: Sequence[Written]) -> list[Answer]:
        """One line a record, in order. What cannot be written now can be tried again: the disk is full."""
        lines, refused = _lines(records)
        done, reason = 0, self._awaited()
        while done < len(lines) and not reason:
            try:
                file = self._ready(len(lines[done]))
            except (OSError, FileauditError) as error:
                reason = _reason(error)
                break
            written = file.append(lines[done : done + self._fitting(file, lines, done)])
            done += written.lines
            reason = _reason(written.error) if written.error else ""
        self._tried = self._tried or done > 0
        answers: list[Answer] = [
            Delivered() if index < done else Retry(reason) for index in range(len(lines))
        ]
        for index in refused:
            answers.insert(index, Reject("the document is not one line of text"))
        return answers

    def again(self) -> bool:
        """Whether what was delivered behind `kept` may be lost, and is to be delivered again. Said once."""
        if not self._janitor.again():
            return False
        if self._file is not None:
            self._janitor.retire(self._file)
            self._file = None
        self._trial, self._tried, self._asked = self._janitor.times, False, 0
        return True

    def keep(self, seq: int) -> None:
        """See to it that what was delivered stays; asked for now and then, also while nothing is delivered.

        Args:
            seq: Up to which record all have been delivered. Once they are on the disk, `kept` says so.
        """
        with contextlib.suppress(OSError, FileauditError):  # whoever delivers something is told
            if self._is_over():
                self._rotate()
        now_ns = self._clock_ns()
        if self._swept_ns is None or abs(now_ns - self._swept_ns) >= _SWEEP_NS:
            self._swept_ns = now_ns
            self._janitor.sweep()
        if seq != self._asked and self._file is not None:
            self._asked = seq
            self._janitor.force(self._file, seq)
        for words in self._janitor.words():
            self._tell(words)

    def close(self) -> None:
        """Force to the disk what was written, and let go."""
        if self._file is not None:
            self._janitor.retire(self._file)
            self._file = None
        self._janitor.stop()
        for words in self._janitor.words():
            self._tell(words)
        self._unlock()

    def _awaited(self) -> str:
        """Why nothing is written before something else has been forced; empty if it is."""
        if self._trial is not None and self._janitor.times != self._trial:
            self._trial = None
        return "the disk has not kept what was written" if self._trial is not None and self._tried else ""

    def _locked(self) -> int:
        descriptor = LOG.open_to_append(self._folder / LOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise MachineCannot(
                f"the JSON log in {self._folder} is written by another process: {holder or 'unknown'}",
                remedy="stop that one, or choose another folder in 'sinks.json.path'",
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _unlock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _lock_again(self) -> None:
        """Take the lock of the folder that there is now: somebody may have removed the one there was."""
        held = os.fstat(self._lock)
        with contextlib.suppress(FileNotFoundError):
            found = (self._folder / LOCK).lstat()
            if (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino):
                return
        lock = self._locked()
        self._unlock()
        self._lock = lock

    def _open(self) -> AppendFile:
        self._folder = LOG.folder(self._settings.folder)
        self._lock_again()
        self._file = file = AppendFile(self._folder / ACTIVE, LOG)
        began_ns = file.changed_ns if file.bytes else self._clock_ns()
        self._period = period_of(began_ns, self._settings.rotate)
        if file.cut:
            self._tell(f"the last line was torn: {file.cut:,} bytes of it are cut off")
        return file

    def _ready(self, length: int) -> AppendFile:
        """The file that a line of this length goes to."""
        file = self._file
        if file is not None and not file.is_there():
            self._janitor.retire(file)
            file = self._file = None
        if file is None:
            return self._open()
        if self._is_over() or (file.bytes and file.bytes + length > self._settings.max_bytes):
            return self._rotate()
        return file

    def _fitting(self, file: AppendFile, lines: Sequence[bytes], start: int) -> int:
        """How many of the lines from `start` on go into the file; one at least."""
        room, end = self._settings.max_bytes - file.bytes, start
        while end < len(lines) and (room := room - len(lines[end])) >= 0:
            end += 1
        return max(end - start, 1)

    def _is_over(self) -> bool:
        """Whether the hour or day of the file is over, and there is something in it."""
        now = period_of(self._clock_ns(), self._settings.rotate)
        if self._file is not None and not self._file.bytes:
            self._period = now
        return self._file is not None and now != self._period

    def _rotate(self) -> AppendFile:
        """Begin a new file; the old one gets a name of its own."""
        place = self._folder / ACTIVE
        rotated = following(self._period, rotated_in(self._folder))
        place.rename(self._folder / rotated.name)  # nothing of ours has that name, and nobody else is let in
        if self._file is not None:
            self._janitor.retire(self._file)
            self._file = None
        self._janitor.sweep()
        return self._open()


def _lines(records: Sequence[Written]) -> tuple[list[bytes], list[int]]:
    """The lines of records, and the indexes of those that have none."""
    lines, refused = [], []
    for index, record in enumerate(records):
        try:
            written = line(record.raw)
        except UnicodeDecodeError:
            written = b""
        if written.count(b"\n") == 1:
            lines.append(written)
        else:
            refused.append(index)
    return lines, refused


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
