"""What a report says, before it is anything to look at.

The command gathers it once; the page for the terminal, the JSON and the HTML show the same figures. Its
members are the members of the JSON, in this order: renaming one breaks other people's scripts.

Names stand here as documents have them (`text.to_document`). Times are RFC 3339 in UTC, lengths of time are
seconds. What is counted are records: an operation that raised an alert and belongs to the audit trail besides
is two of them.
"""

import msgspec

FORMAT_VERSION = 1
"""Goes up when a member of the JSON changes its meaning or goes; new members may come without that."""


class Range(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which records the report is about: those from `since` on and before `until`."""

    since: str
    until: str
    seconds: float


class StoreFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The store that was asked.

    Attributes:
        path: As it was opened.
        identity: 32 hexadecimal digits; anchors name it.
        records: How many it holds, of all times.
        kept_since: The time of its earliest record; None: it has none.
    """

    path: str
    identity: str
    records: int
    kept_since: str | None


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a reader must not miss.

    Attributes:
        weight: `bad`: something is wrong or missing; `note`: to be known; `good`: all is well.
        section: Of the report, where more is said of it.
        text: One line, printable.
    """

    weight: str
    section: str
    text: str


class Totals(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Records by what they are, and by what came of the operation."""

    records: int
    alerts: int
    events: int
    engine: int
    outcomes: dict[str, int]


class OperationCount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How often an operation was seen, and what came of it."""

    operation: str
    records: int
    success: int
    failure: int
    unknown: int


class Bucket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An hour, a day or a month, named as it begins (`2026-11-28T14`, `2026-11-28`, `2026-11`)."""

    begins: str
    alerts: int
    events: int


class Course(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """When it happened; every `hour`, `day` or `month` of the range that the store knows of."""

    unit: str
    buckets: list[Bucket]


class Counted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A name and the number of its records."""

    name: str
    records: int


class Top(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The most frequent ones.

    Attributes:
        records: Of all of them, shown or not.
        distinct: How many there are, shown or not.
        top: Most records first.
    """

    records: int
    distinct: int
    top: list[Counted]


class RuleCount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The alerts of a rule."""

    rule: str
    level: str
    alerts: int
    first_day: str
    last_day: str


class DayOfAlerts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The alerts of a day, by level."""

    day: str
    critical: int
    high: int
    medium: int
    low: int


class Alerts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Alerts by level, rule and day."""

    alerts: int
    levels: dict[str, int]
    rules: list[RuleCount]
    days: list[DayOfAlerts]


class DeniedCount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How often somebody was refused a file for want of permission."""

    user: str
    path: str
    records: int


class Denied(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Refused accesses; as `Top`."""

    records: int
    distinct: int
    top: list[DeniedCount]


class ChangedFile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was done to a file that changed it."""

    path: str
    records: int
    operations: dict[str, int]


class Changes(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Changes that succeeded; `distinct` counts files."""

    records: int
    distinct: int
    top: list[ChangedFile]


class SessionCount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A login session as the kernel's audit numbers it; `first` and `last` are within the range."""

    session: str
    login_user: str
    records: int
    first: str | None
    last: str | None


class Sessions(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Login sessions; as `Top`."""

    records: int
    distinct: int
    top: list[SessionCount]


class Gap(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A time in which no engine was watching.

    Attributes:
        since: Its beginning, within the range.
        until: Its end, within the range.
        seconds: Its length.
        how: `stopped` or `killed`: how the engine ended; `not started`: before the first start that the store
            knows of.
    """

    since: str
    until: str
    seconds: float
    how: str


class Trouble(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A time in which the store could not be written; `until` None: it still cannot, or nobody said."""

    since: str
    until: str | None
    reason: str


class LostSpan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A time in which events were lost again and again, with less than a minute between."""

    since: str
    until: str
    events: int


class Losses(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Events that found no room.

    Attributes:
        events: How many.
        times: How often that was noticed.
        seconds: The time around which they were lost.
        what: By operation, most first.
        spans: When; those with the most events, in the order of time.
        spans_total: How many such times there are.
    """

    events: int
    times: int
    seconds: float
    what: dict[str, int]
    spans: list[LostSpan]
    spans_total: int


class Coverage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """For how much of the range the records are all that happened.

    Attributes:
        known: Whether the store says when an engine ran. If not, the rest says nothing.
        begins: From when on it is known: what lies before it in the range is not counted.
        seconds: The time from there to the end of the range, or to now.
        watched_seconds: How much of it an engine was watching.
        percent: The same in hundredths.
        gaps: The longest ones, in the order of time.
        gaps_total: How many there are.
        losses: What was lost while it watched.
        troubles: When the store could not be written; the latest ones.
    """

    known: bool
    begins: str | None
    seconds: float
    watched_seconds: float
    percent: float | None
    gaps: list[Gap]
    gaps_total: int
    losses: Losses
    troubles: list[Trouble]


class AnchorFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where the chain's head was last told to somebody else; `agrees`: whether the store has that link there.

    `agrees` is None if the row was removed by retention since.
    """

    seq: int
    time: str
    agrees: bool | None


class Check(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What `verify` found in the whole store: how many rows it read, and what is wrong.

    The lines are printable, one for each finding, of very many the first.
    """

    rows: int
    findings: int
    lines: list[str]


class Chain(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The state of the hash chain.

    Attributes:
        head_seq: Number of the last row.
        head_link: Its link, 64 hexadecimal digits.
        first_seq: Number of the first row that is kept.
        removed_seq: Retention has removed all up to this row; 0: nothing.
        anchors: The file where anchors were looked for.
        anchor: The last one there for this store; None: there is none, or no such file.
        check: None: the chain was not checked.
    """

    head_seq: int
    head_link: str
    first_seq: int
    removed_seq: int
    anchors: str
    anchor: AnchorFacts | None
    check: Check | None


class Serving(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A rule or a trail that serves a requirement.

    Attributes:
        name: Of the rule.
        kind: `rule` or `trail`.
        records: Its alerts or events in the range.
        ran: Whether an engine that ran in the range had it loaded; None: the store does not say.
    """

    name: str
    kind: str
    records: int
    ran: bool | None


class Requirement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a framework asks for, and what serves it here.

    Attributes:
        id: As the framework has it.
        title: In our words.
        state: `seen`: records of what serves it are there; `ran`: it ran and saw nothing; `no trail`: of its
            rules some ran, of its trails none, so that nothing was written down but alerts; `engine`: what
            the engine does for it needs no rule; `nothing`: nothing ran that serves it.
        records: Alerts and events of what serves it, in the range.
        serving: The rules and trails.
        sections: Parts of this report that serve it.
        note: How far that goes, and what the engine does not do for it.
    """

    id: str
    title: str
    state: str
    records: int
    serving: list[Serving]
    sections: list[str]
    note: str


class Framework(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A body of requirements, such as SOC 2, HIPAA or PCI DSS."""

    name: str
    version: str
    requirements: list[Requirement]


class Report(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything.

    Attributes:
        format: The version of this shape, 1.
        made: When it was made.
        engine: The version of the engine that made it.
        host: The name of the host where it was made.
        users: The busiest users: those that acted, not those that logged in.
        files: The busiest files, by what they are called on the host.
        commands: The busiest command lines, cut at 1,024 characters.
        controls: Which requirement is served by what, for each body of requirements.
    """

    format: int
    made: str
    engine: str
    host: str
    range: Range
    store: StoreFacts
    findings: list[Finding]
    totals: Totals
    operations: list[OperationCount]
    course: Course
    users: Top
    files: Top
    commands: Top
    alerts: Alerts
    denied: Denied
    changes: Changes
    sessions: Sessions
    coverage: Coverage
    chain: Chain
    controls: list[Framework]
