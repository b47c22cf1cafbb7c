"""What a hunt can say of a test, field by field.

Most fields stand in documents as the field table says (`columns`). What does not, follows from others
(`few_values`, `following`).
"""

from typing import Final

from fileaudit_engine.compiler.hunt.columns import FOLLOWS, columns_of
from fileaudit_engine.compiler.hunt.conditions import (
    ALWAYS,
    NEVER,
    Calendar,
    Column,
    Condition,
    Expression,
    Inside,
    IsTrue,
    Language,
    Not,
    Present,
    Related,
    Texts,
    either,
    negated,
)
from fileaudit_engine.compiler.hunt.few_values import enumerated, holder
from fileaudit_engine.compiler.hunt.following import FOLLOWING, guarded
from fileaudit_engine.compiler.hunt.numbers import absent, digits, interval, octal, path_state
from fileaudit_engine.compiler.hunt.oddities import (
    Oddity,
    any_folded,
    dotted,
    escaped,
    too_large,
    too_long,
)
from fileaudit_engine.compiler.hunt.re2 import lucene_of
from fileaudit_engine.compiler.hunt.said import Said, exactly, no_more_than, nothing
from fileaudit_engine.compiler.hunt.texts import TextColumns, matches, searches
from fileaudit_engine.compiler.ir import (
    Check,
    Compares,
    DatePart,
    EqualsBoolean,
    EqualsNumber,
    InNetwork,
    IsNull,
    Matches,
    Operator,
    Part,
    SameAs,
    Searches,
    Test,
    Wildcard,
)
from fileaudit_engine.events.fields import (
    BY_NAME,
    KEYWORD_IN_DOCUMENT,
    OCTAL_IN_DOCUMENT,
    WHOLE_EVENT,
    Field,
    FieldType,
)

_NUMBER_BESIDE: Final = KEYWORD_IN_DOCUMENT | {"Device"}
"""Integers in a column of digits, with a column of numbers below it."""
_ZONED: Final = lucene_of("%", "", folded=False)
"""Addresses of one machine's networks."""
_SOMETHING: Final = lucene_of("(?s)^.+$", "", folded=False)
_POWER_OF_TEN: Final = lucene_of("^[+-]?[0-9.]+[eE][+-]?[0-9]+$", "", folded=False)
_ROUNDED: Final = lucene_of("^[+-]?[0-9.]{17,}$", "", folded=False)
"""What the engine may round to a whole number: a point, and more digits than a float tells apart."""
_LINE_OF_ARGUMENTS: Final = {
    "process.args": "process.command_line",
    "process.parent.args": "process.parent.command_line",
}
_UNITS: Final = {
    Part.MINUTE: "minute_of_hour",
    Part.HOUR: "hour_of_day",
    Part.DAY: "day_of_month",
    Part.MONTH: "month_of_year",
    Part.YEAR: "year",
}
"""ES|QL's words; it knows no weeks of ISO 8601."""


def said(test: Test, language: Language) -> Said:  # noqa: PLR0911 - one return a case
    """What a hunt can say of a test."""
    field, check = test.field, test.check
    if field is WHOLE_EVENT:
        return nothing("a keyword may stand in any field, and no column holds them all")
    if field.name not in BY_NAME:
        return nothing(f"documents keep '{field.name}', which the field table does not know, unsearchable")
    if isinstance(check, SameAs):
        return _related(field, check, language)
    if field.name in FOLLOWS:
        return enumerated(field, check)
    if field.name in FOLLOWING:
        return FOLLOWING[field.name](field, check)
    match field.type:
        case FieldType.KEYWORD | FieldType.PATH | FieldType.PATHS:
            return _of_text(field, check, language)
        case FieldType.INTEGER:
            return _of_number(field, check)
        case FieldType.BOOLEAN:
            return _of_truth(field, check)
        case FieldType.DATE:
            return _of_date(field, check, language)


# --- texts -------------------------------------------------------------------------------------------------


def _of_text(field: Field, check: Check, language: Language) -> Said:
    columns = columns_of(field)
    if columns is None:
        return nothing(f"documents do not carry '{field.name}'")
    found = _of_columns(columns, check, language)
    return found if field.operations is None or not field.computed else guarded(field, found)


def _of_columns(columns: TextColumns, check: Check, language: Language) -> Said:  # noqa: PLR0911 - one return a case
    match check:
        case Matches():
            return matches(columns, check)
        case Searches():
            return searches(columns, check)
        case IsNull():
            return _absence(columns)
        case EqualsBoolean(value=value):
            return matches(columns, Matches(pattern=(str(value).lower(),), cased=False))
        case EqualsNumber(number=number):
            return _number_in_text(columns.exact, number)
        case InNetwork() if language is Language.ESQL and not columns.exact.many:
            inside = Inside(column=columns.exact, network=check.network)
            zoned = Texts(column=columns.exact, forms=(Expression(_ZONED),))
            return no_more_than(either((inside, zoned)), "addresses with a zone are found whatever they are")
        case InNetwork():
            return nothing("this language has no networks for columns of text")
        case _:
            return nothing("texts are no numbers in the index")


def _absence(columns: TextColumns) -> Said:
    column = columns.exact
    if columns.filled:
        present: Condition = Texts(column=column, forms=(Expression(_SOMETHING),))
    else:
        present = Present(column=column)
    if column.name in _LINE_OF_ARGUMENTS:  # an empty list is no value to the index, but its line is one
        present = either((present, Present(column=Column(name=_LINE_OF_ARGUMENTS[column.name]))))
    return exactly(negated(present), taken=(too_long(column),))


