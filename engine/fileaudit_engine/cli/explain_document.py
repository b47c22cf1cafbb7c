"""An explanation as JSON types: all that the page for people says, whole lists included."""

from collections.abc import Sequence

from fileaudit_engine.cli.explain_events import Judged
from fileaudit_engine.cli.explained_correlation import Agreeing, CorrelationExplanation
from fileaudit_engine.compiler.conditions import Condition, Leaf
from fileaudit_engine.compiler.explain import ClauseExplanation, PackExplanation, RuleExplanation, Sign
from fileaudit_engine.detect.crossing_words import as_json
from fileaudit_engine.detect.why import Verdict
from fileaudit_engine.events.fields import Value
from fileaudit_engine.events.model import FileEvent
from fileaudit_engine.events.times import rfc3339
from fileaudit_engine.text import to_document


def pack_document(
    rules: Sequence[RuleExplanation],
    pack: PackExplanation,
    correlations: Sequence[CorrelationExplanation] = (),
) -> dict[str, object]:
    """The explanation of rules and correlations as JSON types."""
    return {
        "kernel": {
            "clauses": pack.clauses,
            "most_clauses": pack.most_clauses,
            "keys": {table.value: count for table, count in pack.keys.items()},
        },
        "rules": [_rule_document(rule) for rule in rules],
        "correlations": [_correlation_document(one) for one in correlations],
    }


def event_document(event: FileEvent, answers: Sequence[Judged]) -> dict[str, object]:
    """The rules' answers to an event as JSON types."""
    return {
        "@timestamp": rfc3339(event.ts_ns),
        "operation": event.operation.value,
        "path": _json_value(event.path),
        "rules": [
            {
                "rule": to_document(answer.rule.rule.rule.key),
                "candidate": answer.candidate,
                "witnessed": answer.witnessed,
                "matches": answer.verdict.holds,
                "conditions": _condition_document(answer.rule.conditions, answer.verdict),
            }
            for answer in answers
        ],
    }


def _rule_document(explained: RuleExplanation) -> dict[str, object]:
    rule = explained.rule.rule
    return {
        "rule": to_document(rule.key),
        "id": rule.id,
        "title": rule.title,
        "level": rule.level,
        "logsource": explained.rule.logsource.value,
        "filters": list(map(to_document, rule.filters)),
        "file": to_document(rule.location.file),
        "line": rule.location.line,
        "clauses": [_clause_document(clause) for clause in explained.clauses],
        "witnesses": [_witness_document(witness) for witness in explained.witnesses],
        "hooks": [{"operation": hook.operation, "captured": hook.captured} for hook in explained.hooks],
        "conditions": _condition_document(explained.conditions, None),
        "blind_to": list(explained.blind_to),
        "warnings": [{"code": w.code, "message": w.message, "help": w.help} for w in explained.warnings],
        "silent": explained.silent,
        "heard_through": list(map(to_document, explained.heard_through)),
    }


def _correlation_document(explained: CorrelationExplanation) -> dict[str, object]:
    rule = explained.correlation.rule
    return {
        "rule": to_document(rule.key),
        "id": rule.id,
        "title": to_document(rule.title),
        "level": rule.level,
        "type": rule.type.value,
        "file": to_document(rule.location.file),
        "line": rule.location.line,
        "condition": explained.condition,
        "comparisons": [{one.comparator.value: as_json(one.number)} for one in rule.comparisons],
        "timespan": rule.timespan,
        "timespan_ns": rule.timespan_ns,
        "lateness_ns": explained.lateness_ns,
        "group_by": [_agreeing_document(name) for name in explained.group_by],
        "fields": list(map(to_document, rule.value_fields)),
        "listens_to": [
            {"rule": to_document(heard.key), "correlation": heard.chained, "silent": heard.silent}
            for heard in explained.listens_to
        ],
        "tells": explained.tells,
        "remembers": list(explained.remembers),
        "generate": rule.generate,
        "suspected": rule.suspected,
        "silent": explained.correlation.silent,
        "heard_through": list(map(to_document, explained.heard_through)),
        "blind_to": list(explained.blind_to),
    }


def _agreeing_document(name: Agreeing) -> dict[str, object]:
    fields = {to_document(source): to_document(field) for source, field in name.fields.items()}
    return {"name": to_document(name.name), "fields": fields}


def _clause_document(clause: ClauseExplanation) -> dict[str, object]:
    return {
        "bit": clause.bit,
        "operations": clause.operations,
        "access": clause.access,
        "outcomes": clause.outcomes,
        "names": clause.names,
        "paths": _json_value(clause.paths),
        "beginnings": _json_value(clause.beginnings),
        "endings": _json_value(clause.endings),
        "directories": _json_value(clause.directories),
        "users": _json_value(clause.users),
        "processes": _json_value(clause.processes),
        "threads": _json_value(clause.threads),
        "tests_path": clause.tests_path,
        "shared_with": _json_value(clause.shared_with),
    }


def _witness_document(witness: Sequence[Sign] | None) -> list[dict[str, object]] | None:
    if witness is None:
        return None
    return [{"field": sign.field, "asks": sign.verb, "values": _json_value(sign.values)} for sign in witness]


def _condition_document(condition: Condition, verdict: Verdict | None) -> dict[str, object]:
    judged = {} if verdict is None else {"holds": verdict.holds}
    if isinstance(condition, Leaf):
        value = {} if verdict is None else {"value": _json_value(verdict.value)}
        return {
            "field": condition.subject,
            "asks": condition.verb,
            "values": _json_value(condition.values),
            "cased": condition.cased,
            "where": condition.where.value,
            "why": condition.why,
            **judged,
            **value,
        }
    members = verdict.members if verdict else (None,) * len(condition.members)
    documents = [_condition_document(*pair) for pair in zip(condition.members, members, strict=True)]
    return {"all_of" if condition.every else "any_of": documents, **judged}


def _json_value(value: Value) -> str | int | bool | list[str] | None:
    if isinstance(value, tuple):
        return [to_document(member) for member in value]
    return to_document(value) if isinstance(value, str) else value
