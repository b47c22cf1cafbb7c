"""Keys that say where a secret stands; and how one is hidden that stands in a configuration all the same.

A mistake is shown with its line. A line may hold what nobody is to read: a password where only its file
belongs, or one in an address. Such a line is shown with dots in its place, as long as it was.
"""

import re
from collections.abc import Mapping
from typing import Final

from fileaudit_engine.config.reading import Reading
from fileaudit_engine.diagnostics import SourceText
from fileaudit_engine.rules.nodes import Node, ScalarNode
from fileaudit_engine.sinks.secrets import Secret

VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
"""The name of a variable. In lower case it would more often be the secret itself, in the place of a name."""
OWN_FILE: Final = "write it into a file that only the engine can read, and '{}' here"
"""What to do about a secret in the configuration."""

_HIDDEN: Final = re.compile(
    r"""
    (?: key | pass(?:word|wd|phrase)? | secret | token | bearer | credentials? | _env )
    ["']? [ \t]* : [ \t]* (?: [\r\n]{1,2} [ \t]* )? (?P<value>\S[^\r\n]*)
    | :// (?P<user> (?: [^\s@]{0,200} @ )+ )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DOT: Final = "·"


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
        path = reading.path(f"{name}.{file}", found[file])
        return None if path is None else Secret(file=path)
    if env in found:
        node = found[env]
        text = node.value if isinstance(node, ScalarNode) else None
        if isinstance(text, str) and VARIABLE.fullmatch(text):
            return Secret(env=text)
        remedy = f"write capital letters, digits and '_'; the secret itself goes into a file, for '{file}'"
        reading.wrong(node, f"{name}.{env}", "the name of a variable such as FILEAUDIT_ES_KEY", remedy)
    return None


def without_secrets(source: SourceText) -> SourceText:
    """The text as messages may show it; everything stands where it stood."""
    return SourceText(file=source.file, text=_HIDDEN.sub(_dots, source.text))


def _dots(found: re.Match[str]) -> str:
    group = "value" if found["value"] is not None else "user"
    start, end = found.start(group) - found.start(), found.end(group) - found.start()
    return f"{found[0][:start]}{_DOT * (end - start)}{found[0][end:]}"
