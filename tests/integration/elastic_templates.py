"""Our templates for a node, as they lie in the checkout: the part that every node takes."""

from tools.elastic.node import Node

from fileaudit_engine.resources import schemas_dir

COMPONENTS = ("fileaudit@settings", "fileaudit@mappings")
INDEXES = ("logs-fileaudit.alert", "logs-fileaudit.event")


def put_templates(node: Node) -> None:
    """Put them; a second time changes nothing."""
    for kind, names in (("_component_template", COMPONENTS), ("_index_template", INDEXES)):
        for name in names:
            file = schemas_dir() / "elasticsearch" / f"{name}.json"
            node.ask("PUT", f"/{kind}/{name}", file.read_bytes())
