"""An explanation for people: aligned, wrapped, coloured if asked, and safe against hostile names."""

import itertools
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fileaudit_engine.compiler.conditions import Condition, Group, Leaf, Where
from fileaudit_engine.compiler.explain import ClauseExplanation, Hook, PackExplanation, RuleExplanation, Table
from fileaudit_engine.detect.why import Verdict
from fileaudit_engine.events.fields import Value
from fileaudit_engine.rules.ast import Document
from fileaudit_engine.text import counted, printable

MOST_VALUES: Final = 6
"""Values of a list that are shown; JSON has them all."""

_LABEL: Final = 14
"""Width of the column of section names, the indentation included."""

_HELD: Final = "\ue000"
"""Stands for a space in a name while lines are broken; a name cannot hold it, `printable` escapes it."""

_RESET: Final = "\x1b[0m"
_BOLD, DIM, _RED, _GREEN, _YELLOW, _CYAN = (f"\x1b[{code}m" for code in (1, 2, 31, 32, 33, 36))
_LEVELS: Final = {
    "critical": _BOLD + _RED,
    "high": _RED,
    "medium": _YELLOW,
    "low": _CYAN,
    "informational": DIM,
}
_KEYS: Final = {
    Table.BEGINNINGS: "beginning",
    Table.ENDINGS: "ending",
    Table.DIRECTORIES: "directory name",
    Table.CALLERS: "caller",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How to print.

    Attributes:
        width: Columns of the terminal.
        color: Whether to use ANSI colours.
    """

    width: int
    color: bool

    def paint(self, text: str, code: str) -> str:
        """The text in a colour, where colours are wanted."""
        return f"{code}{text}{_RESET}" if self.color and code and text else text

    def wrapped(self, first: str, text: str, code: str = "", *, rest: str | None = None) -> Iterator[str]:
        """The text behind `first`, its further lines behind `rest`; only the text is coloured."""
        rest = " " * len(first) if rest is None else rest
        room = max(20, self.width - len(first))
        for number, line in enumerate(_lines(text, room)):
            yield (rest if number else first) + self.paint(line, code)


def _lines(text: str, room: int) -> list[str]:
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return [line.replace(_HELD, " ") for line in lines] or [""]


def rule_lines(explained: RuleExplanation, layout: Layout) -> Iterator[str]:
    """One rule, section by section."""
    yield from heading(explained, layout)
    filters = (inner(layout).wrapped("- ", printable(title)) for title in explained.rule.rule.filters)
    yield from section("filters", itertools.chain.from_iterable(filters))
    yield from section("heard", heard(explained.heard_through, layout, silent=explained.silent))
    yield from section("kernel", _kernel(explained, layout))
    yield from section("witness", _witness(explained, layout))
    yield from section("hooks", [_hooks(explained.hooks, layout)])
    yield from section("conditions", tree_lines(explained.conditions, None, layout))
    yield from section("cannot see", _blind(explained.blind_to, layout))
    for warning in explained.warnings:
        text = f"{warning.code}: {warning.message}"
        remedy = inner(layout).wrapped("= help: ", printable(warning.help))
        yield from section("warning", (*inner(layout).wrapped("", printable(text), _YELLOW), *remedy))


def heading(explained: RuleExplanation, layout: Layout) -> Iterator[str]:
    """Who the rule is."""
    return title_lines(explained.rule.rule, explained.rule.logsource.value, layout)


def title_lines(document: Document, kind: str, layout: Layout) -> Iterator[str]:
    """Who a rule or correlation is, and of which kind."""
    level = layout.paint(document.level, _LEVELS.get(document.level, ""))
    yield f"{layout.paint(printable(document.key), _BOLD)}  {level}  {kind}"
    yield from layout.wrapped("  ", printable(document.title))
    yield layout.paint(f"  {printable(str(document.location))}", DIM)


def heard(through: Sequence[str], layout: Layout, *, silent: bool) -> Iterator[str]:
    """Through which correlations a rule or correlation is heard, if it is."""
    if silent:
        yield from inner(layout).wrapped("", f"only through {_shown(through)}: it raises nothing by itself")
    elif through:
        yield from inner(layout).wrapped("", f"by itself, and through {_shown(through)}")


def section(name: str, lines: Iterable[str]) -> Iterator[str]:
    """Lines behind the name of what they are."""
    for number, line in enumerate(lines):
        yield (" " * _LABEL if number else f"  {name}".ljust(_LABEL)) + line


def inner(layout: Layout) -> Layout:
    """The layout of what stands to the right of the section names."""
    return Layout(width=layout.width - _LABEL, color=layout.color)


# --- the kernel --------------------------------------------------------------------------------------------


def _kernel(explained: RuleExplanation, layout: Layout) -> Iterator[str]:
    if not explained.clauses:
        yield layout.paint("drops every event: the rule can never match", _YELLOW)
    for clause in explained.clauses:
        yield from _clause(clause, inner(layout))


def _clause(clause: ClauseExplanation, layout: Layout) -> Iterator[str]:
    number = f"#{clause.bit}".ljust(6)
    access = f"for {_any(clause.access)}" if clause.access else "for any access"
    outcome = _any(clause.outcomes) if clause.outcomes else "success or failure"
    calls = f"{_any(clause.operations) if clause.operations else 'any operation'}, {access}, {outcome}"
    yield from layout.wrapped(number, calls)
    for line in (*_path(clause), *_caller(clause)):
        yield from layout.wrapped(" " * 6, line)
    if not clause.tests_path:
        whose = "of these callers" if clause.tests_caller else "of these events"
        yield from layout.wrapped(" " * 6, f"any path: all {whose} go to user space", _YELLOW)
    if clause.shared_with:
        yield from layout.wrapped(" " * 6, f"bit shared with {_one_of(clause.shared_with)}")


def _path(clause: ClauseExplanation) -> Iterator[str]:
    name = " or ".join(clause.names)
    begins = [f"is {_one_of(clause.paths)}"] if clause.paths else []
    if clause.beginnings:
        begins.append(f"begins with {_one_of(clause.beginnings)}")
    if begins:
        yield f"{name} {' or '.join(begins)}"
    if clause.endings and (clause.beginnings or clause.endings != clause.paths):
        yield f"{name} ends with {_one_of(clause.endings)}"
    if clause.directories:
        yield f"{name} has a directory called {_one_of(clause.directories)}"


def _caller(clause: ClauseExplanation) -> Iterator[str]:
    if clause.users:
        yield f"real user is {_one_of(clause.users)}"
    if clause.processes:
        yield f"process is {_one_of(clause.processes)}"
    if clause.threads:
        yield f"thread is called {_one_of(clause.threads)}"


def _witness(explained: RuleExplanation, layout: Layout) -> Iterator[str]:
    """What the match index looks for, a line for each way in which the rule can match."""
    for witness in explained.witnesses:
        if witness is None:
            yield from inner(layout).wrapped(
                "", "none: in a recording every event of the log source is evaluated", _YELLOW
            )
        else:
            signs = (f"{sign.field or 'any field'} {sign.verb} {_one_of(sign.values)}" for sign in witness)
            yield from inner(layout).wrapped("", " or ".join(signs))


def _hooks(hooks: Sequence[Hook], layout: Layout) -> str:
    marks = {True: layout.paint("✓", _GREEN), False: layout.paint("✗", _RED)}
    return "  ".join(f"{marks[hook.captured]} {hook.operation}" for hook in hooks) or "none"


def _blind(phrases: Sequence[str], layout: Layout) -> Iterator[str]:
    for phrase in phrases:
        yield from inner(layout).wrapped("- ", phrase)


# --- conditions and verdicts -------------------------------------------------------------------------------


def tree_lines(condition: Condition, verdict: Verdict | None, layout: Layout) -> Iterator[str]:
    """The conditions as a tree; with a verdict, what held and with which value."""
    return _tree(condition, verdict, inner(layout), "", "")


def _tree(
    condition: Condition, verdict: Verdict | None, layout: Layout, first: str, rest: str
) -> Iterator[str]:
    mark = _mark(condition, verdict, layout)
    if isinstance(condition, Leaf):
        yield from _leaf(condition, verdict, layout, first + mark, rest)
        return
    yield first + mark + _head(condition)
    for number, member in enumerate(condition.members):
        last = number == len(condition.members) - 1
        branch, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        of_member = verdict.members[number] if verdict else None
        yield from _tree(member, of_member, layout, rest + branch, rest + below)


def _mark(condition: Condition, verdict: Verdict | None, layout: Layout) -> str:
    if verdict is not None:
        return f"{layout.paint('✓', _GREEN) if verdict.holds else layout.paint('✗', _RED)} "
    if isinstance(condition, Group):
        return ""
    return f"{layout.paint('●', _GREEN) if condition.where is Where.KERNEL else layout.paint('○', DIM)} "


def _head(group: Group) -> str:
    if not group.members:
        return "always" if group.every else "never"
    return "all of" if group.every else "any of"


def _leaf(leaf: Leaf, verdict: Verdict | None, layout: Layout, first: str, rest: str) -> Iterator[str]:
    text = " ".join(filter(None, (leaf.subject, leaf.verb, _shown(leaf.values), *_remarks(leaf, verdict))))
    margin = " " * (len(rest) + 2)
    room = max(20, layout.width - len(margin))
    for number, line in enumerate(_lines(text, room)):
        yield f"{rest}  {line}" if number else first + line


def _remarks(leaf: Leaf, verdict: Verdict | None) -> Iterator[str]:
    """What is not to be seen from the words: why not in the kernel, if one might think so, and the value."""
    if leaf.cased and not leaf.field.values:
        yield "(case matters)"
    if verdict is not None:
        yield f"(it is {_value(verdict.value)})"
    elif leaf.why and leaf.field.dimension is not None:
        yield f"({leaf.why})"


def _value(value: Value) -> str:
    if value is None:
        return "absent"
    if isinstance(value, tuple):
        return _shown(value) or "empty"
    return _held(value) if isinstance(value, str) else str(value).lower()


# --- words -------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """A text for a terminal, in quotes where its ends could not be seen otherwise."""
    shown = printable(text)
    return f"'{shown}'" if not shown or " " in shown or shown[-1] in ",:()" else shown


def _held(text: str) -> str:
    """A text that stays on one line, with every space that it has."""
    return quoted(text).replace(" ", _HELD)


def _shown(values: Sequence[str]) -> str:
    more = len(values) - MOST_VALUES
    shown = ", ".join(map(_held, values[:MOST_VALUES]))
    return f"{shown} and {more} more" if more > 0 else shown


def _one_of(values: Sequence[str]) -> str:
    return _shown(values) if len(values) == 1 else f"one of {_shown(values)}"


def _any(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def legend() -> str:
    """What the marks of conditions mean."""
    return (
        "● spares events in the kernel   ○ checked in user space   (user space checks every condition again)"
    )


def totals(pack: PackExplanation) -> str:
    """What there is, and what the kernel's tables hold for it."""
    keys = ", ".join(counted(pack.keys[table], noun) for table, noun in _KEYS.items())
    rules = counted(len(pack.rules), "rule")
    heard = f", {counted(pack.correlations, 'correlation')}" if pack.correlations else ""
    return f"{rules}{heard}, {pack.clauses} of {pack.most_clauses} clauses, {keys}"
