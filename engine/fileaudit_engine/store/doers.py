"""Who did it: what all events of one process, user and container have in common, and are found by.

A process does many things. What its events have in common is looked at once, and its names have their numbers
from then on.
"""

from typing import Final

import msgspec

from fileaudit_engine.detect.record import Kind, Record
from fileaudit_engine.store.facets import Facet, doer_facets

REMEMBERED: Final = 1_024
"""Doers that are known; then all are forgotten. One takes a kilobyte as a rule, and thirty at the worst,
with the arguments that are kept of its process."""


class Doer(msgspec.Struct, kw_only=True):
    """Somebody who does something.

    Attributes:
        facets: What their records are found by.
        proof: What they are told apart by identity with, so that it stays what it is.
        generation: Of the names whose numbers these are; see `names.Names`.
        numbers: The numbers of the names.
        columns: Those that rows have in a column, by its place.
    """

    facets: list[Facet]
    proof: object
    generation: int = -1
    numbers: list[int] = []
    columns: list[tuple[int, int]] = []


class Doers:
    """Those who did something lately."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Doer] = {}

    def of(self, record: Record) -> Doer | None:
        """Who did what an audit event tells; None where a document may tell of something else.

        An alert can be about several events, and its document about what they have in common.
        """
        event = record.event
        if event is None or record.kind is not Kind.EVENT:
            return None
        key = (
            id(event.process),
            event.user_id,
            event.user_name,
            event.session_id,
            event.login_user_id,
            event.login_user_name,
            id(event.container),
        )
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            proof = event.process, event.container
            known = self._known[key] = Doer(facets=doer_facets(record.document), proof=proof)
        return known
