"""The shape of the repository that scripts, packages and people rely on."""

import functools
import os
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDERS = {"engine", "bpf", "rules", "schemas", "tests", "tools", "deploy"}
PAGES = {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "bpf/LICENSE"}
ENTRANCES = {"Makefile", "pyproject.toml", ".ci/run"}
RULE_FILES = sorted((ROOT / "rules").rglob("*.yml"))
CASE_FILES = sorted((ROOT / "tests" / "fixtures").rglob("*.test.yml"))
BPF_FILES = sorted((ROOT / "bpf").rglob("*.[ch]"))
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
LEVELS = {"informational", "low", "medium", "high", "critical"}
LEVEL_OF = {
    ("authentication", "write"): {"critical"},
    ("authentication", "read"): {"high"},
    ("ssh_keys", "write"): {"critical"},
    ("ssh_keys", "read"): {"high"},
    ("cloud_credentials", "write"): {"high"},
    ("cloud_credentials", "read"): {"medium"},
    ("crypto_wallets", "write"): {"high"},
    ("crypto_wallets", "read"): {"medium"},
    ("application_secrets", "write"): {"medium"},
    ("application_secrets", "read"): {"low"},
    ("database_config", "write"): {"medium"},
    ("database_config", "read"): {"low"},
}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def documents(path: Path) -> list[dict[str, object]]:
    return list(yaml.safe_load_all(path.read_text()))


@functools.cache
def expected_rules() -> frozenset[str]:
    """Every rule that some case expects."""
    return frozenset(
        expectation["rule"]
        for file in CASE_FILES
        for case in yaml.safe_load(file.read_text())["tests"]
        for expectation in (*case["alerts"], *case.get("audit", ()))
    )


@functools.cache
def rules_in(folder: str) -> list[dict[str, object]]:
    return [document for path in (ROOT / "rules" / folder).rglob("*.yml") for document in documents(path)]


@pytest.mark.parametrize("name", sorted(FOLDERS | PAGES | ENTRANCES))
def test_the_top_level_is_as_promised(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize("name", [".ci/run", "tools/setup.sh"])
def test_a_script_can_be_run(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)


@pytest.mark.parametrize("target", ["setup", "run", "test", "demo", "lint", "format", "bench", "clean"])
def test_make_has_the_target(target: str) -> None:
    assert re.search(rf"^{target}:.*## \w", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("folder", ["bpf", "rules", "schemas"])
def test_the_wheel_ships_what_the_engine_reads_at_run_time(folder: str) -> None:
    assert f'"{folder}" = "fileaudit_engine/data/{folder}"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("path", BPF_FILES, ids=named)
def test_what_goes_into_the_kernel_says_its_licence_first(path: Path) -> None:
    assert "SPDX-License-Identifier: GPL-2.0-only" in path.read_text().splitlines()[0]


@pytest.mark.parametrize("path", RULE_FILES, ids=named)
def test_a_file_is_named_after_a_rule_in_it_and_each_has_all_that_readers_need(path: Path) -> None:
    rules = documents(path)
    assert path.stem in {rule["name"] for rule in rules}
    for rule in rules:
        assert UUID4.fullmatch(str(rule["id"]))
        assert rule["level"] in LEVELS
        assert {"title", "status", "description", "references", "author", "date", "tags"} <= rule.keys()
        assert rule["falsepositives"]


def test_no_two_rules_share_a_name_an_id_or_a_title() -> None:
    rules = rules_in(".")
    assert rules
    for key in ("name", "id", "title"):
        values = [rule[key] for rule in rules]
        assert sorted(map(str, set(values))) == sorted(map(str, values))


@pytest.mark.parametrize(("category", "access"), LEVEL_OF)
def test_a_category_has_its_levels_by_access(category: str, access: str) -> None:
    rules = [rule for rule in rules_in(f"linux/{category}") if str(rule["name"]).endswith(f"_{access}")]
    assert {rule["level"] for rule in rules} - {"informational"} == LEVEL_OF[category, access]


@pytest.mark.parametrize("path", RULE_FILES, ids=named)
def test_a_rule_has_cases_that_expect_it(path: Path) -> None:
    assert path.stem in expected_rules()


@pytest.mark.parametrize("path", RULE_FILES, ids=named)
def test_an_exclusion_names_whole_paths(path: Path) -> None:
    detections = [rule.get("detection") for rule in documents(path)]
    images = re.findall(r"Image(?:\|\w+)*", str(detections))
    assert "Image|endswith" not in images
    assert "Image|contains" not in images
