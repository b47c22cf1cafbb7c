r"""LEEF 2.0, the Log Event Extended Format of QRadar.

    LEEF:2.0|fileaudit|fileaudit-engine|0.1.0|shadow_file_read|^|devTime=1764000000123^sev=8^cat=alert…

LEEF has no escapes; the sender names a delimiter that no value holds. Its default, a tab, would not pass:
many receivers rewrite control characters. It is `^`, and a `^` in a value is written as `\x5e`, as any byte
may be.
"""

from typing import Final

from fileaudit_engine import __version__
from fileaudit_engine.sinks.syslog.cef import PRODUCT, VENDOR
from fileaudit_engine.sinks.syslog.facts import BASE_NAME, Facts
from fileaudit_engine.sinks.syslog.words import RATINGS, cut, shown

DELIMITER: Final = "^"
LEAST: Final = 1
"""LEEF's severities begin here."""

_KEYS: Final = {"user": "usrName", "level": "", "rule": "", BASE_NAME: ""}
"""LEEF's names for facts; others keep ours. Rule and level stand in the header and in `sev`."""
_ESCAPED: Final = "\\x5e"
_BLANK: Final = "\\x20"


class Leef:
    """LEEF; see `form.Form`."""

    separator = DELIMITER

    def begin(self, facts: Facts, ts_ns: int, most: int) -> str:
        """The header, when it was, and where."""
        rating = max(RATINGS.get(facts.level, 0), LEAST)
        head = f"LEEF:2.0|{VENDOR}|{PRODUCT}|{__version__}|{_header(facts.rule, most)}|{DELIMITER}|"
        members = [f"devTime={ts_ns // 1_000_000}", f"sev={rating}", f"cat={facts.kind.value}"]
        members.append(f"name={cut(self.prepare(shown(facts.title)), most, str)}")
        if facts.host:
            members.append(f"identHostName={cut(self.prepare(shown(facts.host[:most])), most, str)}")
        return head + "".join(member + DELIMITER for member in members)

    def prepare(self, shown: str) -> str:
        """The delimiter is escaped, and so are blanks at the ends, which readers drop."""
        if shown[:1] == " ":
            shown = _BLANK + shown[1:]
        if shown[-1:] == " ":
            shown = shown[:-1] + _BLANK
        return shown.replace(DELIMITER, _ESCAPED)

    def escape(self, text: str) -> str:
        """There is nothing to escape in what is prepared."""
        return text

    def key(self, name: str, number: int) -> str:
        """Our names, but for what LEEF has a name for; a name stands once, so that files are counted."""
        return f"file{number}" if name == "file" else _KEYS.get(name, name)

    def pair(self, key: str, escaped: str) -> str:
        """An attribute."""
        return f"{key}={escaped}"

    def escape_message(self, text: str) -> str:
        """It is an attribute as others are."""
        return text.replace(DELIMITER, _ESCAPED)

    def end(self, message: str) -> str:
        """The message as an attribute."""
        return f"{DELIMITER}msg={message}" if message else ""


def _header(text: str, most: int) -> str:
    return cut(shown(text).replace("|", "\\x7c"), most, str)
