"""What the kernel asks of whoever loads programs: capabilities, not a user id."""

from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import MachineCannot

_BITS: Final = {"CAP_SYS_ADMIN": 21, "CAP_PERFMON": 38, "CAP_BPF": 39}

REMEDY: Final = "run as root"


def held() -> tuple[str, ...]:
    """Those of this process's effective capabilities that matter for BPF."""
    mask = _effective()
    return tuple(name for name, bit in _BITS.items() if mask >> bit & 1)


def enough(capabilities: tuple[str, ...]) -> bool:
    """Whether with these, tracing programs may be loaded and attached."""
    return "CAP_SYS_ADMIN" in capabilities or {"CAP_PERFMON", "CAP_BPF"} <= set(capabilities)


def require_privilege() -> None:
    """Nothing, if this process may load programs.

    Raises:
        MachineCannot: It may not.
    """
    if not enough(held()):
        raise MachineCannot("live capture loads programs into the kernel, which needs root", remedy=REMEDY)


def _effective() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0
