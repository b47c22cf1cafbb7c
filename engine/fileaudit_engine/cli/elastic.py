"""`elastic`: what Elasticsearch has to know before records come, and how things stand there."""

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from fileaudit_engine.cli import elastic_kibana, elastic_status
from fileaudit_engine.cli.common import Exit, color_of
from fileaudit_engine.config import DEFAULT_STORE, Config
from fileaudit_engine.diagnostics import MachineCannot, unusable_file
from fileaudit_engine.sinks.elastic.install import Plan, differences, plan_for, put, roll_over
from fileaudit_engine.sinks.elastic.installed import Standing, State
from fileaudit_engine.sinks.elastic.node import Node, connected
from fileaudit_engine.sinks.elastic.status import TOO_OLD, too_old, version_of
from fileaudit_engine.sinks.elastic.templates import LIFECYCLE
from fileaudit_engine.sinks.output import DIM, GREEN, RED, YELLOW, painted
from fileaudit_engine.sinks.settings import ElasticSettings
from fileaudit_engine.text import counted, printable

MOST_LINES: Final = 40
"""Lines of a difference that are shown for one template."""

COSTS: Final = {
    LIFECYCLE: "nobody begins a new index by age or size: `POST /DATA_STREAM/_rollover` does it by hand",
    "wildcard": "looking for a part of a path or a command line takes longer",
    "constant_keyword": "some bytes more for each document",
    "match_only_text": "messages take more room",
}
"""What it costs where a node lacks a part."""

_DONE: Final = {
    State.MISSING: ("created", "would be created"),
    State.OLDER: ("updated", "would be updated"),
    State.EDITED: (
        "put back: it was not what the engine had put",
        "would be put back: it was changed by hand",
    ),
}
_LEFT: Final = {
    State.SAME: "unchanged",
    State.NEWER: "left as it is: of a newer version of the engine",
    State.YOURS: "left as it is: you have your own",
}


def register(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "elastic",
        help="index templates and data streams in Elasticsearch",
        description="Prepares the Elasticsearch of the configuration for the engine's documents, and says how"
        " things stand there. Hosts and credentials are those of `sinks.elasticsearch`.",
    )
    commands = parser.add_subparsers(metavar="install|status", required=True)
    _register_install(commands, common)
    _register_status(commands, common)


