"""What this machine can do, found by trying.

Version numbers and helper lists lie: distributions port features back, containers forbid them, and a
function that says 'supported' only looked at a symbol. So every hook and map here is really made, with a
tiny program in a loader process, and let go again.
"""

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.events.model import OPERATIONS
from fileaudit_engine.sources import bpfsys, privilege
from fileaudit_engine.sources.compat import COMPAT_COST, COMPAT_REMEDY, takes_compat_calls
from fileaudit_engine.sources.headers import BTF, KernelTypes, kernel_types
from fileaudit_engine.sources.load import Load, Program
from fileaudit_engine.sources.mounts import NEEDED, TRACEFS, missing_mounts
from fileaudit_engine.sources.probes import HOOKS, hooks_for
from fileaudit_engine.sources.ring import close_all

_HOST_PID_NAMESPACE: Final = 0xEFFFFFFC
"""PROC_PID_INIT_INO of include/uapi/linux/nsfs.h: the same on every kernel."""
_EXIT: Final = "syscalls:sys_exit_"
_LIVE: Final = "no live capture: run, trace and record do not work; replay, test and check do"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was tried.

    Attributes:
        name: What.
        ok: Whether it is there.
        detail: What was found.
        cost: What its absence costs; empty if it is there.
        remedy: How to get it; empty if it is there or cannot be had.
        required: Whether live capture is impossible without.
    """

    name: str
    ok: bool
    detail: str
    cost: str = ""
    remedy: str = ""
    required: bool = True


def probe_machine() -> list[Check]:
    """Try everything that live capture uses or could use; mounts nothing (`mounts.mount` does)."""
    checks = [_kernel(), _privileges(), _process_namespace(), _btf(), *_mounts(), _bcc()]
    if not all(check.ok for check in checks if check.required):
        return checks
    try:
        types = kernel_types()
    except MachineCannot as error:
        return [*checks, _failed("kernel types", error)]
    checks.append(Check(name="kernel types", ok=True, detail=types.include))
    return [*checks, *_basics(types), _compat_calls(), *_extras(types)]


def _kernel() -> Check:
    known = bpfsys.supported()
    return Check(
        name="kernel",
        ok=known,
        detail=f"{platform.system()} {platform.release()} {platform.machine()}",
        cost="" if known else _LIVE,
        remedy="" if known else "use an x86-64 or aarch64 machine",
    )


def _privileges() -> Check:
    held = privilege.held()
    enough = privilege.enough(held)
    return Check(
        name="privileges",
        ok=enough,
        detail=f"uid {os.geteuid()}, {', '.join(held) or 'no capability for BPF'}",
        cost="" if enough else _LIVE,
        remedy="" if enough else privilege.REMEDY,
    )


def _process_namespace() -> Check:
    """Ids in events are the host's; in a namespace of our own they would be strangers to our /proc."""
    inside = Path("/proc/self/ns/pid").stat().st_ino != _HOST_PID_NAMESPACE
    return Check(
        name="process ids",
        ok=not inside,
        detail="a PID namespace of its own" if inside else "the host's PID namespace",
        cost="processes older than the engine have no image, and the engine reports on itself"
        if inside
        else "",
        remedy="start the container with the host's PID namespace (docker --pid=host, hostPID: true)"
        if inside
        else "",
        required=False,
    )


def _btf() -> Check:
    there = BTF.is_file()
    return Check(
        name="BTF",
        ok=there,
        detail=str(BTF) if there else f"{BTF} is missing",
        cost="" if there else _LIVE,
        remedy="" if there else "run a kernel with CONFIG_DEBUG_INFO_BTF=y",
    )


def _mounts() -> Iterator[Check]:
    missing = missing_mounts()
    for wanted in NEEDED:
        there, needed = wanted not in missing, wanted is TRACEFS
        yield Check(
            name=wanted.kind,
            ok=there,
            detail=f"{wanted.target}: {'mounted' if there else 'not mounted'}",
            cost="" if there else _LIVE if needed else "maps cannot be pinned",
            remedy="" if there else f"as root: {wanted.command}",
            required=needed,
        )


