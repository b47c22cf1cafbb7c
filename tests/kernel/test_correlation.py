"""Correlations as users run them, on the kernel of this machine: what several calls come to together."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.capture import in_child, made
from tests.kernel.test_commands import PATIENCE_S, WATCHED, Running, engine, rule_for, stored

from fileaudit_engine.detect.record import Kind

pytestmark = pytest.mark.kernel

MANY = 50
"""Files that one process has to rename until it looks like ransomware."""

RENAMED = """
title: A document is renamed
name: renamed
logsource: {{product: linux, category: file_rename}}
detection:
    selection:
        SourceFilename|startswith: {folder}
        TargetFilename|endswith: .enc
    condition: selection
---
title: Many documents are renamed
name: many_renamed
level: critical
correlation:
    type: value_count
    rules: [renamed]
    group-by: [ProcessId, ProcessStart]
    timespan: 1h
    condition: {{field: TargetFilename, gte: 50}}
"""

OPENED_OFTEN = """
title: A file is opened
name: opened
level: informational
logsource: {{product: linux, category: file_access}}
detection:
    selection: {{Operation: open, TargetFilename|startswith: {folder}}}
    condition: selection
---
title: Files are opened very often
name: opened_often
level: medium
suspected: true
correlation:
    type: event_count
    rules: [opened]
    group-by: [ProcessId]
    timespan: 1h
    condition: {{gte: {often}}}
"""

RENAMER = """
import os, sys
folder, number = sys.argv[1], 0
for line in sys.stdin:
    for _ in range(int(line)):
        name = f"{folder}/{number}.doc"
        os.rename(name, name + ".enc")
        number += 1
    print(number, flush=True)
"""
"""Renames as many more files as each line says, and says how many it has renamed."""


class Renamer:
    """A process that renames documents of a folder when it is told to."""

    def __init__(self, folder: Path, files: int) -> None:
        folder.mkdir(parents=True)
        for number in range(files):
            (folder / f"{number}.doc").write_text("x")
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", RENAMER, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid

    def rename(self, count: int) -> None:
        """Have so many more renamed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(count, file=self._process.stdin, flush=True)
        assert self._process.stdout.readline(), "it has ended"

    def end(self) -> None:
        self._process.communicate(timeout=PATIENCE_S)
        assert self._process.returncode == 0


@contextlib.contextmanager
def renamer(folder: Path, files: int = 2 * MANY) -> Iterator[Renamer]:
    one = Renamer(folder, files)
    try:
        yield one
    finally:
        one.end()


def rules(place: Path, text: str = RENAMED, **values: object) -> Path:
    """A folder with rules that look below `place`."""
    folder = place / "rules"
    folder.mkdir(exist_ok=True)
    watched = json.dumps(f"{place}/watched/")
    (folder / "correlated.yml").write_text(text.format(folder=watched, **values))
    return folder


Document = dict[str, Any]


def alerts_of(command: Running, rule: str, pid: int | None = None) -> list[Document]:
    """What a rule has raised, about one process if that is given."""
    return [
        document
        for document in command.documents()
        if document["rule"]["id"] == rule and pid in (None, document["process"]["pid"])
    ]


def the_alert(command: Running, rule: str, pid: int | None = None) -> Document:
    """The one alert that a rule raises, once it is there."""
    command.wait_for(lambda c: alerts_of(c, rule, pid))
    (alert,) = alerts_of(command, rule, pid)
    return alert


def facts(alert: Document) -> Document:
    found: Document = alert["fileaudit"]["correlation"]
    return found


def delay_s(alert: Document) -> float:
    """From the call that made it true to the alert on its way to people."""
    happened, handed_on = (
        datetime.fromisoformat(text.replace("Z", "+00:00")[:26] + "+00:00")
        for text in (alert["@timestamp"], alert["event"]["ingested"])
    )
    return (handed_on - happened).total_seconds()


def trail(command: Running, rule: str) -> dict[str, Document]:
    """What contributed to a correlation's alerts, from the store, by id of the event."""
    documents = [d for d in stored(command, Kind.EVENT) if d["rule"]["id"] == rule]
    return {document["fileaudit"]["event_id"]: document for document in documents}


def test_the_fiftieth_rename_of_one_process_is_one_alert_and_forty_nine_are_none(place: Path) -> None:
    watched = place / "watched"
    with (
        engine(place, "--rules", rules(place)) as command,
        renamer(watched / "a") as almost,
        renamer(watched / "b") as almost_too,
        renamer(watched / "c") as whole,
    ):
        almost.rename(MANY - 1)
        almost_too.rename(MANY - 1)
        whole.rename(MANY)
        alert = the_alert(command, "many_renamed", whole.pid)
        assert alerts_of(command, "many_renamed") == [alert]
        almost.rename(1)
        of_the_first = the_alert(command, "many_renamed", almost.pid)
        whole.rename(MANY)
        command.stop()
        assert alerts_of(command, "many_renamed") == [alert, of_the_first]
        assert not alerts_of(command, "renamed"), "what a correlation refers to is silent by itself"
    print(f"fiftieth rename to alert: {delay_s(alert):.3f} s, {delay_s(of_the_first):.3f} s")  # noqa: T201 - a figure


