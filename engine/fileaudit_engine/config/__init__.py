"""The configuration file: YAML, every mistake in it reported with its line.

A key that is read over without a word would be a promise that nobody keeps. So there are three kinds of
keys: those that this version acts on, those that are planned and not there yet, and mistakes. The last two
are errors.

Relative paths in it are relative to the file, not to wherever the command was started.
"""

from fileaudit_engine.config.correlation_section import LIMITS
from fileaudit_engine.config.load import load_config, parse_config
from fileaudit_engine.config.model import DEFAULT_STORE, Config
from fileaudit_engine.config.reading import LENGTH

__all__ = ["DEFAULT_STORE", "LENGTH", "LIMITS", "Config", "load_config", "parse_config"]
