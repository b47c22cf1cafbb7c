"""The container of a cgroup: its id from the cgroup's names, everything else from the runtime's state.

The id is there at once, and is what rules should go by. Names may come later, for runtimes write down what
they have made in their own time; so an answer without names is asked for again, soon at first and then ever
less often. One with names is looked at again once a minute, since containers can be renamed, and stays when
the state is gone: the events of a container that has ended are read after its end.

What is remembered is bounded. An ordinary user can have as many cgroups as he likes and call them as he
likes: the answers for users are remembered apart, and their files are looked at so many times a second. Thus
nobody keeps the host's own containers from having their names.
"""

import pwd
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from fileaudit_engine.enrich.cgroups import Cgroup, Mark
from fileaudit_engine.enrich.runtimes import Runtimes
from fileaudit_engine.events.model import Container

LIMIT: Final = 4096
"""Containers that are remembered, of the host and of users each; the first ones leave first."""

FRESH_S: Final = 60.0
"""How long an answer with names holds."""
RETRY_S: Final = 0.25
"""How long the first answer without names holds; each further one twice as long, up to `FRESH_S`."""
LOOKS: Final = 20
"""Look-ups of users' files a second: one costs 25 µs, or half a millisecond where a long list has changed."""


class _Answer(NamedTuple):
    container: Container
    until: float
    """On the clock, when it is asked for again."""
    holds_s: float
    """How long it was to hold."""


class Containers:
    """Tells the container of a cgroup.

    Args:
        runtimes: Know what is on disk.
        home: The home of a user; None where there is none.
        limit: Containers that are remembered.
        clock: Seconds, never backwards.
    """

    def __init__(
        self,
        *,
        runtimes: Runtimes | None = None,
        home: Callable[[int], str | None] | None = None,
        limit: int = LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runtimes = runtimes or Runtimes()
        self._home = home or _home
        self._limit = limit
        self._clock = clock
        self._of_host: OrderedDict[Mark, _Answer] = OrderedDict()
        self._of_users: OrderedDict[Mark, _Answer] = OrderedDict()
        self._second = 0.0
        self._looks = 0

    def get(self, cgroup: Cgroup) -> Container | None:
        """The container; None for what runs in none."""
        mark = cgroup.mark
        if mark is None:
            return None
        now = self._clock()
        known = self._of_host if mark.user_id is None else self._of_users
        answer = known.get(mark)
        if answer is None or now >= answer.until:
            answer = known[mark] = self._ask(mark, answer, now)
            if len(known) > self._limit:
                known.popitem(last=False)
        return answer.container

    def _ask(self, mark: Mark, before: _Answer | None, now: float) -> _Answer:
        allowed = mark.user_id is None or self._may_look(now)
        container = self._found(mark) if allowed else None
        if container is not None:
            return _Answer(container, now + FRESH_S, FRESH_S)
        if before is None:
            return _Answer(Container(id=mark.id, runtime=mark.runtime), now + RETRY_S, RETRY_S)
        holds_s = min(FRESH_S, 2 * before.holds_s) if allowed else RETRY_S
        return _Answer(before.container, now + holds_s, holds_s)

    def _found(self, mark: Mark) -> Container | None:
        if mark.delegated:
            return None
        if mark.user_id is None:
            return self._runtimes.of_root(mark)
        home = self._home(mark.user_id)
        return None if home is None else self._runtimes.of_user(mark, mark.user_id, home)

    def _may_look(self, now: float) -> bool:
        if now - self._second >= 1:
            self._second, self._looks = now, 0
        self._looks += 1
        return self._looks <= LOOKS


def _home(user_id: int) -> str | None:
    try:
        home = pwd.getpwuid(user_id).pw_dir
    except (KeyError, OverflowError):
        return None
    return home if home.startswith("/") else None
