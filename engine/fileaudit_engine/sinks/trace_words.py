"""What an operation was about, in the few words that fit a column, and its files as a line ends with them.

    detail_of                     files_of
    O_RDONLY|O_CLOEXEC            /etc/hostname
    4.0 KiB in 3 calls            /var/log/syslog
    0644 was 0600                 /etc/cron.d/job
    alice:staff (1000:50)         /srv/report
                                  /srv/new -> /srv/report

Two blanks in a row, and a blank that ends a name, are written as escapes: so where two blanks stand, a note
begins that no file's name can fake. Where a line has two names, an arrow inside one of them is, too.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone, tzinfo
from typing import Final

from fileaudit_engine.events.call_flags import call_flag_names
from fileaudit_engine.events.computed import permissions_of
from fileaudit_engine.events.document import path_state_words
from fileaudit_engine.events.model import FileEvent, Operation, PathState
from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.events.wording import command_line
from fileaudit_engine.text import counted, printable

_ARROW: Final = "->"
_UNITS: Final = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def size_words(count: int) -> str:
    """`512 B`, `4.0 KiB`: bytes with one decimal of the largest unit that they fill."""
    if abs(count) < 1024:
        return f"{count} B"
    size = count / 1024
    for unit in _UNITS:
        if abs(size) < 1023.95 or unit == _UNITS[-1]:  # from there on it would be shown as 1024.0
            break
        size /= 1024
    return f"{size:.1f} {unit}"


# --- the column ---------------------------------------------------------------------------------------------


def detail_of(event: FileEvent, zone: tzinfo | None) -> str:
    """What there is to say of the operation besides its files; `-` where there is nothing.

    Args:
        event: What happened.
        zone: The zone of times (None: the local one).
    """
    say = _DETAILS.get(event.operation)
    words = say(event, zone) if say else ""
    return " ".join(part for part in (words, _flags(event)) if part) or "-"


def _flags(event: FileEvent) -> str:
    return "" if event.flags is None else "|".join(call_flag_names(event.operation, event.flags))


def _transfer(event: FileEvent, _zone: tzinfo | None) -> str:
    size, calls = event.transferred_bytes, event.transfer_calls
    parts = ("" if size is None else size_words(size), "" if calls is None else counted(calls, "call"))
    return " in ".join(part for part in parts if part)


def _size(event: FileEvent, _zone: tzinfo | None) -> str:
    size = event.new_size_bytes
    return "" if size is None else f"to {counted(size, 'byte')}"


def _mode(event: FileEvent, _zone: tzinfo | None) -> str:
    asked, before = permissions_of(event.new_mode), permissions_of(event.mode)
    if asked is None:
        return ""
    return asked if event.errno or before in {None, asked} else f"{asked} was {before}"


def _owner(event: FileEvent, _zone: tzinfo | None) -> str:
    """`alice:staff (1000:50)`, as chown takes it; the numbers alone where one of them has no name."""
    numbers = (event.new_owner_id, event.new_owner_group_id)
    names = (event.new_owner_name, event.new_owner_group_name)
    plain = _pair("" if number is None else str(number) for number in numbers)
    named = _pair(
        _word(name) if name is not None else "" if number is None else str(number)
        for name, number in zip(names, numbers, strict=True)
    )
    return f"{named} ({plain})" if plain and named != plain else named


def _pair(members: Iterator[str]) -> str:
    owner, group = members
    return f"{owner}:{group}" if group else owner


def _times(event: FileEvent, zone: tzinfo | None) -> str:
    """The time of modification, which is what is faked; that of access where it is another."""
    accessed, modified = event.new_accessed_ns, event.new_modified_ns
    parts = [] if modified is None else [f"modified {_moment(modified, zone)}"]
    if accessed is not None and accessed != modified:
        parts.append(f"accessed {_moment(accessed, zone)}")
    return ", ".join(parts)


def _moment(ts_ns: int, zone: tzinfo | None) -> str:
    """A date and a time of day: what is set is rarely of today."""
    moment = datetime.fromtimestamp(ts_ns // SECOND_NS, timezone.utc).astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _attribute(event: FileEvent, _zone: tzinfo | None) -> str:
    return "" if event.attribute_name is None else _word(event.attribute_name)


def _file_system(event: FileEvent, _zone: tzinfo | None) -> str:
    return "" if event.file_system is None else _word(event.file_system)


def _word(text: str) -> str:
    """A name inside the column: a blank in it would look like the column's end."""
    return printable(text).replace(" ", r"\x20")


def _made(event: FileEvent, _zone: tzinfo | None) -> str:
    """The mode that a new file or folder got."""
    return "" if event.errno else permissions_of(event.mode) or ""


_DETAILS: Final[Mapping[Operation, Callable[[FileEvent, tzinfo | None], str]]] = {
    **dict.fromkeys((Operation.CREATE, Operation.MKDIR), _made),
    **dict.fromkeys((Operation.READ, Operation.WRITE), _transfer),
    **dict.fromkeys((Operation.SETXATTR, Operation.REMOVEXATTR), _attribute),
    Operation.TRUNCATE: _size,
    Operation.CHMOD: _mode,
    Operation.CHOWN: _owner,
    Operation.UTIMES: _times,
    Operation.MOUNT: _file_system,
}


# --- the end of the line ------------------------------------------------------------------------------------


def files_of(event: FileEvent) -> tuple[str, ...]:
    """The file; where the operation is about two names, both, in the order in which an arrow joins them."""
    path = event.path or event.asked_path or "-"
    match event.operation:
        case Operation.RENAME | Operation.LINK:
            first, second = event.source_path or event.asked_source_path, path
        case Operation.SYMLINK:
            first, second = path, event.link_target or ""
        case Operation.MOUNT:
            first, second = event.mount_source, path
        case _:
            return (name_of(path),)
    pair = (first, second) if first and second else (path,)
    return tuple(_unmistakable(name) for name in pair)


def notes_of(event: FileEvent) -> Iterator[str]:
    """What else is to be known: of an exec the command, then how the path came about, and other names."""
    if event.operation is Operation.EXEC and not event.errno:
        line = command_line(event.process)
        if line:
            yield f"$ {line}"
    if state := event.path_state & ~PathState.FOLLOWED:  # what was followed afterwards is a whole path
        yield f"[{', '.join(path_state_words(state))}]"
    if event.path is not None and event.asked_path is not None and not _tells_as_much(event):
        yield f"(asked for {name_of(event.asked_path)})"
    if event.alias_path is not None:
        yield f"(by the name {name_of(event.alias_path)})"
    if event.container_path is not None:
        yield f"(in the container {name_of(event.container_path)})"


def name_of(text: str) -> str:
    r"""A name that does nothing to a terminal and holds no two blanks in a row, nor one at its end."""
    shown = printable(text)
    if "  " in shown:
        shown = shown.replace("  ", r" \x20")
    return rf"{shown[:-1]}\x20" if shown.endswith(" ") else shown


def _unmistakable(text: str) -> str:
    return name_of(text).replace(_ARROW, r"\x2d>")


def _tells_as_much(event: FileEvent) -> bool:
    """Whether the path ends with what was asked for: then that is no news.

    It is news where a link was followed, `..` crossed, or the program was somewhere else than it seems.
    """
    asked = (event.asked_path or "").rstrip("/")
    while asked.startswith(("./", "../", "/")):
        asked = asked.partition("/")[2]
    return f"/{event.path}".endswith(f"/{asked}") or asked in {"", ".", ".."}
