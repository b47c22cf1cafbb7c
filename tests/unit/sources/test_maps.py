"""What is written into the kernel's maps for a plan."""

import struct
from collections.abc import Mapping

import pytest

from fileaudit_engine.compiler.plan import SELECTORS, KernelPlan
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sources import bpfsys
from fileaudit_engine.sources.maps import PlanMaps, Shape, shape_of

NAMES = ("engine_config", "selectors", "anything", "prefixes", "suffixes", "components", "engine_counters")
FDS = {name: number for number, name in enumerate(NAMES)}


def plan(
    *,
    clauses: int = 1,
    prefixes: Mapping[bytes, int] | None = None,
    suffixes: Mapping[bytes, int] | None = None,
    components: Mapping[bytes, int] | None = None,
) -> KernelPlan:
    return KernelPlan(
        clauses=(),
        owners=(),
        selectors=(clauses,) * SELECTORS,
        any_prefix=1,
        prefixes=prefixes or {},
        any_suffix=2,
        suffixes=suffixes or {},
        any_component=4,
        components=components or {},
    )


class FakeKernel:
    """Maps as dictionaries, and what happened to them in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.maps: dict[str, dict[bytes, bytes]] = {name: {} for name in NAMES}
        self.log: list[str] = []
        monkeypatch.setattr(bpfsys, "update", self.update)
        monkeypatch.setattr(bpfsys, "update_all", self.update_all)
        monkeypatch.setattr(bpfsys, "delete", lambda fd, key: self.maps[NAMES[fd]].pop(key))
        monkeypatch.setattr(bpfsys, "wait_for_programs", lambda: self.log.append("wait"))

    def update_all(self, fd: int, entries: Mapping[bytes, bytes]) -> None:
        for key, value in entries.items():
            self.update(fd, key, value)

    def update(self, fd: int, key: bytes, value: bytes) -> None:
        self.maps[NAMES[fd]][key] = value
        epoch = struct.unpack_from("=I", value, 32)[0] if NAMES[fd] == "engine_config" else ""
        self.log.append(f"{NAMES[fd]}{epoch}")


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    return FakeKernel(monkeypatch)


def shape(words: int = 1) -> Shape:
    return Shape(clause_words=words, prefix=True, suffix=True, component=True)


def test_a_prefix_is_a_key_of_so_many_bits(kernel: FakeKernel) -> None:
    PlanMaps(FDS, shape()).write_plan(plan(prefixes={b"/etc/": 0b10}))
    assert kernel.maps["prefixes"] == {struct.pack("=I248s", 40, b"/etc/"): struct.pack("=Q", 0b10)}


def test_a_suffix_is_stored_backwards(kernel: FakeKernel) -> None:
    PlanMaps(FDS, shape()).write_plan(plan(suffixes={b".key": 1}))
    assert list(kernel.maps["suffixes"]) == [struct.pack("=I248s", 32, b"yek.")]


def test_components_that_are_cut_to_one_key_share_it(kernel: FakeKernel) -> None:
    long = b"x" * 32
    PlanMaps(FDS, shape()).write_plan(plan(components={long + b"1": 1, long + b"2": 2, b".ssh": 4}))
    assert kernel.maps["components"] == {
        long: struct.pack("=Q", 3),
        b".ssh".ljust(32, b"\0"): struct.pack("=Q", 4),
    }


def test_sets_are_words_low_word_first(kernel: FakeKernel) -> None:
    PlanMaps(FDS, shape(words=2)).write_plan(plan(clauses=1 << 64 | 5))
    assert kernel.maps["selectors"][struct.pack("=I", 255)] == struct.pack("=2Q", 5, 1)
    assert kernel.maps["anything"] == {struct.pack("=I", 0): struct.pack("=8Q", 1, 0, 2, 0, 4, 0, 0, 0)}


def test_keys_of_the_former_plan_are_removed(kernel: FakeKernel) -> None:
    maps = PlanMaps(FDS, shape())
    maps.write_plan(plan(prefixes={b"/old": 1, b"/both": 1}))
    maps.write_plan(plan(prefixes={b"/new": 1, b"/both": 2}))
    assert {key[4:].rstrip(b"\0") for key in kernel.maps["prefixes"]} == {b"/new", b"/both"}


def test_while_rules_change_nothing_is_filtered(kernel: FakeKernel) -> None:
    maps = PlanMaps(FDS, shape())
    maps.write_plan(plan())
    kernel.log.clear()
    maps.write_plan(plan())
    assert kernel.log[:2] == ["engine_config0", "wait"]
    assert kernel.log[-1] == "engine_config2"
    assert maps.epoch == 2


@pytest.mark.parametrize(("clauses", "words"), [(0, 1), (64, 1), (65, 2), (256, 4), (257, 8), (1024, 16)])
def test_the_words_of_a_set_hold_all_clauses(clauses: int, words: int) -> None:
    assert shape_of(plan(clauses=(1 << clauses) >> 1)).clause_words == words


def test_too_many_clauses_are_refused_with_a_remedy() -> None:
    with pytest.raises(MachineCannot, match="1025 kernel clauses") as caught:
        shape_of(plan(clauses=1 << 1024))
    assert caught.value.remedy


def test_dimensions_that_no_rule_uses_are_compiled_out() -> None:
    assert shape_of(plan(suffixes={b"x": 1})).defines == ("CLAUSE_WORDS=1", "TEST_SUFFIX")


def test_a_plan_fits_programs_that_can_do_more_and_no_others() -> None:
    small, large = shape_of(plan(prefixes={b"/": 1})), shape(words=2)
    assert large.fits(small)
    assert not small.fits(large)
