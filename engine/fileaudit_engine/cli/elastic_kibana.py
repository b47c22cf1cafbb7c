"""`elastic install --kibana`: data views, searches and dashboards, imported into Kibana."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fileaudit_engine.cli.common import Exit, color_of
from fileaudit_engine.config.addresses import Unclear, address_of
from fileaudit_engine.diagnostics import MachineCannot, unusable_file
from fileaudit_engine.sinks.elastic.kibana import Kibana, KibanaSettings
from fileaudit_engine.sinks.elastic.kibana_answer import Imported
from fileaudit_engine.sinks.elastic.kibana_objects import (
    DEFAULT_SPACE,
    SPACE,
    TYPES,
    Bundle,
    KibanaObject,
    bundle_for,
)
from fileaudit_engine.sinks.output import GREEN, RED, YELLOW, painted
from fileaudit_engine.sinks.settings import ElasticSettings
from fileaudit_engine.text import counted, printable

OPTION: Final = "--kibana"
_EXAMPLE: Final = "https://kibana.example.org:5601"
_SCHEMES: Final = {"https": 443, "http": 80}
_PLURALS: Final = {"index-pattern": "data views", "search": "searches", "dashboard": "dashboards"}
_START: Final = "fileaudit-dashboard-alerts"
"""The dashboard to look at first."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `elastic install` that are about Kibana."""
    group = parser.add_argument_group(
        "Kibana",
        "Data views, searches and dashboards are imported with the credentials of `sinks.elasticsearch`. What"
        " is there by their ids is replaced, changes of yours as well: save what you change under a name of"
        " your own.",
    )
    group.add_argument(OPTION, metavar="URL", help="https://kibana:5601, with its base path if it has one")
    group.add_argument(
        "--space", metavar="NAME", default=DEFAULT_SPACE, help=f"a space of it (default: {DEFAULT_SPACE})"
    )
    group.add_argument(
        "--kibana-ca",
        metavar="FILE",
        type=Path,
        help="certificates that Kibana's must come from (default: `sinks.elasticsearch.ca_file`, else those"
        " that this host trusts)",
    )


def settings_of(args: argparse.Namespace, elastic: ElasticSettings) -> KibanaSettings | None:
    """Where the Kibana is, and who asks; None if nobody wants one.

    Raises:
        UnusableInput: The address or the name of the space is none, or the address is not safe.
    """
    if args.kibana is None:
        _refuse_alone(args)
        return None
    if not SPACE.fullmatch(args.space):
        message = f"'{printable(args.space)}' cannot be the name of a space"
        remedy = "write it as addresses have it, /s/NAME: lower case, digits, '-' and '_'"
        raise unusable_file("FA083", "--space", message, remedy)
    return KibanaSettings(
        url=_url_of(args.kibana),
        space=args.space,
        api_key=elastic.api_key,
        username=elastic.username,
        password=elastic.password,
        ca_file=args.kibana_ca or elastic.ca_file,
        timeout_s=elastic.timeout_s,
    )


def _refuse_alone(args: argparse.Namespace) -> None:
    """Options that say more of a Kibana that nobody has named."""
    for option, given in (
        ("--space", args.space != DEFAULT_SPACE),
        ("--kibana-ca", args.kibana_ca is not None),
    ):
        if given:
            message, remedy = "it is about a Kibana, and none is named", f"name it by {OPTION} URL"
            raise unusable_file("FA083", option, message, remedy)


def _url_of(text: str) -> str:
    """The address without a slash at the end."""
    try:
        address = address_of(text, _EXAMPLE)
    except Unclear as error:
        raise unusable_file("FA083", OPTION, f"the address {error.problem}", error.remedy) from error
    if address.scheme not in _SCHEMES or not address.host:
        remedy = f"write it as {_EXAMPLE}"
        raise unusable_file("FA083", OPTION, "the address is not one of the web", remedy)
    if address.scheme == "http" and not address.is_loopback:
        remedy = "write https://, and the file of its certificate's authority as --kibana-ca"
        raise unusable_file("FA083", OPTION, "credentials would be readable on the way", remedy)
    path = address.rest.rstrip("/")
    if not path.isascii() or any(character in path for character in "?#\\ %") or not path.isprintable():
        remedy = "write only the base path behind host and port, as /kibana"
        raise unusable_file("FA083", OPTION, "the address has more than a path behind its host", remedy)
    return f"{address.scheme}://{address.netloc}{path}"


def install(args: argparse.Namespace, settings: KibanaSettings) -> int:
    """Import, or say what would be; returns the exit status.

    Raises:
        UnusableInput: A secret or a file of certificates cannot be used.
        MachineCannot: It cannot be reached, refuses, or is no Kibana.
    """
    bundle = bundle_for(settings.space)
    kibana = Kibana(settings)
    try:
        _greet(kibana, settings)
        if args.dry_run:
            return _would(bundle)
        return _told(kibana.take(bundle), settings, color=color_of(args, sys.stdout))
    finally:
        kibana.close()


def _greet(kibana: Kibana, settings: KibanaSettings) -> None:
    found = kibana.look()
    if not found.ready:
        raise MachineCannot(f"{kibana.place}: Kibana is not ready", remedy="try again when it is")
    version = found.version or "of a version that it does not tell"
    print(f"kibana    {kibana.place} · Kibana {version} · space {settings.space}")
    kibana.check_space()


def _would(bundle: Bundle) -> int:
    for one in bundle.objects:
        print(f"+ {_named(one)}  would be imported")
    print(f"{_counts(bundle.objects)} would be imported; nothing was changed")
    return Exit.FINE


def _told(outcomes: list[Imported], settings: KibanaSettings, *, color: bool) -> int:
    for one in outcomes:
        print(_line(one, color=color))
    good = [one.object for one in outcomes if not one.trouble]
    bad = len(outcomes) - len(good)
    print(f"{_counts(good)} imported" + (f", {counted(bad, 'object')} not" if bad else ""))
    first = next((one.id for one in good if one.id.startswith(_START)), None)
    if first is not None:
        space = "" if settings.space == DEFAULT_SPACE else f"/s/{settings.space}"
        print(f"open {settings.url}{space}/app/dashboards#/view/{first}")
    return Exit.FINDINGS if bad else Exit.FINE


def _line(one: Imported, *, color: bool) -> str:
    if one.trouble:
        return f"{painted('✗', RED, color=color)} {_named(one.object)}  not imported: {one.trouble}"
    what = "replaced" if one.replaced else "created"
    sign = painted("~" if one.replaced else "+", YELLOW if one.replaced else GREEN, color=color)
    other = f", as {one.other_id}: its own id is taken" if one.other_id else ""
    return f"{sign} {_named(one.object)}  {what}{other}"


def _named(one: KibanaObject) -> str:
    """`dashboard  [File audit] Alerts`, in columns."""
    return f"{one.word:9}  {one.title:45}"


def _counts(objects: Sequence[KibanaObject]) -> str:
    """`2 data views, 10 searches, 3 dashboards`."""
    found = Counter(one.type for one in objects)
    words = [
        f"{found[type_]:,} {word if found[type_] == 1 else _PLURALS[type_]}"
        for type_, word in TYPES.items()
        if found[type_]
    ]
    return ", ".join(words) or "nothing"
