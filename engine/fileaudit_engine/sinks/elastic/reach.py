"""Whether Elasticsearch would take records, for whoever asks before there are any.

Nothing is changed there.
"""

import contextlib
from typing import Final

import msgspec

from fileaudit_engine.diagnostics import MachineCannot, UnusableInput
from fileaudit_engine.sinks.base import Reached
from fileaudit_engine.sinks.elastic.failures import (
    NOT_FOUND,
    UNAUTHORIZED,
    Failure,
    NoClient,
    cut,
    refusal,
    why,
)
from fileaudit_engine.sinks.elastic.node import Node, NotAllowed, connected, told
from fileaudit_engine.sinks.elastic.status import TOO_OLD, too_old, version_of
from fileaudit_engine.sinks.elastic.templates import INDEXES
from fileaudit_engine.sinks.settings import ElasticSettings

PRIVILEGES: Final = ("create_doc", "auto_configure")
"""What somebody must be allowed in order to deliver: to add documents, and to have a data stream made by the
first of them."""
_SECURITY: Final = "/_security/user/_has_privileges"
_NEEDS: Final = f"give them {' and '.join(PRIVILEGES)} on logs-fileaudit.*"


class _Rights(msgspec.Struct):
    """Whether who asks may do what was named."""

    has_all_requested: bool
    username: str = ""


def reach(settings: ElasticSettings) -> Reached:
    """Ask the first host that answers; takes as long as its answers may take, a few times."""
    try:
        with connected(settings) as node:
            return reached(node, settings)
    except (UnusableInput, NoClient) as error:
        return _not(why(error, settings))


def reached(node: Node, settings: ElasticSettings) -> Reached:
    """Ask a node whether it knows who asks, lets them write, and has the templates."""
    try:
        lacking = _without_rights(node, settings)
        version = "" if lacking else _version(node)
        if too_old(version):
            return Reached(ok=False, detail=f"{node.place} is Elasticsearch {version}", remedy=TOO_OLD)
        named = f" (Elasticsearch {version})" if version else ""
        lacking = lacking or _without_templates(node)
        return lacking or Reached(ok=True, detail=f"{node.place} answers{named}")
    except MachineCannot as error:
        return Reached(ok=False, detail=str(error), remedy=error.remedy)


def _not(failure: Failure) -> Reached:
    return Reached(ok=False, detail=failure.detail, remedy=failure.remedy)


def _without_rights(node: Node, settings: ElasticSettings) -> Reached | None:
    """Why nothing could be written; None if it could, or if the node asks nobody who they are."""
    names = [f"{index}-{settings.namespace}" for index in INDEXES]
    reply = node.ask("POST", _SECURITY, {"index": [{"names": names, "privileges": list(PRIVILEGES)}]})
    if reply.lacking:
        return None
    if reply.status == UNAUTHORIZED:
        return _not(refusal(reply.status, reply.body, settings, where=node.place))
    rights = told(reply, _Rights)
    if rights.has_all_requested:
        return None
    who = f"'{cut(rights.username)}'" if rights.username else "who signs in"
    return Reached(ok=False, detail=f"{node.place}: {who} may not write there", remedy=_NEEDS)


def _without_templates(node: Node) -> Reached | None:
    """That no data stream would be made; None if one would, or if that is not to be seen."""
    for index in INDEXES:
        if node.ask("GET", f"/_index_template/{index}").status == NOT_FOUND:
            detail = f"{node.place} has no template {index}: records wait until it has"
            return Reached(ok=False, detail=detail, remedy="fileaudit-engine elastic install")
    return None


def _version(node: Node) -> str:
    """Which Elasticsearch answers, as far as whoever asks may know."""
    with contextlib.suppress(NotAllowed):
        return version_of(node)
    return ""
