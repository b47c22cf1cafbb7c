"""What `doctor` says about the sinks of the configuration: whether they are reached, and how far they are."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fileaudit_engine.cli.delivering import ELASTICSEARCH, SYSLOG
from fileaudit_engine.config import DEFAULT_STORE, Config
from fileaudit_engine.diagnostics import FileauditError, MachineCannot
from fileaudit_engine.events.times import SECOND_NS
from fileaudit_engine.sinks.base import Reached
from fileaudit_engine.sources.machine import Check
from fileaudit_engine.store.lag import lag_of
from fileaudit_engine.store.letters import letter_count, letters_of
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import counted

_COST = "its records wait in the store until it takes them"


def sink_checks(config: Config) -> Iterator[Check]:
    """One a sink behind a network, by really asking it; and one of how far each is, if there is a store."""
    if config.elasticsearch is not None:
        from fileaudit_engine.sinks.elastic.reach import reach  # noqa: PLC0415 - a third of a second

        settings = config.elasticsearch
        yield _check(ELASTICSEARCH, lambda: reach(settings))
    if config.syslog is not None:
        from fileaudit_engine.sinks.syslog.reach import reach as reach_syslog  # noqa: PLC0415 - likewise

        receiver = config.syslog
        yield _check(SYSLOG, lambda: reach_syslog(receiver))
    if config.elasticsearch is not None or config.syslog is not None:
        yield from _progress(config)


def _check(name: str, ask: Callable[[], Reached]) -> Check:
    try:
        found = ask()
    except FileauditError as error:
        remedy = error.remedy if isinstance(error, MachineCannot) else ""
        found = Reached(ok=False, detail=str(error), remedy=remedy)
    cost = "" if found.ok else _COST
    return Check(name=name, ok=found.ok, detail=found.detail, cost=cost, remedy=found.remedy, required=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a sink is, as the store has it.

    Attributes:
        sink: Its name.
        behind: Rows that it has not had.
        lag_seconds: How long ago the oldest of them happened.
        rejected: Rows that it will not take.
        first: The first of those, and why; empty if there is none.
    """

    sink: str
    behind: int
    lag_seconds: int
    rejected: int
    first: str


def progress_of(config: Config) -> list[Progress]:
    """Of each sink behind a network that the store knows; none if there is no store.

    Raises:
        UnusableInput: It is damaged.
        MachineCannot: It cannot be read.
    """
    path = config.store_path or DEFAULT_STORE
    if not path.exists():
        return []
    with Store.open(path, read_only=True) as store:
        there = [(name, at) for name, at in store.cursors().items() if name in {ELASTICSEARCH, SYSLOG}]
        return [_of_cursor(store, name, position) for name, position in there]


def _of_cursor(store: Store, name: str, position: int) -> Progress:
    lag = lag_of(store, position)
    first = next(iter(letters_of(store, name, 1).items()), None)
    return Progress(
        sink=name,
        behind=lag.behind,
        lag_seconds=0 if lag.oldest_ns is None else max(time.time_ns() - lag.oldest_ns, 0) // SECOND_NS,
        rejected=letter_count(store, name),
        first="" if first is None else f"row {first[0]:,}: {first[1]}",
    )


def _progress(config: Config) -> Iterator[Check]:
    """How far each is behind, and what it has rejected."""
    try:
        yield from map(_told, progress_of(config))
    except FileauditError as error:
        yield Check(name="store", ok=False, detail=str(error), cost=_COST, required=False)


def _told(found: Progress) -> Check:
    name, rejected = found.sink, counted(found.rejected, "record")
    detail = f"{name} is {counted(found.behind, 'row')} behind, {rejected} rejected"
    if not found.rejected:
        return Check(name="delivery", ok=True, detail=detail, required=False)
    tried = "SIGHUP and every start of the engine try them once more"
    return Check(
        name="delivery",
        ok=False,
        detail=f"{detail}; the first is {found.first}",
        cost=f"{name} has not got them",
        remedy=f"mend what the reason says; {tried}" if name == ELASTICSEARCH else "`query` has them",
        required=False,
    )
