"""Keys that say where a secret stands."""

import re
from collections.abc import Mapping
from typing import Final

from fileaudit_engine.config.reading import Reading
from fileaudit_engine.rules.nodes import Node, ScalarNode
from fileaudit_engine.sinks.secrets import Secret

VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
"""The name of a variable. In lower case it would more often be the secret itself, in the place of a name."""
A_KEY: Final = re.compile(r"(?![./])[A-Za-z0-9+/_-]{40,}={0,2}")
"""What an API key looks like, and no path that anybody writes."""
OWN_FILE: Final = "write it into a file that only the engine can read, and '{}' here"
"""What to do about a secret in the configuration."""


def secret_of(reading: Reading, name: str, found: Mapping[str, Node], key: str) -> Secret | None:
    """The secret whose place `KEY_file` or `KEY_env` says; None where none does, or, noted, wrongly.

    Args:
        reading: Of the file.
        name: Of the section.
        found: Its members.
        key: The secret's.
    """
    file, env = f"{key}_file", f"{key}_env"
    if file in found and env in found:
        message = f"'{name}.{file}' and '{name}.{env}' are two places of one secret"
        reading.contradiction(found[env], message, "remove one")
        return None
    if file in found:
        return _in_file(reading, f"{name}.{file}", found[file])
    if env in found:
        node = found[env]
        text = node.value if isinstance(node, ScalarNode) else None
        if isinstance(text, str) and VARIABLE.fullmatch(text):
            return Secret(env=text)
        reading.hide(node)
        remedy = f"write capital letters, digits and '_'; the secret itself goes into a file, for '{file}'"
        reading.wrong(node, f"{name}.{env}", "the name of a variable such as FILEAUDIT_ES_KEY", remedy)
    return None


def _in_file(reading: Reading, name: str, node: Node) -> Secret | None:
    """The secret in a file; None, and noted, where no path stands there, or the secret itself."""
    if isinstance(node, ScalarNode) and A_KEY.fullmatch(node.text):
        reading.hide(node)
        message = f"'{name}' looks like the secret itself, and is to be the path of its file"
        remedy = "write the secret into a file that only the engine can read, and its path here, from '/'"
        reading.problems.error("FA087", message, node.location, help=remedy)
        return None
    path = reading.path(name, node)
    return None if path is None else Secret(file=path)
