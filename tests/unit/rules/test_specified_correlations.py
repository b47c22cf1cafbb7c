"""The examples of Sigma's correlation specification 2.1.0, with log sources of a Linux host, are read."""

import pytest

from fileaudit_engine.diagnostics import has_errors
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import parse_text

IDS = ("0e95725d-7320-415d-80f7-004da920fc11", "5638f7c0-ac70-491d-8465-2a65075e0d86")


def rule(name: str, selection: str, identifier: str = "") -> str:
    id_line = f"id: {identifier}\n" if identifier else ""
    return (
        f"title: {name}\nname: {name}\n{id_line}logsource: {{product: linux}}\n"
        f"detection: {{selection: {selection}, condition: selection}}\n---\n"
    )


MANY_FAILED_LOGINS = f"""\
title: Many failed logins
id: {IDS[0]}
correlation:
    type: event_count
    rules:
        - {IDS[1]}
    group-by:
        - ComputerName
    timespan: 1h
    condition:
        gte: 100
---
{rule("failed_login", "{EventID: 4625}", IDS[1])}"""

MANY_ACCOUNTS = f"""\
title: Failed login
id: {IDS[0]}
correlation:
    type: value_count
    rules:
        - {IDS[1]}
    group-by:
        - ComputerName
        - WorkstationName
    timespan: 1d
    condition:
        field: User
        gte: 100
---
{rule("failed_login", "{EventID: 4625}", IDS[1])}"""

RECON = f"""\
title: Reconnaissance
correlation:
    type: temporal
    rules:
        - recon_cmd_a
        - recon_cmd_b
        - recon_cmd_c
    group-by:
        - ComputerName
        - User
    timespan: 5m
---
{"".join(rule(f"recon_cmd_{letter}", f"{{Image|endswith: /{letter}}}") for letter in "abc")}"""

EXFILTRATION = f"""\
title: Possible Exfiltration to Website
correlation:
    type: value_sum
    rules:
        - website_access
    group-by:
        - SourceIP
        - User
    timespan: 1h
    condition:
        field: bytes_sent
        gt: 1000000
---
{rule("website_access", "{SourceIP: 10.0.0.1}")}"""

AVERAGE = f"""\
title: Suspicious average network traffic
correlation:
    type: value_avg
    rules:
        - rule_a_id
    group-by:
        - SourceIP
        - User
    timespan: 24h
    condition:
        field: BytesOut
        gt: 500
---
{rule("rule_a_id", "{SourceIP: 10.0.0.1}")}"""

SELDOM = f"""\
title: A computer spawned a processes name in the last 24h than 1% of all the processes.
correlation:
    type: value_percentile
    rules:
        - process_creation
    group-by:
        - ComputerName
    timespan: 24h
    condition:
        field: image
        lte: 1
---
{rule("process_creation", "{Image: '*'}")}"""

ALIASES = f"""\
title: Internal error
correlation:
    type: temporal
    rules:
        - internal_error
        - new_network_connection
    group-by:
        - internal_ip
        - remote_ip
    timespan: 10s
    aliases:
        internal_ip:
            internal_error: destination.ip
            new_network_connection: source.ip
        remote_ip:
            internal_error: source.ip
            new_network_connection: destination.ip
---
{rule("internal_error", "{http.response.status_code: 500}")}
{rule("new_network_connection", "{event.type: connection}")}"""

CHAIN = f"""\
title: Correlation - Multiple Failed Logins Followed by Successful Login
id: b180ead8-d58f-40b2-ae54-c8940995b9b6
status: experimental
description: Detects multiple failed logins by a single user followed by a successful login of that user
references:
    - https://reference.com
author: Florian Roth (Nextron Systems)
date: 2023-06-16
correlation:
    type: temporal_ordered
    rules:
        - multiple_failed_login
        - successful_login
    group-by:
        - User
    timespan: 10m
falsepositives:
    - Unlikely
level: high
---
title: Multiple failed logons
id: a8418a5a-5fc4-46b5-b23b-6c73beb19d41
description: Detects multiple failed logins within a certain amount of time
name: multiple_failed_login
correlation:
    type: event_count
    rules:
        - failed_login
    group-by:
        - User
    timespan: 10m
    condition:
        gte: 10
---
{rule("failed_login", "{EventID: [529, 4625]}")}
{rule("successful_login", "{EventID: [528, 4624]}")}"""

RANGE = MANY_FAILED_LOGINS.replace("gte: 100", "gt: 100\n        lte: 200")


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        (MANY_FAILED_LOGINS, [("failed_login",)]),
        (RANGE, [("failed_login",)]),
        (MANY_ACCOUNTS, [("failed_login",)]),
        (RECON, [("recon_cmd_a", "recon_cmd_b", "recon_cmd_c")]),
        (EXFILTRATION, [("website_access",)]),
        (AVERAGE, [("rule_a_id",)]),
        (SELDOM, [("process_creation",)]),
        (ALIASES, [("internal_error", "new_network_connection")]),
        (CHAIN, [("multiple_failed_login", "successful_login"), ("failed_login",)]),
    ],
)
def test_an_example_is_read(text: str, sources: list[tuple[str, ...]]) -> None:
    loaded = parse_text(text, options=RuleOptions(allow_unknown_fields=True))
    assert not has_errors(loaded.diagnostics)
    assert [one.sources for one in loaded.correlations] == sources
    assert {found.code for found in loaded.diagnostics} <= {"FA051", "FA046"}
