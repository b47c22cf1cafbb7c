"""What a container is called, from the files that runtimes really write.

The documents below are as Docker 20.10, containerd 1.6 and Podman 4.3 wrote them, cut down to what matters
and some of what does not; CRI-O's is after its source, `internal/factory/container/container.go`.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileaudit_engine.enrich.cgroups import Cgroup, Mark
from fileaudit_engine.enrich.container import FRESH_S, LOOKS, RETRY_S, Containers
from fileaudit_engine.enrich.runtimes import TEXT_LIMIT, Runtimes, _decoded, _DockerConfig, _Stored
from fileaudit_engine.enrich.state_file import StateFile
from fileaudit_engine.events.model import Container

ID = "0123456789abcdef" * 4
OTHER = "f" * 64
ALICE = os.geteuid()

DOCKER = {
    "StreamConfig": {}, "State": {"Running": True, "Pid": 4711, "Health": None}, "ID": ID,
    "Created": "2026-11-28T08:23:49.049904327Z", "Path": "/bin/app", "Args": [],
    "Config": {"Hostname": "0123456789ab", "Env": None, "Cmd": ["/bin/app"], "Image": "nginx:1.27",
               "Labels": {"io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop"}},
    "Image": "sha256:5e4cb538a126bcf0bff88fbe9d026aa73733e683ce6f10791bececa67f441ddb", "Name": "/web",
    "Driver": "overlay2", "MountPoints": {}, "NoNewPrivileges": False,
}  # fmt: skip
CONTAINERD = {
    "ociVersion": "1.0.2-dev", "process": {"args": ["/bin/app"], "cwd": "/"}, "root": {"path": "rootfs"},
    "annotations": {"io.kubernetes.cri.container-name": "app",
                    "io.kubernetes.cri.container-type": "container",
                    "io.kubernetes.cri.image-name": "docker.io/library/nginx:1.27",
                    "io.kubernetes.cri.sandbox-id": OTHER, "io.kubernetes.cri.sandbox-name": "web-0",
                    "io.kubernetes.cri.sandbox-namespace": "shop"},
    "linux": {"cgroupsPath": f"/kubepods/besteffort/podc0ffee/{ID}"},
}  # fmt: skip
CRIO = {
    "ociVersion": "1.0.2-dev",
    "annotations": {"io.container.manager": "cri-o", "io.kubernetes.container.name": "app",
                    "io.kubernetes.cri-o.ContainerID": ID, "io.kubernetes.cri-o.ContainerType": "container",
                    "io.kubernetes.cri-o.ImageName": "docker.io/library/nginx:1.27",
                    "io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop"},
}  # fmt: skip


def podman(number: str = ID, name: str = "web", image: str = "localhost/nginx:1.27") -> dict[str, Any]:
    return {
        "id": number, "names": [name], "image": OTHER, "layer": OTHER,
        "metadata": json.dumps({"image-name": image, "image-id": OTHER, "name": name, "created-at": 1}),
        "created": "2026-11-28T08:23:41.10204756Z", "flags": {"MountLabel": "", "Volatile": True},
    }  # fmt: skip


DOCKER_PATH = f"var/lib/docker/containers/{ID}/config.v2.json"
CONTAINERD_PATH = f"run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json"
CRIO_PATH = f"run/containers/storage/overlay-containers/{ID}/userdata/config.json"
PODMAN_PATH = "var/lib/containers/storage/overlay-containers/containers.json"
ALICES_PATH = "home/alice/.local/share/containers/storage/overlay-containers/containers.json"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Host:
    """A host with runtimes' files on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = Clock()
        self.containers = Containers(
            runtimes=Runtimes(root=str(root), owner=os.geteuid()),
            home=lambda user_id: "/home/alice" if user_id == ALICE else None,
            clock=self.clock,
        )

    def has(self, path: str, document: object) -> "Host":
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
        return self

    def asked(self, runtime: str | None = None, **what: Any) -> Container | None:
        mark = Mark(id=what.pop("number", ID), runtime=runtime, **what)
        return self.containers.get(Cgroup(number=2, names=(), mark=mark))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


IN_KUBERNETES = {"pod": "web-0", "namespace": "shop"}


