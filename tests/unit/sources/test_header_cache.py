"""The cache of compiler input, which root's compiler reads."""

import os
from pathlib import Path

import pytest

from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sources import headers

LISTING = """
[7] STRUCT 'file' size=1
[8] STRUCT 'dentry' size=1
[9] STRUCT 'mount' size=1
[10] FUNC 'bpf_rdonly_cast' type_id=1
"""
HEADER = "union { unsigned char d_shortname; };\nkuid_t loginuid;\n"


@pytest.fixture
def bpftool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, ...]]:
    """A kernel of our own making, and the calls that were made to read it."""
    calls: list[tuple[str, ...]] = []

    def answer(*arguments: str) -> str:
        calls.append(arguments)
        return HEADER if arguments else LISTING

    (tmp_path / "btf").write_bytes(b"types")
    monkeypatch.setattr(headers, "BTF", tmp_path / "btf")
    monkeypatch.setattr(headers, "_bpftool", answer)
    return calls


def test_types_are_generated_once_per_kernel(bpftool: list[tuple[str, ...]], tmp_path: Path) -> None:
    first = headers.kernel_types(tmp_path / "cache")
    assert headers.kernel_types(tmp_path / "cache") == first
    assert len(bpftool) == 2
    (tmp_path / "btf").write_bytes(b"other types")
    assert headers.kernel_types(tmp_path / "cache").include != first.include


def test_what_the_programs_depend_on_is_told(bpftool: list[tuple[str, ...]], tmp_path: Path) -> None:
    types = headers.kernel_types(tmp_path / "cache")
    assert bpftool
    assert types.cast_function == 10
    assert types.type_defines == ("TYPE_FILE=7", "TYPE_DENTRY=8", "TYPE_MOUNT=9")
    assert {"DENTRY_SHORT_NAME=d_shortname", "HAVE_AUDIT"} <= set(types.defines)
    assert (Path(types.include) / "vmlinux.h").read_text() == HEADER


def test_a_cache_behind_a_link_is_refused(bpftool: list[tuple[str, ...]], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "cache").symlink_to("elsewhere")
    with pytest.raises(MachineCannot, match="not safe"):
        headers.kernel_types(tmp_path / "cache")
    assert bpftool == []


def test_a_cache_that_others_may_write_to_is_refused(bpftool: list[tuple[str, ...]], tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    with pytest.raises(MachineCannot, match="not safe"):
        headers.kernel_types(tmp_path / "cache")
    assert bpftool == []


def test_a_file_behind_a_link_is_made_anew(bpftool: list[tuple[str, ...]], tmp_path: Path) -> None:
    types = headers.kernel_types(tmp_path / "cache")
    header = Path(types.include) / "vmlinux.h"
    header.unlink()
    (tmp_path / "evil.h").write_text("evil")
    header.symlink_to(tmp_path / "evil.h")
    headers.kernel_types(tmp_path / "cache")
    assert not header.is_symlink()
    assert header.read_text() == HEADER
    assert (tmp_path / "evil.h").read_text() == "evil"
    assert len(bpftool) == 4


def test_the_cache_is_ours_alone(bpftool: list[tuple[str, ...]], tmp_path: Path) -> None:
    types = headers.kernel_types(tmp_path / "cache")
    assert bpftool
    for path in (tmp_path / "cache", Path(types.include)):
        assert path.stat().st_mode & 0o077 == 0
        assert path.stat().st_uid == os.geteuid()


def test_a_kernel_without_types_is_told_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(headers, "BTF", tmp_path / "none")
    with pytest.raises(MachineCannot, match="does not describe its types") as caught:
        headers.kernel_types(tmp_path / "cache")
    assert "CONFIG_DEBUG_INFO_BTF" in caught.value.remedy
