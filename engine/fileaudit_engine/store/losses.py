"""Losses as records: what was lost is chained like what was seen."""

from collections.abc import Mapping
from typing import Any

import msgspec

from fileaudit_engine.detect.described import LOG_LEVELS, add_host
from fileaudit_engine.detect.identity import digest, pack
from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.events.document import LOST, document_of_loss
from fileaudit_engine.events.model import Loss
from fileaudit_engine.events.objects import member_of
from fileaudit_engine.rules.ast import QUIET_LEVEL
from fileaudit_engine.store.facets import ENGINE_DATASET


def record_of_loss(loss: Loss, host: str = "") -> Record:
    """What the engine says about a loss.

    Args:
        loss: What was lost.
        host: This host's name; empty: the document does not say where.
    """
    document = document_of_loss(loss)
    record_id = digest(pack((LOST, loss.first_ns, loss.last_ns, sorted(loss.counts.items()))))
    member_of(document, "event").update(id=record_id, dataset=ENGINE_DATASET, severity=0)
    member_of(document, "fileaudit")["rule"] = {"level": QUIET_LEVEL}
    document["log"] = {"level": LOG_LEVELS[QUIET_LEVEL]}
    if host:
        add_host(document, host)
    return Record(
        id=record_id,
        kind=Kind.ENGINE,
        ts_ns=loss.last_ns,
        rule="",
        level=QUIET_LEVEL,
        document=document,
        event=None,
    )


def loss_of(document: Mapping[str, Any]) -> Loss | None:
    """The loss that a document tells; None if it tells none."""
    lost = document.get("fileaudit", {}).get("lost")
    return None if lost is None else msgspec.convert(lost, Loss)
