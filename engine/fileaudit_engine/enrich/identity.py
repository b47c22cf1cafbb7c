"""Names for user and group numbers, from the host's own databases.

Answers are remembered, also that a number has no name: a look-up may ask a directory server. They are
forgotten when /etc/passwd or /etc/group changes, which is looked at once a second at the most.
"""

import grp
import pwd
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

LIMIT: Final = 10_000
"""Numbers that are remembered; a host whose attackers invent user ids must not grow us."""

_LOOK_S: Final = 1.0

Stamp = tuple[int, int, int]
"""What changes when a file does: inode, size, time of change."""


class IdentityCache:
    """Implements `sources.base.Identities`.

    Args:
        users: The file whose change makes user names forgotten; `groups` likewise.
        user_name: Looks a user up; `group_name` likewise.
        limit: Numbers of each that are remembered.
        clock: Seconds, never backwards.
    """

    def __init__(  # noqa: PLR0913 - two of each, and each replaceable by a test
        self,
        *,
        users: str = "/etc/passwd",
        groups: str = "/etc/group",
        user_name: Callable[[int], str | None] | None = None,
        group_name: Callable[[int], str | None] | None = None,
        limit: int = LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._users = _Names(users, user_name or _user_name, limit)
        self._groups = _Names(groups, group_name or _group_name, limit)
        self._clock = clock
        self._looked = clock()

    def user(self, uid: int) -> str | None:
        """The user's name, None where there is none."""
        self._refresh()
        return self._users.name(uid)

    def group(self, gid: int) -> str | None:
        """The group's name, None where there is none."""
        self._refresh()
        return self._groups.name(gid)

    def _refresh(self) -> None:
        now = self._clock()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        self._users.forget_if_changed()
        self._groups.forget_if_changed()


class _Names:
    """One database."""

    def __init__(self, file: str, lookup: Callable[[int], str | None], limit: int) -> None:
        self._file = file
        self._lookup = lookup
        self._limit = limit
        self._known: dict[int, str | None] = {}
        self._stamp = _stamp(file)

    def name(self, number: int) -> str | None:
        known = self._known
        if number in known:
            return known[number]
        if len(known) >= self._limit:
            known.clear()
        name = known[number] = self._lookup(number)
        return name

    def forget_if_changed(self) -> None:
        stamp = _stamp(self._file)
        if stamp != self._stamp:
            self._stamp = stamp
            self._known.clear()


def _stamp(file: str) -> Stamp | None:
    try:
        status = Path(file).stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_ctime_ns


def _user_name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return None


def _group_name(gid: int) -> str | None:
    try:
        return grp.getgrgid(gid).gr_name
    except (KeyError, OverflowError):
        return None
