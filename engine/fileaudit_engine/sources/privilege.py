"""What of root the engine needs: capabilities, not a user id, and after the start only five of them.

Loading programs and mounting tracefs happen at the start. From then on the daemon holds descriptors, and
what it still does has a reason in `KEPT`. All else is given up (`drop`) for good: from the sets of the
process and from the bounding set, so that not even a program that uid 0 starts gets it back. `no_new_privs`
says the same once more: no program that is started has more than who started it.

What is left is much, and no wall against whoever takes the daemon over. CAP_SYS_PTRACE is kept to read, and
lets uid 0 attach to any process, one with all capabilities, too; CAP_PERFMON reads the kernel's memory; and
uid 0 owns /etc, so that it may write there without any capability. The unit in `deploy/` bounds some of it.
"""

import ctypes
import os
import resource
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import MachineCannot

KEPT: Final[Mapping[str, str]] = {
    "CAP_DAC_READ_SEARCH": "follow names through folders that only their owners may enter",
    "CAP_SYS_PTRACE": "read image, arguments and root of every user's processes in /proc",
    "CAP_SYSLOG": "let BCC find in /proc/kallsyms which helpers this kernel has, when rules are reloaded",
    "CAP_PERFMON": "load tracing programs and attach them, when rules are reloaded",
    "CAP_BPF": "read and write maps, and load programs",
}
"""What the daemon keeps, and what for."""

REMEDY: Final = "run as root"

_NAMES: Final = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP"),
    *("LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK"),
    *("IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN"),
    *("SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE"),
    *("AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM"),
    *("BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE"),
)
"""By number, as include/uapi/linux/capability.h counts them."""
_BITS: Final = {f"CAP_{name}": number for number, name in enumerate(_NAMES)}
_FOR_BPF: Final = ("CAP_SYS_ADMIN", "CAP_PERFMON", "CAP_BPF")

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_VERSION_3: Final = 0x20080522
_SET_NO_NEW_PRIVS: Final = 38
_DROP_FROM_BOUNDING_SET: Final = 24
_Header: Final = ctypes.c_uint32 * 2
_Sets: Final = ctypes.c_uint32 * 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Privileges:
    """What a process may do; each a bit set of capabilities.

    Attributes:
        effective: What it uses now.
        permitted: What it may use.
        inheritable: What it hands on to programs that ask for it.
        bounding: What programs that it starts can have at the most.
        no_new: Whether programs that it starts never get more than it has.
    """

    effective: int
    permitted: int
    inheritable: int
    bounding: int
    no_new: bool

    @property
    def names(self) -> tuple[str, ...]:
        """What it may use, by name."""
        return tuple(name for name, bit in _BITS.items() if self.permitted >> bit & 1)

    @property
    def reach(self) -> int:
        """All that this process and those that it starts can come to have."""
        started = 0 if self.no_new else self.bounding
        return self.effective | self.permitted | started


def held() -> tuple[str, ...]:
    """Those of this process's effective capabilities that matter for BPF."""
    effective = privileges().effective
    return tuple(name for name in _FOR_BPF if effective >> _BITS[name] & 1)


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


def privileges(pid: int | str = "self") -> Privileges:
    """What a process may do, as the kernel says it; of ourselves, what this thread may do."""
    status = Path(f"/proc/{'thread-self' if pid == 'self' else pid}/status")
    lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    facts = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Privileges(
        effective=int(facts["CapEff"], 16),
        permitted=int(facts["CapPrm"], 16),
        inheritable=int(facts["CapInh"], 16),
        bounding=int(facts["CapBnd"], 16),
        no_new=facts.get("NoNewPrivs") == "1",
    )


def mask(names: Iterable[str]) -> int:
    """Capabilities as a bit set."""
    return sum(1 << _BITS[name] for name in names)


def drop() -> Privileges:
    """Give up all that is not in `KEPT`, for good; returns what is left. May be called again.

    It is this thread that gives up, and threads that it starts afterwards: call it before there are others.
    Before, locked memory is made unlimited for the loaders to come, which kernels before 5.11 count maps as.

    Where the bounding set may not be changed (CAP_SETPCAP is missing, in a container for instance), it stays
    as it is; `no_new_privs` keeps started programs from having any of it.

    Raises:
        MachineCannot: The kernel refuses, and more than that would be left.
    """
    before, kept = privileges(), mask(KEPT)
    if before.reach & ~kept == 0 and before.no_new:
        return before
    _unlimit_memory()
    try:
        _call("prctl", _SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if before.effective >> _BITS["CAP_SETPCAP"] & 1:
            _bound(before.bounding & ~kept)
        _set(before, kept)
    except OSError as error:
        raise _not_given_up(error.strerror or str(error)) from error
    left = privileges()
    if left.reach & ~kept or not left.no_new:
        raise _not_given_up("the kernel accepted it, and did nothing")
    return left


def _unlimit_memory() -> None:
    """As far as it may be: that takes CAP_SYS_RESOURCE, which goes."""
    _, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))


def _bound(unwanted: int) -> None:
    for number in range(unwanted.bit_length()):
        if unwanted >> number & 1:
            _call("prctl", _DROP_FROM_BOUNDING_SET, number, 0, 0, 0)


def _set(before: Privileges, kept: int) -> None:
    """Cut the three sets of this thread; the ambient set follows by itself."""
    sets = (before.effective & kept, before.permitted & kept, before.inheritable & kept)
    low, high = (tuple(one >> shift & 0xFFFFFFFF for one in sets) for shift in (0, 32))
    _call("capset", _Header(_VERSION_3, 0), _Sets(*low, *high))


def _call(name: str, *arguments: object) -> None:
    """A function of the C library that answers 0.

    Raises:
        OSError: It failed.
    """
    function = _LIBC[name]
    values = (ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments)
    if function(*values):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _not_given_up(why: str) -> MachineCannot:
    return MachineCannot(
        f"the privileges that are not needed any more cannot be given up: {why}",
        remedy="run it where capset(2) and prctl(2) are allowed",
    )
