"""Writes every schema of `schemas/` from the field table, the registry of modifiers and `tools/schemas`.

    python -m tools.generate_schemas

The schemas serve two readers: an editor, whose YAML language server completes and explains by them, and the
engine, which checks the frame of documents with three of them. Beside them stands what receivers are told of
our documents, a folder for each. Run this after a field, a modifier or an attribute has changed; a test says
so if it was forgotten.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tools.kibana import bundle
from tools.schemas import (
    config,
    controls,
    correlation,
    elasticsearch,
    event,
    filter,  # noqa: A004 - the file's name
    report,
    rule,
    test,
)
from tools.schemas.parts import Schema
from tools.schemas.parts import rendered as laid_out

DESCRIPTION: Final = (
    "Write every schema of schemas/ from the field table, the registry of modifiers and tools/schemas."
)
FOLDER: Final = Path(__file__).resolve().parent.parent / "schemas"

SCHEMAS: Final[dict[str, Callable[[], Schema]]] = {
    "config": config.schema,
    "controls": controls.schema,
    "correlation": correlation.schema,
    "event": event.schema,
    "filter": filter.schema,
    "report": report.schema,
    "rule": rule.schema,
    "test": test.schema,
}
"""What is written, by the first word of the file's name."""

FOLDERS: Final[dict[str, Callable[[], dict[str, Schema]]]] = {"elasticsearch": elasticsearch.bodies}
"""What receivers are told, by folder: files of JSON by their names without the ending."""

BUNDLES: Final[dict[Path, Callable[[], str]]] = {bundle.FILE: bundle.rendered}
"""What is imported as it is, by its place."""


def target(name: str) -> Path:
    """The file of a schema."""
    return FOLDER / f"{name}.schema.json"


def rendered(name: str) -> str:
    """The file's content."""
    return f"{laid_out(SCHEMAS[name]())}\n"


def files() -> dict[Path, str]:
    """Everything that is written: path and content."""
    found = {target(name): rendered(name) for name in SCHEMAS}
    for folder, bodies in FOLDERS.items():
        found |= {FOLDER / folder / f"{name}.json": f"{laid_out(body)}\n" for name, body in bodies().items()}
    return found | {FOLDER / place: content() for place, content in BUNDLES.items()}


def main() -> None:
    """Write all schemas."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate_schemas", description=DESCRIPTION)
    parser.parse_args()  # nothing can be chosen; but who asks for help, or mistypes, gets no files
    for path, content in files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
