"""Which file systems are missing."""

from pathlib import Path

import pytest

from fileaudit_engine.sources import mounts


def missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *lines: str) -> set[str]:
    file = tmp_path / "mounts"
    file.write_text("".join(f"{line}\n" for line in lines))
    monkeypatch.setattr(mounts, "_MOUNTS_FILE", file)
    return {one.kind for one in mounts.missing_mounts()}


def test_what_is_mounted_is_not_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tracing, bpf = "tracefs /sys/kernel/tracing tracefs rw 0 0", "none /sys/fs/bpf bpf rw 0 0"
    assert missing(monkeypatch, tmp_path, tracing, bpf) == set()
    assert missing(monkeypatch, tmp_path, bpf) == {"tracefs"}
    assert missing(monkeypatch, tmp_path) == {"tracefs", "bpf"}


def test_another_file_system_in_its_place_does_not_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "bpf" in missing(monkeypatch, tmp_path, "tmpfs /sys/fs/bpf tmpfs rw 0 0")


def test_the_remedy_is_a_command() -> None:
    assert mounts.TRACEFS.command == "mount -t tracefs tracefs /sys/kernel/tracing"
