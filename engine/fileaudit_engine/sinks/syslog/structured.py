"""RFC 5424's own form: facts as structured data, then the message.

    [fileaudit@32473 id="…" rule="shadow_file_read" level="high" path="/etc/shadow" …] Shadow file read: …

The number is the one that is reserved for examples and for those who have none of their own (RFC 5612).
"""

from typing import Final

from fileaudit_engine.sinks.syslog.facts import BASE_NAME, Facts
from fileaudit_engine.sinks.syslog.words import cut, is_host, shown

SD_ID: Final = "fileaudit@32473"

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "]": "\\]"})


class Structured:
    """Structured data; see `form.Form`."""

    separator = " "

    def begin(self, facts: Facts, ts_ns: int, most: int) -> str:  # noqa: ARG002 - the header has told
        """The element's name, and the host's where the header cannot have it."""
        if is_host(facts.host):
            return f"[{SD_ID} "
        host = cut(self.prepare(shown(facts.host[:most])), most, self.escape)
        return f"[{SD_ID} {self.pair('host', host)} " if host else f"[{SD_ID} "

    def prepare(self, shown: str) -> str:
        """Nothing has to be done: it stands between quotes."""
        return shown

    def escape(self, text: str) -> str:
        """RFC 5424, 6.3.3."""
        return text.translate(_ESCAPES) if "\\" in text or '"' in text or "]" in text else text

    def key(self, name: str, number: int) -> str:  # noqa: ARG002 - a name may be there again (6.3.3)
        """Our own names."""
        return "" if name == BASE_NAME else name

    def pair(self, key: str, escaped: str) -> str:
        """A parameter."""
        return f'{key}="{escaped}"'

    def escape_message(self, text: str) -> str:
        """It has no syntax."""
        return text

    def end(self, message: str) -> str:
        """The message stands behind the element, free."""
        return f"] {message}" if message else "]"
