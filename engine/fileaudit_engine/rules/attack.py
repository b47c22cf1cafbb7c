"""MITRE ATT&CK as far as tags name it: tactics, techniques, and what became of ids that are gone.

The data is `schemas/attack.json`, made by `tools/generate_attack.py`; it is read when the first tag asks for
it. Tags outlive tables, so nothing here says that an id is wrong, only that this version does not have it.
"""

import functools
from collections.abc import Mapping

import msgspec

from fileaudit_engine.resources import schemas_dir


class Attack(msgspec.Struct, frozen=True):
    """One version of the enterprise matrix.

    Attributes:
        version: Such as "19.2".
        tactics: Id and name by the word that tags have, such as `credential-access`.
        techniques: Names by id, such as `T1003.008`; those in use.
        gone: Ids that are revoked or deprecated, each with the id that took its place, if any.
    """

    version: str
    tactics: Mapping[str, tuple[str, str]]
    techniques: Mapping[str, str]
    gone: Mapping[str, str | None]

    def name_of(self, technique: str) -> str | None:
        """A technique's name, whole: that of a sub-technique begins with its technique's."""
        name = self.techniques.get(technique)
        parent = self.techniques.get(technique.partition(".")[0]) if "." in technique else None
        return f"{parent}: {name}" if name and parent else name


@functools.cache
def attack() -> Attack:
    """The version that is shipped."""
    return msgspec.json.decode((schemas_dir() / "attack.json").read_bytes(), type=Attack)
