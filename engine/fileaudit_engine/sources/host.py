"""Which host this is: what the documents of many hosts are told apart by."""

import platform
import re
from pathlib import Path
from typing import Final, NamedTuple

MACHINE_ID: Final = Path("/etc/machine-id")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_LIMIT: Final = 64


class Host(NamedTuple):
    """A host.

    Attributes:
        name: As the kernel has it; None where it has none.
        id: Its machine id, 32 hexadecimal digits (`man 5 machine-id`); None where it has none yet.
    """

    name: str | None
    id: str | None


def this_host(machine_id: Path = MACHINE_ID) -> Host:
    """The host that this process runs on; the name may change while it runs, the id does not."""
    try:
        with machine_id.open("rb") as file:
            text = file.read(_LIMIT).decode("ascii", "replace").strip().lower()
    except OSError:
        text = ""
    return Host(platform.node() or None, text if _ID.fullmatch(text) else None)
