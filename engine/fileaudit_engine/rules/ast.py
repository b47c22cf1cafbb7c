"""A parsed Sigma document: what it says, with every place kept, nothing interpreted yet."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Final, Literal

from fileaudit_engine.diagnostics import Location

Scalar = str | int | float | bool | None
"""A YAML 1.2 core scalar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigmaValue:
    """One value of a detection item. A `str` still has its wildcards and escapes.

    Attributes:
        value: As written.
        expanded: With `expand`, the texts that it stands for, one or more; each is read as `value` would be.
        location: Its place.
    """

    value: Scalar
    expanded: tuple[str, ...] = ()
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionItem:
    """`field|modifier|…: value(s)`; a keyword search where `field` is None.

    Attributes:
        field: The name as written.
        modifiers: As written, in order; each is in the registry, together they are legal.
        values: One or more.
        is_list: Whether the document wrote a list (an empty or single list is not a plain value).
        timezone: IANA name of the zone that parts of dates are counted in.
        location: The key's place; a keyword's own, or that of the list that it stands in.
    """

    field: str | None
    modifiers: tuple[str, ...]
    values: tuple[SigmaValue, ...]
    is_list: bool
    timezone: str = "UTC"
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionMap:
    """A map: all items must match."""

    items: tuple[DetectionItem, ...]
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionList:
    """A list of maps or keyword items: any one must match."""

    members: tuple["Detection", ...]
    location: Location


Detection = DetectionItem | DetectionMap | DetectionList


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A detection by its name."""

    name: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantified:
    """`1 of x*`, `any of them`, `all of x*`, already resolved.

    Attributes:
        every: True for `all of`; False for `1 of` and `any of`.
        pattern: As written, `them` included.
        names: The detections that it selects, in document order; never empty.
    """

    every: bool
    pattern: str
    names: tuple[str, ...]
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """Negation."""

    operand: "Condition"


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """All of two or more."""

    operands: tuple["Condition", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """Any of two or more."""

    operands: tuple["Condition", ...]


Condition = Identifier | Quantified | Not | And | Or


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSourceSpec:
    """The `logsource` map as written."""

    category: str | None
    product: str | None
    service: str | None
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """What a rule has to do with another one.

    Attributes:
        id: The other rule's UUID, lower case.
        type: One of derived, obsolete, merged, renamed, similar.
    """

    id: str
    type: str


QUIET_LEVEL: Final = "informational"
"""The level of what writes to the audit trail and alerts nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What rules and correlations have in common: a name, a level, and who says why.

    Attributes:
        key: What reports, tests and the command line call it: `name`, else the file's stem, made unique among
            rules and correlations.
        id: The UUID, lower case; None where the document has none.
        level: One of informational, low, medium, high, critical; medium where the document has none.
        custom: Attributes that Sigma does not define, kept as they are.
        location: Of the document's first key.
    """

    key: str
    title: str
    id: str | None = None
    name: str | None = None
    related: tuple[Related, ...] = ()
    taxonomy: str = "sigma"
    status: str | None = None
    description: str | None = None
    author: str | None = None
    date: str | None = None
    modified: str | None = None
    license: str | None = None
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    level: str = "medium"
    custom: Mapping[str, object]
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Document):
    """One rule document.

    Attributes:
        detections: By name. Those that filters brought have names that no condition can spell.
        conditions: One or more; the rule matches if any does.
        filters: The titles of the filters that suppress matches of this rule, in the order of their files.
    """

    SECTION: ClassVar[str] = "detection"
    """The attribute that holds detections and condition."""

    logsource: LogSourceSpec
    detections: Mapping[str, Detection]
    conditions: tuple[Condition, ...]
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReference:
    """A rule as a filter calls it: by name, id or title."""

    name: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One filter document: what is no match for the rules that it names.

    Attributes:
        id: The UUID, lower case; None where the document has none.
        rules: The rules that it names; None for every rule of its log source.
        logsource: Rules of another one are not filtered; what is None may be anything.
        detections: By name.
        conditions: One. It says which matches to suppress, whatever way it was written.
        location: Of the document's first key.
    """

    SECTION: ClassVar[str] = "filter"
    """The attribute that holds detections and condition."""

    title: str
    id: str | None = None
    description: str | None = None
    date: str | None = None
    modified: str | None = None
    rules: tuple[RuleReference, ...] | None
    logsource: LogSourceSpec
    detections: Mapping[str, Detection]
    conditions: tuple[Condition, ...]
    location: Location


Detecting = Rule | Filter
"""A document with detections and conditions."""


class CorrelationType(str, enum.Enum):
    """What a correlation looks at in its window; the values are Sigma's words."""

    EVENT_COUNT = "event_count"
    VALUE_COUNT = "value_count"
    TEMPORAL = "temporal"
    TEMPORAL_ORDERED = "temporal_ordered"
    VALUE_SUM = "value_sum"
    VALUE_AVG = "value_avg"
    VALUE_PERCENTILE = "value_percentile"
    VALUE_MEDIAN = "value_median"


class Comparator(str, enum.Enum):
    """How a number is compared; the values are Sigma's words."""

    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EQ = "eq"
    NEQ = "neq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`gte: 10`. A number that is no whole one is exact as written, in decimal: `0.1` is a tenth."""

    comparator: Comparator
    number: int | Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation(Document):
    """One correlation document: what matches of other rules mean together.

    Attributes:
        type: What is looked at.
        rules: As written: rules and correlations by name, id or title, each once; one or more.
        sources: The keys of `rules`, in the same order. Empty until the whole pack is read.
        aliases: Name -> key of a source -> name of the field in its matches. Until the whole pack is read,
            the sources are called as written.
        group_by: Fields and aliases whose values must agree; empty: everything counts together.
        timespan: As written; `timespan_ns` in nanoseconds.
        comparisons: All must hold; empty only where `condition` is there.
        condition: Of the types in time: over keys of sources (until the whole pack is read: as written). For
            `temporal_ordered` without any `not`.
        value_fields: Of the types that look at values, the fields whose values are counted or computed with.
            More than one only for `value_count`, which then counts combinations.
        percentile: Of `value_percentile`, 0 to 100; None: the share of the newest value is meant.
        generate: Whether the rules alert by themselves, too; None where the document does not say.
        suspected: Whether to tell that lost events may have hidden a match.
    """

    type: CorrelationType
    rules: tuple[RuleReference, ...]
    sources: tuple[str, ...] = ()
    aliases: Mapping[str, Mapping[str, str]]
    group_by: tuple[str, ...]
    timespan: str
    timespan_ns: int
    comparisons: tuple[Comparison, ...] = ()
    condition: Condition | None = None
    value_fields: tuple[str, ...] = ()
    percentile: int | Fraction | None = None
    generate: bool | None = None
    suspected: bool = False


def kind_of(document: Document) -> Literal["rule", "correlation"]:
    """What a document is called, by its schema and by people."""
    return "correlation" if isinstance(document, Correlation) else "rule"
