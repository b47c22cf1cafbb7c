"""What `run` does about the audit trail beside filling it.

It says in the trail itself when the engine watched, has anchors made, old records removed, and lets the JSON
log and the sinks behind a network follow the store.
"""

import time
from collections.abc import Callable

from fileaudit_engine.cli.common import say
from fileaudit_engine.cli.delivering import JSON_LOG, deliveries_of
from fileaudit_engine.compiler.stages import Compiled
from fileaudit_engine.config import Config
from fileaudit_engine.detect.engine_record import Action, engine_record
from fileaudit_engine.runtime import heartbeat
from fileaudit_engine.runtime.anchoring import Anchoring
from fileaudit_engine.runtime.believed import BelievedClock
from fileaudit_engine.runtime.chores import Chore
from fileaudit_engine.runtime.follower import Follower
from fileaudit_engine.runtime.heartbeat import Heartbeat
from fileaudit_engine.runtime.lifecycle import reload_record, start_record, stop_record
from fileaudit_engine.runtime.pipeline import Pipeline
from fileaudit_engine.runtime.retaining import Retaining
from fileaudit_engine.runtime.router import Router
from fileaudit_engine.sinks.jsonfile import JsonFile
from fileaudit_engine.sinks.settings import Begin
from fileaudit_engine.sources.base import Counters
from fileaudit_engine.store.anchors import AnchorFile, default_file
from fileaudit_engine.store.retention import Retention
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import printable, to_document


def tell_store(words: str) -> None:
    """Say something about the store on stderr."""
    say(f"STORE     {words}")


def _tell_retention(words: str) -> None:
    say(f"retention {words}")


def _tell_anchors(words: str) -> None:
    say(f"ANCHORS   {words}")


def _tell_json_log(words: str) -> None:
    say(f"JSON LOG  {words}")


class Trail:
    """The store of a running engine, and all that is done with it between two batches.

    Attributes:
        store: It.
        router: Which sink is given what.
    """

    def __init__(
        self, store: Store, config: Config, pipeline: Pipeline, router: Router, *, host: str
    ) -> None:
        """Put it together; nothing is written yet, except the cursors of sinks that are new.

        Raises:
            UnusableInput: The folder of the JSON log is not safe, or the store is damaged.
            MachineCannot: That folder cannot be made, or a cursor cannot be saved.
        """
        self.store = store
        self.router = router
        self._outlet = pipeline.outlet
        self._host = host
        believed = BelievedClock(store, since_ns=store.marked(heartbeat.ALIVE))
        follower = _json_log(store, config, router, self._note_json_log, believed)
        self._deliveries = deliveries_of(config, router, store, host=host, keep=self._outlet.hand_on)
        followers = [] if follower is None else [JSON_LOG]
        followers += [] if self._deliveries is None else self._deliveries.names
        self._anchoring = Anchoring(
            store,
            AnchorFile(config.store.anchor_file or default_file(store.path)),
            config.store,
            tell=_tell_anchors,
        )
        retaining = Retaining(
            store,
            _retention(config),
            host=host,
            sinks=followers,
            show=self._outlet.show,
            tell=_tell_retention,
            now_ns=believed.now_ns,
            announce=self._anchoring.announce,
        )
        self._beat = Heartbeat(store, failed=self._outlet.store_failed, replaced=self._tell_replaced)
        self._chores = _taking_turns(
            pipeline, retaining, follower, self._deliveries, self._beat, self._anchoring
        )

    def begin(self, compiled: Compiled) -> None:
        """The engine watches from now on."""
        now_ns = time.time_ns()
        before = heartbeat.before(self.store, now_ns)
        altered = self._anchoring.check(self._host)
        self._beat.tick(idle=True)
        start = start_record(self.store, compiled, before, ts_ns=now_ns, host=self._host)
        self._outlet.hand_on([start] if altered is None else [start, altered])
        if altered is not None:
            say(f"ALTERED   {str(altered.document['message']).partition(': ')[2]}; `verify` tells more")
        self._anchoring.anchor()

    def reloaded(self, compiled: Compiled) -> None:
        """It goes by other rules from now on."""
        self._outlet.hand_on([reload_record(compiled, ts_ns=time.time_ns(), host=self._host)])

    def refresh(self) -> None:
        """Somebody has asked to look again: sinks that had stopped try once more."""
        if self._deliveries is not None:
            self._deliveries.refresh()

    def end(self, counters: Counters, *, reason: str, ts_ns: int) -> None:
        """It has not watched since then."""
        self._outlet.hand_on([stop_record(counters, reason=reason, ts_ns=ts_ns, host=self._host)])

    def close(self) -> None:
        """All is told: bring everything to its end."""
        for chore in self._chores:
            chore.close()

    def _tell_replaced(self) -> None:
        """Somebody has put another file where the store was; sinks go on getting what is written."""
        path = self.store.path
        words = f"{printable(str(path))} is another file now, or none: what is kept since is gone at the stop"
        tell_store(f"{words}; start the engine anew")
        record = engine_record(
            Action.STORE_REPLACED,
            time.time_ns(),
            self._host,
            words,
            {"store_path": to_document(str(path))},
            alert_level="critical",
        )
        self._outlet.hand_on([record])

    def _note_json_log(self, reason: str) -> None:
        """The JSON log takes nothing, for a reason; or, without one, has had everything again."""
        action = Action.JSON_LOG_UNAVAILABLE if reason else Action.JSON_LOG_AVAILABLE
        words = printable(reason) or "it has had everything"
        record = engine_record(
            action, time.time_ns(), self._host, words, {"reason": to_document(reason) or None}
        )
        self._outlet.hand_on([record])

    def lines(self) -> list[str]:
        """The sinks, and `chain    head 12,345 · anchored 12,345 · /var/log/anchors.log, journal`."""
        anchoring = self._anchoring
        places = ", ".join(anchoring.places) or "nowhere"
        chain = f"chain    head {self.store.head.seq:,} · anchored {anchoring.seq:,} · {places}"
        return [*([] if self._deliveries is None else self._deliveries.lines()), chain]


def _taking_turns(pipeline: Pipeline, *chores: Chore | None) -> tuple[Chore, ...]:
    """Those that there are, each with a turn of its own."""
    there = tuple(chore for chore in chores if chore is not None)
    for chore in there:
        pipeline.add_chore(chore)
    return there


def _retention(config: Config) -> Retention:
    settings = config.store
    return Retention(
        age_ns=settings.retention_ns, max_bytes=settings.max_bytes, hard_bytes=settings.hard_bytes
    )


def _json_log(
    store: Store, config: Config, router: Router, noted: Callable[[str], None], believed: BelievedClock
) -> Follower | None:
    settings = config.json_log
    if settings is None:
        return None
    return Follower(
        JSON_LOG,
        JsonFile(settings, tell=_tell_json_log, believed_ns=believed.latest_ns),
        store,
        wanted=router.wanted(JSON_LOG),
        tell=_tell_json_log,
        noted=noted,
        from_start=settings.begin is Begin.START,
    )