def _register_install(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    parser = commands.add_parser(
        "install",
        parents=[common],
        help="put index templates",
        description="Puts the templates by which data streams are made: a portable core that every node"
        " takes, and what only a full one has, found out by trying. All is tried before anything is changed;"
        " what is there already stays, so that a second time changes nothing. Neither your own template"
        " 'fileaudit@custom' nor an existing lifecycle policy is ever touched. Exit 1 where another template"
        " is in the way.",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")
    parser.add_argument(
        "--rollover",
        action="store_true",
        help="begin the next index of data streams that are written by older mappings",
    )
    elastic_kibana.add_options(parser)
    parser.set_defaults(command=install)


def _register_status(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    parser = commands.add_parser(
        "status",
        parents=[common],
        help="what is there, and what is not yet",
        description="Shows the node, its templates and data streams, the alerts in it, and from the store of"
        " this host what waits and what was rejected. Exit 1 where something is wrong: a template is missing,"
        " old or changed, records were rejected, or many wait.",
    )
    parser.add_argument("--format", choices=("pretty", "json"), default="pretty", help="default: pretty")
    parser.add_argument(
        "--store", type=Path, metavar="PATH", help=f"default: of the configuration, else {DEFAULT_STORE}"
    )
    parser.set_defaults(command=status)


def settings_of(config: Config, given: str | None) -> ElasticSettings:
    """Where to, as the configuration says.

    Raises:
        UnusableInput: It does not.
    """
    if config.elasticsearch is not None:
        return config.elasticsearch
    remedy = "write `sinks: {elasticsearch: {hosts: [https://es:9200], api_key_file: /etc/fileaudit/es.key}}`"
    if given is None:
        remedy = f"name a configuration by --config, and in it {remedy}"
    raise unusable_file("FA083", given or "--config", "it names no Elasticsearch", remedy)


# ---------------------------------------------------------------------------------------------- install


def install(args: argparse.Namespace) -> int:
    """The command `elastic install`; returns the exit status."""
    settings = settings_of(args.settings, args.config)
    kibana = elastic_kibana.settings_of(args, settings)
    with connected(settings) as node:
        done = _install(node, settings, args)
    return done if kibana is None else max(done, elastic_kibana.install(args, kibana))


def _install(node: Node, settings: ElasticSettings, args: argparse.Namespace) -> int:
    color = color_of(args, sys.stdout)
    version = version_of(node)
    print(f"node      {node.place} · Elasticsearch {version or 'of an unknown version'}")
    if too_old(version):
        raise MachineCannot(f"{node.place} takes no records: it is Elasticsearch {version}", remedy=TOO_OLD)
    plan = plan_for(node, settings.namespace)
    for line in _lacks(plan):
        print(line)
    if plan.hindrances:
        for words in plan.hindrances:
            print(f"{painted('✗', RED, color=color)} {words}")
        print("nothing was changed")
        return Exit.FINDINGS
    with _told_how_far(plan, dry_run=args.dry_run) as count:
        for standing in plan.standings:
            count(standing)
            _handle(node, standing, dry_run=args.dry_run, color=color)
    for words in plan.warnings:
        print(f"{painted('!', YELLOW, color=color)} {words}")
    _streams(node, plan, args)
    print(_sum(plan, dry_run=args.dry_run))
    return Exit.FINDINGS if plan.warnings else Exit.FINE


@contextlib.contextmanager
def _told_how_far(plan: Plan, *, dry_run: bool) -> Iterator[Callable[[Standing], None]]:
    """Adds to a failure how much was done before it, and that it need not be done again."""
    begun: list[Standing] = []
    try:
        yield begun.append
    except MachineCannot as error:
        done = sum(standing.behind for standing in begun[:-1])
        if dry_run or not done:
            raise
        words = f"{done} of {len(plan.to_put)} are put; the same command again goes on from there"
        raise MachineCannot(
            str(error), remedy=f"{error.remedy}; {words}" if error.remedy else words
        ) from error


def _lacks(plan: Plan) -> Iterator[str]:
    lacking = [name for name, why_not in plan.parts.items() if why_not]
    for number, name in enumerate(lacking):
        heading = "lacks" if number == 0 else ""
        yield f"{heading:10}{name}: {COSTS.get(name, 'the portable core does without')}"


def _handle(node: Node, standing: Standing, *, dry_run: bool, color: bool) -> None:
    """Put one template, or say that it would be put, or why it is not."""
    if standing.behind and not dry_run:
        put(node, standing)
    print(f"{_mark(standing, color=color)} {named(standing)}  {_outcome(standing, dry_run=dry_run)}")
    if standing.state in {State.OLDER, State.EDITED, State.YOURS}:
        _print_differences(standing, color=color)


def named(standing: Standing) -> str:
    """`component  fileaudit@settings`, in columns."""
    return f"{standing.template.kind.word:9}  {standing.template.name:20}"


def _mark(standing: Standing, *, color: bool) -> str:
    if standing.behind:
        return painted("+" if standing.state is State.MISSING else "~", GREEN, color=color)
    return painted("=", DIM, color=color)


def _outcome(standing: Standing, *, dry_run: bool) -> str:
    if standing.behind:
        return _DONE[standing.state][dry_run]
    return _LEFT[standing.state]


def _print_differences(standing: Standing, *, color: bool) -> None:
    lines = list(differences(standing))
    for line in lines[:MOST_LINES]:
        print(f"      {painted(line, GREEN if line[0] == '+' else RED, color=color)}")
    if len(lines) > MOST_LINES:
        print(f"      … {counted(len(lines) - MOST_LINES, 'more line')}")


def _streams(node: Node, plan: Plan, args: argparse.Namespace) -> None:
    """Data streams that go on with the mappings they have."""
    for stream in plan.behind:
        name = printable(stream.name)
        if not args.rollover:
            print(f"! data stream {name} goes on with the mappings it has until its next index")
        elif args.dry_run:
            print(f"~ data stream {name}  its next index would be begun")
        else:
            print(f"~ data stream {name}  its next index is begun: {roll_over(node, stream)}")
    if plan.behind and not args.rollover:
        print("  = help: '--rollover' begins it now; what is there already stays as it is")


def _sum(plan: Plan, *, dry_run: bool) -> str:
    changed, left = len(plan.to_put), len(plan.standings) - len(plan.to_put)
    if not changed and plan.warnings:
        return "nothing was changed: what stands in the way is not the engine's to change"
    if not changed:
        return "everything is as it should be: nothing was changed"
    words = "would be put" if dry_run else "put"
    return f"{changed} {words}, {left} left as they are{'; nothing was changed' if dry_run else ''}"


# ----------------------------------------------------------------------------------------------- status


def status(args: argparse.Namespace) -> int:
    """The command `elastic status`; returns the exit status."""
    settings = settings_of(args.settings, args.config)
    spool = elastic_status.spool_of(args.store or args.settings.store_path, asked=args.store is not None)
    with connected(settings) as node:
        report = elastic_status.report_on(node, settings.namespace, spool)
    if args.format == "json":
        print(elastic_status.as_json(report))
    else:
        for line in elastic_status.lines_of(report, color=color_of(args, sys.stdout)):
            print(line)
    return Exit.FINDINGS if report.findings else Exit.FINE
