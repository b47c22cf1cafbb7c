"""Where the files are that are shipped beside the code: `bpf/`, `rules/` and `schemas/`.

A wheel carries them in `fileaudit_engine/data/`; a checkout has them at its top.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def bpf_dir() -> Path:
    """The programs that run in the kernel, as C."""
    return _shipped("bpf")


def rules_dir() -> Path:
    """The rules that the engine runs unless it is told otherwise."""
    return _shipped("rules")


def schemas_dir() -> Path:
    """The JSON Schemas of rules, events and configuration."""
    return _shipped("schemas")


def _shipped(name: str) -> Path:
    in_wheel = _PACKAGE / "data" / name
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent.parent / name
