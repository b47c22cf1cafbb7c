"""`run`: capture on this host, detect, store, print."""

import argparse
import time
from pathlib import Path

from fileaudit_engine.cli import live
from fileaudit_engine.cli.common import Exit, Loaded, load, say
from fileaudit_engine.config import DEFAULT_STORE, Config, load_config
from fileaudit_engine.detect.detector import Detector
from fileaudit_engine.diagnostics import FileauditError
from fileaudit_engine.resources import rules_dir
from fileaudit_engine.runtime.pipeline import Pipeline
from fileaudit_engine.runtime.supervisor import Supervisor
from fileaudit_engine.sources.bpf import LiveSource
from fileaudit_engine.store.store import Store
from fileaudit_engine.text import printable


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
        "--rules", action="append", type=Path, metavar="DIR", help="rules (default: the shipped ones)"
    )
    parser.add_argument("--store", type=Path, metavar="PATH", help=f"default: {DEFAULT_STORE}")
    parser.add_argument("--probes", choices=("auto", "tracepoint"), default="auto", help="default: auto")
    parser.add_argument("--strict", action="store_true", help="do not start if any rule is broken")
    live.add_duration(parser)
    live.add_output(parser)
    live.add_ring(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """The command; returns the exit status."""
    config = load_config(args.config)
    loaded = _load(config, args)
    if not loaded.compiled.user.rules or (args.strict and loaded.broken):
        say("fileaudit-engine: no usable rule" if not args.strict else "fileaudit-engine: a rule is broken")
        return Exit.FINDINGS
    store_path = args.store or config.store_path or DEFAULT_STORE
    with Store.open(store_path) as store, Supervisor(duration_s=args.duration) as supervisor:
        pipeline = Pipeline(
            detector=Detector(loaded.compiled.user, loaded.compiled.kernel),
            sinks=live.alert_sinks(args),
            store=store,
            host=live.host_name(),
            on_loss=live.tell_loss,
            clock_ns=time.time_ns,
        )
        engine = _Engine(args, config, pipeline, supervisor)
        engine.watch(loaded, store_path)
    return Exit.FINE


def _load(config: Config, args: argparse.Namespace) -> Loaded:
    return load(args.rules or config.rules or [rules_dir()], args)


class _Engine:
    """The source in use, and the way from one to the next when rules are reloaded."""

    def __init__(
        self, args: argparse.Namespace, config: Config, pipeline: Pipeline, supervisor: Supervisor
    ) -> None:
        self._args = args
        self._config = config
        self._pipeline = pipeline
        self._supervisor = supervisor

    def watch(self, loaded: Loaded, store_path: Path) -> None:
        """Run until told to stop; then drain and print the summary."""
        source = live.open_source(loaded.compiled.kernel, self._args)
        try:
            self._greet(loaded, store_path)
            self._supervisor.start_clock()
            while True:
                self._pipeline.run(source, proceed=self._undisturbed)
                if not self._supervisor.take_reload():
                    break
                source = self._reloaded(source)
        finally:
            live.drain(source, self._pipeline.feed)
            for line in (
                live.events_line(source.counters()),
                *live.alert_lines(self._pipeline.tally(), store_path),
            ):
                say(line)

    def _undisturbed(self) -> bool:
        return self._supervisor.proceed() and not self._supervisor.reload_asked

    def _reloaded(self, source: LiveSource) -> LiveSource:
        """The source to go on with: the same one with other rules, or one that takes over without a gap."""
        try:
            loaded = _load(self._config, self._args)
            if not loaded.compiled.user.rules:
                say("reload    no usable rule; going on with the rules in use")
                return source
            successor = self._successor(source, loaded)
        except FileauditError as error:
            say(f"reload    {error}; going on with the rules in use")
            return source
        self._pipeline.detector = Detector(loaded.compiled.user, loaded.compiled.kernel)
        say(f"reload    {len(loaded.compiled.user.rules)} rules in use")
        return successor

    def _successor(self, source: LiveSource, loaded: Loaded) -> LiveSource:
        """Rules that fit the loaded programs are swapped in their maps.

        Others need programs of their own, which are attached before the old ones are let go: some events
        come twice, none is missed.
        """
        if source.replace_plan(loaded.compiled.kernel):
            return source
        successor = live.open_source(loaded.compiled.kernel, self._args)
        live.drain(source, self._pipeline.feed)
        return successor

    def _greet(self, loaded: Loaded, store_path: Path) -> None:
        rules, clauses = len(loaded.compiled.user.rules), len(loaded.compiled.kernel.clauses)
        say(f"watching  {rules} rules in {clauses} kernel clauses · store {printable(str(store_path))}")
        say("          Ctrl-C stops and prints a summary")
