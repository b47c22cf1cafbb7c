"""Which kernel is taken, and what of it is kept."""

import lzma
from pathlib import Path

import pytest
from tools.vm import kernels
from tools.vm.errors import Usage
from tools.vm.kernels import depends, in_order, newest


def module(*needed: str) -> bytes:
    return b"\x7fELF\0license=GPL\0depends=" + ",".join(needed).encode() + b"\0name=some\0"


def test_the_highest_numbers_are_the_newest_not_the_highest_letters() -> None:
    packages = ["linux-image-6.1.0-9-amd64", "linux-image-6.1.0-56-amd64", "linux-image-6.1.0-48-amd64"]
    assert newest(packages, "6.1") == "linux-image-6.1.0-56-amd64"


def test_a_version_is_not_taken_for_one_that_begins_with_its_digits() -> None:
    assert newest(["linux-image-6.12.117+deb12-amd64"], "6.1") is None


def test_kernels_of_every_release_of_debian_are_recognised() -> None:
    assert newest(["linux-image-6.12.117+deb12-amd64"], "6.12") == "linux-image-6.12.117+deb12-amd64"
    assert newest(["linux-image-6.12.9+bpo-amd64"], "6.12") == "linux-image-6.12.9+bpo-amd64"


@pytest.mark.parametrize("flavour", ["cloud-amd64", "rt-amd64", "amd64-dbg", "amd64-unsigned", "arm64"])
def test_only_the_signed_generic_flavour_is_taken(flavour: str) -> None:
    assert newest([f"linux-image-6.1.0-56-{flavour}"], "6.1") is None


def test_a_module_says_what_it_needs() -> None:
    assert depends(module("9pnet", "netfs")) == ["9pnet", "netfs"]
    assert depends(module()) == []


def test_names_in_files_and_in_modules_are_the_same_whatever_their_dashes() -> None:
    assert depends(module("virtio-ring")) == ["virtio_ring"]


def test_a_module_is_inserted_after_all_that_it_needs_and_once() -> None:
    modules = {"9p": module("9pnet", "netfs"), "9pnet": module(), "netfs": module(), "tcp": module("9pnet")}
    order = in_order(["tcp", "9p"], modules)
    assert sorted(order) == sorted(modules)
    assert order.index("9pnet") < order.index("tcp")
    assert max(order.index("9pnet"), order.index("netfs")) < order.index("9p")


def test_what_is_built_into_the_kernel_needs_no_module() -> None:
    assert in_order(["overlay", "virtio_pci"], {"overlay": module()}) == ["overlay"]


def unpacked_package(folder: Path) -> Path:
    """What a package unpacks to: an image, some modules that lead to 9p, one that is of no use here."""
    (folder / "boot").mkdir(parents=True)
    (folder / "boot" / "vmlinuz-6.12").write_bytes(b"image")
    built = folder / "lib" / "modules" / "6.12"
    built.mkdir(parents=True)
    (built / "9p.ko.xz").write_bytes(lzma.compress(module("netfs")))
    (built / "netfs.ko.xz").write_bytes(lzma.compress(module()))
    (built / "sound-card.ko.xz").write_bytes(lzma.compress(module("netfs")))
    return folder


def test_of_a_package_the_image_and_the_needed_modules_are_kept_ready_to_insert(tmp_path: Path) -> None:
    kernels._reduce(unpacked_package(tmp_path / "unpacked"), tmp_path / "kept")
    assert (tmp_path / "kept" / "vmlinuz").read_bytes() == b"image"
    modules = sorted((tmp_path / "kept" / "modules").iterdir())
    assert [path.name for path in modules] == ["00-netfs.ko", "01-9p.ko"]
    assert modules[1].read_bytes() == module("netfs")


def test_a_kept_kernel_is_used_without_asking_anybody(tmp_path: Path) -> None:
    kept = tmp_path / "linux-image-6.1.0-56-amd64"
    kernels._reduce(unpacked_package(tmp_path / "unpacked"), kept)
    told: list[str] = []
    found = kernels.kernel("6.1", tmp_path, told.append)
    assert found.image == kept / "vmlinuz"
    assert not told


@pytest.mark.parametrize("version", ["latest", "6", "6.1; reboot", "../6.1", ""])
def test_what_is_no_version_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(Usage, match="is no kernel version"):
        kernels.kernel(version, tmp_path, print)
