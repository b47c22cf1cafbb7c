"""Who may come in beside the administrator: users that stand in a node's own files."""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_ROUNDS: Final = 10_000
"""Of the hash of a password: what a node takes for such a hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody beside the administrator.

    Attributes:
        password: Theirs.
        role: What they may do, as a role of Elasticsearch: `{"cluster": […], "indices": […]}`.
    """

    password: str
    role: Mapping[str, Any]


def let_in(users: Mapping[str, User], configuration: Path) -> None:
    """Write users into the configuration of a node; a role has the name of its user."""
    lines = "".join(f"{name}:{_hashed(user.password)}\n" for name, user in users.items())
    (configuration / "users").write_text(lines)
    (configuration / "users_roles").write_text("".join(f"{name}:{name}\n" for name in users))
    roles = "".join(f"{name}: {json.dumps(user.role)}\n" for name, user in users.items())  # JSON is YAML
    (configuration / "roles.yml").write_text(roles)  # a line each: a line without indentation begins a role


def _hashed(password: str) -> str:
    """A password as the file of users holds it."""
    salt = os.urandom(32)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS, 32)
    return f"{{PBKDF2}}{_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
