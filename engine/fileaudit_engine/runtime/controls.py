"""The control mapping: which rules, trails and parts of a report serve which requirement.

It is data, `schemas/controls.json`, so that whoever knows the requirements can read and correct it.
"""

import functools
from typing import Final

import msgspec

from fileaudit_engine.diagnostics import InternalError
from fileaudit_engine.resources import schemas_dir

FILE: Final = "controls.json"


class RequirementSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A requirement and what serves it.

    Attributes:
        id: As the framework has it.
        title: What it asks for, in our own words.
        rules: Names of rules that alert.
        trails: Names of scopes of the audit trail.
        sections: Parts of the report.
        note: How far that goes, and what the engine does not do for it.
    """

    id: str
    title: str
    rules: tuple[str, ...] = ()
    trails: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    note: str = ""


class FrameworkSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body of requirements, in one version."""

    name: str
    version: str
    requirements: tuple[RequirementSpec, ...]


class _File(msgspec.Struct, frozen=True, kw_only=True):
    frameworks: tuple[FrameworkSpec, ...]


@functools.cache
def frameworks() -> tuple[FrameworkSpec, ...]:
    """The mapping that is shipped.

    Raises:
        InternalError: It is not as it should be.
    """
    raw = (schemas_dir() / FILE).read_bytes()
    try:
        return msgspec.json.decode(raw, type=_File).frameworks
    except msgspec.DecodeError as error:
        raise InternalError(f"{FILE}: {error}") from error
