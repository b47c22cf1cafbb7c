"""What `doctor` says about the sinks of the configuration: whether they are reached, and how far they are."""

from collections.abc import Callable, Iterator

from fileaudit_engine.cli.delivering import ELASTICSEARCH, SYSLOG
from fileaudit_engine.config import DEFAULT_STORE, Config
from fileaudit_engine.diagnostics import FileauditError, MachineCannot
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


def _progress(config: Config) -> Iterator[Check]:
    """How far each is behind, and what it has rejected, as the store has it; nothing if there is no store."""
    path = config.store_path or DEFAULT_STORE
    if not path.exists():
        return
    try:
        with Store.open(path, read_only=True) as store:
            for name, position in store.cursors().items():
                if name in {ELASTICSEARCH, SYSLOG}:
                    yield _of_cursor(store, name, position)
    except FileauditError as error:
        yield Check(name="store", ok=False, detail=str(error), cost=_COST, required=False)


def _of_cursor(store: Store, name: str, position: int) -> Check:
    behind, number = lag_of(store, position).behind, letter_count(store, name)
    detail = f"{name} is {counted(behind, 'row')} behind, {counted(number, 'record')} rejected"
    if not number:
        return Check(name="delivery", ok=True, detail=detail, required=False)
    seq, reason = next(iter(letters_of(store, name, 1).items()))
    tried = "SIGHUP and every start of the engine try them once more"
    remedy = (
        f"mend what the reason says; {tried}" if name == ELASTICSEARCH else "they are in the store: `query`"
    )
    return Check(
        name="delivery",
        ok=False,
        detail=f"{detail}; the first is row {seq:,}: {reason}",
        cost=f"{name} has not got them",
        remedy=remedy,
        required=False,
    )
