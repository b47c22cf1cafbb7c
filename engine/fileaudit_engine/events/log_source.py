"""The log sources that a rule can name, and the operations whose events are theirs (DESIGN §4).

Sigma's categories each hold some operations. What is written for a whole log, by its service or for the
product alone, is about every operation: this engine is that log.
"""

import enum
from typing import Final

from fileaudit_engine.events.model import Operation


class LogSource(enum.Enum):
    """A log source of `product: linux`."""

    FILE_EVENT = "file_event"
    FILE_ACCESS = "file_access"
    FILE_DELETE = "file_delete"
    FILE_RENAME = "file_rename"
    FILE_CHANGE = "file_change"
    PROCESS_CREATION = "process_creation"
    FILEAUDIT = "fileaudit"
    """`service: fileaudit`: every operation; rules select on `Operation`."""
    AUDITD = "auditd"
    """`service: auditd`: every operation, by the names that auditd's records have (`type`, `name`, `a0`)."""
    LINUX = "linux"
    """`product: linux` and no more: every log of a Linux host, and so every operation."""

    @property
    def operations(self) -> frozenset[Operation]:
        """The operations whose events are of this log source."""
        return _OPERATIONS[self]

    @property
    def is_category(self) -> bool:
        """Whether rules name it as their `category`."""
        return self not in {LogSource.FILEAUDIT, LogSource.AUDITD, LogSource.LINUX}


_O = Operation
EVERY_OPERATION: Final = frozenset(Operation)
_OPERATIONS: Final = {
    LogSource.FILE_EVENT: frozenset(
        {_O.CREATE, _O.WRITE, _O.TRUNCATE, _O.RENAME, _O.LINK, _O.SYMLINK, _O.MKDIR}
    ),
    LogSource.FILE_ACCESS: frozenset({_O.OPEN, _O.READ, _O.WRITE}),
    LogSource.FILE_DELETE: frozenset({_O.UNLINK, _O.RMDIR}),
    LogSource.FILE_RENAME: frozenset({_O.RENAME}),
    LogSource.FILE_CHANGE: frozenset(
        {_O.CHMOD, _O.CHOWN, _O.SETXATTR, _O.REMOVEXATTR, _O.UTIMES, _O.TRUNCATE}
    ),
    LogSource.PROCESS_CREATION: frozenset({_O.EXEC}),
    LogSource.FILEAUDIT: EVERY_OPERATION,
    LogSource.AUDITD: EVERY_OPERATION,
    LogSource.LINUX: EVERY_OPERATION,
}
