"""From a file to a `Config`, or to all that is wrong with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fileaudit_engine.config.correlation_section import limits_of
from fileaudit_engine.config.elasticsearch_section import elasticsearch_of
from fileaudit_engine.config.masking import Span, masked, quotes_nothing
from fileaudit_engine.config.model import Config
from fileaudit_engine.config.reading import Reading
from fileaudit_engine.config.routes_section import routes_of
from fileaudit_engine.config.rule_sections import placeholders_of, rules_of, timezone_of
from fileaudit_engine.config.sinks_section import json_log_of, sinks_of
from fileaudit_engine.config.store_section import store_of
from fileaudit_engine.config.suppress_section import suppress_of
from fileaudit_engine.config.syslog_section import syslog_of
from fileaudit_engine.detect.crossing import Limits
from fileaudit_engine.diagnostics import (
    Collector,
    Diagnostic,
    SourceText,
    UnusableInput,
    in_order,
    unusable_file,
)
from fileaudit_engine.plain_files import read_plain
from fileaudit_engine.rules.nodes import Node
from fileaudit_engine.rules.options import DEFAULTS
from fileaudit_engine.rules.source import MAX_FILE_BYTES, decode, read_documents
from fileaudit_engine.store.settings import StoreSettings

KEYS: Final = ("rules", "store", "placeholders", "timezone", "suppress", "correlation", "routes", "sinks")


def load_config(path: Path | str | None) -> Config:
    """The configuration in a file; the defaults if there is none.

    Raises:
        UnusableInput: With everything that is wrong with the file.
    """
    return Config() if path is None else parse_config(_read(Path(path)), Path(path))


def parse_config(raw: bytes, path: Path) -> Config:
    """The configuration in the content of a file.

    Raises:
        UnusableInput: As `load_config`.
    """
    problems = Collector()
    source, diagnostics = decode(str(path), raw)
    problems.extend(diagnostics)
    documents = [] if source is None or diagnostics else list(read_documents(source))
    for document in documents:
        problems.extend(document.diagnostics)
    if len(documents) > 1 and documents[1].root is not None:
        message = "the configuration is more than one document"
        problems.error("FA083", message, documents[1].root.location, help="remove all but one")
    reading = Reading(folder=path.absolute().parent, problems=problems)
    is_yaml = not problems.diagnostics
    if is_yaml and documents and documents[0].root is not None:
        config = _config_of(reading, documents[0].root)
    else:
        config = Config()
    if problems.diagnostics:
        raise _refusal(problems.diagnostics, source, reading.hidden, is_yaml=is_yaml)
    return config


def _refusal(
    found: Sequence[Diagnostic], source: SourceText | None, hidden: Sequence[Span], *, is_yaml: bool
) -> UnusableInput:
    """What is raised; no secret is in it."""
    if source is None:
        return UnusableInput(in_order(found))
    shown = masked(source, hidden, is_yaml=is_yaml)
    told = found if is_yaml else [quotes_nothing(diagnostic, shown) for diagnostic in found]
    return UnusableInput(in_order(told), {source.file: shown})


def _config_of(reading: Reading, root: Node) -> Config:
    """What the document says, as far as it can be read."""
    found = reading.members("", root, KEYS)
    store = store_of(reading, found["store"]) if "store" in found else (None, StoreSettings())
    sinks = sinks_of(reading, found["sinks"]) if "sinks" in found else {}
    zone = timezone_of(reading, found["timezone"]) if "timezone" in found else None
    return Config(
        rules=rules_of(reading, found["rules"]) if "rules" in found else (),
        store_path=store[0],
        placeholders=placeholders_of(reading, found["placeholders"]) if "placeholders" in found else {},
        timezone=zone or DEFAULTS.timezone,
        suppress=suppress_of(reading, found["suppress"]) if "suppress" in found else None,
        limits=limits_of(reading, found["correlation"]) if "correlation" in found else Limits(),
        store=store[1],
        json_log=json_log_of(reading, sinks["json"]) if "json" in sinks else None,
        elasticsearch=elasticsearch_of(reading, sinks["elasticsearch"]) if "elasticsearch" in sinks else None,
        syslog=syslog_of(reading, sinks["syslog"]) if "syslog" in sinks else None,
        routes=routes_of(reading, found["routes"], {"terminal", *sinks}) if "routes" in found else (),
    )


def _read(path: Path) -> bytes:
    try:
        return read_plain(path, MAX_FILE_BYTES + 1)
    except OSError as error:
        message = f"the configuration cannot be read: {error.strerror or error}"
        remedy = "name a plain file that is there and that you may read"
        raise unusable_file("FA080", str(path), message, remedy) from error
