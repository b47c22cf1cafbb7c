"""What is to be said of a hunt: what it leaves out, or why there is none."""

from collections.abc import Iterable, Iterator

from fileaudit_engine.compiler.hunt.conditions import Language
from fileaudit_engine.compiler.hunt.oddities import Oddity
from fileaudit_engine.compiler.hunt.translate import Gap
from fileaudit_engine.diagnostics import Diagnostic, Location, Severity, error_at

REFUSED = "FA100"
WIDER = "FA101"
NAMES = {Language.ESQL: "ES|QL", Language.LUCENE: "Lucene"}


def notes(gaps: Iterable[Gap], place: Location) -> Iterator[Diagnostic]:
    """Where the hunt finds more than the rule, each place once."""
    for gap in dict.fromkeys(gaps):
        yield Diagnostic(
            code=WIDER,
            severity=Severity.NOTE,
            message=f"the hunt finds more than the rule here: {gap.words}",
            location=gap.test.location or place,
            help=f"look at '{gap.test.field.name or 'every field'}' of what is found, or 'replay' it",
        )


def refusals(gaps: Iterable[Gap], place: Location, language: Language) -> Iterator[Diagnostic]:
    """Why nothing would be left of a rule."""
    for gap in dict.fromkeys(gaps):
        yield refusal(
            f"this cannot be hunted for in {NAMES[language]}: {gap.words}",
            gap.test.location or place,
            _remedy(language),
        )


def refusal(message: str, place: Location, remedy: str) -> Diagnostic:
    """Why there is no hunt."""
    return error_at(REFUSED, message, place, help=remedy)


def _remedy(language: Language) -> str:
    other = ", or '--to esql'" if language is Language.LUCENE else ""
    return f"ask for something else, too{other}; 'replay' evaluates the rule itself over exported documents"


def odd_words(odd: Iterable[Oddity]) -> tuple[str, ...]:
    """What odd texts a hunt finds whatever the rule says of them."""
    return tuple(dict.fromkeys(oddity.words for oddity in odd))