def _number_in_text(column: Column, number: float) -> Said:
    """A text that spells the number: `7`, `+7`, `007`, `7.0`, `0.7e1`."""
    if number != int(number):
        return nothing("texts are no numbers in the index")
    whole = int(number)
    sign = "-" if whole < 0 else "[+-]?" if whole == 0 else "[+]?"
    plain = rf"^{sign}(0*{abs(whole)}(\.0*)?{'|[.]0+' if whole == 0 else ''})$"
    nodes = (lucene_of(plain, "", folded=False), _POWER_OF_TEN, _ROUNDED)
    forms = tuple(map(Expression, nodes))
    return no_more_than(
        Texts(column=column, forms=forms), "numbers with a power of ten or with many digits count, too"
    )


# --- numbers, truth values, dates --------------------------------------------------------------------------


def _of_number(field: Field, check: Check) -> Said:  # noqa: PLR0911 - one return a case
    column = Column(name=field.ecs, many=field.name == "PathState")
    match check:
        case IsNull():
            return _no_number(field, column)
        case EqualsNumber(number=number):
            return _compared(field, column, Operator.EQ, number)
        case Compares(operator=operator, number=number):
            return _compared(field, column, operator, number)
        case Matches(pattern=pattern):
            return _digits_that_match(field, column, check) if pattern else exactly(NEVER)
        case EqualsBoolean():
            return exactly(NEVER)
        case Searches() if field.name in _NUMBER_BESIDE:
            return searches(TextColumns(exact=column, caseless=column), check)
        case _:
            return nothing("the index holds a number, not its digits")


def _no_number(field: Field, column: Column) -> Said:
    if field.name in {"Errno", "ProcessId", "PathState"}:
        return exactly(NEVER)
    return exactly(absent(column), taken=_too_large(field, column))


def _too_large(field: Field, column: Column) -> tuple[Oddity, ...]:
    return () if field.name in _NUMBER_BESIDE | OCTAL_IN_DOCUMENT else (too_large(column),)


def _compared(field: Field, column: Column, operator: Operator, number: float) -> Said:
    if field.name == "PathState":
        return exactly(path_state(column, operator, number))
    if field.name in OCTAL_IN_DOCUMENT:
        return exactly(octal(column, operator, number))
    if field.name not in _NUMBER_BESIDE:
        return interval(column, operator, number)
    if operator is Operator.EQ:
        return exactly(digits(column, int(number)) if number == int(number) else NEVER)
    return interval(Column(name=f"{field.ecs}.number"), operator, number)


def _digits_that_match(field: Field, column: Column, check: Matches) -> Said:
    """A number whose decimal digits have a pattern."""
    match check.pattern:
        case (str(text),):
            number = _as_written(text)
            return exactly(NEVER) if number is None else _compared(field, column, Operator.EQ, number)
        case (Wildcard.ANY,) if field.name != "PathState":
            return exactly(Present(column=column), missed=_too_large(field, column))
        case _ if field.name in _NUMBER_BESIDE:
            return matches(TextColumns(exact=column, caseless=column), check)
        case _:
            return nothing("the index holds a number, not its digits")


def _as_written(text: str) -> int | None:
    """The number that is written so, and not otherwise."""
    try:
        number = int(text)
    except ValueError:
        return None
    return number if str(number) == text else None


def _of_truth(field: Field, check: Check) -> Said:
    """Documents have it only where it is true."""
    flag = IsTrue(column=Column(name=field.ecs))
    match check:
        case EqualsBoolean(value=value):
            wanted = {value}
        case IsNull() | EqualsNumber() | Compares() | InNetwork() | DatePart():
            wanted = set()
        case _:
            holds = holder(check)
            wanted = {value for value in (False, True) if holds and holds(str(value).lower())}
    if len(wanted) != 1:
        return exactly(ALWAYS if wanted else NEVER)
    return exactly(flag if True in wanted else Not(flag))


def _of_date(field: Field, check: Check, language: Language) -> Said:  # noqa: PLR0911 - one return a case
    column = Column(name=field.ecs)
    match check:
        case IsNull():
            return exactly(NEVER if field.name == "UtcTime" else absent(column))
        case EqualsNumber() | Compares() | EqualsBoolean():
            return exactly(NEVER)
        case DatePart(part=part) if language is Language.ESQL and part in _UNITS and check.zone == "UTC":
            return exactly(
                Calendar(column=column, unit=_UNITS[part], operator=check.operator, number=check.number)
            )
        case DatePart(zone=zone) if language is Language.ESQL:
            return nothing(f"ES|QL knows neither weeks of ISO 8601 nor the time zone {zone}")
        case DatePart():
            return nothing("Lucene has no parts of dates")
        case Matches(pattern=(Wildcard.ANY,)):
            return exactly(Present(column=column))
        case _:
            return nothing("the index holds a date, not its digits")


# --- two fields --------------------------------------------------------------------------------------------


def _related(field: Field, check: SameAs, language: Language) -> Said:
    if language is Language.LUCENE:
        return nothing("Lucene compares no two fields; ES|QL does")
    one, other = columns_of(field), columns_of(check.other)
    if one is None or other is None or one.exact.many or other.exact.many or one.filled or other.filled:
        return nothing(f"'{field.name}' and '{check.other.name}' are no single texts of documents both")
    pair = (one.exact, other.exact) if check.cased else (one.caseless, other.caseless)
    odd = [*(escaped(column) for column in pair)]
    if not check.cased:
        odd += [any_folded(column) for column in pair]
        odd += [dotted(one.exact), dotted(other.exact)]
    missed = (*odd, *(too_long(column) for column in pair))
    return exactly(Related(column=pair[0], other=pair[1], how=check.how), missed=missed, taken=tuple(odd))
