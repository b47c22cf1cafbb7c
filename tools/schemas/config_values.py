"""Values that several sections of the configuration have, as `config.schema.json` says them."""

from typing import Final

from tools.schemas.parts import Schema, text_like

from fileaudit_engine.config import LENGTH as A_LENGTH
from fileaudit_engine.config.reading import FOREVER
from fileaudit_engine.config.reading import SIZE as A_SIZE

LENGTH: Final = text_like(f"^({A_LENGTH.pattern})$", "write a number and a unit, such as 200ms or 10m")
LENGTH_OR_FOREVER: Final = text_like(
    f"^({A_LENGTH.pattern}|{FOREVER})$", f"write a number and a unit, such as 90d, or '{FOREVER}'"
)
SIZE: Final = text_like(f"^({A_SIZE.pattern})$", "write a number and a unit, such as 500MB or 10GiB")
PATH: Final[Schema] = {"$ref": "#/$defs/path"}
