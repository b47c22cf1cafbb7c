"""How many events a second rules are held against, beside the other engines of the field.

Packs of generated rules (or a folder of yours, `--rules`) under three loads of generated events: see
`generated_rules` and `generated_events`. Each figure is the median of cold processes on one CPU, in CPU time,
and the engines take turns, so that the machine's noise falls on all of them; ratios are made of medians of
one run. Before anything is timed, every engine counts matches in a stream full of hits and near misses: who
is faster and wrong is no competition.

    tools/bench rules                                   everything that is on PATH
    tools/bench rules --packs 250 --loads new-paths     a part
    tools/bench rules --rules DIR --rsigma PATH         rules of one's own, rsigma from elsewhere
"""

import argparse
import json
import multiprocessing
import random
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from children import ChildFailed, pin, run
from engines import HERE, Engine, Measured, Operations, Ours, PySigmaSqlite, Rsigma, Zircolite
from generated_events import LOADS, Mix, lines
from generated_rules import pack, write_pack
from hits import hits
from results import Row, differences, growth, load_table, table

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.parser import load_rules

PACKS: Final = {18: 0.0, 250: 0.1, 1_000: 0.0, 3_000: 0.0}
"""Sizes, and which share of the rules search for words in the whole event."""
SQL_WORK: Final = 50_000_000
"""Rules times events that the SQL engines are given at the most: every rule is a scan of the table."""
SHOWN_DIFFERENCES: Final = 100
"""In the table; JSON has them all."""
PROGRAM: Final = HERE.parent.parent / ".venv" / "bin" / "fileaudit-engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Rules to measure with.

    Attributes:
        name: In the table.
        folder: Where they are, one or more a file; every engine reads this.
        operations: By rule id, the operations of its log source.
        titles: By rule id, what to call it.
    """

    name: str
    folder: Path
    operations: Operations
    titles: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Events to make.

    Attributes:
        load: What is new in them.
        count: How many.
        salt: Which share is to match; as many almost do.
    """

    load: str
    count: int
    salt: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it all and print."""
    args = _parser().parse_args(arguments)
    pin(args.cpu)
    with tempfile.TemporaryDirectory(prefix="bench-rules-") as made:
        work = args.keep or Path(made)
        work.mkdir(parents=True, exist_ok=True)
        packs = _packs(args, work)
        wrong = [line for one in packs for line in _compared(args, one, work)]
        rows = [row for one in packs for row in _measured(args, one, work)]
        checks = {one.name: _check_seconds(one, args) for one in packs}
    if args.json:
        document = {"rows": [row.as_json() for row in rows], "check_s": checks, "differences": wrong}
        print(json.dumps(document, indent=2))
    else:
        _print(rows, checks, wrong)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench rules", description=__doc__.splitlines()[0], allow_abbrev=False
    )
    add = parser.add_argument
    add("--packs", type=_numbers, default=tuple(PACKS), metavar="N,N", help="sizes (default: all)")
    add("--loads", type=_loads, default=LOADS, metavar="NAME,NAME", help=f"of {', '.join(LOADS)}")
    add("--rules", type=Path, metavar="DIR", help="a folder of rules instead of generated packs")
    add("--allow-unknown-fields", action="store_true", help="as the engine's own option")
    add("--events", type=int, default=200_000, help="of each load (default: 200,000)")
    add("--rounds", type=int, default=3, help="cold runs of each engine (default: 3)")
    add("--limit", type=float, default=60.0, metavar="S", help="seconds a run of ours at the most")
    add("--compare", type=int, default=20_000, metavar="N", help="events to compare matches on; 0: none")
    add("--rsigma", type=Path, metavar="PROGRAM", help="default: found on PATH")
    add("--zircolite", type=shlex.split, metavar="COMMAND", help="default: found on PATH")
    add("--pysigma", type=Path, metavar="PYTHON", help="a Python with pysigma and pysigma-backend-sqlite")
    add("--cpu", type=int, metavar="N", help="where everything runs (default: the last)")
    add("--seed", type=int, default=1, help="of rules and events")
    add("--keep", type=Path, metavar="DIR", help="leave rules and events there")
    add("--json", action="store_true", help="print JSON")
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def _loads(text: str) -> tuple[str, ...]:
    named = tuple(text.split(","))
    if not set(named) <= set(LOADS):
        raise argparse.ArgumentTypeError(f"loads are {', '.join(LOADS)}")
    return named


def _packs(args: argparse.Namespace, work: Path) -> list[Pack]:
    if args.rules:
        return [_own_pack(args, work)]
    made = []
    for size in args.packs:
        folder = work / f"rules-{size}"
        write_pack(pack(size, keyword_share=PACKS.get(size, 0.0), seed=args.seed), folder)
        made.append(_described(f"{size:,} generated", folder, RuleOptions()))
    return made


def _own_pack(args: argparse.Namespace, work: Path) -> Pack:
    """The files of a folder all of whose rules are usable here; the others are named on stderr."""
    options = RuleOptions(allow_unknown_fields=args.allow_unknown_fields)
    loaded = load_rules([args.rules], options)
    broken = {found.location.file for found in loaded.diagnostics if found.severity.label == "error"}
    used = sorted({rule.location.file for rule in loaded.rules} - broken)
    print(f"{len(used)} of {len(loaded.sources)} files of {args.rules} are usable here", file=sys.stderr)
    folder = work / "rules-own"
    folder.mkdir(exist_ok=True)
    for number, file in enumerate(used):
        shutil.copyfile(file, folder / f"{number:05}-{Path(file).name}")
    return _described(f"{len(used)} of {args.rules.name}", folder, options)


def _described(name: str, folder: Path, options: RuleOptions) -> Pack:
    loaded = load_rules([folder], options)
    plans = compile_rules(loaded.rules).user.rules
    return Pack(
        name=name,
        folder=folder,
        operations={
            plan.rule.id or plan.rule.key: frozenset(one.value for one in plan.logsource.operations)
            for plan in plans
        },
        titles={plan.rule.id or plan.rule.key: f"{plan.rule.key} ({plan.rule.title})" for plan in plans},
    )


def _compared(args: argparse.Namespace, one: Pack, work: Path) -> Iterator[str]:
    """Where another engine counts other matches than ours, on events many of which match."""
    others = _others(args)
    if not others or not args.compare:
        return
    for load in args.loads:
        events = _events(args, one, work, Stream(load=load, count=args.compare, salt=0.3))
        ours = Ours(allow_unknown_fields=args.allow_unknown_fields).count(one.folder, events, one.operations)
        print(f"{one.name}, {load}: {sum(ours.values()):,} matches of {len(ours):,} rules", file=sys.stderr)
        for other in others:
            source = events
            if isinstance(other, (PySigmaSqlite, Zircolite)):
                source = _head(events, SQL_WORK // len(one.operations))
                ours = Ours(allow_unknown_fields=args.allow_unknown_fields).count(
                    one.folder, source, one.operations
                )
            theirs = _tolerant_count(other, one, source)
            if theirs is not None:
                yield from (
                    f"{one.name}, {load}: {line}"
                    for line in differences(ours, theirs, one.titles, other.name)
                )


def _tolerant_count(engine: Engine, one: Pack, events: Path) -> Mapping[str, int] | None:
    """What an engine counts; one that fails is told and left out."""
    try:
        return engine.count(one.folder, events, one.operations)
    except ChildFailed as failure:
        print(f"{engine.name} does not take {one.name}: {failure}", file=sys.stderr)
        return None


def _measured(args: argparse.Namespace, one: Pack, work: Path) -> Iterator[Row]:
    """One row for each load."""
    engines: list[Engine] = [*_ours(args), *_others(args)]
    for load in args.loads:
        print(f"{one.name}, {load} …", file=sys.stderr)
        events = _events(args, one, work, Stream(load=load, count=args.events, salt=0.01))
        rounds: dict[str, list[Measured]] = {}
        for _ in range(args.rounds):
            for engine in engines:
                sql = isinstance(engine, (PySigmaSqlite, Zircolite))
                source = _head(events, SQL_WORK // len(one.operations)) if sql else events
                try:
                    rounds.setdefault(engine.name, []).append(engine.measure(one.folder, source))
                except ChildFailed as failure:
                    print(f"{engine.name}: {failure}", file=sys.stderr)
        yield Row(
            pack=one.name,
            rules=len(one.operations),
            load=load,
            rounds={name: runs for name, runs in rounds.items() if runs},
        )


def _ours(args: argparse.Namespace) -> list[Engine]:
    """With JSON, and without."""
    options = {"limit_s": args.limit, "allow_unknown_fields": args.allow_unknown_fields}
    return [Ours(**options), Ours(name="without JSON", mode="columns", **options)]


def _others(args: argparse.Namespace) -> list[Engine]:
    """Those that are to be had."""
    found: list[Engine] = []
    rsigma = args.rsigma or shutil.which("rsigma")
    if rsigma:
        found.append(Rsigma(program=Path(rsigma)))
    zircolite = args.zircolite or ([found_there] if (found_there := shutil.which("zircolite")) else None)
    if zircolite:
        found.append(Zircolite(command=zircolite))
    if args.pysigma:
        found.append(PySigmaSqlite(python=args.pysigma))
    return found


def _events(args: argparse.Namespace, one: Pack, work: Path, stream: Stream) -> Path:
    """The file of a stream for a pack, written by a process of its own.

    This one is to stay small, since what it keeps in memory counts as its children's.
    """
    target = work / f"{stream.load}-{stream.count}.ndjson"
    writer = multiprocessing.get_context("spawn").Process(
        target=write_events, args=(one.folder, target, stream, args.seed)
    )
    writer.start()
    writer.join()
    if writer.exitcode:
        raise SystemExit("the events could not be written")
    return target


def write_events(rules: Path, target: Path, stream: Stream, seed: int) -> None:
    """Events, salted with hits for all rules of a folder."""
    rng = random.Random(f"hits {seed}")
    texts = (file.read_text(encoding="utf-8") for file in sorted(rules.iterdir()))
    wanted = [hit for text in texts for hit in hits(text, rng)]
    mix = Mix(load=stream.load, hits=wanted, hit_share=stream.salt, near_share=stream.salt, seed=seed)
    with target.open("wb") as file:
        file.writelines(lines(mix, stream.count))


def _head(events: Path, count: int) -> Path:
    """The first `count` events, in a file of their own if there are more."""
    target = events.with_name(f"head-{events.name}")
    with events.open("rb") as stream, target.open("wb") as head:
        for _, line in zip(range(max(count, 1)), stream, strict=False):
            head.write(line)
    return target


def _check_seconds(one: Pack, args: argparse.Namespace) -> float:
    """The whole time of the `check` command over the pack."""
    if args.allow_unknown_fields:
        return 0.0
    return run([PROGRAM, "check", one.folder], well=(0, 1)).cpu_s


def _print(rows: Sequence[Row], checks: Mapping[str, float], wrong: Sequence[str]) -> None:
    ours = ("fileaudit", "without JSON")
    print(*table(rows, ours), sep="\n")
    print()
    print(*load_table(rows), sep="\n")
    for name, seconds in checks.items():
        print(f"{name:>22} {'the check command':18} {seconds:22.2f}")
    print()
    print(*growth(rows, ours[0]), sep="\n")
    if wrong:
        print(f"\n{len(wrong)} differences in matches:")
        print(*wrong[:SHOWN_DIFFERENCES], sep="\n")


if __name__ == "__main__":
    main()
