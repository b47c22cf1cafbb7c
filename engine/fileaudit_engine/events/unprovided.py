"""Names that rules for other tools use, and that no event of this engine can have: each with the reason.

Whoever brings a rule is not helped by "unknown field", when the field is well known: what he needs to be told
is that nobody will provide it here, and why.
"""

from collections.abc import Mapping
from typing import Final

_NO_NETWORK = "this engine watches files and processes, not connections"
_NO_CONTENT = "files are not read, so nothing is known of their content"
_NO_HASH = "files are not read, so there is no hash"
_WINDOWS = "that is a thing of Windows"
_NO_AUDIT_RULE = "that is the label of a rule of auditd's; write what that rule watches"
_SERVICES = "records of system services stand in auditd's own log, which this engine does not read"
_USER_RECORDS = "records of logins and accounts stand in auditd's own log, which this engine does not read"
_IDENTITY = "'ProcessId' and 'ProcessStart' together tell a process from all others"
_KERNEL_IDS = "of user ids the real, the effective and the login's are captured"
_PARENT_IDS = "users are known of the process that acts, not of its parents"

UNPROVIDED: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            *("DestinationHostname", "DestinationIp", "DestinationPort", "DestinationIsIpv6", "Initiated"),
            *("SourceHostname", "SourceIp", "SourcePort", "SourceIsIpv6", "Protocol", "QueryName"),
            *("QueryResults", "QueryStatus", "saddr", "addr", "laddr", "lport"),
        ),
        _NO_NETWORK,
    ),
    **dict.fromkeys(
        ("Hashes", "Hash", "Imphash", "md5", "sha1", "sha256", "MD5", "SHA1", "SHA256"), _NO_HASH
    ),
    **dict.fromkeys(
        (
            *("OriginalFileName", "Company", "Description", "Product", "FileVersion", "Contents", "Content"),
            *("Signature", "Signed", "SignatureStatus", "MagicHeader"),
        ),
        _NO_CONTENT,
    ),
    **dict.fromkeys(
        (
            *(
                "EventID",
                "Channel",
                "Provider_Name",
                "IntegrityLevel",
                "LogonGuid",
                "TargetObject",
                "Details",
            ),
            *("PipeName", "ImageLoaded", "GrantedAccess", "CallTrace", "StartModule", "StartFunction"),
            *("SubjectUserName", "TargetUserName", "ServiceName", "ScriptBlockText"),
        ),
        _WINDOWS,
    ),
    **dict.fromkeys(
        ("ProcessGuid", "ParentProcessGuid", "SourceProcessGuid", "TargetProcessGuid"), _IDENTITY
    ),
    **dict.fromkeys(("ParentUser", "ParentUserId"), _PARENT_IDS),
    **dict.fromkeys(("suid", "sgid", "fsuid", "fsgid", "SUID", "SGID", "FSUID", "FSGID"), _KERNEL_IDS),
    **dict.fromkeys(("acct", "res", "terminal", "op", "grantors"), _USER_RECORDS),
    "GrandParentCommandLine": "of ancestors before the parent the arguments are not kept",
    "CreationUtcTime": "not every file system knows when a file was made",
    "PreviousCreationUtcTime": "not every file system knows when a file was made",
    "RuleName": "that is what Sysmon's configuration calls a filter",
    "USER": "that is a word of sudo's log; the user is 'User', who logged in is 'LoginUser'",
    "key": _NO_AUDIT_RULE,
    "unit": _SERVICES,
    "tty": "terminals are not captured; 'SessionId' tells one login from another",
    "items": "the number of auditd's records says nothing of the file",
    "arch": "that is how auditd names a call gate; only 64-bit calls are captured",
}
"""Name of a field -> why there is none."""
