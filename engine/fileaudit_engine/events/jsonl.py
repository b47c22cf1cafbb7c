"""Recorded events: one JSON document a line.

`EventReader` turns lines into events and tells what is wrong with a line, with its number; `line_of` writes
one. Whatever stands in a line, reading it returns diagnostics and never raises.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from fileaudit_engine.diagnostics import Diagnostic, Location, error_at
from fileaudit_engine.events.document import ENGINE_DATASET, document_of, document_of_loss
from fileaudit_engine.events.model import FileEvent, Loss
from fileaudit_engine.events.reader import event_of

_DECODER: Final = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder()
_ESCAPES: Final = r"write each byte of a file name that is not UTF-8 as \xNN"
_OUT_OF_RANGE: Final = "out of range"
"""What the decoder says of numbers such as 1e400, or of thousands of digits."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def encode(document: Mapping[str, object]) -> bytes:
    """A document as compact JSON on one line, without the line feed."""
    return _ENCODER.encode(document)


def line_of(event: FileEvent | Loss) -> bytes:
    """The event, or loss, as a line that `EventReader` reads back."""
    document = document_of_loss(event) if isinstance(event, Loss) else document_of(event)
    return encode(document) + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReader:
    """Reads the lines of one file.

    Attributes:
        file: Its name in diagnostics.
        allow_unknown_fields: Keep what the field table does not know in `FileEvent.extra`.
    """

    file: str
    allow_unknown_fields: bool = False

    def read(self, line: bytes, line_number: int) -> FileEvent | Loss | tuple[Diagnostic, ...]:
        """What a line says, or everything that is wrong with it. Lines are counted from 1.

        What the engine says about itself stands among its records and is no event: nothing is wrong with it,
        and it says nothing.
        """
        if line_number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        try:
            document = _DECODER.decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return (self._malformed(line, line_number, error),)
        if not isinstance(document, dict):
            return (error_at("FA071", "the line is JSON, but not an object", self._at(line_number)),)

        def locate(name: str) -> Location:
            return self._member(line, line_number, name)

        found = event_of(document, locate, allow_unknown_fields=self.allow_unknown_fields)
        return () if isinstance(found, tuple) and _is_about_the_engine(document) else found

    def _malformed(self, line: bytes, line_number: int, error: Exception) -> Diagnostic:
        if _OUT_OF_RANGE in str(error):  # it is JSON all right, and the decoder does not say where it stands
            too_large = "the line has a number that is too large to be read"
            return error_at(
                "FA071", too_large, self._at(line_number), help="put it in quotes, or leave it out"
            )
        message, position = _reason(error, line)
        column = len(line[:position].decode("utf-8", "replace")) + 1
        return error_at(
            "FA071",
            f"the line is not valid JSON: {message}",
            self._at(line_number, column),
            help=_ESCAPES if isinstance(error, UnicodeDecodeError) else "",
        )

    def _member(self, line: bytes, line_number: int, name: str) -> Location:
        """The place of a member's key, found by its text: exact enough for a message."""
        for key in (name, name.rpartition(".")[2]):
            quoted = f'"{key}"'.encode("utf-8", "replace")
            start = line.find(quoted) if key else -1
            if start >= 0:
                column = len(line[:start].decode("utf-8", "replace")) + 1
                return self._at(line_number, column, column + len(quoted.decode()))
        return self._at(line_number)

    def _at(self, line_number: int, column: int = 1, end_column: int | None = None) -> Location:
        return Location(file=self.file, line=line_number, column=column, end_column=end_column or column)


def _reason(error: Exception, line: bytes) -> tuple[str, int]:
    """What the decoder found, without its prefix, and at which byte."""
    if isinstance(error, UnicodeDecodeError):
        # The decoder counts from the start of the text member; the line is searched from its own start.
        try:
            line.decode()
        except UnicodeDecodeError as whole:
            return f"byte 0x{line[whole.start]:02x} is not UTF-8", whole.start
    if isinstance(error, RecursionError):
        return "objects inside objects, too deep", 0
    message, _, rest = str(error).removeprefix("JSON is malformed: ").partition(" (byte ")
    position = int(rest.removesuffix(")")) if rest.removesuffix(")").isdigit() else 0
    return message or "unreadable", position


def _is_about_the_engine(document: Mapping[str, object]) -> bool:
    """Whether it is a record of a start, of a stop or the like: nested, dotted, or whole from a search."""
    inner = document.get("_source")
    source = inner if isinstance(inner, dict) else document
    event = source.get("event")
    dataset = event.get("dataset") if isinstance(event, dict) else source.get("event.dataset")
    return bool(dataset == ENGINE_DATASET)
