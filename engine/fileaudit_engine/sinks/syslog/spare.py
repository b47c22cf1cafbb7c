"""The next connection to a receiver, made while the one before is still used.

That a receiver has room for it is not known when it is there: many take it, and close it at once (a limit of
connections, a balancer). So it has to live for a moment. Where there is none twice in a row, the receiver is
taken to have room for one.
"""

from collections.abc import Callable
from typing import Final

from fileaudit_engine.sinks.syslog.connecting import Connector
from fileaudit_engine.sinks.syslog.connection import Connection
from fileaudit_engine.sinks.syslog.failures import Unreachable
from fileaudit_engine.sinks.syslog.patience import Patience

_TRIES: Final = 2


class Spare:
    """The next connection; see the module.

    Args:
        connector: Makes connections.
        tell: Is told what an administrator should know, in words.
        patience: How long what may take.
        clock_s: Monotonic seconds.
    """

    def __init__(
        self,
        connector: Connector,
        *,
        tell: Callable[[str], None],
        patience: Patience,
        clock_s: Callable[[], float],
    ) -> None:
        self._connector = connector
        self._tell = tell
        self._patience = patience
        self._clock_s = clock_s
        self._connection: Connection | None = None
        self._since_s = self._not_before_s = self._alone_until_s = clock_s()
        self._failures = 0
        self._told = False

    @property
    def is_hopeless(self) -> bool:
        """Whether there will not be one beside the connection that there is."""
        return self._clock_s() < self._alone_until_s

    def take(self) -> Connection | None:
        """The next connection, if it is there and has lived for a moment.

        Raises:
            Refused: There will be none until somebody has changed something.
        """
        now_s = self._clock_s()
        if self._connection is None:
            if now_s < self._not_before_s:
                return None
            try:
                self._connection, self._since_s = self._connector.connect(), now_s
            except Unreachable as error:
                self._failed(str(error))
                return None
        found = self._connection
        reason = found.look()
        if reason:
            self.drop()
            self._failed(reason)
            refusal = self._connector.refusal_of(found.failure)
            if refusal is not None:
                raise refusal
        elif now_s - self._since_s >= self._patience.probe_s:
            self._connection, self._failures = None, 0
            return found
        return None

    def drop(self) -> None:
        """Let go of it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def hurry(self) -> None:
        """Somebody may have made room: see."""
        self._not_before_s = self._alone_until_s = self._clock_s()
        self._failures, self._told = 0, False

    def _failed(self, reason: str) -> None:
        self._failures += 1
        now_s = self._clock_s()
        self._not_before_s = now_s + self._patience.retry_s
        if self._failures < _TRIES:
            return
        self._failures = _TRIES - 1
        self._alone_until_s = now_s + self._patience.alone_s
        if not self._told:
            self._told = True
            self._tell(
                f"the receiver has no room for a second connection ({reason}): what it has is found out by"
                " ending the only one, and records wait meanwhile; let it take two connections of each sender"
                " (syslog-ng: max-connections, rsyslog: MaxSessions)"
            )
