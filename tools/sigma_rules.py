"""Holds rules that were written for any engine against this one: how many of them load as they are?

    tools/sigma_rules.py sigma/rules sigma/rules-threat-hunting          # a checkout of Sigma rules

Looks at every rule for `product: linux` below the paths, says by log source how many load unchanged, and
groups the others by the reason why they do not. A rule that loads, but names a value or a field that no event
has, is listed too: a part of it never matches. Ends with status 1 if some rule does not load, 2 if there is
none.
"""

import argparse
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fileaudit_engine.compiler.stages import compile_rules
from fileaudit_engine.diagnostics import Diagnostic, Location, Severity, in_order
from fileaudit_engine.rules.nodes import MapNode, text_of
from fileaudit_engine.rules.parser import LoadedRules, load_rules
from fileaudit_engine.rules.source import decode, read_documents
from fileaudit_engine.text import counted, printable

PRODUCT = "linux"
DOUBTS = frozenset({"FA046", "FA055"})
"""Warnings that a part of a rule never matches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A rule as it stands in a file.

    Attributes:
        place: Of its first key.
        end: The line behind its last one.
        source: Its log source, in a few words.
    """

    place: Location
    end: int
    source: str

    def has(self, place: Location) -> bool:
        """Whether something at `place` is about this rule."""
        return place.file == self.place.file and self.place.line <= place.line < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a rule.

    Attributes:
        rule: As it was written.
        loads: Whether it runs unchanged.
        errors: Why it does not.
        doubts: What of it never matches.
    """

    rule: Written
    loads: bool
    errors: tuple[Diagnostic, ...]
    doubts: tuple[Diagnostic, ...]


def verdicts(paths: Sequence[Path]) -> list[Verdict]:
    """What becomes of every rule for Linux below the paths, in the order of files."""
    written = [rule for file in _files(paths) for rule in _rules_of(file)]
    files = sorted({rule.place.file for rule in written})
    loaded = load_rules(files)
    compile_rules(loaded.rules)  # what loads must be runnable, or this raises
    usable = {(rule.location.file, rule.location.line) for rule in loaded.rules}
    found = _by_file(loaded)
    return [_verdict(rule, found[rule.place.file], usable) for rule in written]


def _verdict(rule: Written, found: Iterable[Diagnostic], usable: set[tuple[str, int]]) -> Verdict:
    own = [diagnostic for diagnostic in found if rule.has(diagnostic.location)]
    return Verdict(
        rule=rule,
        loads=(rule.place.file, rule.place.line) in usable,
        errors=tuple(diagnostic for diagnostic in own if diagnostic.severity is Severity.ERROR),
        doubts=tuple(diagnostic for diagnostic in own if diagnostic.code in DOUBTS),
    )


def _by_file(loaded: LoadedRules) -> dict[str, list[Diagnostic]]:
    found = defaultdict(list)
    for diagnostic in in_order(loaded.diagnostics):
        found[diagnostic.location.file].append(diagnostic)
    return found


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.rglob("*.yml")) if path.is_dir() else (path,)


def _rules_of(file: Path) -> Iterator[Written]:
    """The rules for Linux in a file; what cannot be read is no rule of any product."""
    source, _ = decode(str(file), file.read_bytes())
    roots = [document.root for document in read_documents(source)] if source else []
    maps = [root for root in roots if isinstance(root, MapNode) and root.keys]
    places = [next(iter(root.keys.values())).location for root in maps]
    ends = [*(place.line for place in places[1:]), sys.maxsize]  # one too many where there is no rule
    for root, place, end in zip(maps, places, ends, strict=False):
        log_source = root.values.get("logsource")
        if isinstance(log_source, MapNode) and text_of(log_source, "product") == PRODUCT:
            yield Written(place=place, end=end, source=_words(log_source))


def _words(log_source: MapNode) -> str:
    names = [
        f"{name} {text_of(log_source, name)}" for name in ("category", "service") if name in log_source.values
    ]
    return printable(", ".join(names)) or "alone"


def report(found: Sequence[Verdict]) -> Iterator[str]:
    """The lines that sum it up."""
    refused = [verdict for verdict in found if not verdict.loads]
    yield f"{counted(len(found), 'rule')} for {PRODUCT}, {len(found) - len(refused):,} load unchanged"
    yield from _by_source(found)
    yield ""
    yield f"{counted(len(refused), 'rule')} refused"
    yield from _groups((verdict, verdict.errors) for verdict in refused)
    doubtful = [verdict for verdict in found if verdict.doubts and verdict.loads]
    yield ""
    yield f"{counted(len(doubtful), 'rule')} loaded of which a part never matches"
    yield from _groups((verdict, verdict.doubts) for verdict in doubtful)


def _by_source(found: Sequence[Verdict]) -> Iterator[str]:
    all_of = Counter(verdict.rule.source for verdict in found)
    loaded = Counter(verdict.rule.source for verdict in found if verdict.loads)
    for source, number in sorted(all_of.items(), key=lambda item: (-item[1], item[0])):
        yield f"  {loaded[source]:5,} of {number:5,}  {source}"


def _groups(found: Iterable[tuple[Verdict, tuple[Diagnostic, ...]]]) -> Iterator[str]:
    """What is said of rules, each with its number and an example, the most frequent first."""
    groups: dict[tuple[str, str, str], list[Written]] = defaultdict(list)
    for verdict, said in found:
        for key in dict.fromkeys((each.code, each.message, each.help) for each in said):
            groups[key].append(verdict.rule)
    for (code, message, remedy), rules in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        yield f"  {len(rules):5,}  {code} {printable(message)}: {printable(remedy)}"
        yield f"         {printable(str(rules[0].place))}"


def listing(found: Sequence[Verdict]) -> Iterator[str]:
    """One line a rule."""
    for verdict in found:
        answer = "loads" if verdict.loads else ", ".join(dict.fromkeys(e.code for e in verdict.errors))
        yield f"{answer:12}  {verdict.rule.source:32}  {printable(str(verdict.rule.place))}"


def main() -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a rule file, or a folder of them"
    )
    parser.add_argument("--list", action="store_true", help="one line for every rule instead")
    args = parser.parse_args()
    found = verdicts(args.paths)
    for line in (listing if args.list else report)(found):
        print(line)
    return 2 if not found else int(not all(verdict.loads for verdict in found))


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever has read enough may leave
    raise SystemExit(main())