def test_the_alert_is_of_the_time_of_the_fiftieth_and_names_all_fifty(place: Path) -> None:
    with engine(place, "--rules", rules(place)) as command, renamer(place / "watched" / "a") as one:
        one.rename(MANY)
        alert = the_alert(command, "many_renamed")
        kept = trail(command, "many_renamed")
    ids = facts(alert)["event_ids"]
    assert len(ids) == len(set(ids)) == MANY
    assert facts(alert)["value"] == facts(alert)["total"] == MANY
    files = [kept[each]["file"]["path"] for each in ids]
    assert files == [f"{one.folder}/{number}.doc.enc" for number in range(MANY)]
    assert alert["@timestamp"] == kept[ids[-1]]["@timestamp"] == facts(alert)["last"]
    assert facts(alert)["first"] == kept[ids[0]]["@timestamp"]
    assert alert["file"]["path"] == files[-1]
    assert alert["process"]["pid"] == one.pid
    assert "losses" not in alert["fileaudit"]


def test_what_was_counted_survives_a_restart_and_the_alert_says_that_nobody_watched_in_between(
    place: Path,
) -> None:
    with renamer(place / "watched" / "a") as one:
        with engine(place, "--rules", rules(place)) as command:
            one.rename(MANY // 2)
        assert command.process.returncode == 0
        assert not command.out
        with engine(place, "--rules", rules(place)) as command:
            one.rename(MANY // 2 - 1)
            one.rename(1)
            alert = the_alert(command, "many_renamed")
    assert alert["process"]["pid"] == one.pid
    assert facts(alert)["total"] == MANY
    assert len(facts(alert)["event_ids"]) == MANY
    unwatched = alert["fileaudit"]["losses"]["unwatched"]
    assert facts(alert)["first"] < unwatched["from"] < unwatched["to"] < facts(alert)["last"]
    assert "counts" not in alert["fileaudit"]["losses"]


def test_a_hangup_keeps_what_unchanged_correlations_have_counted(place: Path) -> None:
    folder = rules(place)
    with engine(place, "--rules", folder) as command, renamer(place / "watched" / "a") as one:
        one.rename(MANY // 2)
        rule_for(folder, other=place / "other")
        command.process.send_signal(signal.SIGHUP)
        command.wait_for(lambda c: any("reload    2 rules" in line for line in c.err))
        one.rename(MANY // 2)
        alert = the_alert(command, "many_renamed")
    assert facts(alert)["total"] == MANY


COUNTED = """
title: A file is opened
name: opened
logsource: {{product: linux, category: file_access}}
detection:
    selection: {{Operation: open, TargetFilename|startswith: {folder}}}
    condition: selection
---
title: It is opened very often
name: opened_often
level: medium
correlation:
    type: event_count
    rules: [opened]
    group-by: [ProcessId]
    timespan: 1h
    condition: {{gte: {often}}}
"""

OFTEN = 40_000
"""More opens than happen while programs are loaded."""


def test_what_happens_while_other_programs_take_over_counts_once(place: Path) -> None:
    folder = rules(place, COUNTED, often=OFTEN)
    file, last = made(place / "watched" / "file"), made(place / "watched" / "last")

    def open_it(path: Path = file) -> None:
        os.close(os.open(path, os.O_RDONLY))

    with engine(place, "--rules", folder) as command:
        (folder / "component.yml").write_text(
            WATCHED.replace("|startswith", "|contains").format(name="component", path=f"{place.name}/other/")
        )
        command.process.send_signal(signal.SIGHUP)
        count = 0
        while not any("reload    2 rules" in line for line in command.err):
            open_it()
            count += 1
            time.sleep(0.0005)
        assert count < OFTEN
        for _ in range(count, OFTEN - 1):
            open_it()
        open_it(last)
        alert = the_alert(command, "opened_often")
    assert alert["file"]["path"] == str(last), "with less it was not often enough"
    assert facts(alert)["total"] == OFTEN


@contextlib.contextmanager
def busy(path: Path) -> Iterator[int]:
    """A process that opens the file all the time, without a pause longer than a batch waits; its id."""
    code = "import os, sys, time\nwhile True:\n os.close(os.open(sys.argv[1], 0)); time.sleep(0.0005)"
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", code, path]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


NEVER_TRUE = """
title: What the kernel cannot tell apart
name: never_true
logsource: {{product: linux, category: file_access}}
detection:
    selection: {{Operation: open, TargetFilename|startswith: {folder}, CommandLine|contains: by nobody}}
    condition: selection
"""


def test_an_alert_is_not_held_up_by_a_host_that_is_never_idle(place: Path) -> None:
    watched = place / "watched"
    with (
        engine(place, "--rules", rules(place, RENAMED + "---" + NEVER_TRUE)) as command,
        renamer(watched / "a") as one,
    ):
        (watched / "file").write_text("x")
        with busy(watched / "file"):
            one.rename(MANY)
            alert = the_alert(command, "many_renamed")
        command.stop()
    delivered = next(line for line in command.err if line.startswith("events")).split(" · ")[2]
    assert int(delivered.split()[0].replace(",", "")) > 2 * MANY, "the traffic came this far"
    print(f"fiftieth rename to alert, under traffic: {delay_s(alert):.3f} s")  # noqa: T201 - a figure


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One engine with the shipped rules."""
    with engine(tmp_path_factory.mktemp("shipped")) as command:
        yield command


def test_the_shipped_rules_see_ransomware_at_the_fiftieth_file(shipped: Running, place: Path) -> None:
    with renamer(place / "almost") as almost, renamer(place / "whole") as whole:
        almost.rename(MANY - 1)
        whole.rename(MANY)
        alert = the_alert(shipped, "mass_file_rename", whole.pid)
        assert not alerts_of(shipped, "mass_file_rename", almost.pid)
    assert alert["event"]["severity"] == 99
    assert facts(alert)["value"] == MANY
    assert alert["file"]["path"] == f"{whole.folder}/{MANY - 1}.doc.enc"
    print(f"fiftieth rename to alert, all shipped rules: {delay_s(alert):.3f} s")  # noqa: T201 - a figure


def test_the_shipped_rules_see_a_shell_script_that_starts_a_program_for_every_file(
    shipped: Running, place: Path
) -> None:
    folder = place / "documents"
    folder.mkdir()
    for number in range(MANY):
        (folder / f"{number}.doc").write_text("x")
    script = 'for name in "$1"/*.doc; do mv "$name" "$name.enc"; done; :'
    with subprocess.Popen(["/bin/sh", "-c", script, "sh", folder]) as shell:
        shell.wait(PATIENCE_S)

    def raised() -> list[Document]:
        alerts = alerts_of(shipped, "mass_file_rename_by_children")
        return [alert for alert in alerts if alert["process"]["parent"]["pid"] == shell.pid]

    shipped.wait_for(lambda _: raised())
    (alert,) = raised()
    assert facts(alert)["value"] == MANY
    assert not alerts_of(shipped, "mass_file_rename", alert["process"]["pid"])


def test_the_shipped_rules_see_the_shadow_file_read_and_then_opened_for_writing(shipped: Running) -> None:
    def write() -> None:
        os.close(os.open("/etc/shadow", os.O_WRONLY))

    def action() -> None:
        write()
        os.close(os.open("/etc/shadow", os.O_RDONLY))
        write()

    pid = in_child(action)
    alert = the_alert(shipped, "shadow_read_then_changed", pid)
    written = alerts_of(shipped, "shadow_file_write", pid)
    (read,) = alerts_of(shipped, "shadow_file_read", pid)
    assert len(written) == 2, "what asks to be heard alone is heard alone"
    assert alert["@timestamp"] == written[1]["@timestamp"]
    contributed = {one["fileaudit"]["event_id"] for one in (*written, read)}
    assert contributed <= set(facts(alert)["event_ids"])


def opens(path: Path, count: int) -> int:
    """A process that opens the file so often; its id."""

    def action() -> None:
        for _ in range(count):
            os.close(os.open(path, os.O_RDONLY))

    return in_child(action)


@contextlib.contextmanager
def held_up(command: Running) -> Iterator[None]:
    """The engine does not get to run meanwhile; what happens has to find room in the ring."""
    command.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        command.process.send_signal(signal.SIGCONT)


FLOOD = 50_000
"""More opens than a ring of one MiB has room for."""


def test_an_alert_names_what_was_lost_in_its_window_and_an_almost_says_that_it_may_have_been_one(
    place: Path,
) -> None:
    folder = rules(place, RENAMED + "---" + OPENED_OFTEN, often=FLOOD)
    watched = place / "watched"
    with engine(place, "--rules", folder, "--ring-mib", "1") as command, renamer(watched / "a") as one:
        target = watched / "file"
        target.write_text("x")
        one.rename(MANY // 2)
        with held_up(command):
            opener = opens(target, FLOOD)
        suspicion = the_alert(command, "opened_often")  # the ring has room again
        one.rename(MANY // 2)
        alert = the_alert(command, "many_renamed")
        command.stop()
    losses = alert["fileaudit"]["losses"]
    lost = losses["counts"]["open"]
    assert 0 < lost < FLOOD
    assert facts(alert)["first"] < losses["to"]
    assert facts(alert)["total"] == MANY
    assert facts(suspicion)["suspected"] is True
    assert facts(suspicion)["group"] == [{"field": "ProcessId", "value": str(opener)}]
    assert suspicion["fileaudit"]["losses"]["counts"]["open"] <= lost
