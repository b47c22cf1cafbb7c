"""`run`: capture on this host, detect, store, print."""

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from fileaudit_engine.cli import live
from fileaudit_engine.cli.common import Exit, say
from fileaudit_engine.cli.delivering import router_of, routes_lines, warn_of_secrets
from fileaudit_engine.cli.loading import Loaded, add_unknown_fields, has_rules, load
from fileaudit_engine.cli.trail import Trail, tell_store
from fileaudit_engine.compiler.plan import CAPTURED_OPERATIONS
from fileaudit_engine.config import DEFAULT_STORE, Config
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.diagnostics import FileauditError
from fileaudit_engine.events.batch import Batch
from fileaudit_engine.events.model import Loss
from fileaudit_engine.resources import detections_dir
from fileaudit_engine.runtime.collector import settle
from fileaudit_engine.runtime.correlations import seen_until
from fileaudit_engine.runtime.keeper import Keeper
from fileaudit_engine.runtime.pipeline import Pipeline
from fileaudit_engine.runtime.route_check import idle_names
from fileaudit_engine.runtime.spool import Spool
from fileaudit_engine.runtime.supervisor import Supervisor
from fileaudit_engine.sources import privilege
from fileaudit_engine.sources.base import Counters
from fileaudit_engine.sources.bpf import LiveSource
from fileaudit_engine.sources.compat import COMPAT_COST, COMPAT_REMEDY, takes_compat_calls
from fileaudit_engine.sources.privilege import require_privilege
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import counted, printable

