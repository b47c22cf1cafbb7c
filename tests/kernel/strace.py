"""What strace saw of a program, as counts per operation and path: the yardstick for what the engine reports.

strace writes one file a process (`-ff`), with the paths of descriptors beside them (`-y`) and every byte of a
name in hexadecimal (`-xx`), so that a line is taken apart without guessing. Old calls have no directory in
their line: the working directory is followed from process to process.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fileaudit_engine.events.calls import CALLS
from fileaudit_engine.text import from_kernel

_FORKS: Final = frozenset({"clone", "clone3", "fork", "vfork"})
_MOVES: Final = frozenset({"chdir", "fchdir"})
TRACED: Final = (*CALLS, *sorted(_FORKS), *sorted(_MOVES))
"""Every call that the engine reports, and those that say where a process is."""

Key = tuple[str, str]
"""Operation and path."""


@dataclass(slots=True)
class Account:
    """What was done to which files.

    Attributes:
        counts: Calls by operation and path; of reads and writes those that moved something.
        empty: Reads and writes that succeeded and moved nothing.
        bytes: What was read or written.
        certain: Opens that must have made their file (O_EXCL); they are in `counts` as `open`, as is every
            open, for strace cannot tell whether a file was made.
        possible: Opens that may have made their file (O_CREAT).
    """

    counts: Counter[Key] = field(default_factory=Counter)
    empty: Counter[Key] = field(default_factory=Counter)
    bytes: Counter[Key] = field(default_factory=Counter)
    certain: Counter[str] = field(default_factory=Counter)
    possible: Counter[str] = field(default_factory=Counter)


def command(output: Path, program: Sequence[str]) -> list[str]:
    """The command line that runs a program under strace; lines go to `output`.PID."""
    traced = "trace=" + ",".join(f"?{call}" for call in TRACED)
    options = ["-f", "-ff", "-y", "-xx", "-s", "1", "-qq", "-e", "signal=none", "-e", traced]
    return ["strace", *options, "-o", str(output), *program]


def account(output: Path, cwd: Path) -> Account:
    """What the lines say of a program that was started in a directory.

    Raises:
        ValueError: A line cannot be understood.
    """
    logs = {int(path.suffix[1:]): path for path in output.parent.glob(f"{output.name}.*")}
    found = Account()
    children = {child for path in logs.values() for child in _children(path)}
    waiting = [(pid, os.fsencode(cwd)) for pid in logs.keys() - children]
    while waiting:
        pid, start = waiting.pop()
        waiting += _Process(pid, start, found).follow(logs[pid])
    return found


# --- lines ---------------------------------------------------------------------------------------------

_LINE: Final = re.compile(r"(\w+)\((.*)\) += (\?|0x[0-9a-f]+|-?\d+)(.*)")
_PARTS: Final = re.compile(r'"(?:\\x[0-9a-f]{2})*"|<[^>]*>|[\[{(]|[\])}]|, ')
_ANNOTATION: Final = re.compile(r"<([^>]*)>(\(deleted\))?")
_NEST: Final = {"[": 1, "{": 1, "(": 1, "]": -1, "}": -1, ")": -1}


@dataclass(frozen=True, slots=True)
class Line:
    """One call.

    Attributes:
        call: Its name.
        arguments: As strace writes them.
        result: The number that it returned; below zero for an error.
        annotation: What strace says of the result: the path of a descriptor.
    """

    call: str
    arguments: tuple[str, ...]
    result: int
    annotation: str

    def path(self, number: int) -> bytes:
        """An argument that is a file name."""
        return _unquoted(self.arguments[number])

    def file(self, number: int) -> bytes:
        """The file of an argument that is a descriptor; empty if it is not known."""
        return _annotated(self.arguments[number])


def lines(path: Path) -> Iterator[Line]:
    """All calls of one process that returned.

    Raises:
        ValueError: A line is something else.
    """
    for text in path.read_text("ascii").splitlines():
        match = _LINE.fullmatch(text)
        if match is None:
            raise ValueError(text)
        call, arguments, result, rest = match.groups()
        if result != "?":
            yield Line(call, _split(arguments), int(result, 0), rest)


def _children(path: Path) -> list[int]:
    return [line.result for line in lines(path) if line.call in _FORKS and line.result > 0]


def _split(text: str) -> tuple[str, ...]:
    parts, depth, start = [], 0, 0
    for match in _PARTS.finditer(text):
        depth += _NEST.get(match[0], 0)
        if match[0] == ", " and not depth:
            parts.append(text[start : match.start()])
            start = match.end()
    return (*parts, text[start:])


def _unquoted(text: str) -> bytes:
    return bytes.fromhex(text.strip('"').replace("\\x", ""))


def _annotated(text: str) -> bytes:
    match = _ANNOTATION.search(text)
    return bytes.fromhex(match[1].replace("\\x", "")) if match and match[1].startswith("\\x") else b""


# --- what a call does ----------------------------------------------------------------------------------

_READS: Final = {"read": 0, "pread64": 0, "readv": 0, "preadv": 0, "preadv2": 0, "sendfile": 1, "splice": 0}
_WRITES: Final = {
    "write": 0,
    "pwrite64": 0,
    "writev": 0,
    "pwritev": 0,
    "pwritev2": 0,
    "sendfile": 0,
    "splice": 2,
}
_IN_AND_OUT: Final = {"copy_file_range": (0, 2)}
_OPENS: Final = {"open": (None, 0, 1), "openat": (0, 1, 2), "openat2": (0, 1, 2), "creat": (None, 0, None)}
"""Where directory, name and flags stand."""
_NAMES: Final = {
    "mkdir": ("mkdir", None, 0),
    "mkdirat": ("mkdir", 0, 1),
    "mknod": ("create", None, 0),
    "mknodat": ("create", 0, 1),
    "rmdir": ("rmdir", None, 0),
    "unlink": ("unlink", None, 0),
    "unlinkat": ("unlink", 0, 1),
    "rename": ("rename", None, 1),
    "renameat": ("rename", 2, 3),
    "renameat2": ("rename", 2, 3),
    "link": ("link", None, 1),
    "linkat": ("link", 2, 3),
    "symlink": ("symlink", None, 1),
    "symlinkat": ("symlink", 1, 2),
    "lchown": ("chown", None, 0),
    "lsetxattr": ("setxattr", None, 0),
    "lremovexattr": ("removexattr", None, 0),
}
"""Operation, and where directory and name stand; the last link is not followed."""
_FOLLOWS: Final = {
    "truncate": ("truncate", None, 0),
    "chmod": ("chmod", None, 0),
    "fchmodat": ("chmod", 0, 1),
    "fchmodat2": ("chmod", 0, 1),
    "chown": ("chown", None, 0),
    "fchownat": ("chown", 0, 1),
    "utime": ("utimes", None, 0),
    "utimes": ("utimes", None, 0),
    "futimesat": ("utimes", 0, 1),
    "utimensat": ("utimes", 0, 1),
    "setxattr": ("setxattr", None, 0),
    "removexattr": ("removexattr", None, 0),
}
"""The same of calls that follow it, unless their flags say otherwise."""
_DESCRIPTORS: Final = {
    "ftruncate": "truncate",
    "fchmod": "chmod",
    "fchown": "chown",
    "fsetxattr": "setxattr",
    "fremovexattr": "removexattr",
}
_OWN: Final = re.compile(rb"/proc/self(?=/|$)")
_RESTARTED: Final = ("ERESTART", "EINTR")


class _Process:
    """Follows one process through its lines."""

    def __init__(self, pid: int, cwd: bytes, into: Account) -> None:
        self._own = b"/proc/%d" % pid
        self._cwd = cwd
        self._into = into
        self._opened: dict[int, bytes] = {}

    def follow(self, log: Path) -> list[tuple[int, bytes]]:
        """Count all; returns the processes that it made, with the directories they begin in."""
        made = []
        for line in lines(log):
            if line.call in _FORKS:
                made += [(line.result, self._cwd)] if line.result > 0 else []
            elif line.call in _MOVES:
                self._move(line)
            elif not line.annotation.lstrip().startswith(_RESTARTED):
                self._count(line)
        return made

    def _move(self, line: Line) -> None:
        if line.result == 0:
            self._cwd = line.file(0) if line.call == "fchdir" else true(self._absolute(line, None, 0))

    def _count(self, line: Line) -> None:  # noqa: PLR0911 - one way out for each family of calls
        call = line.call
        if call in _READS or call in _WRITES or call in _IN_AND_OUT:
            return self._transfer(line)
        if call in _OPENS:
            return self._open(line)
        if call in _NAMES:
            operation, directory, name = _NAMES[call]
            removes_folder = call == "unlinkat" and "AT_REMOVEDIR" in line.arguments[2]
            return self._name("rmdir" if removes_folder else operation, line, directory, name)
        if call in _FOLLOWS:
            return self._followed(line)
        if call in _DESCRIPTORS:
            return self._add(_DESCRIPTORS[call], line.file(0))
        if call == "execve":
            return self._exec(line)
        if call == "mmap":
            return self._map(line)
        raise ValueError(line)

    def _transfer(self, line: Line) -> None:
        if line.result < 0:
            return
        into_and_out = _IN_AND_OUT.get(line.call, (_READS.get(line.call), _WRITES.get(line.call)))
        for operation, number in zip(("read", "write"), into_and_out, strict=True):
            if number is not None:
                self._moved(operation, line.file(number), line.result)

    def _moved(self, operation: str, path: bytes, size: int) -> None:
        key = operation, from_kernel(path)
        if path:
            (self._into.counts if size else self._into.empty)[key] += 1
            self._into.bytes[key] += size

    def _open(self, line: Line) -> None:
        directory, name, flags_at = _OPENS[line.call]
        flags = "O_CREAT" if flags_at is None else line.arguments[flags_at]
        path = _annotated(line.annotation) if line.result >= 0 else self._absolute(line, directory, name)
        self._opened[line.result] = path
        self._add("open", path)
        if line.result >= 0 and "O_CREAT" in flags:
            self._into.possible[from_kernel(path)] += 1
            self._into.certain[from_kernel(path)] += "O_EXCL" in flags

    def _name(self, operation: str, line: Line, directory: int | None, name: int) -> None:
        path = self._absolute(line, directory, name)
        self._add(operation, named(path) if line.result >= 0 else path)

    def _followed(self, line: Line) -> None:
        operation, directory, name = _FOLLOWS[line.call]
        if line.arguments[name] in {"NULL", '""'}:
            return self._add(operation, line.file(directory or 0))
        if "NOFOLLOW" in line.arguments[-1]:
            return self._name(operation, line, directory, name)
        path = self._through_proc(self._absolute(line, directory, name))
        return self._add(operation, true(path) if line.result >= 0 else path)

    def _through_proc(self, path: bytes) -> bytes:
        """The file of a descriptor that is named by way of /proc, as the C library does."""
        folder, _, number = path.rpartition(b"/")
        return self._opened[int(number)] if folder == self._own + b"/fd" else path

    def _exec(self, line: Line) -> None:
        path = self._absolute(line, None, 0)
        self._add("exec", interpreter(true(path)) if line.result >= 0 else path)

    def _map(self, line: Line) -> None:
        if "PROT_WRITE" in line.arguments[2] and "MAP_SHARED" in line.arguments[3]:
            self._add("write", line.file(4))

    def _absolute(self, line: Line, directory: int | None, name: int) -> bytes:
        start = self._cwd if directory is None else line.file(directory)
        path = os.path.normpath(os.path.join(start, line.path(name)))  # noqa: PTH118 - bytes
        return _OWN.sub(self._own, path)

    def _add(self, operation: str, path: bytes) -> None:
        if path:
            self._into.counts[operation, from_kernel(path)] += 1


def true(path: bytes) -> bytes:
    """With all links followed."""
    return os.path.realpath(path)


def named(path: bytes) -> bytes:
    """With the links in front of the last name followed."""
    folder, name = os.path.split(path)
    return os.path.join(true(folder), name)  # noqa: PTH118 - bytes


def interpreter(path: bytes) -> bytes:
    """What runs when this program is started: itself, or what its first line asks for."""
    with open(path, "rb") as program:  # noqa: PTH123 - bytes
        first = program.readline(256)
    if not first.startswith(b"#!"):
        return path
    return interpreter(true(first[2:].split()[0]))
