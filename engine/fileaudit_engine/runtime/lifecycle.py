"""What the engine says of its own coming and going, for whoever asks later whether anybody was watching."""

import dataclasses
import os
from collections.abc import Iterable
from typing import Final

from fileaudit_engine import __version__
from fileaudit_engine.compiler.stages import Compiled
from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.detect.record import Record
from fileaudit_engine.enrich.clock import clock_state
from fileaudit_engine.events.model import LIVE_CLOCK
from fileaudit_engine.events.objects import Document
from fileaudit_engine.events.times import SECOND_NS, rfc3339
from fileaudit_engine.rules.ast import QUIET_LEVEL
from fileaudit_engine.runtime.heartbeat import Before
from fileaudit_engine.sources.base import Counters
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import counted, printable, to_document

MOST_NAMES: Final = 1_000
"""Rules that are named in a record: the rest is counted."""


def start_record(store: Store, compiled: Compiled, before: Before, *, ts_ns: int, host: str) -> Record:
    """That it watches from now on, by which rules, and what was before.

    Args:
        store: Where it keeps what it sees.
        compiled: The rules.
        before: What was before.
        ts_ns: Since when it watches, nanoseconds since the Unix epoch.
        host: This host's name.
    """
    previous: Document = {"how": before.how}
    if before.until_ns is not None:
        previous["until"] = rfc3339(before.until_ns)
        previous["unwatched_seconds"] = max(ts_ns - before.until_ns, 0) // SECOND_NS
    facts: Document = {
        "pid": os.getpid(),
        "version": __version__,
        "store": store.identity.hex(),
        **_rules(compiled),
        "clock": _clock(),
        "previous": previous,
    }
    return engine_record(Action.ENGINE_START, ts_ns, host, _since(before), facts)


def _clock() -> Document:
    """Where the times of events are from, and whether somebody keeps that clock right, if that is known."""
    state = clock_state()
    known: Document = {} if state is None else dataclasses.asdict(state)
    return {"source": LIVE_CLOCK, **known}


def _since(before: Before) -> str:
    if before.until_ns is None:
        return "the first time with this store"
    return f"the one before was {before.how} at {rfc3339(before.until_ns)}"


def stop_record(counters: Counters, *, reason: str, ts_ns: int, host: str) -> Record:
    """That it does not watch any more.

    Args:
        counters: What became of the events that it saw.
        reason: Why it stops.
        ts_ns: Since when it does not watch, nanoseconds since the Unix epoch.
        host: This host's name.
    """
    facts: Document = {
        "pid": os.getpid(),
        "reason": to_document(reason),
        "events": {
            "seen": counters.seen,
            "filtered": counters.filtered,
            "delivered": counters.delivered,
            "lost": dict(counters.lost),
        },
    }
    return engine_record(Action.ENGINE_STOP, ts_ns, host, printable(reason), facts)


def reload_record(compiled: Compiled, *, ts_ns: int, host: str) -> Record:
    """That other rules are in force now."""
    facts = _rules(compiled)
    message = counted(len(compiled.user.rules) + len(compiled.correlations.correlations), "rule")
    return engine_record(Action.RULES_RELOADED, ts_ns, host, message, facts)


def _rules(compiled: Compiled) -> Document:
    """Which rules alert, and which write the audit trail."""
    rules = [
        *(one.rule for one in compiled.user.rules),
        *(c.rule for c in compiled.correlations.correlations),
    ]
    alerting = [rule.key for rule in rules if rule.level != QUIET_LEVEL]
    trails = [rule.key for rule in rules if rule.level == QUIET_LEVEL]
    return {
        "rules": _names(alerting),
        "rules_total": len(alerting),
        "trails": _names(trails),
        "trails_total": len(trails),
    }


def _names(keys: Iterable[str]) -> list[str]:
    return [to_document(key) for key in sorted(keys)[:MOST_NAMES]]
