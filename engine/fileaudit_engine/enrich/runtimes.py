"""What container runtimes keep on disk of their containers: names, images, pods.

Files are asked, not daemons: whoever audits a runtime must not depend on its answers, and a file is there
also while the daemon restarts. Of each file only what is needed is taken, by type; whatever else stands in it
is passed over, and what is not of the form expected is not taken at all. The id in it must be that which was
asked for, where the format has one.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from fileaudit_engine.enrich.cgroups import Mark
from fileaudit_engine.enrich.state_file import Stamp, open_state
from fileaudit_engine.events.model import Container

CONFIG_LIMIT: Final = 1 << 20
"""Bytes of one container's file: Docker's have some 10 KiB, OCI specifications up to 100."""
LIST_LIMIT: Final = 8 << 20
"""Of a list of all containers, at about 1 KiB each."""
USER_LIST_LIMIT: Final = 256 << 10
"""Of an ordinary user's."""
TEXT_LIMIT: Final = 512
"""Characters of a name; what is longer is no name."""

_DOCKER: Final = "var/lib/docker"
_CONTAINERD: Final = (
    "run/containerd/io.containerd.runtime.v2.task",
    "run/k3s/containerd/io.containerd.runtime.v2.task",
)
_NAMESPACES: Final = 64
_STORAGE: Final = "var/lib/containers/storage"
_STORAGE_RUN: Final = "run/containers/storage"
_DRIVERS: Final = ("overlay", "vfs", "btrfs", "zfs")
_LISTS: Final = ("containers.json", "volatile-containers.json")
_LISTS_KEPT: Final = 16


_Form = TypeVar("_Form")


class _DockerSettings(msgspec.Struct):
    Image: str | None = None
    Labels: dict[str, str] | None = None


class _DockerConfig(msgspec.Struct):
    """`container/container.go` of moby: what `config.v2.json` is written from."""

    ID: str = ""
    Name: str | None = None
    Config: _DockerSettings | None = None


class _Specification(msgspec.Struct):
    """The OCI runtime specification's `config.json`."""

    annotations: dict[str, str] | None = None


class _Stored(msgspec.Struct):
    """`containers.go` of containers/storage."""

    id: str
    names: list[str] | None = None
    metadata: str | None = None


class _Metadata(msgspec.Struct):
    """`libpod/storage.go` of Podman, as JSON within the JSON."""

    image_name: str | None = msgspec.field(name="image-name", default=None)
    name: str | None = None


