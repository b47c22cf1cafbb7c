"""Secrets: read from where they stand, again when they change, and never repeated."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fileaudit_engine.diagnostics import UnusableInput, render
from fileaudit_engine.sinks.secrets import CODE, MOST_BYTES, Secret, exposed, stamp_of

HIDDEN = "hunter2-Zq7"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "es.key"
    made.write_text(f"{HIDDEN}\n")
    made.chmod(0o600)
    return made


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that everybody may enter, as far as this machine's temporary files allow it."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    return tmp_path


def refusal(secret: Secret) -> UnusableInput:
    with pytest.raises(UnusableInput) as raised:
        secret.read()
    (found,) = raised.value.diagnostics
    assert found.code == CODE
    assert found.help
    return raised.value


# --- reading ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"abc", "abc"),
        (b"abc\n", "abc"),
        (b"abc\r\n", "abc"),
        (b" a b ", " a b "),
        ("pässwörd ✓\n".encode(), "pässwörd ✓"),
        (b"x" * MOST_BYTES + b"\r\n", "x" * MOST_BYTES),
    ],
)
def test_what_stands_in_the_file_is_the_secret_without_the_newline_at_its_end(
    file: Path, raw: bytes, text: str
) -> None:
    file.write_bytes(raw)
    assert Secret(file=file).read() == text


def test_a_link_leads_to_it_as_kubernetes_mounts_it(tmp_path: Path) -> None:
    for name, text in (("..first", "one"), ("..second", "two")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key").write_text(text)
    (tmp_path / "..data").symlink_to("..first")
    (tmp_path / "key").symlink_to("..data/key")
    secret = Secret(file=tmp_path / "key")
    assert secret.read() == "one"
    assert not secret.changed()
    (tmp_path / "..new").symlink_to("..second")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert secret.changed()
    assert secret.read() == "two"


def test_a_variable_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ES_KEY", f"{HIDDEN}\n")
    secret = Secret(env="ES_KEY")
    assert secret.changed()
    assert secret.read() == HIDDEN
    assert not secret.changed()
    monkeypatch.setenv("ES_KEY", "other")
    assert secret.changed()


# --- refusing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "how"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\r\n", "is empty"),
        (b"x" * (MOST_BYTES + 1), "is longer than 4,096 bytes"),
        (b"x" * 10_000_000, "is longer than 4,096 bytes"),
        (HIDDEN.encode() + b"\n\n", "has more than one line"),
        (b"user\n" + HIDDEN.encode(), "has more than one line"),
        (HIDDEN.encode() + b"\r\r\n", "has more than one line"),
        (HIDDEN.encode() + b"\0", "is not text: it has control characters, or is not UTF-8"),
        (HIDDEN.encode() + b"\x7f", "is not text: it has control characters, or is not UTF-8"),
        (HIDDEN.encode() + b"\x1b[0m", "is not text: it has control characters, or is not UTF-8"),
        (HIDDEN.encode() + b"\xff", "is not text: it has control characters, or is not UTF-8"),
    ],
)
def test_what_can_be_no_secret_is_told_and_not_shown(file: Path, raw: bytes, how: str) -> None:
    file.write_bytes(raw)
    found = refusal(Secret(file=file))
    assert str(found) == f"{file}: the secret {how}"
    assert HIDDEN not in render(found.diagnostics, found.sources)
    assert found.__cause__ is None
    assert found.__context__ is None


@settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(raw=st.binary(max_size=40))
def test_whatever_stands_there_is_a_line_of_text_or_refused(file: Path, raw: bytes) -> None:
    file.write_bytes(raw)
    try:
        text = Secret(file=file).read()
    except UnusableInput:
        return
    assert text.encode() == raw.removesuffix(b"\n").removesuffix(b"\r") or text.encode() == raw.removesuffix(
        b"\n"
    )
    assert len(text.splitlines()) == 1 or not text.isascii()
    assert not set("\0\r\n\x7f\x1b") & set(text)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in str(refusal(Secret(file=tmp_path / "none")))


def test_a_link_to_nowhere_and_one_to_itself_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    (tmp_path / "b").symlink_to("none")
    assert "Too many levels" in str(refusal(Secret(file=tmp_path / "a")))
    assert "No such file" in str(refusal(Secret(file=tmp_path / "b")))


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "socket"])
def test_what_is_no_file_is_neither_waited_for_nor_read(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "it"
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "device":
        place.symlink_to("/dev/zero")
    else:
        place.symlink_to(_a_socket(tmp_path))
    assert "a folder, a device or a pipe" in str(refusal(Secret(file=place)))


def test_what_takes_the_place_of_a_file_meanwhile_is_not_read(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, usual = tmp_path / "pipe", os.open
    os.mkfifo(pipe)
    monkeypatch.setattr(os, "open", lambda _path, flags: usual(pipe, flags))
    assert "a folder, a device or a pipe" in str(refusal(Secret(file=file)))


def _a_socket(folder: Path) -> Path:
    os.mknod(folder / "socket", stat.S_IFSOCK | 0o600)
    return folder / "socket"


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Without root's rights, where we have them."""
    before = os.geteuid()
    os.seteuid(65_534 if before == 0 else before)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_file_that_others_keep_to_themselves_is_told(file: Path) -> None:
    file.chmod(0)
    with nobody():
        assert "cannot be read: Permission denied" in str(refusal(Secret(file=file)))


