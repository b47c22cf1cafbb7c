"""PLACEHOLDER - being written."""
from dataclasses import dataclass
@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """to come"""
