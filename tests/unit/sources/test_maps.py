"""What is written into the kernel's maps for a plan."""

import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from fileaudit_engine.compiler.plan import SELECTORS, KernelPlan
from fileaudit_engine.diagnostics import MachineCannot
from fileaudit_engine.sources import bpfsys
from fileaudit_engine.sources.accounts import Accounts
from fileaudit_engine.sources.maps import MAX_ACCOUNTS, PlanMaps, Shape, room, shape_of

NAMES = (
    *("engine_config", "selectors", "anything", "prefixes", "suffixes", "components", "callers"),
    *("known_files", "engine_counters"),
)
FDS = {name: number for number, name in enumerate(NAMES)}


def plan(
    *,
    clauses: int = 1,
    prefixes: Mapping[bytes, int] | None = None,
    suffixes: Mapping[bytes, int] | None = None,
    components: Mapping[bytes, int] | None = None,
    users: Mapping[int | str, int] | None = None,
    pids: Mapping[int, int] | None = None,
    comms: Mapping[bytes, int] | None = None,
    known_files: Mapping[bytes, int] | None = None,
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
        any_user=8,
        users=users or {},
        any_pid=16,
        pids=pids or {},
        any_comm=32,
        comms=comms or {},
        known_files=known_files or {},
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
    assert kernel.maps["anything"] == {
        struct.pack("=I", 0): struct.pack("=14Q", 1, 0, 2, 0, 4, 0, 0, 0, 8, 0, 16, 0, 32, 0)
    }


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
    tests = [name for name in shape_of(plan(suffixes={b"x": 1})).defines if name.startswith("TEST_")]
    assert tests == ["TEST_SUFFIX"]


def test_tables_that_no_rule_uses_have_next_to_no_room() -> None:
    assert {"COMPONENT_KEYS=1", "CALLER_KEYS=1", "FILE_KEYS=1"} <= set(shape_of(plan()).defines)


@pytest.mark.parametrize(("entries", "size"), [(0, 1), (1, 256), (128, 256), (129, 512), (3000, 8192)])
def test_a_table_has_room_for_twice_its_entries(entries: int, size: int) -> None:
    assert room(entries) == size


def test_more_entries_than_there_is_room_for_need_other_programs() -> None:
    small = shape_of(plan(components={b"x": 1}))
    assert small.fits(shape_of(plan(components={f"{n}".encode(): 1 for n in range(256)})))
    assert not small.fits(shape_of(plan(components={f"{n}".encode(): 1 for n in range(257)})))


def test_a_test_that_was_compiled_out_needs_other_programs() -> None:
    none, one = shape_of(plan()), shape_of(plan(pids={1: 1}))
    assert one.fits(none)
    assert not none.fits(one)


# --- who does it -------------------------------------------------------------------------------------------


def words(value: bytes) -> int:
    """The first word of a set."""
    return int(struct.unpack("=Q", value[:8])[0])


def caller(kind: int, text: int | bytes) -> bytes:
    raw = text if isinstance(text, bytes) else struct.pack("=Q", text)
    return struct.pack("=16sII", raw, kind, 0)


def host(tmp_path: Path, *lines: str) -> Accounts:
    file = tmp_path / "passwd"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return Accounts(file)


def user_shape() -> Shape:
    return shape_of(plan(users={"a": 1}, pids={1: 1}, comms={b"a": 1}))


def test_each_kind_of_caller_has_keys_of_its_own(kernel: FakeKernel) -> None:
    PlanMaps(FDS, user_shape()).write_plan(plan(users={7: 1}, pids={7: 2}, comms={b"cat": 4}))
    assert {key: words(value) for key, value in kernel.maps["callers"].items()} == {
        caller(1, 7): 8 | 1,
        caller(2, 7): 16 | 2,
        caller(3, b"cat"): 32 | 4,
    }


def test_a_name_stands_for_every_account_that_has_it_whatever_its_case(
    kernel: FakeKernel, tmp_path: Path
) -> None:
    accounts = host(tmp_path, "alice:x:1000:1::/:", "ALICE:x:1001:1::/:", "bob:x:1002:1::/:")
    names = {1000: "alice", 1001: "ALICE", 1002: "bob"}
    PlanMaps(FDS, user_shape(), user_name=names.get, accounts=accounts).write_plan(
        plan(users={"alice": 1, 1002: 2})
    )
    assert {key: words(value) for key, value in kernel.maps["callers"].items()} == {
        caller(1, 1000): 8 | 1,
        caller(1, 1001): 8 | 1,
        caller(1, 1002): 8 | 2,
    }


def others(kernel: FakeKernel) -> int:
    """What holds of users without an entry."""
    return words(kernel.maps["anything"][struct.pack("=I", 0)][4 * 8 :])


def test_a_user_whom_the_host_does_not_list_may_have_any_name(kernel: FakeKernel, tmp_path: Path) -> None:
    maps = PlanMaps(FDS, user_shape(), user_name=lambda _: None, accounts=host(tmp_path))
    maps.write_plan(plan(users={"alice": 1, "bob": 2, 5: 4}))
    assert others(kernel) == 8 | 1 | 2
    assert words(kernel.maps["callers"][caller(1, 5)]) == 8 | 1 | 2 | 4


def test_without_anybody_to_ask_for_names_every_user_may_have_any(kernel: FakeKernel) -> None:
    PlanMaps(FDS, user_shape()).write_plan(plan(users={"alice": 1}))
    assert others(kernel) == 8 | 1
    assert kernel.maps["callers"] == {}


def test_an_account_that_comes_goes_or_changes_its_name_is_followed(
    kernel: FakeKernel, tmp_path: Path
) -> None:
    names: dict[int, str | None] = {1: "alice", 2: "bob"}
    accounts = host(tmp_path, "alice:x:1::::", "bob:x:2::::")
    maps = PlanMaps(FDS, user_shape(), user_name=names.get, accounts=accounts)
    maps.write_plan(plan(users={"alice": 1, "bob": 2}))
    names |= {1: "bob", 3: "alice"}
    host(tmp_path, "bob:x:1::::", "alice:x:3::::")
    kernel.log.clear()
    maps.refresh_users()
    assert {key: words(value) for key, value in kernel.maps["callers"].items()} == {
        caller(1, 1): 8 | 2,
        caller(1, 3): 8 | 1,
    }
    maps.refresh_users()
    assert kernel.log == ["callers", "callers"]


def test_of_more_accounts_than_have_room_the_others_may_have_any_name(
    kernel: FakeKernel, tmp_path: Path
) -> None:
    accounts = host(tmp_path, *(f"u{n}:x:{n}::::" for n in range(MAX_ACCOUNTS + 10)))
    PlanMaps(FDS, user_shape(), user_name=lambda n: f"u{n}", accounts=accounts).write_plan(
        plan(users={"u1": 1})
    )
    assert len(kernel.maps["callers"]) == MAX_ACCOUNTS
    assert others(kernel) == 8 | 1


# --- files that are known ----------------------------------------------------------------------------------


def file_key(device: int, inode: int) -> bytes:
    return struct.pack("=QII", inode, device, 0)


def test_a_known_file_is_a_key_of_inode_and_device(kernel: FakeKernel) -> None:
    maps = PlanMaps(FDS, shape_of(plan(known_files={b"/etc/shadow": 1})))
    maps.write_plan(plan(), {(8 << 20 | 1, 77): 0b11})
    assert kernel.maps["known_files"] == {file_key(8 << 20 | 1, 77): struct.pack("=Q", 0b11)}


def test_of_known_files_only_what_has_changed_is_written(kernel: FakeKernel) -> None:
    maps = PlanMaps(FDS, shape_of(plan(known_files={b"/etc/shadow": 1})))
    maps.write_plan(plan(), {(1, 1): 1, (1, 2): 1})
    kernel.log.clear()
    assert maps.write_files({(1, 2): 1, (1, 3): 2}) == 0
    assert kernel.log.count("known_files") == 1
    assert set(kernel.maps["known_files"]) == {file_key(1, 2), file_key(1, 3)}


def decisions(kernel: FakeKernel) -> bytes:
    """What the fingerprint of a path begins with, but for the keys: epochs."""
    return kernel.maps["engine_config"][struct.pack("=I", 0)][32:]


def test_a_file_that_becomes_known_makes_former_decisions_forgotten(kernel: FakeKernel) -> None:
    maps = PlanMaps(FDS, shape_of(plan(known_files={b"/etc/shadow": 1})))
    maps.write_plan(plan(), {(1, 1): 1})
    before = decisions(kernel)
    maps.write_files({(1, 1): 1})
    maps.write_files({})
    assert decisions(kernel) == before
    maps.write_files({(1, 2): 1})
    assert decisions(kernel) != before
    assert kernel.log[-2:] == ["known_files", "engine_config1"]


def test_known_files_of_the_former_rules_are_forgotten(kernel: FakeKernel) -> None:
    maps = PlanMaps(FDS, shape_of(plan(known_files={b"/etc/shadow": 1})))
    maps.write_plan(plan(), {(1, 1): 1})
    maps.write_plan(plan())
    assert kernel.maps["known_files"] == {}


def test_files_that_find_no_room_are_counted(kernel: FakeKernel) -> None:
    maps = PlanMaps(FDS, shape_of(plan(known_files={b"/etc/shadow": 1})))
    maps.write_plan(plan())
    assert maps.write_files({(1, inode): 1 for inode in range(1, 301)}) == 300 - 256
    assert len(kernel.maps["known_files"]) == 256


def test_a_plan_fits_programs_that_can_do_more_and_no_others() -> None:
    small, large = shape_of(plan(prefixes={b"/": 1})), shape(words=2)
    assert large.fits(small)
    assert not small.fits(large)
