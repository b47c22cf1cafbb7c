"""From the names of a process' cgroup to the id of its container.

A runtime puts each container into a cgroup whose name holds the container's id: 64 hexadecimal digits.

    docker-ID.scope  cri-containerd-ID.scope  crio-ID.scope  libpod-ID.scope  nerdctl-ID.scope      systemd
    docker/ID  kubepods/burstable/podUID/ID  libpod_parent/libpod-ID  /crio-ID                      cgroupfs
    kubepods-burstable-podUID.slice:cri-containerd:ID               cgroupfs, told to name as systemd does
    user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope/container               rootless

These are from `libcontainer/cgroups/systemd/common.go` of runc, `libpod/container_internal_linux.go` and
`pkg/cgroups` of Podman, `internal/config/cgmgr` of CRI-O, and what the runtimes do on a live host. The
runtime's own monitor has a cgroup beside it (`crio-conmon-ID.scope`): that is no container.

A cgroup's name proves nothing by itself. Whoever was given a cgroup may make others in it and call them as he
likes: a container, a service with `Delegate=`, an ordinary user below his `user@UID.service`. So of several
ids it is the outermost one that counts (what runs in a container is in that container, whatever containers
it makes for itself), and the id says who vouches for it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CGROUP_LEVELS: Final = 8
"""Levels of a hierarchy that are told, from the root down (`bpf/cgroup.h`)."""

LIMIT: Final = 8192
"""Cgroups that are remembered."""

ROOT: Final = 1
"""The v2 hierarchy's own number: of processes in none of its cgroups."""

_ID: Final = re.compile(r"(?:(.+)[-:])?([0-9a-f]{64})(?:\.scope)?")
_USER: Final = re.compile(r"user@([0-9]{1,10})\.service")
_RUNTIMES: Final = {
    "docker": "docker",
    "cri-containerd": "containerd",
    "nerdctl": "containerd",
    "crio": "crio",
    "libpod": "podman",
    "libpod-payload": "podman",
}
"""By what stands before the id, or by the name of the cgroup above."""
_PODS: Final = "libpod_parent"
"""Below it, an id without a prefix is that of a pod of Podman's."""
_IN_SERVICES: Final = "libpod-payload"
"""Podman's `--cgroups=split`, which its systemd units use, puts containers below the unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the names of a cgroup say of a container.

    Attributes:
        id: Of the container.
        runtime: As `Container.runtime`; None where the name does not tell.
        user_id: In whose part of the tree it is; None where it is root's.
        delegated: It is in the part of a service, which may have made the name up.
    """

    id: str
    runtime: str | None = None
    user_id: int | None = None
    delegated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cgroup:
    """A cgroup.

    Attributes:
        number: Its id in the v2 hierarchy; None where that is not known.
        names: See `procfs.Found.cgroup`.
        mark: Of the container, if it is one's.
    """

    number: int | None
    names: tuple[str, ...]
    mark: Mark | None


NOWHERE: Final = Cgroup(number=None, names=(), mark=None)
"""A cgroup of which nothing is known."""


class Cgroups:
    """Cgroups by number and names, so that the thousand processes of a container share one.

    Args:
        limit: How many are remembered.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._by_names: dict[tuple[int | None, tuple[str, ...]], Cgroup] = {}
        self._by_number: dict[int, Cgroup] = {}

    def learn(self, number: int | None, names: tuple[str, ...]) -> Cgroup:
        """The cgroup with this number and these names."""
        found = self._by_names.get((number, names))
        if found is not None:
            return found
        if len(self._by_names) >= self._limit:
            self._by_names.clear()
            self._by_number.clear()
        cgroup = Cgroup(number=number, names=names, mark=mark_of(names))
        self._by_names[number, names] = cgroup
        if number is not None and names:
            self._by_number[number] = cgroup
        return cgroup

    def known(self, number: int) -> Cgroup | None:
        """The cgroup with this number, if a process in it was seen; never the root's.

        A number is never used again. That of the root says nothing on a host whose containers are in
        hierarchies with controllers only.
        """
        return None if number <= ROOT else self._by_number.get(number)


def mark_of(names: tuple[str, ...]) -> Mark | None:
    """What the names of a cgroup, from the leaf up, say of a container; None for no container."""
    marks = list(_marks(names))
    return marks[-1] if marks else None


def _marks(names: tuple[str, ...]) -> Iterator[Mark]:
    for position, name in enumerate(names):
        found = _ID.fullmatch(name)
        if found is None:
            continue
        prefix, number = (found[1] or "").rpartition(":")[2], found[2]
        above = names[position + 1 :]
        if prefix.endswith("conmon") or (not prefix and above[:1] == (_PODS,)):
            continue
        user_id = next((int(user[1]) for name in above if (user := _USER.fullmatch(name))), None)
        in_service = any(name.endswith(".service") for name in above)
        yield Mark(
            id=number,
            runtime=_RUNTIMES.get(prefix or (above[0] if above else "")),
            user_id=user_id,
            delegated=in_service and user_id is None and prefix != _IN_SERVICES,
        )
