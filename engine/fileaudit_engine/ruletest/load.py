"""Finds the test files under a path and reads them.

Test files may have been written by anybody who can send a change, and are read by whoever reviews it: only
regular files are opened, links to folders are not followed, sizes are bounded.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from fileaudit_engine.diagnostics import (
    Collector,
    Diagnostic,
    Location,
    SourceText,
    in_order,
    unusable_file,
)
from fileaudit_engine.rules.source import MAX_FILE_BYTES, decode, read_documents
from fileaudit_engine.ruletest.case_reader import CaseReader
from fileaudit_engine.ruletest.cases import Case, LoadedCases
from fileaudit_engine.ruletest.recorded import Recordings

MAX_FINDINGS: Final = 200
"""Findings of one file that are shown."""

SUFFIXES: Final = (".test.yml", ".test.yaml")


def load_cases(path: Path | str, *, allow_unknown_fields: bool = False) -> LoadedCases:
    """The cases of one test file, or of all `*.test.yml` under a folder.

    Args:
        path: The file or folder.
        allow_unknown_fields: Keep what the field table does not know in `FileEvent.extra`.

    Raises:
        UnusableInput: There is no such path, or no test file under it.
    """
    root = Path(path)
    walk = Collector()
    files = _files(root, walk)
    if not files and not walk.diagnostics:
        raise unusable_file(
            "FA069",
            str(root),
            "there is no test file in this folder",
            help="test files are called NAME.test.yml",
        )
    cases: list[Case] = []
    found = list(walk.diagnostics)
    sources: dict[str, SourceText] = {}
    for file in files:
        recordings = Recordings(
            folder=file.parent,
            root=root if file is not root else root.parent,
            allow_unknown_fields=allow_unknown_fields,
        )
        source, problems = _read(file)
        found += problems
        if source is not None:
            sources[source.file] = source
            cases += _cases_of(source, recordings, found)
    return LoadedCases(cases=tuple(cases), diagnostics=tuple(found), sources=sources)


def _cases_of(source: SourceText, recordings: Recordings, found: list[Diagnostic]) -> list[Case]:
    reader = CaseReader(file=source.file, recordings=recordings)
    cases: list[Case] = []
    documents = list(read_documents(source))
    for document in documents:
        reader.found.extend(document.diagnostics)
        if document.root is not None:
            cases += reader.read(document.root)
    audited = frozenset(expectation.rule for case in cases for expectation in case.audit or ())
    if not documents:
        place = Location(file=source.file)
        reader.found.error("FA060", "the file is empty", place, help="add 'tests:', a list of cases")
    found += _at_most(in_order(reader.found.diagnostics))
    return [replace(case, audited=audited) for case in cases]


def _at_most(found: list[Diagnostic]) -> list[Diagnostic]:
    """The first findings of a file; one wrong default is found again at every event, and counts once."""
    if len(found) <= MAX_FINDINGS:
        return found
    more = Collector()
    more.error(
        "FA069",
        f"{len(found) - MAX_FINDINGS} more findings are not shown",
        found[MAX_FINDINGS].location,
        help="is this a test file?",
    )
    return found[:MAX_FINDINGS] + more.diagnostics


def _files(root: Path, found: Collector) -> list[Path]:
    """The test files, sorted; a file that is named itself may be called anything."""
    if os.path.isdir(root):  # noqa: PTH112 - Path.is_dir raises where a folder above is closed to us
        return list(_walk(root, found))
    if not os.path.exists(root):  # noqa: PTH110 - as above
        raise unusable_file(
            "FA069",
            str(root),
            "there is no such file or folder",
            help="name a test file, or a folder with some",
        )
    return [root]


def _walk(root: Path, found: Collector) -> Iterator[Path]:
    """The test files of a folder and what is below it; hidden folders are left out.

    A case that is passed over would look like one that passes, so whatever cannot be walked is an error. A
    link inside the folder is fine: the folder that it leads to is walked where it is.
    """

    def unreadable(error: OSError) -> None:
        place = Location(file=str(error.filename))
        found.error("FA069", f"the folder cannot be read: {error.strerror}", place, help="make it readable")

    inside = os.path.realpath(root)
    for folder, folders, names in os.walk(root, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        tests = sorted(name for name in names if name.endswith(SUFFIXES))
        for path in (Path(folder, name) for name in (*folders, *tests)):
            if os.path.commonpath((inside, os.path.realpath(path))) != inside:
                place = Location(file=str(path))
                found.error("FA069", "the link leads out of the folder", place, help="move its target here")
            elif path.name in tests:
                yield path


def _read(file: Path) -> tuple[SourceText | None, tuple[Diagnostic, ...]]:
    """The text of a file, or why there is none."""
    try:
        raw = _bytes_of(file)
    except OSError as error:
        found = Collector()
        reason = error.strerror or str(error)
        found.error(
            "FA069", f"the file cannot be read: {reason}", Location(file=str(file)), help="make it readable"
        )
        return None, tuple(found.diagnostics)
    return decode(str(file), raw)


def _bytes_of(file: Path) -> bytes:
    """At most one byte more than a file may have; never from a device or a pipe, which would not end."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor has no path
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        return stream.read(MAX_FILE_BYTES + 1)
