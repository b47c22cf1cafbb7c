"""The archive that a machine starts with."""

import subprocess
from pathlib import Path

from tools.vm.initramfs import archive, script


def entries(data: bytes) -> dict[str, tuple[int, bytes]]:
    """Mode and content by name, read as the kernel reads them: fields at fixed places, multiples of four."""
    found: dict[str, tuple[int, bytes]] = {}
    at = 0
    while True:
        assert data[at : at + 6] == b"070701"
        mode, size, name_size = (int(data[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in (1, 6, 11))
        name = data[at + 110 : at + 110 + name_size - 1].decode()
        start = (at + 110 + name_size + 3) & ~3
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, data[start : start + size])
        at = (start + size + 3) & ~3


def test_files_of_every_length_come_out_as_they_went_in() -> None:
    files = {f"file{length}": b"x" * length for length in range(9)}
    read = entries(archive(("folder",), files.items()))
    assert {name: data for name, (_, data) in read.items() if name != "folder"} == files


def test_folders_are_folders_and_files_can_be_run() -> None:
    read = entries(archive(("bin",), [("bin/tool", b"#!")]))
    assert read["bin"][0] == 0o040755
    assert read["bin/tool"][0] == 0o100755


def ran(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "-c", script(command, folder)], capture_output=True, text=True, check=False, timeout=60
    )


def test_the_command_gets_its_arguments_as_they_are(tmp_path: Path) -> None:
    hostile = ["two words", "$HOME", "`id`", "'", '"', "line\nbreak", "*", "; exit 9", ""]
    done = ran(["printf", r"[%s]", *hostile], tmp_path)
    assert done.stdout == "".join(f"[{argument}]" for argument in hostile)


def test_the_command_runs_in_the_folder_and_its_status_is_the_scripts(tmp_path: Path) -> None:
    folder = tmp_path / "a 'folder'"
    folder.mkdir()
    done = ran(["sh", "-c", "pwd; exit 7"], folder)
    assert done.stdout == f"{folder}\n"
    assert done.returncode == 7


def test_a_folder_that_is_not_there_is_said_before_anything_runs(tmp_path: Path) -> None:
    done = ran(["echo", "ran"], tmp_path / "missing")
    assert done.returncode == 126
    assert not done.stdout
