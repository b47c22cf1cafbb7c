"""The import law: knowledge flows downward only (ARCHITECTURE.md, "Rooms").

Every module under `engine/fileaudit_engine` is parsed, not imported, so that imports inside functions and
under `TYPE_CHECKING` count as well: the law is about what a module knows, not about when it loads it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "fileaudit_engine"
ROOT = Path(__file__).parents[2] / "engine" / PACKAGE

LAYERS = (
    {"diagnostics", "text", "resources"},
    {"events"},
    {"rules"},
    {"compiler"},
    {"detect"},
    {"private", "plain_files"},
    {"sources", "enrich", "store", "sinks"},
    {"runtime"},
    {"config", "ruletest"},
    {"cli"},
    {"__main__"},
)
LAYER = {room: layer for layer, rooms in enumerate(LAYERS) for room in rooms}
"""How far down a room is; rooms of one layer do not know each other, the base modules excepted."""

PURE = LAYER["detect"]
"""Up to this layer there is no I/O, no clock and no logging."""

IMPURE_MODULES = frozenset(
    {"asyncio", "ctypes", "fcntl", "glob", "http", "importlib", "io", "logging", "mmap", "multiprocessing"}
    | {"os", "pathlib", "random", "secrets", "select", "selectors", "shutil", "signal", "socket", "sqlite3"}
    | {"subprocess", "sys", "tempfile", "threading", "time", "urllib", "warnings"}
)
IMPURE_CALLS = frozenset({"open", "print", "input", "exec", "eval", "__import__"})
IMPURE_METHODS = frozenset({"now", "utcnow", "today", "read_text", "read_bytes", "write_text", "write_bytes"})
PURE_NAMES = frozenset({"pathlib.PurePath", "pathlib.PurePosixPath", "io.StringIO", "sys.getrefcount"})
"""Names of impure modules that touch nothing outside the process."""

MAY_TOUCH_FILES = {
    "resources": "finds the files that the package ships",
    "rules.attack": "reads the list of ATT&CK techniques that the package ships, once",
    "rules.parser": "reads rule files: somebody must, and every command begins with it",
    "rules.schema": "reads the schemas that the package ships, each once",
}
BCC_IMPORTER = "sources.loader"
"""The loader is a process of its own, so that LLVM never enters the daemon."""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def head(dotted: str) -> str:
    return dotted.partition(".")[0]


def imported(source: str, module: str, *, is_package: bool = False) -> Iterator[str]:
    """Every name that a module imports, absolute and dotted: `os`, `fileaudit_engine.text.fold`."""
    here = [PACKAGE, *filter(None, module.split("."))]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = here[: len(here) - node.level + is_package] if node.level else []
            base = ".".join([*package, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def violations(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """What in a module breaks the law, one sentence each."""
    names = list(imported(source, module, is_package=is_package))
    found = [sentence for name in names if (sentence := upward(name, module))]
    if module != BCC_IMPORTER and any(head(name) == "bcc" for name in names):
        found.append(f"{module} imports bcc, which only {BCC_IMPORTER} may")
    room = head(module)
    if LAYER.get(room, 0) <= PURE and module not in MAY_TOUCH_FILES:
        found += [f"{module} imports {name}" for name in names if is_impure(name)]
        found += [f"{module} calls {name}" for name in impure_calls(source)]
    return found


def upward(name: str, module: str) -> str | None:
    if head(name) != PACKAGE:
        return None
    room, target = head(module), head(name.partition(".")[2])
    if room and room not in LAYER:
        return f"{module} is in a room that the law does not know"
    if target not in LAYER or target == room:
        return None
    here, there = LAYER.get(room, -1), LAYER[target]
    if there < here or here == there == 0:
        return None
    return f"{module} imports {name}: {target} is not before {room or 'the package itself'}"


def is_impure(name: str) -> bool:
    return head(name) in IMPURE_MODULES and name not in PURE_NAMES


def impure_calls(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in IMPURE_CALLS:
                yield called.id
            elif isinstance(called, ast.Attribute) and called.attr in IMPURE_METHODS:
                yield called.attr


@pytest.mark.parametrize("module", MODULES)
def test_a_module_knows_only_the_rooms_before_its_own(module: str) -> None:
    path = MODULES[module]
    assert violations(path.read_text(), module, is_package=path.name == "__init__.py") == []


@pytest.mark.parametrize("module", MAY_TOUCH_FILES)
def test_an_exception_from_the_law_is_still_needed(module: str) -> None:
    source = MODULES[module].read_text()
    assert any(map(is_impure, imported(source, module))) or any(impure_calls(source))


def test_bcc_is_imported_by_the_loader() -> None:
    names = imported(MODULES[BCC_IMPORTER].read_text(), BCC_IMPORTER)
    assert any(head(name) == "bcc" for name in names)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("events.model", "from fileaudit_engine.rules.ast import Rule"),
        ("rules.parser", "from fileaudit_engine.compiler import ir"),
        ("rules.parser", "from ..compiler import ir"),
        ("compiler.plan", "import fileaudit_engine.detect.record"),
        ("compiler.plan", "from fileaudit_engine import detect"),
        ("compiler.plan", "if TYPE_CHECKING:\n    from fileaudit_engine.detect.record import Record"),
        ("sinks.terminal", "from fileaudit_engine.store.store import Store"),
        ("sources.bpf", "def f():\n    from fileaudit_engine.enrich.identity import Users"),
        ("ruletest.cases", "from fileaudit_engine.config import Config"),
        ("runtime.pipeline", "from fileaudit_engine.cli import main"),
        ("text", "from fileaudit_engine.events.model import FileEvent"),
        ("", "from fileaudit_engine.text import fold"),
        ("elsewhere.module", "from fileaudit_engine.text import fold"),
    ],
)
def test_knowledge_that_flows_upward_or_sideways_is_found(module: str, source: str) -> None:
    assert violations(source, module)


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "import os.path",
        "from time import monotonic",
        "import logging",
        "from pathlib import Path",
        "def f():\n    import socket",
        "open('/etc/passwd')",
        "datetime.now()",
        "print('found')",
        "path.read_text()",
    ],
)
def test_a_pure_room_that_touches_the_world_is_found(source: str) -> None:
    assert violations(source, "detect.evaluate")
    assert not violations(source, "runtime.pipeline")


@pytest.mark.parametrize("source", ["import bcc", "from bcc import BPF", "def f():\n    from bcc import BPF"])
def test_bcc_anywhere_else_is_found(source: str) -> None:
    assert violations(source, "sources.bpf")
    assert not violations(source, BCC_IMPORTER)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "detect.alert",
            "from fileaudit_engine.compiler.plan import UserRule\nfrom fileaudit_engine.text import fold",
        ),
        ("diagnostics", "from fileaudit_engine.text import printable"),
        ("rules.parser", "from .ast import Rule\nfrom . import source"),
        ("rules.document", "from pathlib import PurePath"),
        ("cli.run", "from fileaudit_engine.runtime.pipeline import run"),
        ("cli.run", "import os, time, logging"),
    ],
)
def test_knowledge_that_flows_downward_is_fine(module: str, source: str) -> None:
    assert violations(source, module) == []


def test_the_whole_package_was_looked_at() -> None:
    rooms = {head(name) for name in MODULES}
    assert rooms >= {"events", "rules", "compiler", "detect", "sources", "store", "sinks", "runtime", "cli"}
