"""Which users a host has, as its own file lists them."""

from pathlib import Path

from fileaudit_engine.sources.accounts import Accounts


def test_every_line_with_a_number_is_a_user(tmp_path: Path) -> None:
    file = tmp_path / "passwd"
    file.write_bytes(b"root:x:0:0::/root:/bin/sh\nalice:x:1000:1000:\xff:/:\ntoor::0:0:::\n")
    assert Accounts(file).numbers() == {0, 1000}


def test_lines_that_are_none_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "passwd"
    file.write_bytes(b"\n#\n+::::::\nx:x:-1:0\ny:x:one:0\nz:x\nw:x:99999999999:0\nok:x:7:7:::\n")
    assert Accounts(file).numbers() == {7}


def test_a_file_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    file, other = tmp_path / "passwd", tmp_path / "passwd+"
    file.write_text("a:x:1:::\n")
    accounts = Accounts(file)
    assert accounts.numbers() == {1}
    other.write_text("b:x:2:::\n")
    other.replace(file)
    assert accounts.numbers() == {2}


def test_without_the_file_there_is_nobody(tmp_path: Path) -> None:
    assert Accounts(tmp_path / "none").numbers() == frozenset()
