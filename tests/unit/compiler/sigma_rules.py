"""Rules as the parser hands them on, for laws that hold over the whole compiler."""

from collections.abc import Sequence

from hypothesis import strategies as st
from tests.unit.compiler.strategies import (
    COMPONENTS,
    EXPRESSIONS,
    PATH,
    few_valued_tests,
    patterns,
    testable_patterns,
)

from fileaudit_engine.diagnostics import Location
from fileaudit_engine.rules.ast import (
    And,
    Condition,
    DetectionItem,
    DetectionList,
    DetectionMap,
    Identifier,
    LogSourceSpec,
    Not,
    Or,
    Quantified,
    Rule,
    Scalar,
    SigmaValue,
)
from fileaudit_engine.rules.values import spelled_pattern

NAMES = ("selection", "selection_more", "filter")
HERE = Location(file="generated.yml", line=1, column=1)
KEYWORD_MODIFIERS = ((), ("all",), ("cased",), ("neq",), ("contains",), ("windash",))
MODIFIED: tuple[tuple[str, tuple[str, ...], Scalar], ...] = (
    ("TargetFilename", ("under",), "/etc"),
    ("TargetFilename", ("under", "neq"), "/a/b"),
    ("TargetFilename", ("path",), "/*/.ssh/**"),
    ("TargetFilename", ("path", "cased"), "**/keys"),
    ("TargetFilename", ("neq", "endswith"), "/b"),
    ("TargetFilename", ("fieldref",), "Image"),
    ("Image", ("fieldref", "startswith"), "TargetFilename"),
    ("Image", ("exists",), True),
    ("User", ("exists",), False),
    ("UserId", ("gte",), 1000),
    ("User", ("lt",), 5.5),
    ("User", ("cidr",), "10.0.0.0/8"),
    ("User", ("base64offset", "contains"), "ssh"),
    ("User", ("hour", "lt"), 12),
)
COMPARISONS = ((), (), ("contains",), ("startswith",), ("endswith",))


def rules() -> st.SearchStrategy[Rule]:
    """Three detections, any condition over them, any log source that opens files can be of."""
    return st.builds(
        _rule,
        st.tuples(*(_detections() for _ in NAMES)),
        st.lists(_conditions(), min_size=1, max_size=2),
        st.sampled_from((("file_access", None), (None, "fileaudit"), ("file_event", None))),
    )


def _rule(
    detections: Sequence[DetectionMap | DetectionList],
    conditions: Sequence[Condition],
    source: tuple[str | None, str | None],
) -> Rule:
    category, service = source
    return Rule(
        key="generated",
        title="Generated",
        logsource=LogSourceSpec(category=category, product="linux", service=service, location=HERE),
        detections=dict(zip(NAMES, detections, strict=True)),
        conditions=tuple(conditions),
        custom={},
        location=HERE,
    )


def _detections() -> st.SearchStrategy[DetectionMap | DetectionList]:
    maps = st.lists(_items(), min_size=1, max_size=3).map(
        lambda items: DetectionMap(items=tuple(items), location=HERE)
    )
    lists = st.lists(maps, min_size=1, max_size=3).map(
        lambda members: DetectionList(members=tuple(members), location=HERE)
    )
    return maps | lists


@st.composite
def _items(draw: st.DrawFn) -> DetectionItem:
    match draw(
        st.sampled_from(("path", "path", "path", "few", "expression", "other", "keyword", "modified"))
    ):
        case "path":
            texts = (patterns() | testable_patterns()).map(spelled_pattern)
            values: list[Scalar] = [*draw(st.lists(texts, min_size=1, max_size=3))]
            modifiers = draw(st.sampled_from(COMPARISONS)) + draw(
                st.sampled_from(((), (), ("all",), ("cased",), ("cased", "all")))
            )
            return _item(PATH.name, modifiers, values)
        case "few":
            test = draw(few_valued_tests())
            return _item(test.field.name, (), [draw(st.sampled_from(test.field.values))])
        case "expression":
            flags = draw(st.sampled_from(((), ("i",), ("s",))))
            return _item(PATH.name, ("re", *flags), [draw(st.sampled_from(EXPRESSIONS))])
        case "keyword":
            return draw(_keywords())
        case "modified":
            name, modifiers, value = draw(st.sampled_from(MODIFIED))
            return _item(name, modifiers, [value])
        case _:
            field = draw(st.sampled_from(("User", "UserId", "Image", "TargetFilename")))
            return _item(field, (), [draw(st.sampled_from((None, 0, 1000, "root", "", True)))])


@st.composite
def _keywords(draw: st.DrawFn) -> DetectionItem:
    if draw(st.integers(0, 3)) == 0:
        return _item(None, ("re",), [draw(st.sampled_from(EXPRESSIONS))])
    words = draw(st.lists(st.sampled_from(COMPONENTS), min_size=1, max_size=2))
    return _item(None, draw(st.sampled_from(KEYWORD_MODIFIERS)), words)


def _item(field: str | None, modifiers: tuple[str, ...], values: Sequence[Scalar]) -> DetectionItem:
    return DetectionItem(
        field=field,
        modifiers=modifiers,
        values=tuple(SigmaValue(value=value, location=HERE) for value in values),
        is_list=len(values) > 1,
        location=HERE,
    )


def _conditions() -> st.SearchStrategy[Condition]:
    leaves: st.SearchStrategy[Condition] = st.one_of(
        st.sampled_from(NAMES).map(lambda name: Identifier(name=name, location=HERE)),
        st.builds(
            lambda every, names: Quantified(every=every, pattern="them", names=names, location=HERE),
            st.booleans(),
            st.sampled_from((NAMES, NAMES[:2])),
        ),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda operand: Not(operand=operand)),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(operands=tuple(parts))),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(operands=tuple(parts))),
        ),
        max_leaves=5,
    )
