"""The programs and maps of the capture: what is compiled for which rules, and loaded.

The faster way of reading kernel memory (`TYPED_LOADS` in `bpf/kernel.h`) is tried first; not every kernel
takes it.
"""

import os
from collections.abc import Sequence
from typing import Final

from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sources.headers import KernelTypes
from fileaudit_engine.sources.load import Load
from fileaudit_engine.sources.maps import Shape
from fileaudit_engine.sources.probes import Hook, files_of, programs_of, sums_transfers

MAPS: Final = (
    "engine_config",
    "selectors",
    "anything",
    "prefixes",
    "suffixes",
    "components",
    "callers",
    "known_files",
    "engine_counters",
    "mounts",
    "canonical",
    "behind",
    "behind_exec",
    "events",
)


def load_capture(
    types: KernelTypes, shape: Shape, hooks: Sequence[Hook], size: int, *, remembers: bool = True
) -> Load:
    """Load the programs for rules of this shape, in the faster way if this kernel takes it.

    Raises:
        MachineCannot: The kernel takes neither.
    """
    programs, files = programs_of(hooks), files_of(hooks)
    defines = (*shape.defines, f"RING_PAGES={size // os.sysconf('SC_PAGE_SIZE')}")
    maps: tuple[str, ...] = MAPS
    if sums_transfers(hooks):
        maps, defines = (*MAPS, "uses"), (*defines, "TEST_TRANSFER")
    if not remembers:
        defines = (*defines, "FORGETFUL")

    def load(*, typed: bool) -> Load:
        return Load(types=types, files=files, programs=programs, maps=maps, defines=defines, typed=typed)

    if types.cast_function is None:
        return load(typed=False)
    try:
        return load(typed=True)
    except MachineCannot:
        return load(typed=False)