@pytest.mark.parametrize("told", [True, False], ids=["told by the cgroup", "found by its files"])
@pytest.mark.parametrize(
    ("path", "document", "container"),
    [
        (DOCKER_PATH, DOCKER,
         Container(id=ID, name="web", image="nginx:1.27", runtime="docker", **IN_KUBERNETES)),
        (CONTAINERD_PATH, CONTAINERD,
         Container(id=ID, name="app", image="docker.io/library/nginx:1.27", runtime="containerd",
                   **IN_KUBERNETES)),
        (CRIO_PATH, CRIO,
         Container(id=ID, name="app", image="docker.io/library/nginx:1.27", runtime="crio", **IN_KUBERNETES)),
        (PODMAN_PATH, [podman(OTHER, "another"), podman()],
         Container(id=ID, name="web", image="localhost/nginx:1.27", runtime="podman")),
    ],
)  # fmt: skip
def test_each_runtime_names_its_containers(
    host: Host, path: str, document: object, container: Container, *, told: bool
) -> None:
    host.has(path, document)
    assert host.asked(container.runtime if told else None) == container


@pytest.mark.parametrize(
    "path",
    [
        f"run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json",
        f"run/containerd/io.containerd.runtime.v2.task/default/{ID}/config.json",
    ],
)
def test_containerd_is_found_in_every_namespace_and_below_k3s(host: Host, path: str) -> None:
    found = host.has(path, {"annotations": {"nerdctl/name": "web"}}).asked("containerd")
    assert found == Container(id=ID, name="web", runtime="containerd")


@pytest.mark.parametrize("name", ["containers.json", "volatile-containers.json"])
@pytest.mark.parametrize("driver", ["overlay", "vfs"])
def test_podman_is_found_with_every_driver(host: Host, driver: str, name: str) -> None:
    host.has(f"var/lib/containers/storage/{driver}-containers/{name}", [podman()])
    found = host.asked("podman")
    assert found is not None
    assert found.name == "web"


def test_a_container_of_which_nothing_is_on_disk_has_its_id(host: Host) -> None:
    assert host.asked("docker") == Container(id=ID, runtime="docker")


def test_what_runs_in_no_container_has_none(host: Host) -> None:
    assert host.containers.get(Cgroup(number=2, names=("init.scope",), mark=None)) is None


def test_state_of_another_id_is_not_believed(host: Host) -> None:
    host.has(DOCKER_PATH, DOCKER | {"ID": OTHER}).has(CRIO_PATH, {"annotations": {}})
    assert host.asked("docker") == Container(id=ID, runtime="docker")
    assert host.asked("crio") == Container(id=ID, runtime="crio")


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"null", b"[]", b"{", b"\xff", b'{"ID": 7}', b'{"annotations": {"a": 1}}', b"[[" * 100_000,
        b'{"Config":' * 100_000, b'[{"id": "' + ID.encode() + b'", "names": "web"}]',
        b'[{"names": ["web"]}]', b'{"Name": "\\ud800"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", [DOCKER_PATH, CONTAINERD_PATH, CRIO_PATH, PODMAN_PATH])
def test_state_of_another_form_is_not_believed(host: Host, path: str, raw: bytes) -> None:
    found = host.has(path, raw).asked()
    assert found is not None
    assert (found.id, found.name, found.image, found.pod) == (ID, None, None, None)


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange(raw: bytes) -> None:
    _decoded(raw, _DockerConfig)
    _decoded(raw, list[_Stored])


def test_a_name_without_end_is_none(host: Host) -> None:
    host.has(DOCKER_PATH, DOCKER | {"Name": "x" * (TEXT_LIMIT + 1)})
    found = host.asked("docker")
    assert found is not None
    assert (found.name, found.image) == (None, "nginx:1.27")


def test_metadata_that_is_broken_leaves_the_name(host: Host) -> None:
    host.has(PODMAN_PATH, [podman() | {"metadata": "{"}])
    assert host.asked("podman") == Container(id=ID, name="web", runtime="podman")


def test_a_users_container_has_the_name_that_the_user_gave(host: Host) -> None:
    host.has(ALICES_PATH, [podman(name="mine")])
    found = host.asked("podman", user_id=ALICE)
    assert found == Container(id=ID, name="mine", image="localhost/nginx:1.27", runtime="podman")


def test_a_user_cannot_take_the_name_of_a_container_of_root(host: Host) -> None:
    host.has(DOCKER_PATH, DOCKER).has(PODMAN_PATH, [podman()])
    for runtime in ("docker", "podman", None):
        assert host.asked(runtime, user_id=ALICE) == Container(id=ID, runtime=runtime)


