"""Reading rules survives whatever it is given.

One minute in CI. `tools/fuzz_rules.py --seconds 600`, or `FAE_FUZZ_SECONDS=600` in front of pytest, looks
longer, and elsewhere each time.
"""

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tests.unit.rules.built_files import built_files
from tests.unit.rules.fuzzing import OPTIONS, files, survives, watched
from tests.unit.rules.torn_files import good_files, torn_files

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import parse_text

SECONDS = float(os.environ.get("FAE_FUZZ_SECONDS", "0"))
"""How long to look beyond what CI looks at."""

FUZZING = settings(
    derandomize=True,  # the same files in every run of CI; the long run goes elsewhere
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)

options = st.sampled_from(OPTIONS)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "rule.yml"


def test_what_the_fuzzer_starts_from_survives(file: Path) -> None:
    for raw in good_files():
        survives(raw, RuleOptions(allow_unknown_fields=True), file)


@settings(FUZZING, max_examples=2_500)
@given(raw=torn_files(), chosen=options)
def test_a_rule_after_some_accidents_is_rules_and_findings(
    raw: bytes, chosen: RuleOptions, file: Path
) -> None:
    survives(raw, chosen, file)


@settings(FUZZING, max_examples=2_500)
@given(raw=built_files(), chosen=options)
def test_a_document_by_the_grammar_is_rules_and_findings(raw: bytes, chosen: RuleOptions, file: Path) -> None:
    survives(raw, chosen, file)


@settings(FUZZING, max_examples=1_000)
@given(raw=st.binary(max_size=400), chosen=options)
def test_any_bytes_are_rules_and_findings(raw: bytes, chosen: RuleOptions, file: Path) -> None:
    survives(raw, chosen, file)


if SECONDS:  # no skipped test where it is not asked for: in CI a skip is a failure

    def test_the_long_run(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        end = time.monotonic() + SECONDS
        number, looked_at, accepted = int(time.time()), 0, 0
        while time.monotonic() < end:

            @seed(number)
            @settings(FUZZING, derandomize=False, max_examples=300, print_blob=True)
            @given(raw=files, chosen=options)
            def run(raw: bytes, chosen: RuleOptions) -> None:
                nonlocal looked_at, accepted
                looked_at += 1
                accepted += bool(survives(raw, chosen, file).rules)

            run()
            number += 1
        with capsys.disabled():
            print(f"\n{looked_at:,} files, {accepted:,} of them with a rule that ran")  # noqa: T201 - the result


HEAD = "title: A rule\nlogsource: {product: linux, category: file_access}\n"


def rule(detection: str, condition: str = "selection", before: str = "") -> str:
    """A rule on which bounds are tried."""
    return f"{HEAD}{before}detection:\n{detection}\n  condition: {condition}\n"


def listed(count: int, value: str = "v{}") -> str:
    """A list of so many values."""
    return f"[{', '.join(value.format(number) for number in range(count))}]"


def bomb(levels: int) -> str:
    """A billion laughs: each list has ten times the one before."""
    lines = [f"b0: &b0 {listed(10)}"]
    lines += [f"b{level}: &b{level} [{', '.join([f'*b{level - 1}'] * 10)}]" for level in range(1, levels)]
    return "\n".join(lines) + "\n"


def correlated(rules: str, name: str = "x", grouping: str = "[User]", aliases: str = "{}") -> str:
    """A correlation on which bounds are tried."""
    says = f"type: event_count, group-by: {grouping}, aliases: {aliases}, timespan: 5m, condition: {{gte: 2}}"
    return f"title: {name}\nname: {name}\ncorrelation: {{rules: {rules}, {says}}}\n"


OF_ALL = ", ".join(f"v{number}: User" for number in range(100))
ALIASES = "{" + ", ".join(f"a{number}: {{{OF_ALL}}}" for number in range(30)) + "}"
MANY = "\n".join(f"  s{number}: {{User: x}}" for number in range(1000))
REPEATED = "\n".join(f"  s{number}: {{User: *a}}" for number in range(390))
GREEDY = {
    "an alias bomb": rule("  selection: {User: *b8}", before=bomb(9)),
    "a bomb of maps": "a: &a {x: 1}\n"
    + "".join(f"m{n}: &m{n} {{a: *{'a' if not n else f'm{n - 1}'}, b: *a}}\n" for n in range(49)),
    "values that are repeated by aliases": rule(REPEATED, "1 of s*", before=f"x: &a {listed(500)}\n"),
    "many documents of aliases": "---\n".join(
        [rule(REPEATED, "1 of s*", before=f"x: &a {listed(200)}\n")] * 20
    ),
    "a pattern of names that is repeated": rule(MANY, f"[{', '.join(['1 of s*'] * 2000)}]"),
    "a detection that is named over and over": rule(
        f"  selection: {{User: {listed(2000)}}}", " or ".join(["selection"] * 1400)
    ),
    "dashes in every combination": rule(
        f"  selection: {{CommandLine|windash|contains: {listed(1000, value='-a -b -c -d{}')}}}"
    ),
    "lists without an end": rule(f"  selection: {'[' * 50_000}"),
    "brackets without an end": rule("  selection: {User: x}", "(" * 50_000),
    "one not after the other": rule("  selection: {User: x}", "not " * 4_000 + "selection"),
    "thousands of wildcards": rule(f"  selection: {{CommandLine|contains: '{'a*' * 20_000}'}}"),
    "a thousand modifiers": rule(f"  selection: {{'User{'|contains' * 1000}': x}}"),
    "thousands of unknown fields": rule(f"  selection: {{{', '.join(f'x{n}: 1' for n in range(20_000))}}}"),
    "nothing but ends of documents": "---\n" * 50_000,
    "a line without an end": "a" * 500_000,
    "an entry of another type among very many": rule(
        "  selection: {User: x}", before=f"references: [5, {listed(60_000)[1:]}\n"
    ),
    "a correlation of very many rules": correlated(listed(60_000)),
    "correlations of each other": "---\n".join(
        correlated(f"[{', '.join(f'c{(one + other) % 900}' for other in range(60))}]", f"c{one}")
        for one in range(900)
    ),
    "correlations of very many fields": rule("  selection: {User: x}")
    + "".join(
        f"---\n{correlated('A rule', f'c{number}', listed(20, f'{number}{{}}'))}" for number in range(900)
    ),
    "aliases for all rules": "---\n".join(
        [
            *(rule("  selection: {User: x}", before=f"name: v{n}\n") for n in range(100)),
            *(correlated(listed(100), f"c{n}", "[a0]", ALIASES) for n in range(10)),
        ]
    ),
    "a condition over rules in very many ways": rule("  selection: {User: x}", before="name: a\n")
    + "---\ntitle: x\ncorrelation: {type: temporal_ordered, group-by: [], timespan: 5m,"
    + f" condition: {' and '.join(['(a or a)'] * 200)}}}\n",
    "expressions that compile into much": rule(
        f"  selection: {{CommandLine|re: {listed(500, value='x{{900}}{}')}}}"
    ),
}  # fmt: skip
"""Files that ask for far more than their size."""

ROOM_BYTES = 400 << 20
"""What reading one file may add to the process, whatever stands in it. 100,000 checks, the largest rule that
is taken, are about a quarter of that."""


@pytest.mark.parametrize("name", GREEDY)
def test_memory_is_bounded_whatever_a_file_asks_for(name: str) -> None:
    with watched(ROOM_BYTES):
        loaded = parse_text(GREEDY[name])
        compile_rules(loaded.rules, loaded.correlations)