def _bcc() -> Check:
    code = "import bcc; print(getattr(bcc, '__version__', '?'), bcc.BPF and bcc.__file__)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    there = done.returncode == 0
    last = done.stderr.strip().splitlines()[-1:]
    return Check(
        name="BCC",
        ok=there,
        detail=done.stdout.strip() if there else "".join(last),
        cost="" if there else _LIVE,
        remedy=""
        if there
        else "apt install python3-bpfcc; the virtual environment must see system packages and be made "
        "by /usr/bin/python3",
    )


_Trial = tuple[str, Sequence[str], Sequence[Program], Sequence[str]]
"""Name, files, programs and maps of a tiny load."""


def _basics(types: KernelTypes) -> Iterator[Check]:
    """What the capture is made of, one by one, so that what is missing has a name."""
    hooked = {hook.program.event for hook in hooks_for(OPERATIONS)}
    ring_and_trie: _Trial = ("ring buffer and LPM trie", ("checks/maps.c",), (), ("check_ring", "check_trie"))
    hooks = tuple(
        Program(name="check_tracepoint", kind="tracepoint", event=event)
        for event in sorted(hooked)
        if event.startswith("syscalls:")
    )
    records = tuple(
        Program(name="check_raw_tracepoint", kind="raw_tracepoint", event=f"sched_process_{event}")
        for event in ("fork", "exec", "exit")
    )
    for name, files, programs, maps in (
        ring_and_trie,
        (f"tracepoints of {len(hooks)} calls", ("checks/tracepoint.c",), hooks, ()),
        ("raw tracepoints sched_process_*", ("checks/raw_tracepoint.c",), records, ()),
    ):
        yield _tried(name, partial(_load, types, files, programs, maps), cost=_LIVE)
    missing = sorted({hook.program.event for hook in HOOKS} - hooked)
    if missing:
        yield Check(
            name="calls that this kernel lacks",
            ok=True,
            detail=", ".join(event.removeprefix(_EXIT) for event in missing),
        )
    cast = types.cast_function is not None
    yield Check(
        name="typed loads",
        ok=cast,
        detail="bpf_rdonly_cast" if cast else "the kernel has no bpf_rdonly_cast",
        cost="" if cast else "an unwatched open costs about 0.1 µs more",
        remedy="" if cast else "Linux 6.2 or later",
        required=False,
    )


def _compat_calls() -> Check:
    takes = takes_compat_calls()
    return Check(
        name="32-bit calls",
        ok=takes is False,
        detail={True: "the kernel takes them", False: "the kernel takes none", None: "cannot be found out"}[
            takes
        ],
        cost="" if takes is False else COMPAT_COST,
        remedy="" if takes is False else COMPAT_REMEDY,
        required=False,
    )


def _extras(types: KernelTypes) -> Iterator[Check]:
    """Hooks that this version does not use, but that say what the machine could carry."""
    cost = "races of arguments and io_uring stay invisible"
    fentry = Program(name="kfunc__vmlinux__security_file_open", kind="fentry", event="security_file_open")
    lsm = Program(name="lsm__file_open", kind="lsm", event="file_open")
    yield _tried("fentry", lambda: _load(types, ("checks/fentry.c",), (fentry,)), cost=cost, required=False)
    yield _tried("BPF LSM", lambda: _load(types, ("checks/lsm.c",), (lsm,)), cost=cost, required=False)


def _load(
    types: KernelTypes, files: Sequence[str], programs: Sequence[Program], maps: Sequence[str] = ()
) -> None:
    """Load, attach and let go."""
    loading = Load(types=types, files=files, programs=programs, maps=maps)
    try:
        close_all(loading.attach())
    finally:
        loading.close()
        loading.give_up()


def _tried(name: str, attempt: Callable[[], None], *, cost: str, required: bool = True) -> Check:
    try:
        attempt()
    except MachineCannot as error:
        return _failed(name, error, cost=cost, required=required)
    return Check(name=name, ok=True, detail="loaded and attached", required=required)


def _failed(name: str, error: MachineCannot, *, cost: str = _LIVE, required: bool = True) -> Check:
    return Check(name=name, ok=False, detail=str(error), cost=cost, remedy=error.remedy, required=required)