def test_nor_by_a_link_from_his_home(host: Host) -> None:
    host.has(PODMAN_PATH, [podman()])
    share = host.root / "home/alice/.local/share"
    share.mkdir(parents=True)
    (share / "containers").symlink_to(host.root / "var/lib/containers")
    assert host.asked("podman", user_id=ALICE) == Container(id=ID, runtime="podman")


def test_a_user_without_a_home_has_containers_without_names(host: Host) -> None:
    assert host.asked("podman", user_id=ALICE + 1) == Container(id=ID, runtime="podman")


def test_a_service_cannot_take_the_name_of_a_container_of_root(host: Host) -> None:
    assert host.has(DOCKER_PATH, DOCKER).asked("docker", delegated=True) == Container(id=ID, runtime="docker")


def test_roots_state_is_believed_only_if_it_is_roots(tmp_path: Path) -> None:
    host = Host(tmp_path).has(DOCKER_PATH, DOCKER)
    host.containers = Containers(runtimes=Runtimes(root=str(tmp_path), owner=os.geteuid() + 1))
    assert host.asked("docker") == Container(id=ID, runtime="docker")


def test_state_that_comes_later_is_found(host: Host) -> None:
    assert host.asked("docker") == Container(id=ID, runtime="docker")
    host.has(DOCKER_PATH, DOCKER)
    assert host.asked("docker") == Container(id=ID, runtime="docker")
    host.clock.now += RETRY_S
    found = host.asked("docker")
    assert found is not None
    assert found.name == "web"


def test_what_is_not_there_is_asked_for_ever_less_often(host: Host) -> None:
    asked = 0
    for _ in range(10_000):
        before = host.containers._of_host.get(Mark(id=ID))
        host.asked()
        asked += host.containers._of_host.get(Mark(id=ID)) is not before
        host.clock.now += 0.1
    assert asked < 30


def test_a_container_that_is_renamed_has_its_new_name_after_a_while(host: Host) -> None:
    host.has(DOCKER_PATH, DOCKER).asked("docker")
    host.has(DOCKER_PATH, DOCKER | {"Name": "/renamed"})
    names = []
    for _ in range(2):
        found = host.asked("docker")
        names.append(found and found.name)
        host.clock.now += FRESH_S
    assert names == ["web", "renamed"]


def test_a_container_keeps_its_name_when_its_state_is_gone(host: Host) -> None:
    known = host.has(DOCKER_PATH, DOCKER).asked("docker")
    (host.root / DOCKER_PATH).unlink()
    host.clock.now += FRESH_S
    assert host.asked("docker") == known


def test_the_files_of_users_are_looked_at_in_turn(host: Host) -> None:
    numbers = [f"{number:064x}" for number in range(2 * LOOKS)]
    host.has(ALICES_PATH, [podman(number) for number in numbers])

    def named() -> int:
        found = [host.asked("podman", number=number, user_id=ALICE) for number in numbers]
        return sum(one is not None and one.name is not None for one in found)

    assert named() == LOOKS
    host.clock.now += 1.5
    assert named() == 2 * LOOKS


def test_a_user_with_many_containers_keeps_no_name_from_the_hosts_own(host: Host) -> None:
    known = host.has(DOCKER_PATH, DOCKER).asked("docker")
    (host.root / DOCKER_PATH).unlink()
    host.containers._limit = 10
    for number in range(1000):
        host.asked("podman", number=f"{number:064x}", user_id=ALICE)
    assert host.asked("docker") == known
    host.has(f"var/lib/docker/containers/{OTHER}/config.v2.json", DOCKER | {"ID": OTHER})
    found = host.asked("docker", number=OTHER)
    assert found is not None
    assert found.name == "web"


def test_invented_containers_do_not_grow_it(host: Host) -> None:
    host.containers._limit = 10
    for number in range(1000):
        host.asked(number=f"{number:064x}")
        host.asked(number=f"{number:064x}", user_id=ALICE)
    assert len(host.containers._of_host) == 10
    assert len(host.containers._of_users) == 10


def test_a_list_is_read_again_only_if_it_has_changed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []
    original = StateFile.read

    def counted(file: StateFile) -> bytes:
        read.append(original(file))
        return read[-1]

    monkeypatch.setattr(StateFile, "read", counted)
    host.has(PODMAN_PATH, [podman(), podman(OTHER, "second")])
    host.asked("podman")
    host.asked("podman", number=OTHER)
    assert len(read) == 1
    host.has(PODMAN_PATH, [podman(), podman(OTHER, "another name")])
    host.clock.now += FRESH_S
    found = host.asked("podman", number=OTHER)
    assert found is not None
    assert found.name == "another name"
