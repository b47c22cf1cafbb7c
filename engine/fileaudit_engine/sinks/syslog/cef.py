r"""CEF, the Common Event Format, as ArcSight, Sentinel and many others read it.

    CEF:0|fileaudit|fileaudit-engine|0.1.0|shadow_file_read|Shadow file read|8|rt=1764000000123 cat=alert …

In the header `|` and `\` are escaped, in what follows `=` and `\`. A value ends where ` name=` follows, and
readers drop blanks around it: a blank at the beginning or the end of a name is written as `\x20`.
"""

from typing import Final

from fileaudit_engine import __version__
from fileaudit_engine.sinks.syslog.facts import BASE_NAME, Facts
from fileaudit_engine.sinks.syslog.words import RATINGS, cut, shown

VENDOR: Final = "fileaudit"
PRODUCT: Final = "fileaudit-engine"
LABELS: Final = {
    "cs1": "LoginUser",
    "cs2": "ParentProcess",
    "cs3": "Container",
    "cs4": "Tactic",
    "cs5": "Technique",
    "cs6": "CommandLine",
    "cn1": "Files",
    "cn2": "Repeats",
    "cn3": "LostEvents",
    "flexString1": "RepeatOf",
    "flexString2": "LoginUserId",
}
"""What CEF's free fields mean here."""

_KEYS: Final = {
    "id": "externalId",
    "action": "act",
    "outcome": "outcome",
    "path": "filePath",
    "path_b64": "filePathBase64",
    "source_path": "oldFilePath",
    "source_path_b64": "oldFilePathBase64",
    BASE_NAME: "fname",
    "target": "targetPath",
    "error": "reason",
    "file": "file",
    "user": "suser",
    "uid": "suid",
    "login_user": "cs1",
    "login_uid": "flexString2",
    "exe": "sproc",
    "pid": "spid",
    "parent_exe": "cs2",
    "container": "cs3",
    "container_name": "containerName",
    "tactic": "cs4",
    "technique": "cs5",
    "command": "cs6",
    "summary": "correlation",
    "events": "cnt",
    "files": "cn1",
    "repeats": "cn2",
    "repeat_of": "flexString1",
    "losses": "cn3",
    "truncated": "truncated",
}
"""Rule and level stand in the header."""

_IN_HEADER: Final = str.maketrans({"\\": "\\\\", "|": "\\|"})
_IN_VALUE: Final = str.maketrans({"\\": "\\\\", "=": "\\="})
_BLANK: Final = "\\x20"


class Cef:
    """CEF; see `form.Form`."""

    separator = " "

    def begin(self, facts: Facts, ts_ns: int, most: int) -> str:
        """The header, when it was, and where."""
        rating = RATINGS.get(facts.level, 0)
        words = f"{_header(facts.rule, most)}|{_header(facts.title, most)}"
        host = cut(self.prepare(shown(facts.host[:most])), most, self.escape)
        where = f" dvchost={host}" if host else ""
        times = f"rt={ts_ns // 1_000_000} cat={facts.kind.value}{where} "
        return f"CEF:0|{VENDOR}|{PRODUCT}|{__version__}|{words}|{rating}|{times}"

    def prepare(self, shown: str) -> str:
        """Blanks at the ends are escaped: readers drop them."""
        if shown[:1] == " ":
            shown = _BLANK + shown[1:]
        return shown[:-1] + _BLANK if shown[-1:] == " " else shown

    def escape(self, text: str) -> str:
        """As values have it."""
        return text.translate(_IN_VALUE) if "\\" in text or "=" in text else text

    def key(self, name: str, number: int) -> str:
        """CEF's name, where it has one; a name stands once, so that files are counted."""
        found = _KEYS.get(name, "")
        return f"{found}{number}" if name == "file" else found

    def pair(self, key: str, escaped: str) -> str:
        """A value; of a free field what it means, too."""
        label = LABELS.get(key)
        return f"{key}={escaped}" if label is None else f"{key}={escaped} {key}Label={label}"

    def escape_message(self, text: str) -> str:
        """It is a value as others are."""
        return self.escape(text)

    def end(self, message: str) -> str:
        """The message as a value."""
        return f" msg={message}" if message else ""


def _header(text: str, most: int) -> str:
    return cut(shown(text), most, lambda part: part.translate(_IN_HEADER))
