"""The report as one JSON document, for scripts and CI."""

import json
from collections.abc import Mapping

from fileaudit_engine.rules.ast import Scalar
from fileaudit_engine.ruletest.coverage import Coverage
from fileaudit_engine.ruletest.report import CaseResult, Missing, Report, Unexpected
from fileaudit_engine.ruletest.wording import duration
from fileaudit_engine.text import to_document

Object = dict[str, object]


def render(report: Report) -> str:
    """The report by the public contract; ends with a line feed."""
    coverage = report.coverage
    document = {
        "summary": {
            "tests": len(report.results),
            "passed": report.passed,
            "failed": report.failed,
            "rules": len(coverage.rules),
            "rules_firing": coverage.firing,
            "rules_silent": coverage.silent,
        },
        "tests": [_result(result) for result in report.results],
        "coverage": _coverage(coverage),
    }
    return json.dumps(_valid(document), indent=2, allow_nan=False) + "\n"


def _result(result: CaseResult) -> Object:
    return {
        "file": result.case.file,
        "name": result.case.name,
        "status": "passed" if result.passed else "failed",
        "missing": [_missing(missing) for missing in result.missing],
        "unexpected": [_unexpected(unexpected) for unexpected in result.unexpected],
    }


def _missing(missing: Missing) -> Object:
    """What is None was not expected either way."""
    return {
        "kind": missing.kind.value,
        "rule": missing.rule,
        "level": missing.level,
        "at": None if missing.at_ns is None else duration(missing.at_ns),
        "fields": _fields(missing.fields),
        "location": str(missing.location),
        "reasons": list(missing.reasons),
    }


def _unexpected(unexpected: Unexpected) -> Object:
    raised = unexpected.raised
    return {
        "kind": raised.record.kind.value,
        "rule": raised.record.rule,
        "level": raised.record.level,
        "at": duration(raised.at_ns),
        "message": raised.record.document.get("message"),
        "location": str(raised.location),
        "reasons": list(unexpected.reasons),
    }


def _fields(fields: Mapping[str, Scalar | tuple[Scalar, ...]]) -> Object:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


def _coverage(coverage: Coverage) -> Object:
    return {
        "rules": {
            key: {"firing": rule.firing, "silent": rule.silent} for key, rule in coverage.rules.items()
        },
        "never_tested": list(coverage.never_tested),
        "percent": round(coverage.percent, 1),
    }


def _valid(value: object) -> object:
    """The value with names escaped, and without the numbers that JSON does not have."""
    match value:
        case str():
            return to_document(value).encode("utf-8", "backslashreplace").decode()
        case float() if value - value != 0:
            return str(value)
        case list():
            return [_valid(member) for member in value]
        case dict():
            return {_valid(key): _valid(member) for key, member in value.items()}
        case _:
            return value
