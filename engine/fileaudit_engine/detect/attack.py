"""MITRE ATT&CK, as far as rules over files name it: from Sigma tags to ECS `threat.*`.

Sigma writes `attack.t1003.008` and `attack.credential-access` (or, as older rules do, with underscores). An
id that the tables below do not name is kept without its name: tags outlive tables.
"""

import functools
import re
from collections.abc import Mapping
from typing import Final

_TECHNIQUE = re.compile(r"attack\.(t[0-9]{4})(\.[0-9]{3})?")
_FRAMEWORK: Final = "MITRE ATT&CK"

TACTICS: Final = {
    "reconnaissance": ("TA0043", "Reconnaissance"),
    "resource-development": ("TA0042", "Resource Development"),
    "initial-access": ("TA0001", "Initial Access"),
    "execution": ("TA0002", "Execution"),
    "persistence": ("TA0003", "Persistence"),
    "privilege-escalation": ("TA0004", "Privilege Escalation"),
    "defense-evasion": ("TA0005", "Defense Evasion"),
    "credential-access": ("TA0006", "Credential Access"),
    "discovery": ("TA0007", "Discovery"),
    "lateral-movement": ("TA0008", "Lateral Movement"),
    "collection": ("TA0009", "Collection"),
    "command-and-control": ("TA0011", "Command and Control"),
    "exfiltration": ("TA0010", "Exfiltration"),
    "impact": ("TA0040", "Impact"),
}
"""Enterprise tactics, by the word in a tag."""

TECHNIQUES: Final = {
    "T1003": "OS Credential Dumping",
    "T1003.007": "Proc Filesystem",
    "T1003.008": "/etc/passwd and /etc/shadow",
    "T1005": "Data from Local System",
    "T1014": "Rootkit",
    "T1021": "Remote Services",
    "T1021.004": "SSH",
    "T1027": "Obfuscated Files or Information",
    "T1033": "System Owner/User Discovery",
    "T1036": "Masquerading",
    "T1037": "Boot or Logon Initialization Scripts",
    "T1037.004": "RC Scripts",
    "T1048": "Exfiltration Over Alternative Protocol",
    "T1053": "Scheduled Task/Job",
    "T1053.002": "At",
    "T1053.003": "Cron",
    "T1053.006": "Systemd Timers",
    "T1055": "Process Injection",
    "T1055.008": "Ptrace System Calls",
    "T1055.009": "Proc Memory",
    "T1057": "Process Discovery",
    "T1059": "Command and Scripting Interpreter",
    "T1059.004": "Unix Shell",
    "T1059.006": "Python",
    "T1068": "Exploitation for Privilege Escalation",
    "T1070": "Indicator Removal",
    "T1070.002": "Clear Linux or Mac System Logs",
    "T1070.003": "Clear Command History",
    "T1070.004": "File Deletion",
    "T1070.006": "Timestomp",
    "T1074": "Data Staged",
    "T1074.001": "Local Data Staging",
    "T1078": "Valid Accounts",
    "T1078.003": "Local Accounts",
    "T1078.004": "Cloud Accounts",
    "T1082": "System Information Discovery",
    "T1083": "File and Directory Discovery",
    "T1087": "Account Discovery",
    "T1087.001": "Local Account",
    "T1098": "Account Manipulation",
    "T1098.004": "SSH Authorized Keys",
    "T1105": "Ingress Tool Transfer",
    "T1110": "Brute Force",
    "T1110.002": "Password Cracking",
    "T1119": "Automated Collection",
    "T1136": "Create Account",
    "T1136.001": "Local Account",
    "T1201": "Password Policy Discovery",
    "T1212": "Exploitation for Credential Access",
    "T1213": "Data from Information Repositories",
    "T1222": "File and Directory Permissions Modification",
    "T1222.002": "Linux and Mac File and Directory Permissions Modification",
    "T1485": "Data Destruction",
    "T1486": "Data Encrypted for Impact",
    "T1496": "Resource Hijacking",
    "T1505": "Server Software Component",
    "T1505.003": "Web Shell",
    "T1528": "Steal Application Access Token",
    "T1539": "Steal Web Session Cookie",
    "T1543": "Create or Modify System Process",
    "T1543.002": "Systemd Service",
    "T1546": "Event Triggered Execution",
    "T1546.004": "Unix Shell Configuration Modification",
    "T1547": "Boot or Logon Autostart Execution",
    "T1547.006": "Kernel Modules and Extensions",
    "T1547.013": "XDG Autostart Entries",
    "T1548": "Abuse Elevation Control Mechanism",
    "T1548.001": "Setuid and Setgid",
    "T1548.003": "Sudo and Sudo Caching",
    "T1550": "Use Alternate Authentication Material",
    "T1552": "Unsecured Credentials",
    "T1552.001": "Credentials In Files",
    "T1552.004": "Private Keys",
    "T1552.005": "Cloud Instance Metadata API",
    "T1552.007": "Container API",
    "T1553": "Subvert Trust Controls",
    "T1553.004": "Install Root Certificate",
    "T1554": "Compromise Host Software Binary",
    "T1555": "Credentials from Password Stores",
    "T1555.003": "Credentials from Web Browsers",
    "T1555.005": "Password Managers",
    "T1555.006": "Cloud Secrets Management Stores",
    "T1556": "Modify Authentication Process",
    "T1556.003": "Pluggable Authentication Modules",
    "T1558": "Steal or Forge Kerberos Tickets",
    "T1558.005": "Ccache Files",
    "T1560": "Archive Collected Data",
    "T1562": "Impair Defenses",
    "T1562.001": "Disable or Modify Tools",
    "T1562.012": "Disable or Modify Linux Audit System",
    "T1564": "Hide Artifacts",
    "T1564.001": "Hidden Files and Directories",
    "T1565": "Data Manipulation",
    "T1565.001": "Stored Data Manipulation",
    "T1574": "Hijack Execution Flow",
    "T1574.006": "Dynamic Linker Hijacking",
    "T1611": "Escape to Host",
    "T1649": "Steal or Forge Authentication Certificates",
    "T1657": "Financial Theft",
}
"""Enterprise techniques and sub-techniques by id."""


@functools.lru_cache(maxsize=4096)
def threat_of(tags: tuple[str, ...]) -> Mapping[str, object]:
    """ECS `threat.*` for a rule's tags; empty where none of them is ATT&CK's.

    All alerts of a rule share what is returned here; it is not for changing.
    """
    tactics: dict[str, tuple[str, str]] = {}
    techniques: dict[str, None] = {}
    subtechniques: dict[str, None] = {}
    for tag in (tag.lower() for tag in tags):
        tactic = TACTICS.get(tag.removeprefix("attack.").replace("_", "-"))
        found = _TECHNIQUE.fullmatch(tag)
        if tactic and tag.startswith("attack."):
            tactics[tactic[0]] = tactic
        elif found:
            techniques[found[1].upper()] = None
            if found[2]:
                subtechniques[(found[1] + found[2]).upper()] = None
    if not tactics and not techniques:
        return {}
    threat: dict[str, object] = {"framework": _FRAMEWORK}
    if tactics:
        threat["tactic"] = {
            "id": list(tactics),
            "name": [name for _, name in tactics.values()],
        }
    if techniques:
        below = {"subtechnique": _named(subtechniques)} if subtechniques else {}
        threat["technique"] = {**_named(techniques), **below}
    return threat


def _named(ids: dict[str, None]) -> dict[str, object]:
    return {
        "id": list(ids),
        "name": [TECHNIQUES[key] for key in ids if key in TECHNIQUES],
    }
