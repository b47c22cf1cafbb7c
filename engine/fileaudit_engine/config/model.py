"""What a configuration file says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.detect.suppress import Suppress
from fileaudit_engine.rules.options import DEFAULTS
from fileaudit_engine.runtime.route import Route
from fileaudit_engine.sinks.settings import ElasticSettings, JsonLogSettings, SyslogSettings
from fileaudit_engine.store.settings import StoreSettings

DEFAULT_STORE: Final = Path("/var/lib/fileaudit/fileaudit.db")
"""Where `run` keeps its store unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a configuration file says; the defaults are those of a file that says nothing.

    Attributes:
        rules: Rule files and folders; empty: the shipped ones.
        store_path: The store; None: each command's own default.
        placeholders: As `RuleOptions.placeholders`.
        timezone: As `RuleOptions.timezone`.
        suppress: Which alerts repeat others and are folded; None: all are told.
        limits: How much correlations may hold.
        store: How long the store keeps what it has, and where its anchors go.
        json_log: The JSON log; None: there is none.
        elasticsearch: Elasticsearch; None: nothing goes there.
        syslog: The syslog receiver; None: nothing goes there.
        routes: Which sink is given what, in order; none: each is given what is usual for it.
    """

    rules: tuple[Path, ...] = ()
    store_path: Path | None = None
    placeholders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    timezone: str = DEFAULTS.timezone
    suppress: Suppress | None = None
    limits: Limits = field(default_factory=Limits)
    store: StoreSettings = field(default_factory=StoreSettings)
    json_log: JsonLogSettings | None = None
    elasticsearch: ElasticSettings | None = None
    syslog: SyslogSettings | None = None
    routes: tuple[Route, ...] = ()
