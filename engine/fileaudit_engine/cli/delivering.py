"""The sinks of the configuration that are behind a network, for the commands that feed them."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Final

from fileaudit_engine.cli.common import say
from fileaudit_engine.config import Config
from fileaudit_engine.detect.record import Record
from fileaudit_engine.runtime.deliveries import Deliveries
from fileaudit_engine.runtime.delivery import Delivery, Tell
from fileaudit_engine.runtime.follower import StoreSink
from fileaudit_engine.runtime.router import Router
from fileaudit_engine.sinks.secrets import exposed
from fileaudit_engine.sinks.settings import Begin, ElasticSettings, SyslogSettings
from fileaudit_engine.store.store import Store

ELASTICSEARCH: Final = "elasticsearch"
SYSLOG: Final = "syslog"
JSON_LOG: Final = "json"
TERMINAL: Final = "terminal"
"""The names of sinks: routes and cursors have them."""


def tell_sinks(words: str) -> None:
    """Say something about sinks on stderr."""
    say(f"SINK      {words}")


def router_of(config: Config) -> Router:
    """Who gets what, as the configuration asks."""
    there = {
        TERMINAL: True,
        JSON_LOG: config.json_log is not None,
        ELASTICSEARCH: config.elasticsearch is not None,
        SYSLOG: config.syslog is not None,
    }
    return Router(config.routes, [name for name, is_there in there.items() if is_there])


def routes_lines(config: Config, router: Router) -> list[str]:
    """Who gets what, a line a sink; none where there is nothing but the terminal, and no route."""
    if not config.routes and router.names == [TERMINAL]:
        return []
    columns = max(map(len, router.names))
    return [
        f"{'routes' if number == 0 else '':10}{name:{columns}}  {router.words(name)}"
        for number, name in enumerate(router.names)
    ]


def deliveries_of(  # noqa: PLR0913 - one argument a part
    config: Config,
    router: Router,
    store: Store,
    *,
    host: str,
    keep: Callable[[Sequence[Record]], object],
    end_s: float | None = None,
) -> Deliveries | None:
    """What delivers to the sinks behind a network; None if there is none. Nothing is sent yet.

    Args:
        config: Which sinks there are.
        router: Which of them is given what.
        store: Open for writing.
        host: This host's name.
        keep: Is given what the engine says about its sinks.
        end_s: How long the last connection of syslog may take to end, seconds; None: as an engine that stops.

    Raises:
        UnusableInput: The store is damaged.
        MachineCannot: A cursor cannot be saved.
    """
    made: list[Delivery] = []
    elastic, syslog = config.elasticsearch, config.syslog
    if elastic is not None:
        start = elastic.begin is Begin.START
        wanted = router.wanted(ELASTICSEARCH)
        made.append(Delivery(ELASTICSEARCH, _elastic(elastic), store, wanted=wanted, from_start=start))
    if syslog is not None:
        start = syslog.begin is Begin.START
        wanted = router.wanted(SYSLOG)
        made.append(Delivery(SYSLOG, _syslog(syslog, end_s), store, wanted=wanted, from_start=start))
    return Deliveries(made, store, host=host, keep=keep, tell=tell_sinks) if made else None


def warn_of_secrets(config: Config) -> None:
    """Say which secrets others could read."""
    elastic, syslog = config.elasticsearch, config.syslog
    secrets = () if elastic is None else (elastic.api_key, elastic.password)
    for secret in secrets:
        for words in () if secret is None else secret.warnings():
            tell_sinks(words)
    if syslog is not None and syslog.key_file is not None:
        for words in exposed(syslog.key_file):
            tell_sinks(words)


def _elastic(settings: ElasticSettings) -> Callable[[Tell], StoreSink]:
    def make(_tell: Tell) -> StoreSink:
        from fileaudit_engine.sinks.elastic.sink import ElasticSink  # noqa: PLC0415 - a third of a second

        return ElasticSink(settings)

    return make


def _syslog(settings: SyslogSettings, end_s: float | None) -> Callable[[Tell], StoreSink]:
    def make(tell: Tell) -> StoreSink:
        from fileaudit_engine.sinks.syslog.sink import SyslogSink  # noqa: PLC0415 - with what TLS needs
        from fileaudit_engine.sinks.syslog.streams import DEFAULT  # noqa: PLC0415 - likewise

        patience = DEFAULT if end_s is None else dataclasses.replace(DEFAULT, close_s=end_s)
        return SyslogSink(settings, tell=tell, patience=patience)

    return make
