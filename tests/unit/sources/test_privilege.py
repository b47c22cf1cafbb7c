"""What is given up after the start, and that it is gone for good."""

import json
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sources import privilege
from fileaudit_engine.sources.privilege import KEPT, Privileges, mask

ROOT = Path(__file__).parents[3]

DROPPED = """
import json, os, subprocess, sys
sys.path.insert(0, sys.argv[1])
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sources import privilege
{before}
told = [privilege.drop() for _ in range(2)]
assert told[0] == told[1] == privilege.privileges()
print(json.dumps({{"left": told[0].permitted, "reach": told[0].reach, "no_new": told[0].no_new}}), flush=True)
subprocess.run([sys.executable, "-c", "print(open('/proc/self/status').read())"], check=True)
"""


def dropped(before: str = "") -> tuple[dict[str, Any], dict[str, str]]:
    """What a process has left that gave up twice, and the status of a program that it starts."""
    code = DROPPED.format(before=before)
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "engine")], check=True, capture_output=True, text=True
    )
    told, *status = done.stdout.splitlines()
    facts = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    return json.loads(told), facts


def test_what_is_left_is_kept_and_what_was_there_before() -> None:
    told, _ = dropped()
    assert told["left"] == privilege.privileges().permitted & mask(KEPT)
    assert told["reach"] & ~mask(KEPT) == 0
    assert told["no_new"]


def test_a_program_that_is_started_afterwards_has_no_more() -> None:
    told, status = dropped()
    assert int(status["CapPrm"], 16) | int(status["CapEff"], 16) == told["left"]
    assert status["NoNewPrivs"] == "1"


@pytest.mark.skipif("CAP_SETPCAP" not in privilege.privileges().names, reason="needs root")
def test_it_cannot_come_back_by_the_bounding_set() -> None:
    _, status = dropped()
    assert int(status["CapBnd"], 16) & ~mask(KEPT) == 0


@pytest.mark.skipif("CAP_SETPCAP" not in privilege.privileges().names, reason="needs root")
def test_where_the_bounding_set_may_not_be_changed_a_started_program_has_no_more_all_the_same() -> None:
    """As in a container without CAP_SETPCAP."""
    without = (
        "now = privilege.privileges(); privilege._set(now, now.permitted & ~privilege.mask(['CAP_SETPCAP']))"
    )
    told, status = dropped(without)
    assert int(status["CapBnd"], 16) & ~mask(KEPT)
    assert int(status["CapPrm"], 16) == told["left"] == mask(KEPT)


@pytest.mark.parametrize("allowed", [True, False])
def test_locked_memory_is_unlimited_for_the_loaders_that_come_as_far_as_it_may_be(
    monkeypatch: pytest.MonkeyPatch, *, allowed: bool
) -> None:
    """Before 5.11 the memory of maps counts as locked, and CAP_SYS_RESOURCE is gone by then."""
    limits = [(10, 20)]

    def set_limit(_: int, wanted: tuple[int, int]) -> None:
        if wanted[1] == resource.RLIM_INFINITY and not allowed:
            raise ValueError("not allowed to raise maximum limit")
        limits.append(wanted)

    monkeypatch.setattr(resource, "setrlimit", set_limit)
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    privilege._unlimit_memory()
    assert limits[-1] == ((resource.RLIM_INFINITY, resource.RLIM_INFINITY) if allowed else (20, 20))


def test_a_kernel_that_refuses_is_told_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, *_: object) -> None:
        raise PermissionError(1, f"{name} is not allowed")

    monkeypatch.setattr(privilege, "_call", refuse)
    monkeypatch.setattr(privilege, "_unlimit_memory", lambda: None)
    with pytest.raises(MachineCannot, match="prctl is not allowed") as raised:
        privilege.drop()
    assert raised.value.remedy


def test_a_kernel_that_says_yes_and_does_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privilege, "_call", lambda *_: None)
    monkeypatch.setattr(privilege, "_unlimit_memory", lambda: None)
    with pytest.raises(MachineCannot, match="did nothing"):
        privilege.drop()


def test_the_numbers_are_the_kernels() -> None:
    bits = {"CAP_DAC_READ_SEARCH": 2, "CAP_SETPCAP": 8, "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21}
    bits |= {"CAP_SYSLOG": 34, "CAP_PERFMON": 38, "CAP_BPF": 39, "CAP_CHECKPOINT_RESTORE": 40}
    assert {name: mask([name]) for name in bits} == {name: 1 << bit for name, bit in bits.items()}


def test_a_started_program_counts_by_the_bounding_set_unless_it_can_gain_nothing() -> None:
    free = Privileges(effective=1, permitted=1, inheritable=0, bounding=6, no_new=False)
    assert free.reach == 7
    assert Privileges(effective=1, permitted=1, inheritable=0, bounding=6, no_new=True).reach == 1


def test_the_shipped_unit_grants_what_the_engine_keeps() -> None:
    unit = (ROOT / "deploy" / "fileaudit-engine.service").read_text()
    (granted,) = re.findall(r"^CapabilityBoundingSet=(.*)$", unit, re.MULTILINE)
    assert set(granted.split()) == set(KEPT)
    assert re.search(r"^NoNewPrivileges=yes$", unit, re.MULTILINE)
    assert re.search(r"^LimitMEMLOCK=infinity$", unit, re.MULTILINE)


def test_the_shipped_unit_refuses_what_looks_into_processes_and_nothing_that_loads_programs() -> None:
    unit = (ROOT / "deploy" / "fileaudit-engine.service").read_text()
    (refused,) = re.findall(r"^SystemCallFilter=~(.*)$", unit, re.MULTILINE)
    assert {"ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd"} <= set(refused.split())
    assert not {"bpf", "perf_event_open", "@debug"} & set(refused.split())
    assert re.search(r"^SystemCallErrorNumber=EPERM$", unit, re.MULTILINE)


@pytest.mark.parametrize(
    "setting", ["ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "ReadWritePaths"]
)
def test_the_shipped_unit_stays_in_the_hosts_mounts(setting: str) -> None:
    unit = (ROOT / "deploy" / "fileaudit-engine.service").read_text()
    assert not re.search(rf"^{setting}=", unit, re.MULTILINE)
