"""Which container the names of a cgroup speak of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.enrich.cgroups import Cgroups, Mark, mark_of
from fileaudit_engine.enrich.procfs import parse_cgroups

ID = "0123456789abcdef" * 4
OTHER = "f" * 64


def names(path: str) -> tuple[str, ...]:
    """A path as the kernel tells it: from the leaf up."""
    return tuple(path.strip("/").split("/"))[::-1]


@pytest.mark.parametrize(
    ("path", "runtime"),
    [
        (f"/docker/{ID}", "docker"),
        (f"/system.slice/docker-{ID}.scope", "docker"),
        (f"/system.slice/docker-{ID}.scope/init.scope", "docker"),
        (f"/actions_job/{ID}", None),
        (f"/kubepods.slice/kubepods-podc0.slice/cri-containerd-{ID}.scope", "containerd"),
        (f"/system.slice/kubepods-burstable-podc0.slice:cri-containerd:{ID}", "containerd"),
        (f"/kubepods/burstable/podc0ffee/{ID}", None),
        (f"/kubepods.slice/kubepods-podc0.slice/crio-{ID}.scope", "crio"),
        (f"/kubepods.slice/kubepods-podc0.slice/crio-{ID}.scope/container", "crio"),
        (f"/kubepods/podc0/crio-{ID}", "crio"),
        (f"/system.slice/nerdctl-{ID}.scope", "containerd"),
        (f"/machine.slice/libpod-{ID}.scope", "podman"),
        (f"/machine.slice/libpod-{ID}.scope/container", "podman"),
        (f"/machine.slice/libpod-{ID}.scope/container/system.slice/web.service", "podman"),
        (f"/libpod_parent/libpod-{ID}", "podman"),
        (f"/libpod_parent/{OTHER}/libpod-{ID}", "podman"),
        (f"/machine.slice/machine-libpod_pod_{OTHER}.slice/libpod-{ID}.scope", "podman"),
        (f"/system.slice/web.service/libpod-payload-{ID}", "podman"),
    ],
)
def test_the_name_that_a_runtime_gives_has_the_id(path: str, runtime: str | None) -> None:
    assert mark_of(names(path)) == Mark(id=ID, runtime=runtime)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/init.scope",
        "/user.slice/user-1000.slice/session-4.scope",
        "/machine.slice/systemd-nspawn@web.service/payload",
        f"/machine.slice/libpod-conmon-{ID}.scope",
        f"/kubepods.slice/crio-conmon-{ID}.scope",
        f"/libpod_parent/{ID}",
        f"/docker/{ID[:32]}",
        f"/docker/{ID}0",
        f"/docker/{ID.upper()}",
        f"/machine.slice/machine-libpod_pod_{ID}.slice",
        "/docker/buildkit",
    ],
)
def test_what_is_no_container_has_no_id(path: str) -> None:
    assert mark_of(names(path)) is None


def test_what_a_container_makes_for_itself_is_that_container() -> None:
    inner = f"/docker/{ID}/kubelet/kubepods/podc0/cri-containerd-{OTHER}.scope"
    assert mark_of(names(inner)) == Mark(id=ID, runtime="docker")


def test_what_a_user_has_made_is_the_users() -> None:
    path = f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container"
    assert mark_of(names(path)) == Mark(id=ID, runtime="podman", user_id=1000)


def test_what_a_service_has_made_is_not_vouched_for() -> None:
    mark = mark_of(names(f"/system.slice/web.service/docker-{ID}.scope"))
    assert mark == Mark(id=ID, runtime="docker", delegated=True)


def test_a_runtime_that_knows_only_hierarchies_with_controllers_is_found_there() -> None:
    both = (*names("/system.slice/docker.service"), *names(f"/docker/{ID}"))
    assert mark_of(both) == Mark(id=ID, runtime="docker")


@given(st.lists(st.text(max_size=260), max_size=24))
def test_no_names_are_too_strange(hostile: list[str]) -> None:
    mark = mark_of(tuple(hostile))
    assert mark is None or len(mark.id) == 64


def test_proc_tells_the_same_names_as_the_kernel() -> None:
    raw = f"3:pids:/docker/{ID}\n1:name=systemd:/system.slice/x\n0::/system.slice/docker.service\n"
    assert parse_cgroups(raw.encode()) == ("docker.service", "system.slice", ID, "docker")


def test_a_root_in_proc_has_no_names() -> None:
    assert parse_cgroups(b"2:memory:/\n1:name=systemd:/x\n0::/\n") == ()


def test_a_cgroup_that_was_removed_keeps_its_name() -> None:
    assert parse_cgroups(f"0::/docker/{ID} (deleted)\n".encode()) == (ID, "docker")


def test_of_a_deep_cgroup_the_topmost_names_are_told() -> None:
    path = "/" + "/".join(str(level) for level in range(40))
    assert parse_cgroups(f"0::{path}\n".encode()) == tuple(str(level) for level in range(7, -1, -1))


@pytest.mark.parametrize("raw", [b"", b"\n", b":", b"0", b"0:\xff:/\xff/..", b"x:y:z:w"])
def test_a_strange_line_is_no_error(raw: bytes) -> None:
    parse_cgroups(raw)


def test_the_processes_of_a_container_share_one_cgroup() -> None:
    cgroups = Cgroups()
    assert cgroups.learn(7, (ID, "docker")) is cgroups.learn(7, (ID, "docker"))
    assert cgroups.known(7) is cgroups.learn(7, (ID, "docker"))


def test_the_root_is_nobodys() -> None:
    cgroups = Cgroups()
    cgroups.learn(1, (ID, "docker"))
    assert cgroups.known(1) is None


def test_invented_cgroups_do_not_grow_it() -> None:
    cgroups = Cgroups(limit=10)
    for number in range(2, 1000):
        cgroups.learn(number, (str(number),))
    assert len(cgroups._by_names) <= 10
    assert len(cgroups._by_number) <= 10
