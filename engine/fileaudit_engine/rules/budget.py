"""What the documents of one file may cost together, counted while they are read.

Each bound of a single value or document keeps that one small; but a file may have thousands of them. So what
is dear is counted for the whole file as well: regular expressions, the forms that modifiers make of values,
and the checks that all conditions amount to.
"""

from dataclasses import dataclass
from typing import Final

from fileaudit_engine.rules.refusal import UnusableValue
from fileaudit_engine.rules.size import MAX_CHECKS, MAX_CHECKS_OF_FILE

MAX_EXPRESSIONS: Final = 2_000
"""Expressions of one file: compiling one can take some milliseconds, and running it some more."""

MAX_FORMS_OF_FILE: Final = 100_000
"""Forms that modifiers may make of the values of one file, where they make more than one of a value."""


@dataclass(slots=True)
class Budget:
    """What a file has spent so far.

    Attributes:
        expressions: Regular expressions, at most `MAX_EXPRESSIONS`.
        forms: What modifiers have made of values, at most `MAX_FORMS_OF_FILE`.
        checks: What the documents ask of one event, at most `MAX_CHECKS_OF_FILE`.
    """

    expressions: int = 0
    forms: int = 0
    checks: int = 0

    def count_expression(self) -> None:
        """Count a regular expression, before it is compiled.

        Raises:
            UnusableValue: They are too many for one file.
        """
        self.expressions += 1
        if self.expressions > MAX_EXPRESSIONS:
            raise UnusableValue(
                "FA034",
                f"more than {MAX_EXPRESSIONS:,} regular expressions in one file",
                "split the file, or use 'contains' and wildcards",
            )

    def count_forms(self, made: int) -> None:
        """Count the forms that modifiers made of a value.

        Raises:
            UnusableValue: They are too many for one file.
        """
        self.forms += made
        if self.forms > MAX_FORMS_OF_FILE:
            raise UnusableValue(
                "FA039",
                f"modifiers make more than {MAX_FORMS_OF_FILE:,} forms of the values of this file",
                "split the file",
            )

    def too_many_checks(self, asked: int) -> str:
        """Count the checks of a document; what to say if they are too many, else nothing."""
        self.checks += asked
        if asked > MAX_CHECKS:
            return f"spelled out, the condition makes {asked:,} checks, at most {MAX_CHECKS:,} are made"
        if self.checks > MAX_CHECKS_OF_FILE:
            return f"the documents of this file make more than {MAX_CHECKS_OF_FILE:,} checks"
        return ""
