"""The configuration file: YAML, every mistake in it reported with its line.

A key that is read over without a word would be a promise that nobody keeps: one that is not known is an
error. So is a secret, which stands in a file of its own or in the environment, and is read when it is needed.

Relative paths in it are relative to the file, not to wherever the command was started.
"""

from fileaudit_engine.config.correlation_section import LIMITS
from fileaudit_engine.config.load import load_config, parse_config
from fileaudit_engine.config.model import DEFAULT_STORE, Config
from fileaudit_engine.config.reading import LENGTH

__all__ = ["DEFAULT_STORE", "LENGTH", "LIMITS", "Config", "load_config", "parse_config"]
