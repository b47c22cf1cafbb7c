"""Secrets: passwords and keys, read from where the configuration says that they stand.

A secret stands in a file or in a variable of the environment, never in the configuration and never on a
command line, where everybody reads it. It is read when it is needed and again when it has changed: whoever
writes a new key into the file need not start the engine anew. What is read is in no message, no
representation and no error.

The file may be a symbolic link: systemd (`LoadCredential=`), Docker and Kubernetes give secrets as files, and
Kubernetes changes them by turning a link.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import UnusableInput, unusable_file
from fileaudit_engine.plain_files import NotPlain, read_plain

CODE: Final = "FA087"
"""A secret that cannot be used."""
MOST_BYTES: Final = 4_096
"""Of a secret: servers take headers of 8,192 bytes, and no key comes near."""

_RIGHTS: Final = "and see to it that only the engine can read it: chmod 600"

Stamp = tuple[int, int, int, int, int]
"""What tells one content of a file from another, without reading it."""


@dataclass(slots=True)
class _Seen:
    """What a secret was read from last."""

    mark: object = None
    ever: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Where a secret stands: in a file, or in a variable of the environment; exactly one is given.

    Two are equal if they stand at the same place, whatever stands there.

    Attributes:
        file: The file.
        env: The name of the variable.
    """

    file: Path | None = None
    env: str | None = None
    _seen: _Seen = field(default_factory=_Seen, init=False, repr=False, compare=False)

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return str(self.file) if self.file is not None else f"the environment variable {self.env}"

    def read(self) -> str:
        """The secret as it is now, without the newline at its end.

        Raises:
            UnusableInput: It is not there, or nothing that can be a secret; the remedy is in words.
        """
        self._seen.mark, self._seen.ever = self._mark(), True
        if self.file is not None:
            return _checked(_content(self.file), str(self.file), f"write it into the file, {_RIGHTS}")
        name = self.env or ""
        text = os.environ.get(name)
        if text is None:
            message = f"the environment variable {name} is not set"
            raise unusable_file(CODE, f"${name}", message, "set it where the engine is started")
        return _checked(os.fsencode(text), f"${name}", "set the variable to the secret, in one line")

    def changed(self) -> bool:
        """Whether it may be another one than `read` found last, or failed to find; costs one `stat`."""
        return not self._seen.ever or self._mark() != self._seen.mark

    def warnings(self) -> Iterator[str]:
        """What is unwise about it, in words: who else can read it."""
        if self.file is not None:
            yield from exposed(self.file)

    def _mark(self) -> object:
        if self.file is not None:
            return stamp_of(self.file)
        return hash(os.environ.get(self.env or ""))


def stamp_of(path: Path) -> Stamp | None:
    """What changes when the content of a file changes, links followed; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def exposed(path: Path) -> Iterator[str]:
    """That everybody on this host can read or write a file that holds a secret; links followed.

    A file below a folder that lets nobody in is read by nobody, whatever its own mode says.
    """
    try:
        real = path.resolve(strict=True)
        mode = real.stat().st_mode
        closed = any(not folder.stat().st_mode & stat.S_IXOTH for folder in real.parents)
    except OSError:
        return
    if closed:
        return
    for bit, verb in ((stat.S_IROTH, "read"), (stat.S_IWOTH, "write")):
        if mode & bit:
            yield f"every user of this host can {verb} {path}: chmod 600 {path}"


def _content(path: Path) -> bytes:
    """What stands in a file, and not more of it than a secret may have, plus one byte."""
    try:
        return read_plain(path, MOST_BYTES + 3)
    except OSError as error:
        remedy = f"write it into that file, {_RIGHTS}"
        if isinstance(error, NotPlain):
            remedy = "name a plain file, or a link to one"
        message = f"the secret cannot be read: {error.strerror or error}"
        raise unusable_file(CODE, str(path), message, remedy) from error


def _checked(raw: bytes, place: str, remedy: str) -> str:
    """The text of a secret; nothing of it is in what is raised."""
    body = raw[:-2] if raw.endswith(b"\r\n") else raw[:-1] if raw.endswith(b"\n") else raw
    if not body:
        raise _unusable("is empty", place, remedy)
    if len(body) > MOST_BYTES:
        raise _unusable(f"is longer than {MOST_BYTES:,} bytes", place, remedy)
    if b"\n" in body or b"\r" in body:
        raise _unusable("has more than one line", place, remedy)
    text = _decoded(body)
    if text is None:
        raise _unusable("is not text: it has control characters, or is not UTF-8", place, remedy)
    return text


def _decoded(body: bytes) -> str | None:
    """The text; None, and no trace of it, if it is none."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return text if not any(character < " " or character == "\x7f" for character in text) else None


def _unusable(how: str, place: str, remedy: str) -> UnusableInput:
    return unusable_file(CODE, place, f"the secret {how}", remedy)
