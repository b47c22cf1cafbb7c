"""What `query`, `report` and `verify` say of a store whose tables somebody has altered: never a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.store.tampered import sql, write

from fileaudit_engine.store.store import Store

GREATEST = (1 << 63) - 1

ENDLESS = """
ALTER TABLE records RENAME TO kept;
CREATE VIEW records AS
    WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n)
    SELECT n.seq, kept.ts_ns, kept.id, kept.kind, kept.level, kept.rule, kept.operation, kept.outcome,
        kept.path, kept.other_path, kept.user, kept.login_user, kept.executable, kept.process, kept.command,
        kept.container, kept.pid, kept.document, kept.link
    FROM n, kept;
"""
"""In the place of the rows, a view that never ends."""

REFUSED = {
    "no start": "DELETE FROM chain;",
    "a start beyond all rows": f"UPDATE chain SET removed_seq = {GREATEST};",
    "a start before all rows": "UPDATE chain SET removed_seq = -7;",
    "an end beyond all rows": f"UPDATE records SET seq = {GREATEST} WHERE seq = 190;",
    "rows without an end": ENDLESS,
    "no table of marks": "DROP TABLE marks;",
    "no index by name": "DROP INDEX postings_by_name;",
    "a block without an end": f"INSERT INTO blocks VALUES ({GREATEST - 1}, {GREATEST}, 0, {GREATEST});",
}

READERS = (
    ("query", "--store"),
    ("query", "--count", "--since", "2020-01-01", "--path", "/etc/shadow", "--store"),
    ("query", "--user", "alice", "--format", "json", "--store"),
    ("report", "--since", "2020-01-01", "--store"),
    ("report", "--verify", "--store"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "x.db") as store:
        write(store)
    return tmp_path / "x.db"


def asked(command: tuple[str, ...], path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fileaudit_engine", *command, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("altered", REFUSED)
def test_readers_refuse_a_store_that_was_altered_and_name_the_command_that_tells_how(
    path: Path, altered: str
) -> None:
    sql(path, REFUSED[altered])
    for command in READERS:
        done = asked(command, path)
        assert done.returncode == 2, (command, done.stderr)
        assert "FA093" in done.stderr
        assert "run 'verify'" in done.stderr
        assert done.stdout == ""


@pytest.mark.parametrize("altered", REFUSED)
def test_verify_opens_such_a_store_and_tells(path: Path, altered: str) -> None:
    sql(path, REFUSED[altered])
    done = asked(("verify",), path)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr


def test_what_somebody_has_added_for_his_own_use_refuses_nobody(path: Path) -> None:
    sql(path, "ANALYZE; CREATE VIEW mine AS SELECT * FROM alerts; CREATE INDEX by_pid ON records (pid);")
    for command in READERS[:4]:
        assert asked(command, path).returncode == 0
