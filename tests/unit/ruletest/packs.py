"""Small rule packs and test files, as the tests of this room need them."""

from pathlib import Path
from textwrap import dedent

from fileaudit_engine.compiler.stages import Compiled, compile_rules
from fileaudit_engine.diagnostics import has_errors
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.ruletest.cases import Case, LoadedCases
from fileaudit_engine.ruletest.load import load_cases
from fileaudit_engine.ruletest.report import CaseResult
from fileaudit_engine.ruletest.runner import CaseRunner

SHADOW_ID = "6d2a1c0e-6f0b-4a0e-9a51-5a4b1f6f0c11"
SHADOW = f"""
title: The shadow file is read
name: shadow_file_read
id: {SHADOW_ID}
logsource: {{product: linux, category: file_access}}
detection:
  selection:
    Operation: open
    AccessMode: read
    TargetFilename: /etc/shadow
  filter_login:
    Image: /usr/bin/login
  condition: selection and not filter_login
level: high
"""
PASSWD = """
title: The list of users is read
name: passwd_read
id: 6d2a1c0e-6f0b-4a0e-9a51-5a4b1f6f0c12
logsource: {product: linux, category: file_access}
detection:
  selection: {Operation: open, AccessMode: read, TargetFilename: /etc/passwd}
  condition: selection
level: informational
"""
DELETED = """
title: A log is deleted
name: log_deleted
id: 6d2a1c0e-6f0b-4a0e-9a51-5a4b1f6f0c13
logsource: {product: linux, category: file_delete}
detection:
  selection: {TargetFilename|startswith: /var/log/}
  condition: selection
level: medium
"""
OPEN_SHADOW = "{at: 0s, Operation: open, AccessMode: read, TargetFilename: /etc/shadow}"
OPEN_PASSWD = "{at: 1s, Operation: open, AccessMode: read, TargetFilename: /etc/passwd}"
OPEN_HOSTNAME = "{at: 2s, Operation: open, AccessMode: read, TargetFilename: /etc/hostname}"
DELETE_LOG = "{at: 3s, Operation: unlink, TargetFilename: /var/log/auth.log}"


def compiled(*rules: str) -> Compiled:
    """The plans of rules and correlations, none of which may be broken."""
    loaded = parse_text("\n---\n".join(rules))
    assert not has_errors(loaded.diagnostics), loaded.diagnostics
    return compile_rules(loaded.rules, loaded.correlations)


def loaded(folder: Path, text: str, name: str = "x.test.yml") -> LoadedCases:
    """What `load_cases` makes of a folder with one test file."""
    (folder / name).write_text(dedent(text))
    return load_cases(folder)


def one_case(
    folder: Path,
    *,
    events: tuple[str, ...],
    alerts: tuple[str, ...] = (),
    audit: tuple[str, ...] | None = None,
) -> Case:
    """A case with these events and expectations, each in YAML's flow form."""
    lines = ["tests:", "  - name: the case", "    events:", *(f"      - {event}" for event in events)]
    lines.append(f"    alerts: [{', '.join(alerts)}]")
    if audit is not None:
        lines.append(f"    audit: [{', '.join(audit)}]")
    found = loaded(folder, "\n".join(lines))
    assert not found.diagnostics, found.diagnostics
    return found.cases[0]


def run(case: Case, *rules: str) -> CaseResult:
    """Run a case against rules."""
    plans = compiled(*rules)
    return CaseRunner(plans.user, plans.kernel, plans.correlations).run(case)
