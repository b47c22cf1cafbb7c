"""Names for numbers, remembered until the databases change."""

from pathlib import Path

from fileaudit_engine.enrich.identity import IdentityCache


class Directory:
    """A database that counts how often it is asked."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {0: "root", 7: "alice"}
        self.asked = 0

    def name(self, number: int) -> str | None:
        self.asked += 1
        return self.names.get(number)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def cache(directory: Directory, file: Path, clock: Clock | None = None, *, limit: int = 100) -> IdentityCache:
    return IdentityCache(
        users=str(file),
        groups=str(file),
        user_name=directory.name,
        group_name=directory.name,
        limit=limit,
        clock=clock or Clock(),
    )


def test_a_name_is_asked_for_once(tmp_path: Path) -> None:
    directory = Directory()
    names = cache(directory, tmp_path / "passwd")
    assert [names.user(7), names.user(7), names.user(99), names.user(99)] == ["alice", "alice", None, None]
    assert directory.asked == 2


def test_users_and_groups_are_kept_apart(tmp_path: Path) -> None:
    names = IdentityCache(
        users=str(tmp_path), groups=str(tmp_path), user_name={1: "u"}.get, group_name={1: "g"}.get
    )
    assert (names.user(1), names.group(1)) == ("u", "g")


def test_a_database_that_changes_is_asked_again(tmp_path: Path) -> None:
    directory, file, clock = Directory(), tmp_path / "passwd", Clock()
    file.write_text("old")
    names = cache(directory, file, clock)
    assert names.user(7) == "alice"
    directory.names[7] = "mallory"
    clock.now = 2
    assert names.user(7) == "alice"
    file.write_text("a longer one")
    assert names.user(7) == "alice"
    clock.now = 4
    assert names.user(7) == "mallory"


def test_a_database_that_is_replaced_is_asked_again(tmp_path: Path) -> None:
    directory, file, clock = Directory(), tmp_path / "passwd", Clock()
    file.write_text("same")
    names = cache(directory, file, clock)
    names.user(7)
    (tmp_path / "new").write_text("same")
    (tmp_path / "new").replace(file)
    directory.names[7] = "mallory"
    clock.now = 2
    assert names.user(7) == "mallory"


def test_invented_numbers_do_not_grow_it(tmp_path: Path) -> None:
    directory = Directory()
    names = cache(directory, tmp_path / "passwd", limit=10)
    for number in range(1000):
        names.user(number)
    assert len(names._users._known) <= 10


def test_the_hosts_own_databases_know_root() -> None:
    names = IdentityCache()
    assert (names.user(0), names.group(0)) == ("root", "root")
    assert names.user(2**32 - 2) is None
