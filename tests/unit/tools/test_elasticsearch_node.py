import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tools.elastic.distribution import home_of, java_for
from tools.syslog.errors import CannotServe

TOOL = str(Path(__file__).parents[3] / "tools/elasticsearch-node")


def java(jvms: Path, name: str, version: str) -> Path:
    home = jvms / name
    (home / "bin").mkdir(parents=True)
    (home / "bin/java").touch()
    (home / "release").write_text(f'IMPLEMENTOR="X"\nJAVA_VERSION="{version}"\n')
    return home


def maven_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "mvn").write_text(f"#!/bin/sh\n{script}\n")
    (programs / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


def test_the_oldest_java_that_runs_a_version_is_taken(tmp_path: Path) -> None:
    java(tmp_path, "old", "11.0.2")
    fit = java(tmp_path, "fit", "17.0.15")
    newer = java(tmp_path, "newer", "21.0.1")
    java(tmp_path, "newest", "25")
    assert java_for("8.19.0", tmp_path) == fit
    assert java_for("9.2.0", tmp_path) == newer


def test_a_java_that_is_too_new_for_a_version_is_not_taken(tmp_path: Path) -> None:
    java(tmp_path, "newest", "25.0.1")
    assert java_for("8.19.0", tmp_path) is None


def test_a_folder_without_a_program_is_no_java(tmp_path: Path) -> None:
    (java(tmp_path, "removed", "17.0.1") / "bin/java").unlink()
    assert java_for("8.19.0", tmp_path) is None


def test_a_distribution_is_fetched_once_and_everybody_may_run_its_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as packed:
        packed.writestr("elasticsearch-8.1.2/bin/elasticsearch", "#!/bin/sh\n")
        packed.writestr("elasticsearch-8.1.2/config/jvm.options", "-Xmx1g\n")
    fetch = f'for last; do :; done; cp {tmp_path}/made.zip "${{last#*=}}/elasticsearch-8.1.2.zip"'
    maven_that(tmp_path, monkeypatch, f'echo "$@" >> {tmp_path}/asked\n{fetch}')

    home = home_of("8.1.2", tmp_path / "cache")
    assert home_of("8.1.2", tmp_path / "cache") == home

    assert (home / "bin/elasticsearch").stat().st_mode & 0o777 == 0o755
    assert (home / "config/jvm.options").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "asked").read_text().count("integ-test-zip:elasticsearch:8.1.2:zip") == 1
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == ["elasticsearch-8.1.2"]


def test_what_cannot_be_fetched_says_what_maven_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maven_that(tmp_path, monkeypatch, "echo '[ERROR] no such artifact'; exit 1")
    with pytest.raises(CannotServe, match="no such artifact"):
        home_of("8.1.2", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_without_maven_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotServe, match="apt-get install maven"):
        home_of("8.1.2", tmp_path / "cache")


def test_stopping_what_was_never_started_says_so(tmp_path: Path) -> None:
    done = subprocess.run([TOOL, "stop", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == f"elasticsearch-node: no node was started with {tmp_path}\n"


def test_stopping_ends_no_process_that_is_not_a_node(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        (tmp_path / "pid").write_text(str(other.pid))
        (tmp_path / "node.json").write_text(f'{{"log": "{tmp_path}/gone/said"}}')
        subprocess.run([TOOL, "stop", str(tmp_path)], check=True, timeout=10)
        assert other.poll() is None
    finally:
        other.kill()
        other.communicate()
