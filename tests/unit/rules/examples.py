"""What tests of rules begin with: a rule that is right, and ways to break it."""

from fileaudit_engine.diagnostics import Diagnostic
from fileaudit_engine.rules.ast import Detection, DetectionItem, DetectionMap, Rule
from fileaudit_engine.rules.nodes import MapNode, Node, Plain, ScalarNode, plain
from fileaudit_engine.rules.parser import parse_text
from fileaudit_engine.rules.source import decode, read_documents

HEAD = """\
title: A rule
id: 929a690e-bef0-4204-a928-ef5e620d6fcc
description: Something happens
level: low
logsource: {product: linux, category: file_access}
"""


def rule_text(detection: str, condition: str = "selection", head: str = HEAD) -> str:
    """A rule with one detection, given as YAML on one line, and a condition."""
    return f"{head}detection:\n  selection: {detection}\n  condition: {condition}\n"


def found_in(text: str) -> list[Diagnostic]:
    return list(parse_text(text).diagnostics)


def codes(text: str) -> list[str]:
    """The codes of what is found, in the order of places."""
    return [diagnostic.code for diagnostic in found_in(text)]


def one(text: str) -> Diagnostic:
    """The only finding."""
    (diagnostic,) = found_in(text)
    return diagnostic


def marked(diagnostic: Diagnostic, text: str) -> str:
    """The part of `text` that a finding points at."""
    where = diagnostic.location
    line = text.split("\n")[where.line - 1]
    return line[where.column - 1 : where.end_column - 1]


def only_rule(text: str) -> Rule:
    loaded = parse_text(text)
    assert loaded.diagnostics == ()
    (rule,) = loaded.rules
    return rule


def detection_of(yaml: str) -> Detection:
    return only_rule(rule_text(yaml)).detections["selection"]


def item_of(yaml: str) -> DetectionItem:
    """The first field test of a map."""
    detection = detection_of(yaml)
    assert isinstance(detection, DetectionMap)
    return detection.items[0]


def documents(text: str) -> list[Plain]:
    """The data of every readable document of a YAML text."""
    source, problems = decode("t", text.encode())
    assert source is not None
    assert problems == ()
    return [plain(document.root) for document in read_documents(source) if document.root is not None]


def root(text: str) -> Node:
    source, _ = decode("t", text.encode())
    assert source is not None
    node = next(read_documents(source)).root
    assert node is not None
    return node


def scalar(text: str) -> ScalarNode:
    """The value under the key `k` of a YAML text."""
    node = root(text)
    assert isinstance(node, MapNode)
    value = node.values["k"]
    assert isinstance(value, ScalarNode)
    return value
