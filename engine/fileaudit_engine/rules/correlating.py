"""Correlations tied to what they refer to, when all files are read.

    rules: [file_renamed, 5638f7c0-…, Many failed logins]   ->   sources: file_renamed, blocked, failed_many

A correlation is looked at behind all correlations that it refers to, so that whatever is wrong with one of
those is told of it, too: a correlation of which a part is missing would stay silent, or speak of something
else. Those that refer to each other in a circle are never reached that way; the circle is then named.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from fileaudit_engine.diagnostics import Collector, Location, TooManyFindingsError, error_at
from fileaudit_engine.rules.ast import Correlation, Document, Rule
from fileaudit_engine.rules.correlation import Draft
from fileaudit_engine.rules.correlation_fields import check_fields
from fileaudit_engine.rules.correlation_silence import warn_of_silence
from fileaudit_engine.rules.correlation_sources import SourceReader, Sources
from fileaudit_engine.rules.names import RuleNames
from fileaudit_engine.rules.options import RuleOptions
from fileaudit_engine.rules.wording import listed, quoted

MAX_CHAIN: Final = 16
"""Correlations that stand one behind the other: a match goes through all of them at once. Who attacks in more
steps than that is seen at one of them."""

MAX_FINDINGS: Final = 20
"""Errors of one correlation about what it refers to, past which it is not looked at; of warnings as many are
shown."""

_T = TypeVar("_T")

_MOST_SHOWN: Final = 8
"""Members of a circle that are named."""


def tie_correlations(
    drafts: Sequence[Draft],
    rules: Sequence[Rule],
    unusable: Collection[str],
    options: RuleOptions,
    found: Collector,
) -> tuple[Correlation, ...]:
    """The usable correlations with their sources, in the order of `drafts`.

    Args:
        drafts: With keys that are unique among each other and among those of the rules.
        rules: All usable ones.
        unusable: Folded names of documents that are there, but broken.
        options: How files are read.
        found: Where findings go.
    """
    names = RuleNames([*rules, *(draft.correlation for draft in drafts)])
    reader = SourceReader(names=names, unusable=unusable)
    tying = _Tying(
        drafts={draft.correlation.key: draft for draft in drafts},
        rules={rule.key: rule for rule in rules},
        sources={draft.correlation.key: _bounded(draft, reader.read, found) for draft in drafts},
        options=options,
        found=found,
    )
    tied = tying.run()
    documents: tuple[Document, ...] = (*rules, *tied)
    warn_of_silence(tied, {one.key: one for one in documents}, found)
    return tied


def _bounded(draft: Draft, step: Callable[[Draft, Collector], _T | None], found: Collector) -> _T | None:
    """What a step makes of a correlation, unless it is full of errors: the others are not to pay for it."""
    own = Collector(limit=MAX_FINDINGS)
    try:
        made = step(draft, own)
    except TooManyFindingsError:
        made = None
        message = f"more than {MAX_FINDINGS} errors; the rest of this correlation was not looked at"
        own.diagnostics.append(error_at("FA019", message, draft.correlation.location))
    if own.uncollected:
        message = f"{own.uncollected:,} more warnings about this correlation are not shown"
        remedy = "mend those that are shown first"
        found.warning("FA002", message, draft.correlation.location, help=remedy)
    found.diagnostics += own.diagnostics
    return made


@dataclass(slots=True, kw_only=True)
class _Tying:
    """Takes one correlation after the other.

    Attributes:
        drafts: By key.
        rules: By key.
        sources: By key of a draft; None where something is wrong with them, which was said.
        options: As above.
        found: As above.
        done: What became of a draft, by its key; None where it is not usable.
        depth: How many correlations stand in the longest chain that ends with one.
    """

    drafts: Mapping[str, Draft]
    rules: Mapping[str, Rule]
    sources: Mapping[str, Sources | None]
    options: RuleOptions
    found: Collector
    done: dict[str, Correlation | None] = field(default_factory=dict)
    depth: dict[str, int] = field(default_factory=dict)

    def run(self) -> tuple[Correlation, ...]:
        """Decide about all; returns the usable ones."""
        behind: dict[str, list[str]] = defaultdict(list)
        missing: dict[str, int] = {}
        for key in self.drafts:
            before = self._before(key)
            missing[key] = len(before)
            for other in before:
                behind[other].append(key)
        ready = deque(key for key, count in missing.items() if not count)
        while len(self.done) < len(self.drafts):
            if not ready:
                ready += self._break_circle()
            key = ready.popleft()
            if key not in self.done:
                self.done[key] = _bounded(self.drafts[key], self._tied, self.found)
            for other in behind[key]:
                missing[other] -= 1
                if not missing[other] and other not in self.done:
                    ready.append(other)
        decided = (self.done[key] for key in self.drafts)
        return tuple(one for one in decided if one is not None)

    def _before(self, key: str) -> list[str]:
        """The correlations that one refers to."""
        sources = self.sources[key]
        return [source for source in sources.keys if source in self.drafts] if sources else []

    def _break_circle(self) -> list[str]:
        """Report a circle among what is left, and give its members up."""
        first = next(key for key in self.drafts if key not in self.done)
        way: dict[str, str] = {}
        while first not in way:
            way[first] = next(key for key in self._before(first) if key not in self.done)
            first = way[first]
        circle = list(_around(way, first))
        for number, key in enumerate(circle):
            self._report_circle(key, [*circle[number:], *circle[:number]])
            self.done[key] = None
        return circle

    def _report_circle(self, key: str, circle: Sequence[str]) -> None:
        following = circle[1] if len(circle) > 1 else key
        message = f"{quoted(key)} refers to itself"
        if len(circle) > 1:
            message += f", by way of {listed(circle[1:], limit=_MOST_SHOWN)}"
        where = self._reference(key, following)
        self.found.error("FA019", message, where, help="remove one of the references")

    def _reference(self, key: str, source: str) -> Location:
        """Where a correlation refers to one of its sources."""
        sources = self.sources[key]
        if sources is None:
            raise AssertionError("what has no sources refers to nothing")
        return self.drafts[key].correlation.rules[sources.keys.index(source)].location

    def _tied(self, draft: Draft, found: Collector) -> Correlation | None:
        key = draft.correlation.key
        sources = self.sources[key]
        if sources is None or not self._all_are_usable(key, found):
            return None
        self.depth[key] = 1 + max((self.depth[one] for one in self._before(key)), default=0)
        if self.depth[key] > MAX_CHAIN:
            message = f"{quoted(key)} is the end of a chain of more than {MAX_CHAIN} correlations"
            where = draft.correlation.location
            found.error("FA019", message, where, help="refer to the rules at its beginning")
            return None
        tied = replace(
            draft.correlation,
            sources=sources.keys,
            aliases=sources.aliases,
            condition=sources.condition,
        )
        known = {one: self.rules[one] if one in self.rules else self._inner(one) for one in sources.keys}
        return tied if check_fields(draft, tied, known, self.options, found) else None

    def _inner(self, key: str) -> Correlation:
        inner = self.done[key]
        if inner is None:
            raise AssertionError("what refers to something broken is left out before")
        return inner

    def _all_are_usable(self, key: str, found: Collector) -> bool:
        broken = [source for source in self._before(key) if self.done[source] is None]
        if broken:
            is_not = "correlations {} are" if len(broken) > 1 else "correlation {} is"
            message = f"the {is_not} not usable, so this one is left out, too".format(listed(broken, limit=5))
            where = self._reference(key, broken[0])
            found.error("FA019", message, where, help="mend what it refers to first")
        return not broken


def _around(way: Mapping[str, str], first: str) -> Iterator[str]:
    """The members of the circle that `first` is in, each followed by what it refers to."""
    yield first
    key = way[first]
    while key != first:
        yield key
        key = way[key]
