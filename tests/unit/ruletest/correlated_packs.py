"""Rules, correlations and events, as the tests of correlations in test cases need them."""

from tests.unit.ruletest.packs import SHADOW

RENAMED = """
title: A user's file gets another name
name: renamed
id: 6d2a1c0e-6f0b-4a0e-9a51-5a4b1f6f0c21
logsource: {product: linux, category: file_rename}
detection:
  selection: {TargetFilename|startswith: /home/}
  condition: selection
level: low
"""
WRITTEN = """
title: The shadow file is written
name: shadow_written
id: 6d2a1c0e-6f0b-4a0e-9a51-5a4b1f6f0c22
logsource: {product: linux, category: file_access}
detection:
  selection: {Operation: open, AccessMode: write, TargetFilename: /etc/shadow}
  condition: selection
level: high
"""


def correlation(name: str, text: str, *, level: str = "critical", generate: bool | None = None) -> str:
    """A correlation document: its name, and what stands in its `correlation` map, in YAML's flow form."""
    asked = "" if generate is None else f"generate: {str(generate).lower()}\n"
    return f"title: The correlation {name}\nname: {name}\ncorrelation: {{{text}}}\nlevel: {level}\n{asked}"


MANY = correlation(
    "many_renamed",
    "type: event_count, rules: [renamed], group-by: [ProcessId], timespan: 1m, condition: {gte: 3}",
)
BOTH = correlation(
    "read_and_written",
    "type: temporal, rules: [shadow_file_read, shadow_written], group-by: [User], timespan: 1m",
)
IN_ORDER = correlation(
    "read_then_written",
    "type: temporal_ordered, rules: [shadow_file_read, shadow_written], group-by: [User], timespan: 1m",
)
ONLY_READ = correlation(
    "only_read",
    "type: temporal, rules: [shadow_file_read, shadow_written], group-by: [User], timespan: 1m, "
    "condition: shadow_file_read and not shadow_written",
)
TRIO = (SHADOW, WRITTEN)
"""The rules that the last three refer to."""


def renames(*times: str, pid: int = 7) -> tuple[str, ...]:
    """A rename of another file at each time."""
    return tuple(
        f"{{at: {time}, Operation: rename, TargetFilename: /home/{number}, ProcessId: {pid}}}"
        for number, time in enumerate(times)
    )


def opened(time: str, mode: str = "read", user: str = "alice") -> str:
    """The shadow file is opened."""
    where = "Operation: open, TargetFilename: /etc/shadow"
    return f"{{at: {time}, {where}, AccessMode: {mode}, User: {user}}}"
