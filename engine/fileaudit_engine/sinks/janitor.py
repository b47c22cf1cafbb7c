"""What takes long about a log, in a thread of its own: forcing it to the disk, compressing, removing files.

Who writes the log only asks for it, and never waits. The thread begins with the first request: a process that
gives up privileges does so before there are others.
"""

import contextlib
import os
import threading
from collections.abc import Callable
from typing import Final

from fileaudit_engine.sinks.append_file import AppendFile
from fileaudit_engine.sinks.archive import Swept

_NICENESS: Final = 10
"""Compression may take what detection leaves."""

Proceed = Callable[[], bool]


class Janitor:
    """Does what it is asked for, one thing at a time; forcing goes before compression.

    Attributes:
        forced: The mark of the last `force` that is done; all that was written before is on the disk.
        times: How often something was.

    What could not be forced once never can be: the system takes its pages for written all the same, and the
    next attempt succeeds. So from then on `forced` stays where it is, until whoever writes has asked `again`
    and begins to write behind it anew.
    """

    def __init__(self, sweep: Callable[[Proceed], Swept]) -> None:
        """Plug it together; `sweep` is what there is to do on `sweep`."""
        self.forced = 0
        self.times = 0
        self._failed = False
        self._round = 0
        """Grows whenever it is begun anew: what was asked for before counts no more."""
        self._sweep = sweep
        self._changed = threading.Condition()
        self._retired: list[AppendFile] = []
        self._to_force: tuple[AppendFile, int] | None = None
        self._to_sweep = False
        self._stopping = False
        self._words: list[str] = []
        self._trouble = ""
        self._thread: threading.Thread | None = None

    def force(self, file: AppendFile, mark: int) -> None:
        """Force a file, and all that were retired before, to the disk; then `forced` is `mark`."""
        with self._changed:
            self._to_force = file, mark
            self._wake()

    def retire(self, file: AppendFile) -> None:
        """Force a file to the disk and close it: nobody will write to it any more."""
        with self._changed:
            self._retired.append(file)
            self._wake()

    def again(self) -> bool:
        """Whether something could not be forced: all behind `forced` is to be written again. Says so once."""
        with self._changed:
            failed, self._failed = self._failed, False
            if failed:
                self._round += 1
                self._to_force = None
        return failed

    def sweep(self) -> None:
        """Compress and remove files."""
        with self._changed:
            self._to_sweep = True
            self._wake()

    def words(self) -> list[str]:
        """What people should know of what was done since it was last asked."""
        with self._changed:
            words, self._words = self._words, []
        return words

    def stop(self) -> None:
        """End the thread; a compression is given up. What is to be forced, is now."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._force_now()

    def _wake(self) -> None:
        if self._thread is None and not self._stopping:
            self._thread = threading.Thread(target=self._work, name="json-log", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _work(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work)
                if self._stopping:
                    return
                sweeping, self._to_sweep = self._to_sweep, False
            self._force_now()
            if sweeping:
                self._report(self._sweep(self._between))

    def _has_work(self) -> bool:
        return bool(self._stopping or self._to_sweep or self._to_force or self._retired)

    def _between(self) -> bool:
        """What is done in the middle of a compression; returns whether to go on with it."""
        self._force_now()
        return not self._stopping

    def _force_now(self) -> None:
        with self._changed:
            retired, self._retired = self._retired, []
            wanted, self._to_force = self._to_force, None
            begun = self._round
        whole = True
        for file in retired:
            whole &= self._forced(file)
            file.close()
        if wanted is not None and wanted[0] not in retired:
            whole &= self._forced(wanted[0])
        with self._changed:
            self._failed |= not whole
            if wanted is not None and not self._failed and begun == self._round:
                self.forced = wanted[1]
                self.times += 1

    def _forced(self, file: AppendFile) -> bool:
        try:
            os.fdatasync(file.descriptor)
        except OSError as error:
            self._tell(f"what was written last may be lost: {error.strerror or error}")
            return False
        return True

    def _report(self, swept: Swept) -> None:
        if swept.words:
            self._tell(swept.words)
        if swept.trouble and swept.trouble != self._trouble:
            self._tell(f"its files cannot be looked after: {swept.trouble}")
        self._trouble = swept.trouble

    def _tell(self, words: str) -> None:
        with self._changed:
            self._words.append(words)