def test_a_variable_that_is_not_set_or_empty_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ES_KEY", raising=False)
    assert str(refusal(Secret(env="ES_KEY"))) == "$ES_KEY: the environment variable ES_KEY is not set"
    monkeypatch.setenv("ES_KEY", "")
    assert str(refusal(Secret(env="ES_KEY"))) == "$ES_KEY: the secret is empty"
    monkeypatch.setenv("ES_KEY", os.fsdecode(b"\xff"))
    assert "is not text" in str(refusal(Secret(env="ES_KEY")))


# --- never shown --------------------------------------------------------------------------------------------


def test_what_was_read_is_in_no_representation(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ES_KEY", HIDDEN)
    for secret in (Secret(file=file), Secret(env="ES_KEY")):
        secret.read()
        assert HIDDEN not in f"{secret} {secret!r} {secret.place}"


def test_two_secrets_are_the_same_if_they_stand_at_the_same_place(file: Path) -> None:
    read = Secret(file=file)
    read.read()
    assert read == Secret(file=file)
    assert hash(read) == hash(Secret(file=file))
    assert read != Secret(env="ES_KEY")


# --- changing -----------------------------------------------------------------------------------------------


def test_a_secret_that_was_never_read_has_changed(file: Path) -> None:
    assert Secret(file=file).changed()


def test_a_file_that_is_written_anew_has_changed_until_it_is_read(file: Path) -> None:
    secret = Secret(file=file)
    secret.read()
    assert not secret.changed()
    file.write_text("longer than before")
    assert secret.changed()
    secret.read()
    assert not secret.changed()


def test_a_file_in_its_place_has_changed_even_if_nobody_can_see_when(file: Path, tmp_path: Path) -> None:
    secret = Secret(file=file)
    secret.read()
    before = file.stat()
    other = tmp_path / "other"
    other.write_text("hunter3-Zq7\n")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(file)
    assert secret.changed()


def test_a_file_that_is_written_over_has_changed_even_if_its_time_is_put_back(file: Path) -> None:
    secret = Secret(file=file)
    secret.read()
    before = file.stat()
    file.write_text("hunter3-Zq7\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert secret.changed()


def test_a_file_that_comes_and_one_that_goes_have_changed(file: Path, tmp_path: Path) -> None:
    secret = Secret(file=tmp_path / "later")
    refusal(secret)
    assert not secret.changed()
    (tmp_path / "later").write_text("here")
    assert secret.changed()
    gone = Secret(file=file)
    gone.read()
    file.unlink()
    assert gone.changed()
    assert stamp_of(file) is None


# --- who else reads it --------------------------------------------------------------------------------------


def test_what_only_the_engine_reads_is_no_reason_to_warn(file: Path, open_folder: Path) -> None:
    assert open_folder == file.parent
    assert list(Secret(file=file).warnings()) == []
    file.chmod(0o640)
    assert list(Secret(file=file).warnings()) == []


@pytest.mark.usefixtures("open_folder")
def test_what_everybody_reads_or_writes_is_told_with_what_to_do(file: Path) -> None:
    file.chmod(0o646)
    assert list(Secret(file=file).warnings()) == [
        f"every user of this host can read {file}: chmod 600 {file}",
        f"every user of this host can write {file}: chmod 600 {file}",
    ]
    assert HIDDEN not in "".join(Secret(file=file).warnings())


@pytest.mark.usefixtures("open_folder")
def test_a_folder_that_lets_nobody_in_protects_it(file: Path) -> None:
    file.chmod(0o644)
    file.parent.chmod(0o700)
    assert list(exposed(file)) == []


@pytest.mark.usefixtures("open_folder")
def test_a_link_is_as_open_as_what_it_leads_to(file: Path) -> None:
    file.chmod(0o644)
    link = file.parent / "link"
    link.symlink_to(file)
    assert list(exposed(link)) == [f"every user of this host can read {link}: chmod 600 {link}"]


def test_nobody_is_warned_of_what_is_not_there_or_in_the_environment(tmp_path: Path) -> None:
    assert list(Secret(file=tmp_path / "none").warnings()) == []
    assert list(Secret(env="ES_KEY").warnings()) == []
