r"""Frames read back as a receiver reads them, and names as bytes again: the recipe, in code.

1. Take the frame apart as RFC 5424 says (or the line of a local socket as syslog(3) does).
2. Take structured data, CEF or LEEF apart, each with its own escapes.
3. Undo the engine's: `\\` is a backslash, `\xNN` the byte, `\uNNNN` and `\UNNNNNNNN` the character.
4. Where there is `path_b64`, the name is its Base64 instead. What `truncated` names is not whole.

Nothing of the engine is used here: this is what somebody else writes who has only the description.
"""

import base64
import re
from dataclasses import dataclass, field

HEADER = re.compile(
    rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48})"
    rb" ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) (-(?: .*)?|\[.*)",
    re.DOTALL,
)
LOCAL = re.compile(r"<(\d{1,3})>([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) ([^ \[]+)\[(\d+)\]: (.*)", re.DOTALL)
PARAM = re.compile(r' ([^ ="\]]{1,32})="((?:[^"\\\]]|\\["\\\]])*)"')
ESCAPE = re.compile(r"\\(?:\\|x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")
CEF_HEADER = re.compile(r"((?:[^|\\]|\\[\\|])*)\|" * 7 + "(.*)", re.DOTALL)
CEF_PAIR = re.compile(r"(\w+)=((?:[^=\\]|\\[\\=])*?)(?= \w+=|$)", re.DOTALL)
CEF_BYTES = {"filePath": "filePathBase64", "oldFilePath": "oldFilePathBase64"}


@dataclass(frozen=True)
class Frame:
    """A frame that has been taken apart; `values` are all of a name, in order."""

    pri: int
    time: str
    host: str
    app: str
    process: str
    kind: str
    message: str
    values: dict[str, list[str]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        (value,) = self.values[name]
        return value

    @property
    def truncated(self) -> set[str]:
        return set(self.values.get("truncated", [""])[0].split(",")) - {""}

    def name(self, place: str) -> bytes:
        """The bytes of a name."""
        coded = CEF_BYTES.get(place, f"{place}_b64")
        if coded in self.values:
            return base64.b64decode(self.one(coded), validate=True)
        return unshown(self.one(place))


def unshown(text: str) -> bytes:
    """Step 3."""
    parts, at = [], 0
    for found in ESCAPE.finditer(text):
        assert "\\" not in text[at : found.start()], "no backslash stands for itself"
        parts.append(text[at : found.start()].encode())
        byte, short, long = found.groups()
        if byte is not None:
            parts.append(bytes([int(byte, 16)]))
        elif short or long:
            parts.append(chr(int(short or long, 16)).encode())
        else:
            parts.append(b"\\")
        at = found.end()
    assert "\\" not in text[at:], "no backslash stands for itself"
    return b"".join([*parts, text[at:].encode()])


def parsed(frame: bytes) -> Frame:
    """Steps 1 and 2, for a frame with structured data."""
    found = HEADER.fullmatch(frame)
    assert found is not None, frame[:200]
    pri, *header = (part.decode() for part in found.groups())
    values, message = structured(header.pop())
    time, host, app, process, kind = header
    return Frame(int(pri), time, host, app, process, kind, message, values)


def parsed_local(frame: bytes) -> Frame:
    """Likewise, for the local socket."""
    found = LOCAL.fullmatch(frame.decode())
    assert found is not None, frame[:200]
    pri, time, app, process, rest = found.groups()
    values, message = structured(rest)
    return Frame(int(pri), time, "", app, process, "", message, values)


def structured(text: str) -> tuple[dict[str, list[str]], str]:
    """Structured data of one element, and what stands behind it; or of none."""
    if text.startswith("-"):
        return {}, text[2:]
    head = "[fileaudit@32473"
    assert text.startswith(head)
    at = len(head)
    values: dict[str, list[str]] = {}
    while found := PARAM.match(text, at):
        values.setdefault(found[1], []).append(re.sub(r'\\(["\\\]])', r"\1", found[2]))
        at = found.end()
    assert text[at] == "]"
    assert text[at + 1 : at + 2] in {"", " "}
    return values, text[at + 2 :]


def parsed_cef(frame: bytes) -> tuple[list[str], Frame]:
    """Steps 1 and 2: the header's seven fields, and the frame with the extension's values."""
    outer = parsed(frame)
    found = CEF_HEADER.fullmatch(outer.message)
    assert found is not None, outer.message[:200]
    *fields, rest = found.groups()
    header = [re.sub(r"\\([\\|])", r"\1", part) for part in fields]
    values: dict[str, list[str]] = {}
    for key, value in CEF_PAIR.findall(rest):
        values.setdefault(key, []).append(re.sub(r"\\([\\=])", r"\1", value))
    assert all(len(found) == 1 for found in values.values()), "a key stands once"
    return header, Frame(**{**vars(outer), "values": values})


def parsed_leef(frame: bytes) -> tuple[list[str], Frame]:
    """Likewise: LEEF has no escapes."""
    outer = parsed(frame)
    *header, rest = outer.message.split("|", 6)
    values: dict[str, list[str]] = {}
    for pair in rest.split(header[5]):
        key, _, value = pair.partition("=")
        values.setdefault(key, []).append(value)
    assert all(len(found) == 1 for found in values.values()), "a key stands once"
    return header, Frame(**{**vars(outer), "values": values})
