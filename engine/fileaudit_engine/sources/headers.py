"""The running kernel's types as a C header, cached per kernel build.

BCC compiles against a `vmlinux.h` made from the kernel's own BTF, so that no header package is needed and
no structure offset can be wrong. Beside it stand the few facts that the programs depend on: type numbers
for typed loads, and names that changed between kernels.

The cache is read by root's compiler. So its folder belongs to us alone, nothing in it is reached through a
link, and files appear in it whole, by rename.
"""

import hashlib
import json
import os
import platform
import re
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import MachineCannot

BTF: Final = Path("/sys/kernel/btf/vmlinux")
CACHE: Final = Path("/var/cache/fileaudit")
_FORMAT: Final = "4"
"""Goes into the cache's key: raised when what is written there changes."""

_FIRST_LATE_HELPER: Final = 176
_LATE_HELPERS: Final = """
    get_branch_snapshot trace_vprintk skc_to_unix_sock kallsyms_lookup_name find_vma loop strncmp
    get_func_arg get_func_ret get_func_arg_cnt get_retval set_retval xdp_get_buff_len xdp_load_bytes
    xdp_store_bytes copy_from_user_task skb_set_tstamp ima_file_hash kptr_xchg map_lookup_percpu_elem
    skc_to_mptcp_sock dynptr_from_mem ringbuf_reserve_dynptr ringbuf_submit_dynptr ringbuf_discard_dynptr
    dynptr_read dynptr_write dynptr_data tcp_raw_gen_syncookie_ipv4 tcp_raw_gen_syncookie_ipv6
    tcp_raw_check_syncookie_ipv4 tcp_raw_check_syncookie_ipv6 ktime_get_tai_ns user_ringbuf_drain
    cgrp_storage_get cgrp_storage_delete
"""
"""The kernel's helper functions after those of 5.15, in the order of their numbers. There will be no more:
new ones are kernel functions. BCC's own headers name all of them, whether this kernel has them or not.
"""

_TYPE: Final = r"^\[(\d+)\] {kind} '{name}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelTypes:
    """What the compiler needs to know of this kernel.

    Attributes:
        include: The folder that holds `vmlinux.h`.
        defines: Macros for the programs, without `-D`.
        cast_function: BTF number of `bpf_rdonly_cast`; None where the kernel has none (before 6.2).
        type_defines: More macros, for programs that use it.
    """

    include: str
    defines: tuple[str, ...]
    cast_function: int | None
    type_defines: tuple[str, ...]


def kernel_types(cache: Path = CACHE) -> KernelTypes:
    """The types of the running kernel, generated if this build has not been seen yet.

    Raises:
        MachineCannot: No BTF, no bpftool, or the cache's folder is not safe.
    """
    try:
        raw = BTF.read_bytes()
    except OSError as error:
        raise MachineCannot(
            f"the kernel does not describe its types: {BTF}: {error.strerror}",
            remedy="run a kernel with CONFIG_DEBUG_INFO_BTF=y (Debian 12 and Ubuntu 22.04 and later have it)",
        ) from error
    key = hashlib.sha256(_FORMAT.encode() + platform.release().encode() + raw).hexdigest()[:24]
    folder = _private_folder(_private_folder(cache) / key)
    facts = folder / "facts.json"
    if not _is_ours(facts) or not _is_ours(folder / "vmlinux.h"):
        _generate(folder)
    known = json.loads(facts.read_text(encoding="utf-8"))
    return KernelTypes(
        include=str(folder),
        defines=tuple(known["defines"]),
        cast_function=known["cast_function"],
        type_defines=tuple(known["type_defines"]),
    )


def _generate(folder: Path) -> None:
    header = _bpftool("format", "c")
    listing = _bpftool()
    _write(folder / "vmlinux.h", header)
    types = KernelTypes(
        include=str(folder),
        defines=_defines(header),
        cast_function=_number(listing, "FUNC", "bpf_rdonly_cast"),
        type_defines=tuple(
            f"TYPE_{name.upper()}={_number(listing, 'STRUCT', name)}" for name in ("file", "dentry", "mount")
        ),
    )
    _write(folder / "facts.json", json.dumps(asdict(types)))


def _defines(header: str) -> tuple[str, ...]:
    short_name = "d_shortname" if re.search(r"\bd_shortname;", header) else "d_iname"
    version = [int(n) for n in re.findall(r"\d+", platform.release())[:3]]
    number = (version[0] << 16) + (version[1] << 8) + min(version[2] if len(version) > 2 else 0, 255)
    audit = ("HAVE_AUDIT",) if re.search(r"\bkuid_t loginuid;", header) else ()
    parent = "__parent" if re.search(r"\bstruct kernfs_node \*__parent;", header) else "parent"
    cgroups = ("HAVE_CGROUPS",) if re.search(r"\bstruct css_set \*cgroups;", header) else ()
    facts = (
        f"DENTRY_SHORT_NAME={short_name}",
        f"KERNFS_PARENT={parent}",
        f"FILEAUDIT_KERNEL_VERSION={number}",
        *audit,
        *cgroups,
    )
    return (*facts, *missing_helpers(header))


def missing_helpers(header: str) -> tuple[str, ...]:
    """The numbers, as macros, of helpers that these types do not know.

    Nothing of ours calls them. Without their numbers BCC's declarations of them would not compile.
    """
    known = set(re.findall(r"\bBPF_FUNC_\w+", header))
    late = enumerate(_LATE_HELPERS.split(), _FIRST_LATE_HELPER)
    return tuple(f"BPF_FUNC_{name}={number}" for number, name in late if f"BPF_FUNC_{name}" not in known)


def _number(listing: str, kind: str, name: str) -> int | None:
    found = re.search(_TYPE.format(kind=kind, name=name), listing, re.MULTILINE)
    return int(found[1]) if found else None


def _bpftool(*arguments: str) -> str:
    command = ["bpftool", "btf", "dump", "file", str(BTF), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True, env=_environment())
    except FileNotFoundError as error:
        raise MachineCannot("bpftool is not installed", remedy="apt install bpftool") from error
    except subprocess.CalledProcessError as error:
        raise MachineCannot(f"bpftool cannot read {BTF}: {error.stderr.strip()}") from error
    return done.stdout


def _environment() -> dict[str, str]:
    # bpftool lives in sbin, which users' paths often lack.
    return {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin"}


def _private_folder(path: Path) -> Path:
    """Make the folder, and make sure that nobody else can put anything into it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat()
    if not path.is_dir() or path.is_symlink() or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise MachineCannot(
            f"{path} is not safe to keep compiler input in: it is a link, or others may write to it",
            remedy=f"remove {path}",
        )
    return path


def _is_ours(path: Path) -> bool:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return not path.is_symlink() and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _write(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)
