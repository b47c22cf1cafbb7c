"""A store of a million alerts, made once: generated events through one rule that they all match.

It is made by the `replay` command like any other, in a folder beside the one that it gets when it is whole,
so that a benchmark that was stopped leaves no half store behind that would be believed.
"""

import contextlib
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Final

from correlation_replay import PROGRAM
from generated_events import Mix, lines

from fileaudit_engine.store.store import Store

RULE: Final = """
title: A file was touched
name: file_touched
level: {level}
description: Every operation on every file, to have something to deliver.
author: Bench
tags: [attack.credential-access, attack.t1552.001]
falsepositives: [Everything]
logsource: {{product: linux, service: fileaudit}}
detection: {{selection: {{Operation|exists: true}}, condition: selection}}
"""


def private_folder(path: Path) -> Path:
    """Make a folder that is nobody else's, or say that it is not ours.

    Raises:
        SystemExit: Somebody else's is there.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        sys.exit(f"{path} is not a folder of this user alone: name another one with --folder")
    return path


def store_with(alerts: int, folder: Path) -> Path:
    """The store that has so many alerts; made if it is not there yet."""
    place = folder / f"alerts-{alerts}"
    path = place / "events.db"
    if not path.exists():
        making = folder / f"{place.name}-making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        _make(making / path.name, making / "rule.yml", alerts)
        making.rename(place)
    return path


def _make(path: Path, rule: Path, alerts: int) -> None:
    rule.write_text(RULE.format(level="high"), encoding="utf-8")
    began_s = time.monotonic()
    options: list[str | Path] = ["--rules", rule, "--store", path, "--format", "none"]
    command = [PROGRAM, "replay", "-", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as replay:
        feeder = threading.Thread(target=_feed, args=(replay.stdin, alerts))
        feeder.start()
        said = b"" if replay.stderr is None else replay.stderr.read()
        feeder.join()
    if replay.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {said.decode(errors='replace')}")
    with Store.open(path, read_only=True) as store:
        kept = store.head.seq
    if kept != alerts:
        sys.exit(f"{kept:,} of {alerts:,} alerts are in the store")
    size, took_s = path.stat().st_size, time.monotonic() - began_s
    print(f"made a store of {kept:,} alerts, {size:,} bytes, in {took_s:.0f} s", flush=True)


def _feed(stream: IO[bytes] | None, alerts: int) -> None:
    """Write events until it has all of them, or has ended: then its status tells."""
    if stream is not None:
        with contextlib.suppress(BrokenPipeError), stream:
            stream.writelines(lines(Mix(load="new-paths"), alerts))
