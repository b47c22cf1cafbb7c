"""What a call does with the name that it is passed."""

import enum


class Way(enum.Enum):
    """How a call comes to its file."""

    OPENS = "opens"
    """It opens the file that is there, or runs it: the kernel has the file."""
    CREATES = "creates"
    """An open that makes the file: its name must be free, and a link that leads nowhere is followed."""
    NAME = "name"
    """It acts on the name itself: the last link is not followed."""
    FOLLOWS = "follows"
    """It acts on what is there under the name, links followed."""
    DESCRIPTOR = "descriptor"
    """It takes no name; what is named is what its descriptor was opened by."""