COPY_NS: Final = 100_000
"""How much later than a source its successor may say that the same call was, nanoseconds. Each looks at the
clock for itself: 2 to 10 microseconds were measured."""


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "run",
        parents=[common],
        help="detect on this host, live",
        description="Captures file operations on this host, evaluates the rules, stores and prints alerts."
        " SIGHUP reloads the rules; SIGTERM and SIGINT drain and stop.",
    )
    parser.add_argument(
        "--rules",
        action="append",
        type=Path,
        metavar="DIR",
        help="rules, or a scope of the audit trail out of rules/audit; may be given again (default: the"
        " shipped detections, rules/linux)",
    )
    parser.add_argument("--store", type=Path, metavar="PATH", help=f"default: {DEFAULT_STORE}")
    parser.add_argument(
        "--probes", choices=("auto", "tracepoint", "lsm"), default="auto", help="default: auto"
    )
    parser.add_argument("--strict", action="store_true", help="do not start if any rule is broken")
    add_unknown_fields(parser)
    live.add_duration(parser)
    live.add_output(parser)
    live.add_ring(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    config = args.settings
    loaded = _load(config, args)
    if not has_rules(loaded, _paths(config, args)):
        return Exit.UNUSABLE
    if refusal := _refusal(loaded, args):
        say(f"fileaudit-engine: {refusal}")
        return Exit.FINDINGS
    require_privilege()
    router = router_of(config)
    supervisor = Supervisor(duration_s=args.duration, reloads=True)
    with Store.open(args.store or config.store_path or DEFAULT_STORE) as store, supervisor:
        detector = Detector(loaded.compiled.user, loaded.compiled.kernel)
        spool = Spool(
            store,
            tell=tell_store,
            proceed=supervisor.proceed,
            host=live.host_name(),
            clock_ns=time.time_ns,
        )
        pipeline = Pipeline(
            detector=detector,
            correlations=live.correlations_of(loaded.compiled, detector, config.limits),
            suppressor=live.suppressor_of(config),
            sinks=live.alert_sinks(args, router),
            spool=spool,
            keeper=Keeper(store, tell=tell_store),
            host=live.host_name(),
            on_loss=live.tell_loss,
            tell=_tell_windows,
            clock_ns=time.time_ns,
        )
        trail = Trail(store, config, pipeline, router, host=live.host_name())
        return _Engine(args, config, pipeline, supervisor, trail).watch(loaded)


def _paths(config: Config, args: argparse.Namespace) -> Sequence[Path]:
    given: list[Path] | None = args.rules
    return given or config.rules or [detections_dir()]


def _load(config: Config, args: argparse.Namespace) -> Loaded:
    return load(_paths(config, args), args)


def _refusal(loaded: Loaded, args: argparse.Namespace) -> str:
    """Why these rules cannot be run; empty if they can."""
    if args.strict and loaded.broken:
        return "a rule is broken, and --strict was given"
    return "" if loaded.compiled.user.rules else "no usable rule"


def _tell_windows(words: str) -> None:
    say(f"windows   {words}")


class Passage:
    """The way into a pipeline of what a source yields while another one takes over.

    Attributes:
        newest_ns: Time of the latest event that has come this way; None before any has.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.newest_ns: int | None = None
        self._pipeline = pipeline

    def feed(self, item: Batch | Loss) -> None:
        """Hand an item on."""
        self._pipeline.feed(item)
        if not isinstance(item, Loss) and len(item.candidates):
            self.newest_ns = max(self.newest_ns or 0, seen_until(item, 0))

    @property
    def heard_ns(self) -> int | None:
        """Until when the successor tells again what has come this way; None if nothing can come again."""
        return None if self.newest_ns is None else self.newest_ns + COPY_NS


class _Engine:
    """The source in use, and the way from one to the next when rules are reloaded."""

    def __init__(
        self,
        args: argparse.Namespace,
        config: Config,
        pipeline: Pipeline,
        supervisor: Supervisor,
        trail: Trail,
    ) -> None:
        self._args = args
        self._config = config
        self._pipeline = pipeline
        self._supervisor = supervisor
        self._trail = trail
        self._before = Counters()
        """Of sources that were replaced."""

    def watch(self, loaded: Loaded) -> int:
        """Run until told to stop; then drain and print the summary. Returns the exit status."""
        compat = bool(takes_compat_calls())  # tried before anything is watched
        source = self._open(loaded)
        watched_ns = time.time_ns()
        failed = True
        try:
            self._greet(loaded, source.doubts(), compat=compat)
            self._trail.begin(loaded.compiled)
            self._pipeline.resume(watched_ns)
            settle()
            self._supervisor.start_clock()
            while True:
                self._pipeline.run(source, proceed=self._undisturbed)
                if not self._supervisor.take_reload():
                    break
                source = self._reloaded(source)
            failed = False
        finally:
            status = self._wind_up(source, failed=failed)
        return status

    def _open(self, loaded: Loaded) -> LiveSource:
        return live.open_source(loaded.compiled.kernel, self._args, profile=self._args.probes)

    def _wind_up(self, source: LiveSource, *, failed: bool) -> int:
        """Drain, then say what came of everything; the summary comes whatever fails."""
        unkept = 0
        stopped_ns = time.time_ns()
        try:
            live.drain(source, self._pipeline.feed)
            self._pipeline.settle()
        finally:
            counters = self._before + source.counters()
            self._trail.end(counters, reason=self._reason(failed=failed), ts_ns=stopped_ns)
            unkept = self._pipeline.finish()
            self._trail.close()
            say(live.events_line(counters))
            if source.compat_programs:
                programs = counted(source.compat_programs, "32-bit program")
                say(f"blind    {programs} started: what they did is not among these")
            for line in live.alert_lines(self._pipeline.tally(), self._trail.store.path):
                say(line)
            for line in self._trail.lines():
                say(line)
        if unkept:
            say(f"STORE     {unkept:,} records could not be stored and are gone")
        return Exit.MACHINE if unkept else live.output_status(self._pipeline)

    def _reason(self, *, failed: bool) -> str:
        """Why it stops, in a word or two."""
        signal_number = self._supervisor.stopped_by
        if signal_number is not None:
            return signal_number.name
        return self._pipeline.gone or ("failure" if failed else "time is up")

    def _undisturbed(self) -> bool:
        return self._supervisor.proceed() and not self._supervisor.reload_asked

    def _reloaded(self, source: LiveSource) -> LiveSource:
        """The source to go on with: the same one with other rules, or one that takes over without a gap."""
        self._trail.refresh()
        try:
            loaded = _load(self._config, self._args)
            if refusal := _refusal(loaded, self._args):
                say(f"reload    {refusal}; going on with the rules in use")
                return source
            passage = Passage(self._pipeline)
            successor = self._successor(source, loaded, passage)
        except (FileauditError, OSError) as error:
            say(f"reload    {error}; going on with the rules in use")
            return source
        if successor is not source:
            live.drain(source, passage.feed)
            self._before += source.counters()
        detector = Detector(loaded.compiled.user, loaded.compiled.kernel)
        correlations = live.correlations_of(loaded.compiled, detector, self._config.limits)
        self._pipeline.use(detector, correlations, heard_ns=passage.heard_ns)
        self._trail.reloaded(loaded.compiled)
        say(f"reload    {live.rules_words(loaded.compiled)} in use")
        _tell_doubts(loaded, successor.doubts(), self._config)
        return successor

    def _successor(self, source: LiveSource, loaded: Loaded, passage: Passage) -> LiveSource:
        """Rules that fit the loaded programs are swapped in their maps.

        Others need programs of their own. They are loaded beside the running ones, which go on being read,
        and attached before the old ones are let go: an event in between may come twice, none is missed.
        Correlations count it once.
        """
        if source.replace_plan(loaded.compiled.kernel):
            return source
        with ThreadPoolExecutor(max_workers=1) as loader:
            opening = loader.submit(self._open, loaded)
            for item in source.batches():
                passage.feed(item)
                if opening.done():
                    break
            return opening.result()

    def _greet(self, loaded: Loaded, doubts: Sequence[str], *, compat: bool) -> None:
        rules = live.rules_words(loaded.compiled)
        clauses = counted(len(loaded.compiled.kernel.clauses), "kernel clause")
        say(f"watching  {rules} in {clauses} · store {printable(str(self._trail.store.path))}")
        for line in routes_lines(self._config, self._trail.router):
            say(line)
        warn_of_secrets(self._config)
        _tell_privileges()
        if compat:
            say(f"          blind: {COMPAT_COST};")
            say(f"          {COMPAT_REMEDY}")
        say("          Ctrl-C stops and prints a summary")
        _tell_doubts(loaded, doubts, self._config)


def _tell_privileges() -> None:
    """Name what is left of root, and what cannot be done for lack of more."""
    left = privilege.privileges()
    beyond = (
        ""
        if left.bounding & ~privilege.mask(privilege.KEPT) == 0
        else (
            " (programs that it starts get no more; the bounding set stays as it is, for want of CAP_SETPCAP)"
        )
    )
    say(f"privileges  {', '.join(left.names)}{beyond}")
    for name, reason in privilege.KEPT.items():
        if name not in left.names:
            say(f"          without {name} it cannot {reason}")


def _tell_doubts(loaded: Loaded, doubts: Sequence[str], config: Config) -> None:
    """Name the rules whose operations are not captured, what found no room, and how many rules are costly.

    Args:
        loaded: The rules.
        doubts: Of the source.
        config: Its routes may name rules that are not there.
    """
    documents = [
        *(rule.rule for rule in loaded.compiled.user.rules),
        *(one.rule for one in loaded.compiled.correlations.correlations),
    ]
    for words in idle_names(config.routes, documents):
        say(f"          routes: {printable(words)}")
    blind = [
        r.rule.key for r in loaded.compiled.user.rules if not r.logsource.operations & CAPTURED_OPERATIONS
    ]
    if blind:
        names = printable(", ".join(blind))
        say(f"          blind: this version does not capture the operations of {names}")
    for doubt in doubts:
        say(f"          blind: {doubt}")
    costly = len(loaded.compiled.diagnostics)
    if costly:
        say(f"          costly: {counted(costly, 'warning')} about what rules cost this host; `check` tells")
