"""What ends a run before its command does, and the status that the run then ends with.

VmError
├── Usage       2: the command line cannot be followed
├── CannotRun   3: this machine, or the emulated one, cannot
└── TimeIsUp    124, as timeout(1) has it
"""

from typing import ClassVar


class VmError(Exception):
    """There is no exit status of the command to end with."""

    status: ClassVar[int]


class Usage(VmError):
    """The command line cannot be followed."""

    status = 2


class CannotRun(VmError):
    """This machine or the emulated one cannot; says what is missing."""

    status = 3


class TimeIsUp(VmError):
    """The command did not end in time."""

    status = 124
