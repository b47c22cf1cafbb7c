"""The files that come with the package but are no Python: BPF programs, rules, schemas.

In a wheel they lie inside the package, under `data/`; in a checkout they are folders of the top level.
Nothing is copied and nothing read at import: each function returns a folder.
"""

from pathlib import Path

from fileaudit_engine.diagnostics import InternalError

_PACKAGE = Path(__file__).resolve().parent


def bpf_dir() -> Path:
    """The C of the kernel programs, with the header shim in `include/`."""
    return _folder("bpf")


def rules_dir() -> Path:
    """The rules that are shipped."""
    return _folder("rules")


def detections_dir() -> Path:
    """Of the shipped rules those that are in force where nobody names any: the detections.

    The scopes of the audit trail beside them, in `audit/`, are for choosing: that of the whole host writes
    down every operation on it.
    """
    return rules_dir() / "linux"


def schemas_dir() -> Path:
    """JSON Schemas and index templates."""
    return _folder("schemas")


def _folder(name: str) -> Path:
    for candidate in (_PACKAGE / "data" / name, _PACKAGE.parents[1] / name):
        if candidate.is_dir():
            return candidate
    raise InternalError(f"the package is incomplete: it has no folder '{name}'")