class Runtimes:
    """The runtimes of a host.

    Args:
        root: Where the host's files are.
        owner: Who owns the state of the daemons.
    """

    def __init__(self, root: str = "/", owner: int = 0) -> None:
        self._root = root
        self._owner = owner
        self._lists: dict[str, tuple[Stamp, dict[str, _Stored]]] = {}

    def of_root(self, mark: Mark) -> Container | None:
        """A container of the host's own runtimes; None where none of them knows it."""
        readers = {
            "docker": self._docker,
            "containerd": self._containerd,
            "crio": self._crio,
            "podman": self._podman,
        }
        wanted = [readers[mark.runtime]] if mark.runtime in readers else readers.values()
        return next((found for read in wanted if (found := read(mark.id)) is not None), None)

    def of_user(self, mark: Mark, user_id: int, home: str) -> Container | None:
        """A container of an ordinary user; None where his runtimes do not know it."""
        base = f"{self._root}{home}"
        run = f"{self._root}/run/user/{user_id}"
        if mark.runtime == "docker":
            path = f".local/share/docker/containers/{mark.id}/config.v2.json"
            return _of_docker(_read(base, path, user_id, CONFIG_LIMIT, strict=True), mark.id)
        graph = ".local/share/containers/storage"
        for where, folder in ((base, graph), (run, "containers")):
            for name in _LISTS:
                path = f"{folder}/{_DRIVERS[0]}-containers/{name}"
                found = self._listed(where, path, mark.id, user_id, USER_LIST_LIMIT, strict=True)
                if found is not None:
                    return found
        return None

    def _docker(self, number: str) -> Container | None:
        path = f"{_DOCKER}/containers/{number}/config.v2.json"
        return _of_docker(self._config(path), number)

    def _containerd(self, number: str) -> Container | None:
        """The bundle of a task: `runtime/v2/bundle.go` of containerd; annotations `pkg/cri/annotations`.

        nerdctl's are the labels of `pkg/labels` that it copies there; they do not have the image.
        """
        for bundle in self._bundles(number):
            notes = _notes(self._config(f"{bundle}/config.json"))
            if notes is not None:
                return Container(
                    id=number,
                    name=_text(notes.get("io.kubernetes.cri.container-name") or notes.get("nerdctl/name")),
                    image=_text(notes.get("io.kubernetes.cri.image-name")),
                    runtime="containerd",
                    pod=_text(notes.get("io.kubernetes.cri.sandbox-name")),
                    namespace=_text(notes.get("io.kubernetes.cri.sandbox-namespace")),
                )
        return None

    def _bundles(self, number: str) -> Iterator[str]:
        for base in _CONTAINERD:
            try:
                names = sorted(path.name for path in Path(self._root, base).iterdir())
            except OSError:
                continue
            for name in names[:_NAMESPACES]:
                yield f"{base}/{name}/{number}"

    def _crio(self, number: str) -> Container | None:
        """`pkg/annotations` of CRI-O, and the kubelet's labels (`pkg/kubelet/types/labels.go`)."""
        for driver in _DRIVERS:
            path = f"{_STORAGE_RUN}/{driver}-containers/{number}/userdata/config.json"
            notes = _notes(self._config(path))
            if notes is not None and notes.get("io.kubernetes.cri-o.ContainerID") == number:
                return Container(
                    id=number,
                    name=_text(notes.get("io.kubernetes.container.name")),
                    image=_text(notes.get("io.kubernetes.cri-o.ImageName")),
                    runtime="crio",
                    pod=_text(notes.get("io.kubernetes.pod.name")),
                    namespace=_text(notes.get("io.kubernetes.pod.namespace")),
                )
        return None

    def _podman(self, number: str) -> Container | None:
        for folder in (_STORAGE, _STORAGE_RUN):
            for driver in _DRIVERS:
                for name in _LISTS:
                    path = f"{folder}/{driver}-containers/{name}"
                    found = self._listed(self._root, path, number, self._owner, LIST_LIMIT, strict=False)
                    if found is not None:
                        return found
        return None

    def _config(self, path: str) -> bytes:
        return _read(self._root, path, self._owner, CONFIG_LIMIT, strict=False)

    def _listed(  # noqa: PLR0913 - how to find it, and how to read it
        self, base: str, path: str, number: str, owner: int, limit: int, *, strict: bool
    ) -> Container | None:
        key = f"{base}/{path}"
        try:
            with open_state(base, path, owner=owner, limit=limit, strict=strict) as file:
                known = self._lists.get(key)
                if known is None or known[0] != file.stamp:
                    known = (file.stamp, _stored(file.read()))
                    self._remember(key, known)
        except OSError:
            return None
        stored = known[1].get(number)
        return None if stored is None else _of_storage(stored)

    def _remember(self, key: str, known: tuple[Stamp, dict[str, _Stored]]) -> None:
        self._lists.pop(key, None)
        if len(self._lists) >= _LISTS_KEPT:
            del self._lists[next(iter(self._lists))]
        self._lists[key] = known


def _of_docker(raw: bytes, number: str) -> Container | None:
    config = _decoded(raw, _DockerConfig)
    if config is None or number != config.ID:
        return None
    settings = config.Config or _DockerSettings()
    labels = settings.Labels or {}
    return Container(
        id=number,
        name=_text((config.Name or "").removeprefix("/")),
        image=_text(settings.Image),
        runtime="docker",
        pod=_text(labels.get("io.kubernetes.pod.name")),
        namespace=_text(labels.get("io.kubernetes.pod.namespace")),
    )


def _of_storage(stored: _Stored) -> Container:
    metadata = _decoded((stored.metadata or "{}").encode("utf-8", "replace"), _Metadata) or _Metadata()
    return Container(
        id=stored.id,
        name=_text(metadata.name or next(iter(stored.names or ()), None)),
        image=_text(metadata.image_name),
        runtime="podman",
    )


def _stored(raw: bytes) -> dict[str, _Stored]:
    return {stored.id: stored for stored in _decoded(raw, list[_Stored]) or ()}


def _notes(raw: bytes) -> dict[str, str] | None:
    """The annotations of a specification; None where there is none."""
    specification = _decoded(raw, _Specification)
    return None if specification is None else specification.annotations or {}


def _read(base: str, path: str, owner: int, limit: int, *, strict: bool) -> bytes:
    """The file, empty where there is none."""
    try:
        with open_state(base, path, owner=owner, limit=limit, strict=strict) as file:
            return file.read()
    except OSError:
        return b""


def _decoded(raw: bytes, form: type[_Form]) -> _Form | None:
    """The document, None where it is none of this form."""
    try:
        return msgspec.json.decode(raw, type=form)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None


def _text(text: str | None) -> str | None:
    return text if text and len(text) <= TEXT_LIMIT else None
