"""What a user decides about the reading of rules: never anything that a rule file says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOptions:
    """How rule files are read.

    Attributes:
        allow_unknown_fields: Whether a field that the field table does not know is taken as it is.
        placeholders: What `%name%` stands for under `expand`, by name without the percent signs; each value
            is read as a rule's would be, wildcards and escapes included.
        timezone: An IANA name; what `hour`, `day` and their like are counted in.
    """

    allow_unknown_fields: bool = False
    placeholders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    timezone: str = "UTC"


DEFAULTS: Final = RuleOptions()
"""Strict, without placeholders, in UTC."""
