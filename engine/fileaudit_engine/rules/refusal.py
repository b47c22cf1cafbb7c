"""What a function raises that cannot make anything of a value; whoever knows its place reports it."""

from typing import Final

MAX_FORMS: Final = 1_024
"""What one value may become: a rule with more forms of one value is a mistake, or made to fill memory."""

MAX_FORM_CHARACTERS: Final = 1_000_000
"""Characters of all forms of one value together."""


class UnusableValue(Exception):
    """A value that its modifiers cannot take.

    Attributes:
        code: The diagnostic's.
        message: What is wrong.
        help: What to do.
        span: Which part of the value is meant, as two indexes into its text; the whole of it if None.
    """

    def __init__(self, code: str, message: str, remedy: str, span: tuple[int, int] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = remedy
        self.span = span


def bound_forms(modifier: str, forms: int, characters: int) -> None:
    """Refuse a value that would become too many.

    Args:
        modifier: What multiplies it.
        forms: How many it would become.
        characters: The length of one of them.

    Raises:
        UnusableValue: They are more than `MAX_FORMS`, or longer than `MAX_FORM_CHARACTERS` together.
    """
    if forms > MAX_FORMS:
        raise UnusableValue(
            "FA039",
            f"'{modifier}' makes more than {MAX_FORMS:,} forms of this value",
            "split it into several shorter values",
        )
    if forms * characters > MAX_FORM_CHARACTERS:
        raise UnusableValue(
            "FA039",
            f"'{modifier}' makes more than {MAX_FORM_CHARACTERS:,} characters of this value",
            "shorten it",
        )
