"""What tests of correlations begin with: some rules, and correlations over them."""

from fileaudit_engine.diagnostics import Diagnostic, Severity
from fileaudit_engine.rules.ast import Condition, Correlation
from fileaudit_engine.rules.condition import spelled_condition
from fileaudit_engine.rules.parser import LoadedRules, parse_text

_ID = "929a690e-bef0-4204-a928-ef5e620d6fcc"


def id_of(number: int) -> str:
    return _ID.replace("929a690e", f"{number:08d}")


def rule(name: str, number: int, category: str = "file_access") -> str:
    """A rule that is right."""
    return (
        f"title: Rule {name}\nid: {id_of(number)}\nname: {name}\ndescription: Something\nlevel: low\n"
        f"logsource: {{product: linux, category: {category}}}\n"
        f"detection: {{selection: {{User: {name}}}, condition: selection}}\n---\n"
    )


RULES = rule("a", 1) + rule("b", 2) + rule("c", 3, "file_rename")
"""Three rules by the names a, b and c, with the titles `Rule a` and so on; c is about renames."""

COUNT = "type: event_count, rules: [a], group-by: [User], timespan: 5m, condition: {gte: 10}"
"""What a correlation says that is right."""


def correlation(section: str = COUNT, name: str = "one", number: int = 11, top: str = "") -> str:
    """A correlation with `section` as a flow map on a line of its own: the seventh, if `top` is empty."""
    return (
        f"title: Correlation {name}\nid: {id_of(number)}\nname: {name}\ndescription: Something\nlevel: high\n"
        f"{top}correlation:\n  {{{section}}}\n---\n"
    )


def changed(**parts: str) -> str:
    """`COUNT` with some of its parts replaced; an empty one is left out. `_` stands for `-`."""
    known = {
        "type": "event_count",
        "rules": "[a]",
        "group-by": "[User]",
        "timespan": "5m",
        "condition": "{gte: 10}",
        **{name.replace("_", "-"): value for name, value in parts.items()},
    }
    return ", ".join(f"{name}: {value}" for name, value in known.items() if value)


def loaded(*documents: str) -> LoadedRules:
    """Documents behind the three rules."""
    return parse_text(RULES + "".join(documents))


def only(section: str = COUNT, top: str = "") -> Correlation:
    """The correlation that says `section`, of which nothing is wrong or doubtful."""
    found = loaded(correlation(section, top=top))
    assert found.diagnostics == ()
    (one,) = found.correlations
    return one


def finding(section: str, top: str = "") -> Diagnostic:
    """The only finding about a correlation; an error costs the correlation and no rule."""
    found = loaded(correlation(section, top=top))
    (diagnostic,) = found.diagnostics
    assert len(found.correlations) == (diagnostic.severity is Severity.WARNING)
    assert len(found.rules) == 3
    return diagnostic


def part(section: str, diagnostic: Diagnostic) -> str:
    """What a finding marks in `section`."""
    return correlation(section).split("\n")[6][
        diagnostic.location.column - 1 : diagnostic.location.end_column - 1
    ]


def spelled(condition: Condition | None) -> str:
    return spelled_condition(condition) if condition else ""
